#include "operator/plan/membership/guard.h"

#include <gmock/gmock.h>

#include "operator/plan/fixture.h"

namespace rabbit::plan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class GuardDecisionTest : public PlanTest {
 protected:
  GuardDecision Decide(int members = 3) {
    plan_ = {};
    return DecideGuard(cluster_, Seen(), members, broker_image_, now_, plan_);
  }
  std::vector<std::string> Admitted(int members = 3) {
    std::vector<std::string> lines;
    for (const Admission& admission : Decide(members).admissions) {
      lines.push_back(admission.pod + " with " + admission.volume_uid);
    }
    return lines;
  }
  Plan plan_;
  std::string broker_image_ = "rabbitmq:3.13-management";
};

// --- formed

TEST_F(GuardDecisionTest, HasFormedWhenAllDeclaredNodesRunInOneCluster) {
  seen_.inventory->formed = false;
  seen_.inventory->volumes.clear();
  const GuardDecision decision = Decide();
  EXPECT_TRUE(decision.formed);
  EXPECT_THAT(decision.volumes,
              ElementsAre(Pair(0, "disk-0"), Pair(1, "disk-1"), Pair(2, "disk-2")));
}

TEST_F(GuardDecisionTest, HasNotFormedWhileANodeIsMissingOrStopped) {
  seen_.inventory->formed = false;
  IsMember(2, false);
  EXPECT_FALSE(Decide().formed);
  members_.pop_back();
  EXPECT_FALSE(Decide().formed);
}

TEST_F(GuardDecisionTest, HasFormedWhenAllVolumesCanBeRecordedWithIt) {
  seen_.inventory->formed = false;
  Pod(1).ready = false;
  EXPECT_FALSE(Decide().formed);
  Pod(1).ready = true;
  Pod(1).volume_uid = "";
  EXPECT_FALSE(Decide().formed);
}

TEST_F(GuardDecisionTest, HasNotFormedWhenTheBrokerCouldNotBeAsked) {
  seen_.inventory->formed = false;
  seen_.broker.trouble = "timed out";  // and an old view is still there
  EXPECT_FALSE(Decide().formed);
}

TEST_F(GuardDecisionTest, OnceFormedStaysFormed) {
  NobodyAnswers();
  EXPECT_TRUE(Decide().formed);
}

TEST_F(GuardDecisionTest, ANewClusterHasNotFormedButOneOverOldDisksHas) {
  seen_ = {};
  answers_ = false;
  EXPECT_FALSE(Decide().formed);
  seen_.claims = {{.name = "data-c-node-0", .uid = "disk-0", .bound = true, .deleting = true}};
  EXPECT_FALSE(Decide().formed);  // it goes with the cluster before
  seen_.claims[0].deleting = false;
  EXPECT_TRUE(Decide().formed);
}

TEST_F(GuardDecisionTest, AnInventoryDeletedByHandDoesNotOpenTheGuard) {
  seen_.inventory.reset();
  IsReplaced(1);
  EXPECT_TRUE(Decide().formed);
}

// --- new nodes

TEST_F(GuardDecisionTest, ANewNodeIsLetInAndRecordedFirst) {
  IsHeld(3, "disk-3");
  EXPECT_THAT(Admitted(4), ElementsAre("c-node-3 with disk-3"));
  EXPECT_EQ(Decide(4).volumes.at(3), "disk-3");
}

TEST_F(GuardDecisionTest, ANodeThatIsNotDeclaredStaysAtTheGuard) {
  IsHeld(3, "disk-3");
  EXPECT_THAT(Admitted(3), IsEmpty());
}

TEST_F(GuardDecisionTest, ANewNodeWithoutAVolumeIsNotLetIn) {
  IsHeld(3, "");
  EXPECT_THAT(Admitted(4), IsEmpty());
}

TEST_F(GuardDecisionTest, AReleaseThatFailedIsTriedAgain) {
  IsHeld(3, "disk-3");
  seen_.inventory->volumes[3] = "disk-3";
  EXPECT_THAT(Admitted(4), ElementsAre("c-node-3 with disk-3"));
}

