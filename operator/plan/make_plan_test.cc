#include "operator/plan/make_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "operator/plan/fake_world.h"

namespace rabbit::plan {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

observe::ChildId InventoryId() { return {kube::kConfigMaps, "c-inventory"}; }
observe::ChildId NodeSetId() { return {kube::kStatefulSets, "c-node"}; }

std::string Body(const Action& action) {
  if (const auto* create = std::get_if<CreateObject>(&action)) return create->body;
  if (const auto* apply = std::get_if<ApplyObject>(&action)) return apply->uid + apply->body;
  return {};
}

// Everything a plan says, for comparing.
std::vector<std::string> Told(const Plan& plan) {
  std::vector<std::string> lines;
  for (const Step& step : plan.steps) {
    lines.push_back(Describe(step) + ": " + step.reason +
                    (step.after ? " after " + std::to_string(*step.after) : "") +
                    (step.repairs_drift ? " drift " : " ") + Body(step.action));
  }
  for (const Problem& problem : plan.problems) lines.push_back(problem.reason + problem.message);
  for (const Wait& wait : plan.waits) lines.push_back(wait.reason + wait.message);
  for (const Warning& warning : plan.warnings) lines.push_back(warning.reason + warning.message);
  for (const auto& [id, verified] : plan.verified) lines.push_back(id.name + verified.desired_hash);
  for (const std::string& field : plan.fields_without_effect) lines.push_back(field);
  lines.push_back(plan.declared.proxy_config_hash);
  return lines;
}

class MakePlanTest : public testing::Test {
 protected:
  Plan Next() {
    const observe::Observation seen = world_.Observe();
    PlanMemo nothing;
    const Plan fresh = MakePlan(world_.cluster, seen, {}, nothing, world_.now);
    Plan plan = MakePlan(world_.cluster, seen, {}, memo_, world_.now);
    EXPECT_EQ(Told(plan), Told(fresh)) << "the memo decides something";
    return plan;
  }
  void Round() {
    world_.Execute(Next(), [this] { return failing_ && coin_(engine_) == 0; });
    world_.Tick();
  }
  // Rounds until nothing is left to do; how many it took.
  int Settle(int most = 40) {
    int quiet = 0;
    for (int round = 1; round <= most; ++round) {
      const Plan plan = Next();
      const bool is_done = plan.steps.empty() && plan.waits.empty();
      quiet = is_done ? quiet + 1 : 0;
      if (quiet == 2) return round;
      Round();
    }
    ADD_FAILURE() << "not settled: " << testing::PrintToString(Told(Next()));
    return most;
  }

