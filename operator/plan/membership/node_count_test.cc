#include "operator/plan/membership/node_count.h"

#include <gmock/gmock.h>

#include "operator/plan/fixture.h"

namespace rabbit::plan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class NodeCountTest : public PlanTest {
 protected:
  NodeCount Decide() {
    plan_ = {};
    return DecideNodeCount(cluster_, Seen(), image_, plan_);
  }
  void ExpectCount(int members, int pods) {
    const NodeCount count = Decide();
    EXPECT_EQ(count.members, members);
    EXPECT_EQ(count.pods, pods);
  }
  std::string image_ = "rabbitmq:3.13-management";
  Plan plan_;
};

TEST_F(NodeCountTest, GrowsAsDeclared) {
  cluster_.spec.replicas = 5;
  ExpectCount(5, 5);
  EXPECT_THAT(Problems(plan_), IsEmpty());
}

TEST_F(NodeCountTest, DoesNotGrowWhileANewNodeWouldGetTheImageOfBefore) {
  cluster_.spec.replicas = 5;
  image_ = "rabbitmq:4.0";
  ExpectCount(3, 3);
  EXPECT_THAT(Problems(plan_),
              ElementsAre("NeedsPerson GrowthHeld: cannot go from 3 nodes to 5 yet: c-node-0, "
                          "c-node-1 and c-node-2 run with image rabbitmq:3.13-management, declared "
                          "is rabbitmq:4.0, and this version of the operator does no rolling "
                          "restart; set spec.image back until the nodes are added"));
  // What has grown already stays.
  seen_.inventory->replicas = 5;
  ExpectCount(5, 5);
  EXPECT_THAT(Problems(plan_), IsEmpty());
}

TEST_F(NodeCountTest, DoesNotGrowBeforeAPodTellsItsImage) {
  cluster_.spec.replicas = 5;
  seen_.nodes.clear();
  ExpectCount(3, 3);
  EXPECT_THAT(Problems(plan_), IsEmpty());
  EXPECT_THAT(Waits(plan_), ElementsAre(HasSubstr("GrowthHeld: cannot go from 3 nodes to 5 yet")));
}

TEST_F(NodeCountTest, WhatIsNotSaidIsTheCountLastDeclared) {
  cluster_.spec.replicas.reset();
  ExpectCount(3, 3);
  seen_.inventory->replicas = 7;
  seen_.stateful_set->replicas = 7;
  ExpectCount(7, 7);
  seen_ = {};
  ExpectCount(3, 3);
}

TEST_F(NodeCountTest, NeverTakesAMemberAway) {
  cluster_.spec.replicas = 2;
  ExpectCount(3, 3);
  EXPECT_THAT(
      Problems(plan_),
      ElementsAre("NeedsPerson ScaleDownRefused: cannot go from 3 nodes to 2: c-node-2 is a "
                  "member of the cluster, and this version of the operator removes no "
                  "members; set spec.replicas back to 3"));
}

TEST_F(NodeCountTest, NeverShrinksOnWhatIsNotKnown) {
  cluster_.spec.replicas = 2;
  NobodyAnswers();
  ExpectCount(3, 3);
  EXPECT_THAT(Problems(plan_), ElementsAre(HasSubstr("the broker does not say")));
}

TEST_F(NodeCountTest, NeverShrinksBeforeTheClusterHasFormed) {
  cluster_.spec.replicas = 2;
  seen_.inventory->formed = false;
  ExpectCount(3, 3);
  EXPECT_THAT(
      Problems(plan_),
      ElementsAre("NeedsPerson ScaleDownRefused: cannot go from 3 nodes to 2: the cluster has not "
                  "formed yet. Set spec.replicas back to 3, or, when they cannot form one, delete "
                  "the RabbitCluster and apply it again (volumes are retained: nothing is lost)"));
  // Applied again over disks of before: it counts as formed, and no node has served.
  seen_.inventory->formed = true;
  seen_.inventory->volumes.clear();
  NobodyAnswers();
  ExpectCount(3, 3);
  EXPECT_THAT(Problems(plan_), ElementsAre(HasSubstr("delete the RabbitCluster and apply it")));
  cluster_.spec.storage.retention.when_deleted = api::RetentionAction::kDelete;
  ExpectCount(3, 3);
  EXPECT_THAT(Problems(plan_), ElementsAre(HasSubstr("to 2: the broker does not say")));
}

TEST_F(NodeCountTest, ANodeThatWasLetInMayBeJoining) {
  seen_.inventory->replicas = 4;
  seen_.stateful_set->replicas = 4;
  seen_.inventory->volumes[3] = "disk-3";
  ExpectCount(4, 4);
  EXPECT_THAT(Problems(plan_), ElementsAre(HasSubstr("node 3 was let in")));
}

TEST_F(NodeCountTest, AGrowthThatNobodyJoinedYetCanBeTakenBack) {
  seen_.inventory->replicas = 5;
  seen_.stateful_set->replicas = 5;
  ExpectCount(3, 3);
  EXPECT_THAT(Problems(plan_), IsEmpty());
}

TEST_F(NodeCountTest, AStatefulSetScaledByHandIsPutBack) {
  seen_.stateful_set->replicas = 5;
  ExpectCount(3, 3);
  seen_.stateful_set->replicas = 1;
  ExpectCount(3, 3);
  EXPECT_THAT(Problems(plan_), IsEmpty());
  EXPECT_THAT(Waits(plan_), IsEmpty());
}

TEST_F(NodeCountTest, AStatefulSetScaledByHandIsNotPutBackOnWhatIsNotKnown) {
  seen_.stateful_set->replicas = 5;
  NobodyAnswers();
  ExpectCount(3, 5);
  EXPECT_THAT(Waits(plan_), ElementsAre(HasSubstr("the StatefulSet has 5 pods, 3 are declared")));
}

TEST_F(NodeCountTest, AStatefulSetScaledByHandKeepsThePodThatBecameAMember) {
  seen_.stateful_set->replicas = 4;
  IsMember(3, true);
  ExpectCount(3, 4);
}

TEST_F(NodeCountTest, AStatefulSetWithoutAnInventoryIsNotShrunk) {
  seen_.inventory.reset();
  seen_.stateful_set->replicas = 5;
  ExpectCount(5, 5);
  EXPECT_EQ(plan_.problems.size(), 1U);
}

TEST_F(NodeCountTest, ANodeOfAnotherNameIsNobodysPod) {
  cluster_.spec.replicas = 3;
  seen_.inventory->replicas = 4;
  rabbitmq::Node other;
  other.name = "rabbit@d-node-7.d-nodes.ns";
  members_.push_back(other);
  ExpectCount(3, 3);
}

}  // namespace
}  // namespace rabbit::plan
