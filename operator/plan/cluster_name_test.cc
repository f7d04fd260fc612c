#include "operator/plan/topology_fixture.h"

namespace rabbit::plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class PlanClusterNameTest : public TopologyTest {};

TEST_F(PlanClusterNameTest, NothingIsDoneWhenTheNameIsRight) { EXPECT_THAT(Steps(), IsEmpty()); }

TEST_F(PlanClusterNameTest, ADeclaredNameIsSet) {
  broker_.cluster_name = "rabbit@c-node-0";
  EXPECT_THAT(Steps(), ElementsAre("put cluster name c: the broker has \"rabbit@c-node-0\", "
                                   "declared is \"c\""));
}

TEST_F(PlanClusterNameTest, ANameThatWasRightAndIsNoLongerIsDrift) {
  cluster_.status.cluster_name = "c";
  broker_.cluster_name = "mine";
  EXPECT_THAT(Steps(), ElementsAre("put cluster name c: was changed at the broker to \"mine\", "
                                   "declared is \"c\" [drift]"));
}

TEST_F(PlanClusterNameTest, ANewNameInTheSpecIsNoDrift) {
  cluster_.status.cluster_name = "c";
  cluster_.spec.cluster_name = "new";
  EXPECT_THAT(Steps(),
              ElementsAre("put cluster name new: the broker has \"c\", declared is \"new\""));
}

TEST_F(PlanClusterNameTest, AnUnknownNameIsWaitedFor) {
  broker_.cluster_name = base::Error{base::ErrorKind::kRetry, "GET /api/cluster-name: 500"};
  EXPECT_THAT(Steps(), IsEmpty());
  EXPECT_THAT(Waits(), ElementsAre("ClusterNameUnknown: waiting for the name of the cluster: "
                                   "GET /api/cluster-name: 500"));
}

// The gate before all broker steps.

TEST_F(PlanClusterNameTest, NoBrokerStepWhileNoBrokerAnswers) {
  broker_.cluster_name = "mine";
  broker_answers_ = false;
  EXPECT_THAT(Steps(), IsEmpty());
  EXPECT_THAT(Waits(), ElementsAre("BrokerNotAnswering: waiting for a broker to answer on its "
                                   "management port"));
}

TEST_F(PlanClusterNameTest, NoBrokerStepOnAnOldViewWhenTheLastLookFailed) {
  broker_.cluster_name = "mine";
  seen_.broker.trouble = "c-node-1: connection refused";
  EXPECT_THAT(Steps(), IsEmpty());
  EXPECT_THAT(Waits(), ElementsAre("BrokerNotAnswering: waiting for a broker to answer on its "
                                   "management port: c-node-1: connection refused"));
}

TEST_F(PlanClusterNameTest, NoBrokerStepOnAViewFromBeforeTheLastWrite) {
  broker_.cluster_name = "mine";
  seen_.broker.outdated = true;
  EXPECT_THAT(Steps(), IsEmpty());
  EXPECT_THAT(Waits(), ElementsAre("LookingAgain: waiting for a look at the broker that shows what "
                                   "was just written"));
}

TEST_F(PlanClusterNameTest, NoBrokerStepBeforeTheClusterHasFormed) {
  broker_.cluster_name = "mine";
  (*broker_.nodes)[2].running = false;
  seen_.inventory->formed = false;
  EXPECT_THAT(Steps(), IsEmpty());
  EXPECT_THAT(Waits(), ElementsAre("ClusterForming: waiting for the nodes to form one cluster: 2 "
                                   "of 3 run in it"));
}

TEST_F(PlanClusterNameTest, AClusterWithAllItsNodesHasFormedThoughTheInventoryDoesNotSaySoYet) {
  broker_.cluster_name = "mine";
  seen_.inventory->formed = false;
  EXPECT_EQ(Steps().size(), 1U);
  seen_.inventory.reset();
  EXPECT_EQ(Steps().size(), 1U);
}

TEST_F(PlanClusterNameTest, AFormedClusterWithANodeDownIsStillWrittenTo) {
  broker_.cluster_name = "mine";
  (*broker_.nodes)[2].running = false;
  EXPECT_EQ(Steps().size(), 1U);
}

}  // namespace
}  // namespace rabbit::plan