  FakeWorld world_;
  PlanMemo memo_;
  bool failing_ = false;
  std::mt19937 engine_{1};
  std::uniform_int_distribution<int> coin_{0, 3};  // one step in four fails
};

TEST_F(MakePlanTest, ANewClusterIsMadeInAFewRoundsAndThenLeftAlone) {
  EXPECT_LE(Settle(), 12);
  EXPECT_EQ(world_.running(), (std::set{0, 1, 2}));
  const int writes = world_.writes;
  // 12 children, three Secrets, and the inventory once more: the cluster has formed.
  EXPECT_LE(writes, 16);
  for (int i = 0; i < 3; ++i) Round();
  EXPECT_EQ(world_.writes, writes);
  EXPECT_EQ(world_.Body(InventoryId())["data"]["formed"], "true");
}

TEST_F(MakePlanTest, TheProxiesFollowTheNodesAddresses) {
  Round();
  EXPECT_FALSE(world_.Has({kube::kDeployments, "c-haproxy"}));
  Round();
  EXPECT_TRUE(world_.Has({kube::kDeployments, "c-haproxy"}));
}

TEST_F(MakePlanTest, NewNodesAreLetInAndNothingIsRestarted) {
  Settle();
  world_.Declare(5);
  Settle();
  EXPECT_EQ(world_.running(), (std::set{0, 1, 2, 3, 4}));
  EXPECT_THAT(Next().problems, IsEmpty());
}

TEST_F(MakePlanTest, ACountThatIsNotSaidIsWrittenDownAndKept) {
  Settle();
  world_.Declare(5);
  Settle();
  world_.cluster.spec.replicas.reset();  // the line was removed
  ++world_.cluster.meta.generation;
  Settle();
  EXPECT_EQ(world_.cluster.spec.replicas, 5);
  EXPECT_EQ(world_.running().size(), 5U);
}

TEST_F(MakePlanTest, AScaleDownIsRefusedAndNobodyLeaves) {
  Settle();
  world_.Declare(1);
  Settle();
  EXPECT_EQ(world_.running(), (std::set{0, 1, 2}));
  ASSERT_EQ(Next().problems.size(), 1U);
  EXPECT_EQ(Next().problems[0].reason, "ScaleDownRefused");
  world_.Declare(3);
  Settle();
  EXPECT_THAT(Next().problems, IsEmpty());
}

TEST_F(MakePlanTest, AStatefulSetScaledByHandIsPutBackInBothDirections) {
  Settle();
  for (const int replicas : {1, 6}) {
    world_.Edit(NodeSetId(), {{"spec", {{"replicas", replicas}}}});
    world_.Tick();
    Settle();
    EXPECT_EQ(world_.running(), (std::set{0, 1, 2}));
    EXPECT_EQ(world_.Body(NodeSetId())["spec"]["replicas"], 3);
  }
}

TEST_F(MakePlanTest, AKilledPodComesBackAndALostDiskIsHeldUntilItsNodeWasForgotten) {
  Settle();
  world_.KillPod(1);
  Settle();
  EXPECT_EQ(world_.running(), (std::set{0, 1, 2}));

  world_.LoseDisk(1);
  for (int i = 0; i < 6; ++i) Round();
  EXPECT_EQ(world_.running(), (std::set{0, 2}));
  EXPECT_EQ(Next().problems.at(0).reason, "LostDisk");

  world_.Forget(1);
  Settle();
  EXPECT_EQ(world_.running(), (std::set{0, 1, 2}));
  EXPECT_THAT(Next().problems, IsEmpty());
}

TEST_F(MakePlanTest, ADiskThatWasWipedUnderItsClaimIsHeldUntilItsNodeWasForgotten) {
  Settle();
  world_.WipeDisk(1);
  for (int i = 0; i < 40; ++i) Round();
  EXPECT_EQ(world_.running(), (std::set{0, 2}));
  EXPECT_EQ(Next().problems.at(0).reason, "LostDisk");
  world_.Forget(1);
  Settle();
  EXPECT_EQ(world_.running(), (std::set{0, 1, 2}));
}

TEST_F(MakePlanTest, ALossOfAllDisksIsToldAndTheWayOutThatIsNamedLeadsOut) {
  for (const int replicas : {1, 3}) {
    world_ = FakeWorld();
    memo_ = {};
    world_.Declare(replicas);
    Settle();
    for (int i = 0; i < replicas; ++i) world_.LoseDisk(i);
    for (int i = 0; i < 6; ++i) Round();
    EXPECT_THAT(world_.running(), IsEmpty());
    ASSERT_EQ(Next().problems.size(), 1U);
    EXPECT_EQ(Next().problems[0].reason, "AllDisksLost");
    world_.DeleteChild(InventoryId());
    Settle();
    EXPECT_EQ(world_.running().size(), static_cast<std::size_t>(replicas));
    EXPECT_THAT(Next().problems, IsEmpty());
  }
}

// The operator ends after each step in turn, and is away long enough for whoever was let in to
// wait for the others.
TEST_F(MakePlanTest, FormingAnewGoesOnWhereverItWasInterrupted) {
  for (const char* image : {"rabbitmq:3.13", "rabbitmq:3.10"}) {
    int steps = 0;
    bool was_interrupted = true;
    for (int last = 0; was_interrupted; ++last) {
      SCOPED_TRACE(std::string(image) + " ended after step " + std::to_string(last));
      world_ = FakeWorld();
      memo_ = {};
      world_.cluster.spec.image = image;
      Settle();
      for (int i = 0; i < 3; ++i) world_.LoseDisk(i);
      world_.DeleteChild(InventoryId());
      steps = 0;
      was_interrupted = false;
      for (int round = 0; round < 12 && !was_interrupted; ++round) {
        world_.Execute(Next(), [&] {
          was_interrupted = was_interrupted || steps == last;
          if (!was_interrupted) ++steps;
          return was_interrupted;
        });
        world_.Tick();
      }
      for (int i = 0; i < 10; ++i) world_.Tick();
      memo_ = {};
      Settle();
      EXPECT_EQ(world_.running(), (std::set{0, 1, 2}));
      EXPECT_EQ(world_.Body(InventoryId())["data"]["reforming"], "false");
      if (HasFailure()) return;
    }
    EXPECT_GT(steps, 7);  // three questions, the record, three releases, the record again
  }
}

TEST_F(MakePlanTest, ANodeThatStillHasItsDataKeepsTheOthersFromFormingAnew) {
  Settle();
  for (const int blank : {0, 1}) world_.LoseDisk(blank);
  world_.KillPod(2);
  world_.DeleteChild(InventoryId());
  bool asked = false;  // the node with data is not held, and the question tells
  for (int i = 0; i < 40; ++i) {
    const Plan plan = Next();
    asked = asked || std::ranges::any_of(plan.steps, [](const Step& step) {
              return step.reason == "must be held like all others";
            });
    world_.Execute(plan, [] { return false; });
    if (world_.Has(InventoryId())) {
      EXPECT_EQ(world_.Body(InventoryId())["data"]["reforming"], "false");
    }
    world_.Tick();
  }
  EXPECT_TRUE(asked);
  EXPECT_EQ(world_.running(), (std::set{2}));
}

TEST_F(MakePlanTest, AClusterDeclaredAgainTakesUpItsDisks) {
  Settle();
  world_.StartOver();
  memo_ = {};
  Settle();
  EXPECT_EQ(world_.running(), (std::set{0, 1, 2}));
}

TEST_F(MakePlanTest, DisksThatAreAboutToVanishDecideNothingAndNoNodeStartsBesideThem) {
  world_.Declare(5);
  Settle();
  world_.StartOverWithoutDisks();
  memo_ = {};
  world_.cluster.spec.replicas.reset();
  world_.cluster.spec.storage.size = "5Gi";
  for (int i = 0; i < 10; ++i) Round();
  EXPECT_FALSE(world_.Has(NodeSetId()));
  ASSERT_FALSE(Next().waits.empty());
  EXPECT_THAT(Told(Next()), Contains(StartsWith("ChildLeavingno node is started before the volume "
                                                "claims of the StatefulSet that is gone are "
                                                "collected: ")));
  world_.CollectDisks();
  Settle();
  EXPECT_THAT(Next().problems, IsEmpty());
  EXPECT_EQ(world_.running(), (std::set{0, 1, 2}));
}

TEST_F(MakePlanTest, NothingIsDoneWhileItIsNotKnownWhoseDisksTheyAre) {
  Settle();
  world_.StartOver();
  observe::Observation seen = world_.Observe();
  seen.node_set_trouble = "timeout";
  PlanMemo nothing;
  const Plan plan = MakePlan(world_.cluster, seen, {}, nothing, world_.now);
  EXPECT_THAT(plan.steps, IsEmpty());
  EXPECT_THAT(Told(plan), Contains("ChildUnknownStatefulSet c-node, to which volume claims belong, "
                                   "cannot be read: timeout: nothing is done before"));
  EXPECT_TRUE(plan.unplanned);
}

TEST_F(MakePlanTest, AClusterDeclaredAgainWithoutACountTakesUpAllItsDisks) {
  world_.Declare(5);
  Settle();
  world_.StartOver();
  memo_ = {};
  world_.cluster.spec.replicas.reset();
  Settle();
  EXPECT_EQ(world_.running(), (std::set{0, 1, 2, 3, 4}));
  EXPECT_EQ(world_.cluster.spec.replicas, 5);
  EXPECT_THAT(Next().problems, IsEmpty());
}

TEST_F(MakePlanTest, DisksThatAreTakenUpAgainAreToldToBeOthersThanDeclared) {
  const auto restart = [this](std::string size, std::optional<std::string> class_name) {
    world_.StartOver();
    memo_ = {};
    world_.cluster.spec.storage.size = std::move(size);
    world_.cluster.spec.storage.class_name = std::move(class_name);
    Settle();
  };
  Settle();
  restart("1Ti", {});
  EXPECT_EQ(world_.running(), (std::set{0, 1, 2}));
  ASSERT_EQ(Next().problems.size(), 1U);
  EXPECT_EQ(Next().problems[0].reason, "VolumeExpansionPending");
  EXPECT_THAT(base::Dump(world_.Body(NodeSetId())["spec"]["volumeClaimTemplates"]),
              HasSubstr(R"({"requests":{"storage":"10Gi"}})"));

  restart("5Gi", {});
  ASSERT_EQ(Next().problems.size(), 1U);
  EXPECT_THAT(Next().problems[0].message, StartsWith("spec.storage.size: 5Gi: must not shrink"));

  restart("10Gi", "slow");
  ASSERT_EQ(Next().problems.size(), 1U);
  EXPECT_THAT(Next().problems[0].message,
              StartsWith("spec.storage.className: slow: must not change (it is standard)"));

  restart("10Gi", {});
  EXPECT_THAT(Next().problems, IsEmpty()) << "the default class was filled in";
}

TEST_F(MakePlanTest, DisksThatAreNotTakenUpBecauseTheStorageIsEphemeralAreNamed) {
  Settle();
  EXPECT_THAT(Next().warnings, IsEmpty());
  world_.StartOver();
  memo_ = {};
  world_.cluster.spec.storage.ephemeral = true;
  ASSERT_EQ(Next().warnings.size(), 1U);  // before anything is made
  EXPECT_EQ(Next().warnings[0].reason, "VolumesUnused");
  EXPECT_THAT(Next().warnings[0].message,
              HasSubstr("data-c-node-0, data-c-node-1 and data-c-node-2"));
  EXPECT_THAT(Next().problems, IsEmpty());
}

TEST_F(MakePlanTest, TheSecretOfAUserThatWasRemovedDoesNotOutliveTheCluster) {
  for (const char* name : {"app", "stays"}) {
    world_.cluster.spec.users.push_back({});
    world_.cluster.spec.users.back().name = name;
  }
  Settle();
  const std::string app = resources::UserSecretName("c", "app");
  const std::string stays = resources::UserSecretName("c", "stays");
  ASSERT_TRUE(world_.HasSecret(app));
  world_.cluster.spec.users.erase(world_.cluster.spec.users.begin());
  ++world_.cluster.meta.generation;
  failing_ = true;  // in whatever order it comes about
  for (int i = 0; i < 10; ++i) Round();
  failing_ = false;
  Settle();
  EXPECT_EQ(world_.Body(InventoryId())["data"]["users"], R"(["stays"])");
  world_.StartOver();
  EXPECT_FALSE(world_.HasSecret(app));
  EXPECT_TRUE(world_.HasSecret(stays));
}

// `kubectl replace --force`: deleted and declared again before anything of it was collected.
TEST_F(MakePlanTest, ARecordOfTheClusterBeforeDecidesNothing) {
  world_.Declare(5);
  Settle();
  world_.ReplaceByForce(3);
  memo_ = {};
  for (int i = 0; i < 3; ++i) {
    const Plan plan = Next();
    EXPECT_THAT(plan.steps, IsEmpty());
    EXPECT_THAT(plan.problems, IsEmpty()) << "nobody asked to scale down";
    EXPECT_EQ(plan.unplanned.value().reason, "ChildLeaving");
    ASSERT_EQ(plan.waits.size(), 1U);
    EXPECT_THAT(plan.waits[0].message, HasSubstr("c-inventory belongs to an earlier cluster"));
    Round();
  }
  // The collector takes its time, and the record may go first.
  for (int i = 0; i < 12; ++i) {
    world_.Collect(1);
    Round();
  }
  Settle();
  EXPECT_EQ(world_.cluster.spec.replicas, 3);
  EXPECT_EQ(world_.Body(NodeSetId())["spec"]["replicas"], 3);
  EXPECT_THAT(Next().problems, IsEmpty());
}

TEST_F(MakePlanTest, ACountThatIsNotSaidIsNotThatOfTheClusterBefore) {
  world_.Declare(5);
  Settle();
  world_.ReplaceByForce({});
  memo_ = {};
  for (int i = 0; i < 3; ++i) Round();
  EXPECT_EQ(world_.cluster.spec.replicas, std::nullopt);
}

TEST_F(MakePlanTest, NothingIsDoneOnARecordThatSomebodyElseControls) {
  Settle();
  observe::Observation seen = world_.Observe();
  observe::Child& inventory = seen.children.at(InventoryId());
  inventory.owner_uid = "uid-of-web";
  inventory.foreign_owner = "Deployment web";
  const Plan plan = MakePlan(world_.cluster, seen, {}, memo_, world_.now);
  EXPECT_THAT(plan.steps, IsEmpty());
  EXPECT_EQ(plan.unplanned.value().reason, "NameTaken");
  ASSERT_EQ(plan.problems.size(), 1U);
  EXPECT_THAT(plan.problems[0].message,
              StartsWith("ConfigMap c-inventory belongs to Deployment web, its controller"));
}

TEST_F(MakePlanTest, AClusterDeclaredAgainOverBlankDisksForms) {
  Round();  // claims are made, nobody has booted
  world_.StartOver();
  memo_ = {};
  Settle();
  EXPECT_EQ(world_.running(), (std::set{0, 1, 2}));
}

TEST_F(MakePlanTest, ChildrenDeletedByHandAreMadeAgainAndTheGuardStaysClosed) {
  Settle();
  world_.DeleteChild(InventoryId());
  world_.LoseDisk(2);
  for (int i = 0; i < 8; ++i) Round();
  EXPECT_EQ(world_.running(), (std::set{0, 1}));
  EXPECT_EQ(world_.Body(InventoryId())["data"]["formed"], "true");
  world_.Forget(2);
  Settle();
  EXPECT_EQ(world_.running(), (std::set{0, 1, 2}));
}

TEST_F(MakePlanTest, AChangedImageIsToldAndRollsNobody) {
  Settle();
  world_.cluster.spec.image = "rabbitmq:4.0";
  ++world_.cluster.meta.generation;
  Settle();
  ASSERT_EQ(Next().problems.size(), 1U);
  EXPECT_EQ(Next().problems[0].reason, "RestartPending");
  EXPECT_EQ(Next().declared.broker_image, "rabbitmq:4.0");
}

TEST_F(MakePlanTest, AFirstStartThatFailsIsBegunAnewWithWhatIsDeclared) {
  Round();  // pods are made, nobody has booted
  world_.cluster.spec.image = "rabbitmq:4.0";
  ++world_.cluster.meta.generation;
  world_.Execute(Next(), [] { return false; });
  EXPECT_THAT(Next().problems,
              Contains(testing::Field(&Problem::message,
                                      testing::HasSubstr("delete the RabbitCluster and apply it "
                                                         "again"))));
  world_.StartOver();
  memo_ = {};
  Settle();
  EXPECT_EQ(world_.running(), (std::set{0, 1, 2}));
  EXPECT_THAT(Next().problems, IsEmpty());
}

TEST_F(MakePlanTest, AFirstStartWhosePodsAreRefusedIsBegunAnewWithWhatIsDeclared) {
  for (const int let_in : {0, 1}) {
    world_ = FakeWorld();
    memo_ = {};
    world_.cluster.spec.image = "rabbitmq:3.13.1";
    world_.refused_image = "rabbitmq:3.13.1";
    world_.refuses_after = let_in;
    for (int i = 0; i < 5; ++i) Round();
    world_.cluster.spec.image = "rabbitmq:3.13.2";  // corrected, and nothing comes of it
    ++world_.cluster.meta.generation;
    for (int i = 0; i < 5; ++i) Round();
    EXPECT_EQ(world_.running().size(), static_cast<std::size_t>(let_in));
    EXPECT_THAT(Next().problems,
                Contains(testing::Field(&Problem::message,
                                        HasSubstr("delete the RabbitCluster and apply it again"))));
    world_.StartOver();
    memo_ = {};
    Settle();
    EXPECT_EQ(world_.running(), (std::set{0, 1, 2}));
    EXPECT_THAT(Next().problems, IsEmpty());
  }
}

// Five nodes were asked for, and there is room for three.
TEST_F(MakePlanTest, ACountThatCannotFormIsLoweredByBeginningAnew) {
  world_.cluster.spec.image = world_.refused_image = "rabbitmq:3.13.1";
  world_.refuses_after = 3;
  world_.Declare(5);
  for (int i = 0; i < 8; ++i) Round();
  ASSERT_EQ(world_.running(), (std::set{0, 1, 2}));
  world_.Declare(3);
  for (int i = 0; i < 4; ++i) {
    const Plan plan = Next();
    EXPECT_THAT(plan.waits, Contains(testing::Field(&Wait::reason, "ClusterForming")))
        << "what is written is lost with the node that joins another";
    ASSERT_FALSE(plan.problems.empty());
    EXPECT_EQ(plan.problems[0].reason, "ScaleDownRefused");
    EXPECT_THAT(plan.problems[0].message, HasSubstr("delete the RabbitCluster and apply it again"));
    Round();
  }
  world_.StartOver();
  memo_ = {};
  Settle();
  EXPECT_EQ(world_.running(), (std::set{0, 1, 2}));
  EXPECT_THAT(Next().problems, IsEmpty());
}

// One edit brings a new major version and the settings that only it understands; then a node is
// evicted, and comes back with the image of before.
TEST_F(MakePlanTest, NodesOfTheImageOfBeforeKeepTheirConfiguration) {
  Settle();
  const observe::ChildId config{kube::kConfigMaps, "c-config"};
  const base::Json before = world_.Body(config)["data"];
  world_.cluster.spec.image = "rabbitmq:4.0";
  world_.cluster.spec.config = "only_in_4 = true\n";
  world_.Declare(5);
  Settle();
  for (const int ordinal : {0, 1, 2}) world_.KillPod(ordinal);
  Settle();  // also while none is seen
  EXPECT_EQ(world_.Body(config)["data"], before);
  EXPECT_EQ(world_.running(), (std::set{0, 1, 2}));
  ASSERT_EQ(Next().warnings.size(), 1U);
  EXPECT_EQ(Next().warnings[0].reason, "ConfigHeld");
  EXPECT_THAT(Next().problems, Contains(testing::Field(&Problem::reason, "GrowthHeld")));

  world_.cluster.spec.image = "rabbitmq:3.13.9";
  world_.cluster.spec.config = "";
  world_.Declare(5);
  Settle();
  EXPECT_EQ(world_.running(), (std::set{0, 1, 2, 3, 4}));
  EXPECT_THAT(Next().warnings, IsEmpty());
}

TEST_F(MakePlanTest, APinnedImageOutlivesTheOperatorsDefault) {
  Settle();
  PlanMemo memo;
  const Plan plan =
      MakePlan(world_.cluster, world_.Observe(), {.broker_image = "rabbitmq:5"}, memo, world_.now);
  EXPECT_THAT(plan.steps, IsEmpty());
}

TEST_F(MakePlanTest, AnImageThatIsNoLongerSaidIsThatOfBefore) {
  Settle();
  const std::string first = Next().declared.broker_image;
  for (const char* image : {"rabbitmq:4.0", "rabbitmq:4.1"}) {
    world_.cluster.spec.image = image;
    ++world_.cluster.meta.generation;
    for (int i = 0; i < 3; ++i) Round();
    ASSERT_EQ(Next().problems.size(), 1U);
    world_.cluster.spec.image.reset();
    ++world_.cluster.meta.generation;
    Settle();
    EXPECT_EQ(Next().declared.broker_image, first);
    EXPECT_THAT(Next().problems, IsEmpty());
  }
}

TEST_F(MakePlanTest, FieldsWithoutEffectAreNamedAlsoAfterAChange) {
  EXPECT_THAT(Next().fields_without_effect, IsEmpty());
  world_.cluster.spec.on_data_loss = api::OnDataLoss::kAccept;
  ++world_.cluster.meta.generation;
  EXPECT_THAT(Next().fields_without_effect, ElementsAre("spec.scaleDown"));
  EXPECT_THAT(Next().fields_without_effect, ElementsAre("spec.scaleDown"));
}

TEST_F(MakePlanTest, APausedClusterIsObservedOnly) {
  world_.cluster.spec.paused = true;
  const Plan plan = Next();
  EXPECT_THAT(plan.steps, IsEmpty());
  EXPECT_EQ(plan.held.size(), 14U);  // what would be done is told
}

TEST_F(MakePlanTest, ABrokenSpecChangesNothingThatRuns) {
  world_.cluster.findings.structural = {{"spec.replicas", "0", "must be between 1 and 99"}};
  const Plan plan = Next();
  EXPECT_THAT(plan.steps, IsEmpty());
  EXPECT_TRUE(plan.unplanned);
  ASSERT_EQ(plan.problems.size(), 1U);
  EXPECT_EQ(plan.problems[0].reason, "InvalidSpec");
  EXPECT_THAT(plan.problems[0].message, HasSubstr("spec.replicas: 0: must be between 1 and 99"));
}

TEST_F(MakePlanTest, AClusterWhoseNodesCannotFindEachOtherIsLeftAsItIs) {
  Settle();
  ++world_.cluster.meta.generation;
  const Plan plan = MakePlan(world_.cluster, world_.Observe(),
                             {.cluster_domain = std::string(230, 'd')}, memo_, world_.now);
  EXPECT_TRUE(plan.unplanned);
  EXPECT_THAT(plan.steps, IsEmpty());
  ASSERT_EQ(plan.problems.size(), 1U);
  EXPECT_EQ(plan.problems[0].reason, "InvalidSpec");
  EXPECT_TRUE(plan.problems[0].needs_person);
  EXPECT_THAT(plan.problems[0].message, StartsWith("metadata.name: c: cannot be short enough"));
}

TEST_F(MakePlanTest, ARecordThatCannotBeReadIsToldAndNothingIsDoneOnIt) {
  world_.cluster.spec.users.push_back({});
  world_.cluster.spec.users.back().name = "root";
  Settle();
  const std::string volumes = world_.Body(InventoryId())["data"]["volumes"];
  world_.Edit(InventoryId(), {{"data", {{"volumes", "{0: by hand"}}}});
  // All that would be acted upon, were the record as it was, or guessed.
  world_.LoseDisk(1);
  world_.cluster.spec.users.clear();
  world_.Declare(5);
  world_.DeleteChild({kube::kConfigMaps, "c-config"});
  for (int i = 0; i < 5; ++i) {
    const Plan plan = Next();
    EXPECT_THAT(plan.steps, IsEmpty());
    ASSERT_EQ(plan.problems.size(), 1U);
    EXPECT_EQ(plan.problems[0].reason, "InventoryUnreadable");
    EXPECT_EQ(plan.unplanned.value().because, "ConfigMap c-inventory cannot be read");
    EXPECT_TRUE(plan.problems[0].needs_person);
    EXPECT_THAT(plan.problems[0].message,
                StartsWith("ConfigMap c-inventory: key volumes does not hold what the operator "
                           "wrote there"));
    EXPECT_EQ(plan.declared.replicas, 5);
    Round();
  }
  EXPECT_EQ(world_.Body(InventoryId())["data"]["volumes"], "{0: by hand");
  EXPECT_THAT(world_.running(), ElementsAre(0, 2)) << "the blank one is held";

  world_.Edit(InventoryId(), {{"data", {{"volumes", volumes}}}});
  for (int i = 0; i < 10; ++i) Round();
  EXPECT_THAT(world_.running(), testing::ElementsAre(0, 2, 3, 4))
      << "the lost disk is known as lost";
  world_.ForgetTheLost();
  Settle();
  EXPECT_THAT(world_.running(), testing::ElementsAre(0, 1, 2, 3, 4));
}

TEST_F(MakePlanTest, AnEmptiedRecordIsNotTakenForThatOfANewCluster) {
  Settle();
  const base::Json data = world_.Body(InventoryId())["data"];
  world_.Edit(InventoryId(), {{"data", nullptr}});
  world_.LoseDisk(1);
  for (int i = 0; i < 4; ++i) Round();
  EXPECT_THAT(world_.running(), testing::ElementsAre(0, 2)) << "the blank one is held";
  ASSERT_EQ(Next().problems.size(), 1U);
  EXPECT_EQ(Next().problems[0].reason, "InventoryUnreadable");
  world_.Edit(InventoryId(), {{"data", data}});
  for (int i = 0; i < 4; ++i) Round();
  EXPECT_EQ(Next().problems.at(0).reason, "LostDisk");
}

TEST_F(MakePlanTest, AGuardThatWasOpenedByHandIsClosedAgain) {
  Settle();
  const base::Json data = world_.Body(InventoryId())["data"];
  world_.LoseDisk(1);
  world_.Edit(InventoryId(), {{"data", {{"formed", "false"}}}});
  for (int i = 0; i < 4; ++i) Round();
  EXPECT_EQ(world_.Body(InventoryId())["data"], data);
  EXPECT_THAT(world_.running(), testing::ElementsAre(0, 2)) << "the blank one is held";
}

// The StatefulSet cannot be applied with another claim template (FakeWorld looks).
TEST_F(MakePlanTest, ARecordThatIsMadeAnewHasTheStorageOfTheNodesThatAreThere) {
  world_.cluster.spec.storage.class_name = "fast";
  Settle();
  const base::Json storage = world_.Body(InventoryId())["data"]["storage"];
  world_.cluster.spec.storage.size = "20Gi";
  ++world_.cluster.meta.generation;
  Settle();
  ASSERT_EQ(Next().problems.size(), 1U);
  EXPECT_EQ(Next().problems[0].reason, "VolumeExpansionPending");
  for (int i = 0; i < 3; ++i) world_.LoseDisk(i);  // what a person is told is to delete the record
  world_.DeleteChild(InventoryId());
  Settle();
  EXPECT_EQ(world_.running(), (std::set{0, 1, 2}));
  EXPECT_EQ(world_.Body(InventoryId())["data"]["storage"], storage);
  ASSERT_EQ(Next().problems.size(), 1U);
  EXPECT_EQ(Next().problems[0].reason, "VolumeExpansionPending");
  world_.cluster.spec.storage.size = "10Gi";
  ++world_.cluster.meta.generation;
  Settle();
  EXPECT_THAT(Next().problems, IsEmpty());
}

TEST_F(MakePlanTest, AClusterThatIsBeingDeletedIsLeftToTheCollector) {
  world_.cluster.meta.deleting = true;
  EXPECT_THAT(Next().steps, IsEmpty());
}

TEST_F(MakePlanTest, BrokerStepsComeLastAndAfterTheInventory) {
  for (int i = 0; i < 4; ++i) Round();
  world_.cluster.spec.users.push_back({});
  world_.cluster.spec.users.back().name = "app";
  ++world_.cluster.meta.generation;
  Settle();
  EXPECT_THAT(world_.Body(InventoryId())["data"]["users"], R"(["app"])");
}

// Whatever fails and whatever is lost on the way: no blank node passes for a member, no second
// cluster is founded (FakeWorld looks), and in the end all is as declared.
TEST_F(MakePlanTest, ComesToRestWhateverFailsOnTheWay) {
#ifdef NDEBUG
  constexpr unsigned kSeeds = 30;
#else
  constexpr unsigned kSeeds = 4;
#endif
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world_ = FakeWorld();
    memo_ = {};
    engine_.seed(seed);
    const auto random = [this](int most) {
      return std::uniform_int_distribution<int>(0, most)(engine_);
    };
    failing_ = true;
    bool lost = false;
    for (int round = 0; round < 40; ++round) {
      switch (random(14)) {
        case 0:
          world_.KillPod(random(4));
          break;
        case 1:
          world_.Declare(3 + random(3));
          break;
        case 2:
          world_.DeleteChild({kube::kServices, "c-nodes"});
          break;
        case 3:
          world_.DeleteChild(InventoryId());
          break;
        case 4:
          memo_ = {};
          break;
        case 5:
          if (world_.Has(NodeSetId()))
            world_.Edit(NodeSetId(), {{"spec", {{"replicas", random(6)}}}});
          break;
        case 6:
          world_.now += std::chrono::seconds(40);
          break;
        case 7:  // at most one: who loses all disks has more to do than to forget nodes
          if (world_.WasFormed() && world_.running().size() > 2 && !lost) {
            world_.LoseDisk(random(2));
            lost = true;
          }
          break;
        default:
          break;
      }
      Round();
      if (HasFailure()) return;
    }
    failing_ = false;
    world_.Declare(6);
    for (int i = 0; i < 10; ++i) Round();
    world_.ForgetTheLost();
    Settle(60);
    EXPECT_EQ(world_.running().size(), 6U);
    EXPECT_THAT(Next().problems, IsEmpty());
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace rabbit::plan
