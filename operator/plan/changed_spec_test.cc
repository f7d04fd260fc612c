// Plans after a change of what is declared: images, counts, first starts that fail, specs that
// break a rule.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/plan/make_plan_fixture.h"

namespace rabbit::plan {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class ChangedSpecTest : public MakePlanTest {};

TEST_F(ChangedSpecTest, AChangedImageIsToldAndRollsNobody) {
  Settle();
  world_.cluster.spec.image = "rabbitmq:4.0";
  ++world_.cluster.meta.generation;
  Settle();
  ASSERT_EQ(Next().problems.size(), 1U);
  EXPECT_EQ(Next().problems[0].reason, "RestartPending");
  EXPECT_EQ(Next().declared.broker_image, "rabbitmq:4.0");
}

TEST_F(ChangedSpecTest, AFirstStartThatFailsIsBegunAnewWithWhatIsDeclared) {
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

TEST_F(ChangedSpecTest, AFirstStartWhosePodsAreRefusedIsBegunAnewWithWhatIsDeclared) {
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
TEST_F(ChangedSpecTest, ACountThatCannotFormIsLoweredByBeginningAnew) {
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
TEST_F(ChangedSpecTest, NodesOfTheImageOfBeforeKeepTheirConfiguration) {
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

TEST_F(ChangedSpecTest, APinnedImageOutlivesTheOperatorsDefault) {
  Settle();
  PlanMemo memo;
  const Plan plan =
      MakePlan(world_.cluster, world_.Observe(), {.broker_image = "rabbitmq:5"}, memo, world_.now);
  EXPECT_THAT(plan.steps, IsEmpty());
}

TEST_F(ChangedSpecTest, AnImageThatIsNoLongerSaidIsThatOfBefore) {
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

TEST_F(ChangedSpecTest, FieldsWithoutEffectAreNamedAlsoAfterAChange) {
  EXPECT_THAT(Next().fields_without_effect, IsEmpty());
  world_.cluster.spec.on_data_loss = api::OnDataLoss::kAccept;
  ++world_.cluster.meta.generation;
  EXPECT_THAT(Next().fields_without_effect, ElementsAre("spec.scaleDown"));
  EXPECT_THAT(Next().fields_without_effect, ElementsAre("spec.scaleDown"));
}

TEST_F(ChangedSpecTest, APausedClusterIsObservedOnly) {
  world_.cluster.spec.paused = true;
  const Plan plan = Next();
  EXPECT_THAT(plan.steps, IsEmpty());
  EXPECT_EQ(plan.held.size(), 14U);  // what would be done is told
}

TEST_F(ChangedSpecTest, ABrokenSpecChangesNothingThatRuns) {
  world_.cluster.findings.structural = {{"spec.replicas", "0", "must be between 1 and 99"}};
  const Plan plan = Next();
  EXPECT_THAT(plan.steps, IsEmpty());
  EXPECT_TRUE(plan.unplanned);
  ASSERT_EQ(plan.problems.size(), 1U);
  EXPECT_EQ(plan.problems[0].reason, "InvalidSpec");
  EXPECT_THAT(plan.problems[0].message, HasSubstr("spec.replicas: 0: must be between 1 and 99"));
}

TEST_F(ChangedSpecTest, AClusterWhoseNodesCannotFindEachOtherIsLeftAsItIs) {
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

TEST_F(ChangedSpecTest, ARecordThatCannotBeReadIsToldAndNothingIsDoneOnIt) {
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

}  // namespace
}  // namespace rabbit::plan
