#include "operator/plan/broker_gate.h"

#include <gmock/gmock.h>

#include "operator/api/fields_in_effect.h"
#include "operator/plan/fixture.h"
#include "operator/plan/words.h"

namespace rabbit::plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Gate : PlanTest {
  using PlanTest::answers_;
  using PlanTest::cluster_;
  using PlanTest::IsMember;
  using PlanTest::NobodyAnswers;
  using PlanTest::Problems;
  using PlanTest::Seen;
  using PlanTest::seen_;
  using PlanTest::Waits;
  void TestBody() override {}
  int members = 3;
};

struct Row {
  const char* name;
  void (*change)(Gate& world);
  bool open;
  const char* wait;  // nullptr: none
};

constexpr Row kRows[] = {
    {"a formed cluster that answers", [](Gate&) {}, true, nullptr},
    {"one of whose nodes is down", [](Gate& g) { g.IsMember(1, false); }, true, nullptr},
    {"that has not answered yet", [](Gate& g) { g.answers_ = false; }, false,
     "BrokerNotAnswering: waiting for a broker to answer on its management port"},
    {"whose last look failed, though one before did not",
     [](Gate& g) { g.seen_.broker.trouble = "connection refused"; }, false,
     "BrokerNotAnswering: waiting for a broker to answer on its management port: connection "
     "refused"},
    {"whose view is of before the last write", [](Gate& g) { g.seen_.broker.outdated = true; },
     false, "LookingAgain: waiting for a look at the broker that shows what was just written"},
    {"that has not formed, with all nodes in it",
     [](Gate& g) { g.seen_.inventory->formed = false; }, true, nullptr},
    {"that has not formed, with a node missing",
     [](Gate& g) {
       g.seen_.inventory->formed = false;
       g.IsMember(2, false);
     },
     false, "ClusterForming: waiting for the nodes to form one cluster: 2 of 3 run in it"},
    {"that has not formed, with all nodes that the spec says but not all that it was begun with",
     [](Gate& g) {
       g.seen_.inventory->formed = false;
       g.members = 5;
     },
     false, "ClusterForming: waiting for the nodes to form one cluster: 3 of 5 run in it"},
    {"that is not recorded yet, with a node missing",
     [](Gate& g) {
       g.seen_.inventory.reset();
       g.IsMember(2, false);
     },
     false, "ClusterForming: waiting for the nodes to form one cluster: 2 of 3 run in it"},
};

TEST(BrokerMayBeWrittenTest, OpensForAnAnswerOfNowFromAClusterThatHasFormed) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.name);
    Gate world;
    row.change(world);
    Plan plan;
    EXPECT_EQ(BrokerMayBeWritten(world.cluster_, world.Seen(), world.members, plan), row.open);
    // Each planner asks; the plan says it once.
    EXPECT_EQ(BrokerMayBeWritten(world.cluster_, world.Seen(), world.members, plan), row.open);
    EXPECT_THAT(Gate::Problems(plan), IsEmpty());
    if (row.wait == nullptr) {
      EXPECT_THAT(Gate::Waits(plan), IsEmpty());
    } else {
      EXPECT_THAT(Gate::Waits(plan), ElementsAre(row.wait));
    }
  }
}

class BrokerGateTest : public PlanTest {};

TEST_F(BrokerGateTest, NothingIsWrittenToABrokerThatRefusesTheOperator) {
  seen_.broker.denied = true;
  Plan plan;
  EXPECT_FALSE(BrokerMayBeWritten(cluster_, Seen(), 3, plan));
  EXPECT_THAT(Problems(plan), IsEmpty()) << "PlanOwnUser says so";
}

TEST_F(BrokerGateTest, TheDeclaredCountIsTheSpecsElseTheRecordedOneElseThree) {
  seen_.inventory->replicas = 5;
  EXPECT_EQ(DeclaredReplicas(cluster_, seen_), 3);
  cluster_.spec.replicas.reset();
  EXPECT_EQ(DeclaredReplicas(cluster_, seen_), 5);
  seen_.stateful_set->replicas = 9;  // scaled by hand: no declaration
  seen_.inventory.reset();
  EXPECT_EQ(DeclaredReplicas(cluster_, seen_), 3);
}

