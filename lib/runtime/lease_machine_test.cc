#include "runtime/lease_machine.h"

#include <gtest/gtest.h>

namespace rabbit::runtime {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using enum LeaseCall::Kind;
using enum LeaseMachine::State;

struct TimingCase {
  const char* what;
  LeaseTiming timing;
  const char* error;  // empty: valid
};

class ValidateTest : public testing::TestWithParam<TimingCase> {};

TEST_P(ValidateTest, Says) {
  const auto result = Validate(GetParam().timing);
  EXPECT_EQ(result ? "" : result.error().message, GetParam().error) << GetParam().what;
}

INSTANTIATE_TEST_SUITE_P(
    All, ValidateTest,
    testing::Values(TimingCase{"the defaults", {}, ""},
                    TimingCase{"lease = renew",
                               {seconds(10), seconds(10), seconds(2)},
                               "the lease duration must be longer than the renew deadline"},
                    TimingCase{"renew = 1.2 x retry",
                               {seconds(15), seconds(12), seconds(10)},
                               "the renew deadline must be longer than 1.2 times the retry period"},
                    TimingCase{"just above", {seconds(15), milliseconds(12'001), seconds(10)}, ""},
                    TimingCase{"no retry",
                               {seconds(15), seconds(10), seconds(0)},
                               "the retry period must be positive"},
                    TimingCase{"half seconds",
                               {milliseconds(15'500), seconds(10), seconds(2)},
                               "the lease duration must be in whole seconds"}));

LeaseRecord HeldBy(const std::string& holder, const std::string& renew_time = "then") {
  return {holder, seconds(15), "then", renew_time, 3, "100"};
}

class LeaseMachineTest : public testing::Test {
 protected:
  // What the machine wants now, in a word.
  std::string Wants() {
    call_ = machine_.Next(now_, base::WallTime());
    if (!call_) return "nothing";
    switch (call_->kind) {
      case kRead:
        return "read";
      case kCreate:
        return "create for " + call_->record.holder;
      case kReplace:
        return call_->record.holder.empty() ? "release" : "replace for " + call_->record.holder;
    }
    return "?";
  }
  // Its outcome, `took` after it was sent.
  void Gets(const base::Result<LeaseRecord>& outcome, base::Duration took = {}) {
    ASSERT_TRUE(call_);
    const base::TimePoint sent = now_;
    now_ += took;
    machine_.OnOutcome(*call_, outcome, sent, now_);
  }
  void GetsError(base::ErrorKind kind, base::Duration took = {}) {
    Gets(base::Fail(kind, "refused"), took);
  }
  void Accepted(base::Duration took = {}) {
    LeaseRecord record = call_->record;
    record.resource_version = std::to_string(++version_);
    Gets(record, took);
  }
  void Lead() {
    ASSERT_EQ(Wants(), "read");
    GetsError(base::ErrorKind::kNotFound);
    ASSERT_EQ(Wants(), "create for me");
    Accepted();
    ASSERT_EQ(machine_.state(), kLeading);
  }

  base::TimePoint now_{hours(1)};
  int version_ = 100;
  std::optional<LeaseCall> call_;
  LeaseMachine machine_{"me", {}};
};

TEST_F(LeaseMachineTest, MakesTheLeaseWhenThereIsNone) {
  EXPECT_EQ(Wants(), "read");
  GetsError(base::ErrorKind::kNotFound);
  EXPECT_EQ(Wants(), "create for me");
  EXPECT_EQ(call_->record.transitions, 0);
  EXPECT_EQ(call_->record.duration, seconds(15));
  EXPECT_EQ(call_->record.acquire_time, "1970-01-01T00:00:00.000000Z");
  Accepted();
  EXPECT_EQ(machine_.state(), kLeading);
}

TEST_F(LeaseMachineTest, LosesTheRaceToMakeIt) {
  Wants();
  GetsError(base::ErrorKind::kNotFound);
  Wants();
  GetsError(base::ErrorKind::kExists);
  EXPECT_EQ(machine_.state(), kFollowing);
  EXPECT_EQ(Wants(), "nothing");
  now_ += seconds(2);
  EXPECT_EQ(Wants(), "read");
}

TEST_F(LeaseMachineTest, TakesAReleasedLeaseAtOnce) {
  Wants();
  Gets(HeldBy(""));
  EXPECT_EQ(Wants(), "replace for me");
  EXPECT_EQ(call_->record.transitions, 4);
  EXPECT_EQ(call_->record.resource_version, "100");
}

TEST_F(LeaseMachineTest, WaitsForAHolderWhoseRecordChanges) {
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(Wants(), "read") << i;
    Gets(HeldBy("other", std::to_string(i)));
    EXPECT_EQ(Wants(), "nothing");
    now_ += seconds(2);
  }
  EXPECT_EQ(machine_.holder(), "other");
}

TEST_F(LeaseMachineTest, TakesOverWhenTheRecordStoodStillForItsDuration) {
  Wants();
  Gets(HeldBy("other"));
  const base::TimePoint first_seen = now_;
  std::string wants;
  while ((wants = Wants()) != "replace for me") {
    if (wants == "read") Gets(HeldBy("other"));
    now_ += milliseconds(100);
    ASSERT_LT(now_ - first_seen, seconds(60));
  }
  EXPECT_GE(now_ - first_seen, seconds(15));
  EXPECT_LT(now_ - first_seen, seconds(18));
}

TEST_F(LeaseMachineTest, LooksAgainAtTheMomentAtWhichTheHolderRunsOut) {
  Wants();
  Gets(HeldBy("other"));
  const base::TimePoint runs_out = now_ + seconds(15);
  while (machine_.due() < runs_out) {
    now_ = machine_.due();
    ASSERT_EQ(Wants(), "read");
    Gets(HeldBy("other"));
  }
  EXPECT_EQ(machine_.due(), runs_out);
  now_ = runs_out;
  EXPECT_EQ(Wants(), "read");
  Gets(HeldBy("other"));
  EXPECT_EQ(Wants(), "replace for me");
}

TEST_F(LeaseMachineTest, BelievesItsOwnClockAndNotTheRecordsTimes) {
  // The holder's clock is years behind; that it renews is all that counts.
  Wants();
  LeaseRecord record = HeldBy("other", "1999-01-01T00:00:00.000000Z");
  Gets(record);
  EXPECT_EQ(Wants(), "nothing");
  now_ += seconds(14);
  EXPECT_EQ(Wants(), "read");
  record.renew_time = "1999-01-01T00:00:14.000000Z";
  Gets(record);
  now_ += seconds(14);
  EXPECT_EQ(Wants(), "read");
  Gets(record);
  EXPECT_EQ(Wants(), "nothing");
}

TEST_F(LeaseMachineTest, AChangeOfLabelsIsNoRenewal) {
  Wants();
  Gets(HeldBy("other"));
  LeaseRecord record = HeldBy("other");
  for (int i = 0; i < 7; ++i) {
    now_ += seconds(2);
    Wants();
    record.resource_version = std::to_string(200 + i);
    Gets(record);
  }
  now_ += seconds(2);
  EXPECT_EQ(Wants(), "read");
  Gets(record);
  EXPECT_EQ(Wants(), "replace for me");
}

TEST_F(LeaseMachineTest, WaitsAsLongAsTheHolderSaid) {
  LeaseRecord record = HeldBy("other");
  record.duration = seconds(60);
  Wants();
  Gets(record);
  now_ += seconds(59);
  EXPECT_EQ(Wants(), "read");
  Gets(record);
  EXPECT_EQ(Wants(), "nothing");
}

TEST_F(LeaseMachineTest, ARecordWithoutADurationIsGivenOurs) {
  LeaseRecord record = HeldBy("other");
  record.duration = seconds(0);
  Wants();
  Gets(record);
  now_ += seconds(14);
  EXPECT_EQ(Wants(), "read");
  Gets(record);
  EXPECT_EQ(Wants(), "nothing");
}

TEST_F(LeaseMachineTest, AConflictWhileTakingOverMeansThatAnotherWasFaster) {
  Wants();
  Gets(HeldBy(""));
  EXPECT_EQ(Wants(), "replace for me");
  GetsError(base::ErrorKind::kConflict);
  EXPECT_EQ(machine_.state(), kFollowing);
  EXPECT_EQ(Wants(), "nothing");
}

TEST_F(LeaseMachineTest, FindsItsOwnWriteWhoseAnswerWasLost) {
  Wants();
  Gets(HeldBy(""));
  EXPECT_EQ(Wants(), "replace for me");
  GetsError(base::ErrorKind::kRetry);
  now_ += seconds(2);
  EXPECT_EQ(Wants(), "read");
  Gets(HeldBy("me"));
  EXPECT_EQ(machine_.state(), kFollowing) << "only an accepted write counts";
  EXPECT_EQ(Wants(), "replace for me");
  Accepted();
  EXPECT_EQ(machine_.state(), kLeading);
}

TEST_F(LeaseMachineTest, LeadsFromTheSendingOfTheWriteOn) {
  Wants();
  GetsError(base::ErrorKind::kNotFound);
  Wants();
  const base::TimePoint sent = now_;
  Accepted(seconds(3));
  EXPECT_EQ(machine_.leading_until(), sent + seconds(10));
}

TEST_F(LeaseMachineTest, RenewsWithoutReading) {
  Lead();
  EXPECT_EQ(Wants(), "nothing");
  for (int i = 0; i < 10; ++i) {
    now_ += seconds(2);
    ASSERT_EQ(Wants(), "replace for me");
    EXPECT_EQ(call_->record.transitions, 0);
    EXPECT_LE(call_->deadline, machine_.leading_until());
    Accepted();
    EXPECT_EQ(machine_.leading_until(), now_ + seconds(10));
  }
}

TEST_F(LeaseMachineTest, IsLostWhenItCannotRenew) {
  Lead();
  const base::TimePoint renewed = now_;
  int tries = 0;
  while (machine_.state() == kLeading) {
    if (Wants() != "nothing") {
      ++tries;
      GetsError(base::ErrorKind::kRetry);
    }
    now_ += milliseconds(500);
    ASSERT_LT(now_ - renewed, seconds(30));
  }
  EXPECT_EQ(machine_.state(), kLost);
  EXPECT_EQ(machine_.reason(), "not renewed in time");
  EXPECT_GE(tries, 3);
  EXPECT_LE(now_ - renewed, seconds(11));
  EXPECT_EQ(Wants(), "nothing") << "for good";
}

TEST_F(LeaseMachineTest, AConflictIsLookedIntoAtOnce) {
  Lead();
  now_ += seconds(2);
  ASSERT_EQ(Wants(), "replace for me");
  GetsError(base::ErrorKind::kConflict);
  EXPECT_EQ(Wants(), "read");
  Gets(HeldBy("me"));  // our own write of before, or somebody's label
  EXPECT_EQ(machine_.state(), kLeading);
  EXPECT_EQ(Wants(), "replace for me");
  EXPECT_EQ(call_->record.resource_version, "100");
}

TEST_F(LeaseMachineTest, IsLostWhenAnotherHoldsIt) {
  Lead();
  now_ += seconds(2);
  Wants();
  GetsError(base::ErrorKind::kConflict);
  Wants();
  Gets(HeldBy("other"));
  EXPECT_EQ(machine_.state(), kLost);
  EXPECT_EQ(machine_.reason(), "the Lease was taken by other");
  EXPECT_EQ(machine_.leading_until(), base::TimePoint{});
}

TEST_F(LeaseMachineTest, IsLostWhenTheLeaseIsDeleted) {
  Lead();
  now_ += seconds(2);
  Wants();
  GetsError(base::ErrorKind::kNotFound);
  EXPECT_EQ(machine_.state(), kLost);
}

TEST_F(LeaseMachineTest, ReleasesWithAnEmptyHolder) {
  Lead();
  machine_.Release();
  EXPECT_EQ(Wants(), "release");
  EXPECT_EQ(call_->record.duration, seconds(1));
  Accepted();
  EXPECT_EQ(machine_.state(), kReleased);
  EXPECT_EQ(Wants(), "nothing");
}

TEST_F(LeaseMachineTest, AReleaseThatMeetsAConflictIsTriedOnTheNewVersion) {
  Lead();
  machine_.Release();
  Wants();
  GetsError(base::ErrorKind::kConflict);
  EXPECT_EQ(Wants(), "read");
  LeaseRecord record = HeldBy("me");
  record.resource_version = "555";
  Gets(record);
  EXPECT_EQ(Wants(), "release");
  EXPECT_EQ(call_->record.resource_version, "555");
  Accepted();
  EXPECT_EQ(machine_.state(), kReleased);
}

TEST_F(LeaseMachineTest, AReleaseOfWhatAnotherHoldsIsDone) {
  Lead();
  machine_.Release();
  Wants();
  GetsError(base::ErrorKind::kConflict);
  Wants();
  Gets(HeldBy("other"));
  EXPECT_EQ(machine_.state(), kReleased);
}

TEST_F(LeaseMachineTest, AFollowerHasNothingToRelease) {
  machine_.Release();
  EXPECT_EQ(machine_.state(), kReleased);
  EXPECT_EQ(Wants(), "nothing");
}

}  // namespace
}  // namespace rabbit::runtime
