#include "operator/plan/topology_fixture.h"

namespace rabbit::plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class PlanVhostsTest : public TopologyTest {};

TEST_F(PlanVhostsTest, AMissingVhostIsCreated) {
  DeclareVhost("orders");
  EXPECT_THAT(Steps(), ElementsAre("put vhost orders: does not exist"));
}

TEST_F(PlanVhostsTest, AVhostThatIsThereIsLeftAlone) {
  DeclareVhost("orders");
  broker_.vhosts->push_back({.name = "orders"});
  EXPECT_THAT(Steps(), IsEmpty());
}

TEST_F(PlanVhostsTest, AVhostThatNobodyDeclaresIsLeftAlone) {
  broker_.vhosts->push_back({.name = "theirs"});
  EXPECT_THAT(Steps(), IsEmpty());
}

TEST_F(PlanVhostsTest, TheDefaultVhostExistsWithoutBeingDeclared) {
  broker_.vhosts->clear();
  EXPECT_THAT(Steps(), ElementsAre("put vhost /: does not exist"));
}

TEST_F(PlanVhostsTest, DeclaringTheDefaultVhostCreatesItOnce) {
  DeclareVhost("/");
  broker_.vhosts->clear();
  EXPECT_THAT(Steps(), ElementsAre("put vhost /: does not exist"));
}

TEST_F(PlanVhostsTest, AVhostThatWasRemovedAtTheBrokerIsDrift) {
  DeclareVhost("orders");
  WasInEffect();
  EXPECT_THAT(Steps(), ElementsAre("put vhost orders: was removed at the broker [drift]"));
}

TEST_F(PlanVhostsTest, AnUnknownListHoldsBackAllThatStandsOnIt) {
  DeclareVhost("orders");
  Declare(Policy("half", R"({"ha-mode":"all"})"));
  broker_.vhosts = base::Error{base::ErrorKind::kRetry, "503"};
  EXPECT_THAT(Steps(), IsEmpty());
  EXPECT_THAT(Waits(), ElementsAre("VhostsUnknown: waiting for the list of vhosts: 503"));
}

TEST_F(PlanVhostsTest, StepsWaitForTheGivenStep) {
  DeclareVhost("orders");
  const Plan plan = MakePlan(/*after=*/4);
  ASSERT_EQ(plan.steps.size(), 6U);
  EXPECT_EQ(plan.steps.back().after, 4U);
}

}  // namespace
}  // namespace rabbit::plan