TEST_F(BrokerGateTest, ACountThatNobodySaysOrRecordedIsThatOfTheDisksThatAreThere) {
  cluster_.spec.replicas.reset();
  for (const int ordinal : {0, 4, 7}) {
    seen_.claims.push_back({.name = resources::ClaimName("c", ordinal),
                            .uid = "u",
                            .bound = true,
                            .deleting = ordinal == 7});
  }
  EXPECT_EQ(DeclaredReplicas(cluster_, seen_), 3);  // as recorded
  seen_.inventory.reset();
  EXPECT_EQ(DeclaredReplicas(cluster_, seen_), 5);
  cluster_.spec.replicas = 1;
  EXPECT_EQ(DeclaredReplicas(cluster_, seen_), 1);
}

TEST_F(BrokerGateTest, TopologyWasInEffectOnlyIfThisGenerationsWas) {
  const Plan plan;
  EXPECT_FALSE(TopologyWasInEffect(cluster_, plan));
  for (const char* type : {"TopologySynced", "FieldsInEffect"}) {
    cluster_.status.conditions.push_back({.type = type,
                                          .status = api::ConditionStatus::kTrue,
                                          .observed_generation = cluster_.meta.generation});
  }
  const api::Status in_effect = cluster_.status;
  EXPECT_TRUE(TopologyWasInEffect(cluster_, plan));
  ++cluster_.meta.generation;
  EXPECT_FALSE(TopologyWasInEffect(cluster_, plan));
  --cluster_.meta.generation;
  for (const std::size_t i : {0U, 1U}) {
    cluster_.status = in_effect;
    cluster_.status.conditions[i].observed_generation = 0;
    EXPECT_FALSE(TopologyWasInEffect(cluster_, plan));
    cluster_.status = in_effect;
    cluster_.status.conditions[i].status = api::ConditionStatus::kUnknown;
    EXPECT_FALSE(TopologyWasInEffect(cluster_, plan));
    cluster_.status.conditions.erase(cluster_.status.conditions.begin() + static_cast<int>(i));
    EXPECT_FALSE(TopologyWasInEffect(cluster_, plan));
  }
}

TEST_F(BrokerGateTest, WhatAnOperatorOfBeforeDidNotActOnWasNotInEffect) {
  Plan plan;
  cluster_.status.conditions = {{.type = "TopologySynced",
                                 .status = api::ConditionStatus::kTrue,
                                 .observed_generation = cluster_.meta.generation},
                                {.type = "FieldsInEffect",
                                 .status = api::ConditionStatus::kFalse,
                                 .observed_generation = cluster_.meta.generation}};
  EXPECT_FALSE(TopologyWasInEffect(cluster_, plan));
  // This operator leaves alone just what that one did.
  cluster_.spec.service.expose = {api::Listener::kMqtt};
  const auto idle = api::FieldsNotInEffect(cluster_.spec);
  ASSERT_FALSE(idle.empty());
  plan.fields_without_effect = idle;
  cluster_.status.conditions[1].message = SayFieldsWithoutEffect(idle);
  EXPECT_TRUE(TopologyWasInEffect(cluster_, plan));
  cluster_.status.conditions[1].message =
      SayFieldsWithoutEffect(std::vector<std::string>{idle[0], "spec.vhosts"});
  EXPECT_FALSE(TopologyWasInEffect(cluster_, plan));
}

TEST_F(BrokerGateTest, AVhostIsThereWhenTheBrokerHasItOrAStepMakesIt) {
  rabbitmq::BrokerView view;
  view.vhosts = std::vector<rabbitmq::Vhost>{{.name = "/"}};
  seen_.broker.view = std::make_shared<const rabbitmq::BrokerView>(std::move(view));
  Plan plan;
  EXPECT_TRUE(VhostExists(seen_, plan, "/"));
  EXPECT_FALSE(VhostExists(seen_, plan, "v"));
  plan.steps.push_back({PutClusterName{"c"}, "differs"});
  plan.steps.push_back({PutVhost{"v"}, "does not exist"});
  EXPECT_TRUE(VhostExists(seen_, plan, "v"));
  EXPECT_EQ(StepThatCreates(seen_, plan, "v"), 1U);
  EXPECT_EQ(StepThatCreates(seen_, plan, "/"), std::nullopt);
}

}  // namespace
}  // namespace rabbit::plan