TEST_F(GuardDecisionTest, NobodyIsLetInOnAnOldView) {
  IsHeld(3, "disk-3");
  seen_.broker.at = now_ - std::chrono::seconds(31);
  EXPECT_THAT(Admitted(4), IsEmpty());
  EXPECT_TRUE(plan_.look_at_broker);
  EXPECT_THAT(Waits(plan_), ElementsAre(HasSubstr("asked again")));
}

TEST_F(GuardDecisionTest, NobodyIsLetInWhileTheBrokerCannotBeAsked) {
  IsHeld(3, "disk-3");
  NobodyAnswers();
  EXPECT_THAT(Admitted(4), IsEmpty());
  EXPECT_THAT(Waits(plan_), ElementsAre(HasSubstr("until the broker says who its members are")));
}

TEST_F(GuardDecisionTest, NobodyIsLetInWithoutAMajority) {
  IsHeld(3, "disk-3");
  IsReplaced(0);
  IsReplaced(1);
  EXPECT_THAT(Admitted(4), IsEmpty());
  EXPECT_THAT(Waits(plan_), ElementsAre(HasSubstr("until a majority of the members runs")));
}

// --- lost disks

TEST_F(GuardDecisionTest, AMemberWithAnotherVolumeHasLostItsDiskAndIsHeld) {
  IsReplaced(1);
  IsHeld(1, "another-disk");
  EXPECT_THAT(Admitted(), IsEmpty());
  EXPECT_THAT(Problems(plan_), ElementsAre(HasSubstr("NeedsPerson LostDisk: c-node-1 has come up "
                                                     "with a new volume")));
  EXPECT_EQ(Decide().volumes.at(1), "disk-1");
}

TEST_F(GuardDecisionTest, ALostDiskIsToldAlsoWhenNobodyAnswers) {
  IsReplaced(1);
  IsHeld(1, "another-disk");
  NobodyAnswers();
  EXPECT_THAT(Admitted(), IsEmpty());
  EXPECT_THAT(Problems(plan_), ElementsAre(HasSubstr("LostDisk")));
}

TEST_F(GuardDecisionTest, ALostNodeThatWasForgottenIsANewOne) {
  IsReplaced(1);
  IsHeld(1, "another-disk");
  members_.erase(members_.begin() + 1);
  EXPECT_THAT(Admitted(), ElementsAre("c-node-1 with another-disk"));
  EXPECT_EQ(Decide().volumes.at(1), "another-disk");
}

TEST_F(GuardDecisionTest, AnOrdinaryRestartIsNoLoss) {
  IsReplaced(1);
  IsHeld(1, "disk-1");
  EXPECT_THAT(Admitted(), IsEmpty());
  EXPECT_THAT(Problems(plan_), IsEmpty());
  EXPECT_THAT(Waits(plan_), IsEmpty());
}

TEST_F(GuardDecisionTest, AStaleViewDoesNotMakeALostDiskTheRecordedOne) {
  // The pod came back with another disk; the view of before still has the node running.
  Pod(1).ready = false;
  Pod(1).volume_uid = "another-disk";
  EXPECT_EQ(Decide().volumes.at(1), "disk-1");
  EXPECT_THAT(Problems(plan_), IsEmpty());  // one of both is old: it is told when they agree
  IsMember(1, false);
  EXPECT_EQ(Decide().volumes.at(1), "disk-1");
  EXPECT_THAT(Problems(plan_), ElementsAre(HasSubstr("LostDisk")));
}

// Whoever is told to forget a member that runs would throw its data away.
TEST_F(GuardDecisionTest, AMemberThatRunsHasLostNothingWhateverItsPodSays) {
  IsHeld(1, "disk-1");  // the pod's status is that of before
  now_ += std::chrono::seconds(31);
  EXPECT_THAT(Admitted(), IsEmpty());
  EXPECT_THAT(Problems(plan_), IsEmpty());
  Pod(1).volume_uid = "another-disk";
  EXPECT_THAT(Admitted(), IsEmpty());
  EXPECT_THAT(Problems(plan_), IsEmpty());
  EXPECT_EQ(Decide().volumes.at(1), "disk-1");
  IsMember(1, false);
  EXPECT_THAT(Admitted(), IsEmpty());
  EXPECT_THAT(Problems(plan_), ElementsAre(HasSubstr("LostDisk")));
}

