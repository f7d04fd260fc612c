// Plans over disks that are lost, kept, or of a cluster before (the fixture says how).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/plan/make_plan_fixture.h"

namespace rabbit::plan {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class DisksTest : public MakePlanTest {};

TEST_F(DisksTest, AKilledPodComesBackAndALostDiskIsHeldUntilItsNodeWasForgotten) {
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

TEST_F(DisksTest, ADiskThatWasWipedUnderItsClaimIsHeldUntilItsNodeWasForgotten) {
  Settle();
  world_.WipeDisk(1);
  for (int i = 0; i < 40; ++i) Round();
  EXPECT_EQ(world_.running(), (std::set{0, 2}));
  EXPECT_EQ(Next().problems.at(0).reason, "LostDisk");
  world_.Forget(1);
  Settle();
  EXPECT_EQ(world_.running(), (std::set{0, 1, 2}));
}

TEST_F(DisksTest, ALossOfAllDisksIsToldAndTheWayOutThatIsNamedLeadsOut) {
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
TEST_F(DisksTest, FormingAnewGoesOnWhereverItWasInterrupted) {
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

TEST_F(DisksTest, ANodeThatStillHasItsDataKeepsTheOthersFromFormingAnew) {
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

TEST_F(DisksTest, AClusterDeclaredAgainTakesUpItsDisks) {
  Settle();
  world_.StartOver();
  memo_ = {};
  Settle();
  EXPECT_EQ(world_.running(), (std::set{0, 1, 2}));
}

TEST_F(DisksTest, DisksThatAreAboutToVanishDecideNothingAndNoNodeStartsBesideThem) {
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

TEST_F(DisksTest, NothingIsDoneWhileItIsNotKnownWhoseDisksTheyAre) {
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

TEST_F(DisksTest, AClusterDeclaredAgainWithoutACountTakesUpAllItsDisks) {
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

TEST_F(DisksTest, DisksThatAreTakenUpAgainAreToldToBeOthersThanDeclared) {
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

TEST_F(DisksTest, DisksThatAreNotTakenUpBecauseTheStorageIsEphemeralAreNamed) {
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

TEST_F(DisksTest, TheSecretOfAUserThatWasRemovedDoesNotOutliveTheCluster) {
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
TEST_F(DisksTest, ARecordOfTheClusterBeforeDecidesNothing) {
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

TEST_F(DisksTest, ACountThatIsNotSaidIsNotThatOfTheClusterBefore) {
  world_.Declare(5);
  Settle();
  world_.ReplaceByForce({});
  memo_ = {};
  for (int i = 0; i < 3; ++i) Round();
  EXPECT_EQ(world_.cluster.spec.replicas, std::nullopt);
}

TEST_F(DisksTest, NothingIsDoneOnARecordThatSomebodyElseControls) {
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

TEST_F(DisksTest, AClusterDeclaredAgainOverBlankDisksForms) {
  Round();  // claims are made, nobody has booted
  world_.StartOver();
  memo_ = {};
  Settle();
  EXPECT_EQ(world_.running(), (std::set{0, 1, 2}));
}

}  // namespace
}  // namespace rabbit::plan
