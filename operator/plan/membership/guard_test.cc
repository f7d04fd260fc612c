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
    return DecideGuard(cluster_, Seen(), members, now_, plan_);
  }
  std::vector<std::string> Admitted(int members = 3) {
    std::vector<std::string> lines;
    for (const Admission& admission : Decide(members).admissions) {
      lines.push_back(admission.pod + " with " + admission.volume_uid);
    }
    return lines;
  }
  Plan plan_;
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
  Pod(1).preparing = true;
  EXPECT_THAT(Admitted(), IsEmpty());
  EXPECT_THAT(Problems(plan_), IsEmpty());
  EXPECT_THAT(Waits(plan_), IsEmpty());
}

TEST_F(GuardDecisionTest, AStaleViewDoesNotMakeALostDiskTheRecordedOne) {
  // The pod came back with another disk; the view of before still has the node running.
  Pod(1).ready = false;
  Pod(1).volume_uid = "another-disk";
  EXPECT_EQ(Decide().volumes.at(1), "disk-1");
  EXPECT_THAT(Problems(plan_), ElementsAre(HasSubstr("LostDisk")));
}

TEST_F(GuardDecisionTest, AMemberWithoutARecordIsHeldAndNotJudged) {
  seen_.inventory->volumes.clear();
  IsReplaced(1);
  IsHeld(1, "some-disk");
  EXPECT_THAT(Admitted(), IsEmpty());
  EXPECT_THAT(Problems(plan_), IsEmpty());
  EXPECT_THAT(Waits(plan_), ElementsAre(HasSubstr("if it stays so, its disk is blank")));
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
  EXPECT_TRUE(decision.ask_first);
  ASSERT_EQ(decision.admissions.size(), 3U);
  PlanAdmissions(decision, std::nullopt, plan_);
  EXPECT_THAT(Steps(plan_),
              ElementsAre(HasSubstr("test -e"), testing::EndsWith("[after 0]"),
                          testing::EndsWith("[after 1]"), testing::EndsWith("[after 2]"),
                          testing::EndsWith("[after 2]"), testing::EndsWith("[after 2]")));
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
  EXPECT_EQ(plan_.problems.size(), 3U);
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