TEST_F(GuardDecisionTest, ADiskThatWasWipedUnderTheSameClaimIsToldOnceItsGuardShouldBeDone) {
  IsReplaced(1);
  IsHeld(1, "disk-1");
  now_ += std::chrono::seconds(30);
  EXPECT_THAT(Admitted(), IsEmpty());
  EXPECT_THAT(Problems(plan_), IsEmpty());
  now_ += std::chrono::seconds(1);
  EXPECT_THAT(Admitted(), IsEmpty());
  EXPECT_THAT(Problems(plan_),
              ElementsAre(HasSubstr("NeedsPerson LostDisk: c-node-1 is held with a blank disk, "
                                    "although its volume claim is that of before")));
  members_.erase(members_.begin() + 1);  // forgotten
  seen_.broker.at = now_;
  EXPECT_THAT(Admitted(), ElementsAre("c-node-1 with disk-1"));
}

TEST_F(GuardDecisionTest, AMemberWithoutARecordIsJudgedLikewise) {
  seen_.inventory->volumes.clear();
  IsReplaced(1);
  IsHeld(1, "some-disk");
  EXPECT_THAT(Admitted(), IsEmpty());
  EXPECT_THAT(Problems(plan_), IsEmpty());
  now_ += std::chrono::seconds(31);
  EXPECT_THAT(Admitted(), IsEmpty());
  EXPECT_THAT(Problems(plan_), ElementsAre(HasSubstr("LostDisk")));
}

TEST_F(GuardDecisionTest, WhoIsHeldForLongWhileNobodyAnswersIsToldAndNotJudged) {
  IsReplaced(1);
  IsHeld(1, "disk-1");
  NobodyAnswers();
  now_ += std::chrono::seconds(31);
  EXPECT_THAT(Admitted(), IsEmpty());
  EXPECT_THAT(Problems(plan_), IsEmpty());
  EXPECT_THAT(Waits(plan_), ElementsAre(HasSubstr("until the broker says who its members are")));
}

// --- claims that are not seen

TEST_F(GuardDecisionTest, AReadyNodeWhoseClaimIsNotSeenIsToldWithTheLabelsThatItNeeds) {
  seen_.inventory->formed = false;
  Pod(1).volume_uid = "";
  EXPECT_FALSE(Decide().formed);
  EXPECT_THAT(Problems(plan_),
              ElementsAre(testing::AllOf(HasSubstr("NeedsPerson ClaimUnknown: c-node-1"),
                                         HasSubstr("kubectl label pvc data-c-node-1 "
                                                   "app.kubernetes.io/managed-by=rabbit-operator "
                                                   "app.kubernetes.io/instance=c)"))));
  seen_.inventory->formed = true;
  Decide();
  EXPECT_EQ(plan_.problems.size(), 1U);
  Pod(1).ready = false;  // it may not be bound yet
  Decide();
  EXPECT_THAT(Problems(plan_), IsEmpty());
}

TEST_F(GuardDecisionTest, WhatTheDisksAreIsSaidByTheRecordAndNotByAChangedSpec) {
  seen_.inventory->storage = observe::StorageRecord{.size = "10Gi", .class_name = {}};
  cluster_.spec.storage.ephemeral = true;  // refused: they stay as they are
  IsReplaced(1);
  IsHeld(1, "another-disk");
  EXPECT_THAT(Admitted(), IsEmpty());
  EXPECT_EQ(Decide().volumes.at(0), "disk-0");
  EXPECT_THAT(Problems(plan_), ElementsAre(HasSubstr("LostDisk")));
}

TEST_F(GuardDecisionTest, AVolumeThatANodeServesFromIsRecorded) {
  seen_.inventory->volumes.clear();
  EXPECT_THAT(Decide().volumes,
              ElementsAre(Pair(0, "disk-0"), Pair(1, "disk-1"), Pair(2, "disk-2")));
}

// --- all disks blank

TEST_F(GuardDecisionTest, WhenEveryDiskIsBlankTheClusterFormsAnewAfterEachWasAsked) {
  seen_.inventory->volumes.clear();
  for (int i = 0; i < 3; ++i) IsHeld(i, "new-" + std::to_string(i));
  NobodyAnswers();
  const GuardDecision decision = Decide();
  EXPECT_TRUE(decision.reforming);
  ASSERT_EQ(decision.admissions.size(), 3U);
  const auto last = PlanQuestions(decision, std::nullopt, plan_);
  EXPECT_EQ(last, 2U);
  EXPECT_THAT(Steps(plan_), ElementsAre(HasSubstr("test -e"), testing::EndsWith("[after 0]"),
                                        testing::EndsWith("[after 1]")));
  plan_.steps.resize(4);  // the inventory
  PlanAdmissions(decision, 3, plan_);
  ASSERT_EQ(plan_.steps.size(), 7U);
  EXPECT_EQ(plan_.steps[4].after, 3U);
  EXPECT_EQ(plan_.steps[6].after, 3U);
}

class ReformingTest : public GuardDecisionTest {
 protected:
  // Begun, and 0 was released before the operator ended.
  ReformingTest() {
    seen_.inventory->reforming = true;
    for (int i = 0; i < 3; ++i) IsHeld(i, "disk-" + std::to_string(i));
    Pod(0).preparing = false;
    NobodyAnswers();
  }
};

TEST_F(ReformingTest, WhoIsStillHeldIsReleasedToThoseThatWait) {
  EXPECT_THAT(Admitted(), ElementsAre("c-node-1 with disk-1", "c-node-2 with disk-2"));
  EXPECT_TRUE(Decide().reforming);
  EXPECT_FALSE(Decide().ask_first);
}

TEST_F(ReformingTest, ThatNobodyIsReleasedYetIsFoundOutByAskingAgain) {
  Pod(0).preparing = true;
  EXPECT_EQ(Admitted().size(), 3U);
  EXPECT_TRUE(Decide().ask_first);
}

TEST_F(ReformingTest, ABrokerThatDoesNotWaitForPeersAnswersByItself) {
  for (int i = 0; i < 3; ++i) Pod(i).image = "rabbitmq:3.12-management";
  EXPECT_THAT(Admitted(), IsEmpty());
}

// An admission webhook has put it there in place of the tag.
TEST_F(ReformingTest, ADigestIsOfTheVersionThatIsDeclared) {
  for (int i = 0; i < 3; ++i) Pod(i).image = "mirror/rabbitmq@sha256:abc";
  EXPECT_THAT(Admitted(), ElementsAre("c-node-1 with disk-1", "c-node-2 with disk-2"));
  broker_image_ = "rabbitmq:3.12-management";
  EXPECT_THAT(Admitted(), IsEmpty());
  broker_image_ = "other:3.13";
  EXPECT_THAT(Admitted(), IsEmpty());
  Pod(1).image = "rabbitmq:3.12-management";  // its own tag is what counts where there is one
  broker_image_ = "rabbitmq:3.13-management";
  EXPECT_THAT(Admitted(), IsEmpty());
}

TEST_F(ReformingTest, AnotherDiskThanTheRecordedOneIsNotReleased) {
  Pod(2).volume_uid = "another-disk";
  EXPECT_THAT(Admitted(), IsEmpty());
  EXPECT_THAT(Problems(plan_), ElementsAre(HasSubstr("LostDisk")));
}

TEST_F(ReformingTest, EndsWithTheFirstAnswer) {
  answers_ = true;
  seen_.broker.trouble.clear();
  members_.clear();
  IsMember(0, true);
  EXPECT_THAT(Admitted(), ElementsAre("c-node-1 with disk-1", "c-node-2 with disk-2"));
  EXPECT_FALSE(Decide().reforming);
}

TEST_F(GuardDecisionTest, WhenOneNodeIsNotHeldTheOthersStay) {
  seen_.inventory->volumes.clear();
  for (int i = 0; i < 3; ++i) IsHeld(i, "new-" + std::to_string(i));
  NobodyAnswers();
  Pod(2).preparing = false;  // it may have data, and come back
  EXPECT_THAT(Admitted(), IsEmpty());
}

TEST_F(GuardDecisionTest, TheLossOfAllRecordedVolumesIsForAPersonToJudge) {
  for (int i = 0; i < 3; ++i) IsHeld(i, "new-" + std::to_string(i));
  NobodyAnswers();
  EXPECT_THAT(Admitted(), IsEmpty());
  EXPECT_THAT(Problems(plan_),
              ElementsAre(testing::AllOf(
                  HasSubstr("NeedsPerson AllDisksLost: all 3 nodes are held with blank disks"),
                  HasSubstr("delete ConfigMap c-inventory: the cluster then forms anew"))));
  seen_.inventory.reset();  // done
  EXPECT_EQ(Admitted().size(), 3U);
}

TEST_F(GuardDecisionTest, TheOnlyNodeHasNobodyWhoCouldForgetIt) {
  seen_.nodes.resize(1);
  IsHeld(0, "new-0");
  NobodyAnswers();
  EXPECT_THAT(Admitted(1), IsEmpty());
  EXPECT_THAT(Problems(plan_), ElementsAre(HasSubstr("AllDisksLost: the only node is held")));
}

TEST_F(GuardDecisionTest, DisksThatWereAllWipedUnderTheirClaimsAreToldAndNotFormedAnew) {
  for (int i = 0; i < 3; ++i) IsHeld(i, "disk-" + std::to_string(i));
  NobodyAnswers();
  EXPECT_THAT(Admitted(), IsEmpty());
  EXPECT_THAT(Problems(plan_), IsEmpty()) << "all were restarted";
  now_ += std::chrono::seconds(31);
  EXPECT_THAT(Admitted(), IsEmpty());
  EXPECT_THAT(Problems(plan_), ElementsAre(HasSubstr("AllDisksLost")));
}

TEST_F(GuardDecisionTest, AnEphemeralClusterThatWasAllKilledComesBack) {
  cluster_.spec.storage.ephemeral = true;
  for (int i = 0; i < 3; ++i) {
    IsHeld(i, "");
    seen_.inventory->volumes[i] = "pod-of-before";
  }
  NobodyAnswers();
  EXPECT_THAT(Admitted(),
              ElementsAre("c-node-0 with pod-0", "c-node-1 with pod-1", "c-node-2 with pod-2"));
}

TEST_F(GuardDecisionTest, AnEphemeralNodeHasANewDiskWithEachPod) {
  cluster_.spec.storage.ephemeral = true;
  seen_.inventory->volumes = {{0, "pod-0"}, {1, "pod-1"}, {2, "pod-2"}};
  IsReplaced(1);
  IsHeld(1, "");
  EXPECT_THAT(Admitted(), IsEmpty());
  EXPECT_THAT(Problems(plan_), ElementsAre(HasSubstr("LostDisk")));
}

TEST_F(GuardDecisionTest, WhoIsLetInWaitsForTheRecordToBeWritten) {
  IsHeld(3, "disk-3");
  const GuardDecision decision = Decide(4);
  plan_.steps.resize(1);  // the inventory
  PlanAdmissions(decision, 0, plan_);
  ASSERT_EQ(plan_.steps.size(), 2U);
  EXPECT_EQ(plan_.steps[1].after, 0U);
  const auto& exec = std::get<ExecInPod>(plan_.steps[1].action);
  EXPECT_EQ(exec.pod, "c-node-3");
  EXPECT_EQ(exec.container, "prepare");
  EXPECT_EQ(exec.command[0], "/bin/sh");  // what the admission policy lets pass
  EXPECT_THAT(exec.command, testing::Contains("disk-3"));
}

}  // namespace
}  // namespace rabbit::plan
