#include "operator/observe/poll_schedule.h"

#include <gtest/gtest.h>

namespace rabbit::observe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class PollScheduleTest : public testing::Test {
 protected:
  static kube::ObjectKey Key(const std::string& name) { return {"ns", name}; }
  void Want(const std::string& name, base::Duration interval, bool fresh = false) {
    schedule_.Want(Key(name), interval, fresh, now_);
  }
  std::string Take() {
    const auto key = schedule_.Take(now_);
    return key ? key->name : "";
  }
  void Done(const std::string& name, bool succeeded) {
    schedule_.Done(Key(name), succeeded, 0, now_);
  }
  base::Duration UntilNext() { return schedule_.NextDue().value() - now_; }
  void After(base::Duration time) { now_ += time; }

  base::TimePoint now_{std::chrono::hours(1)};
  PollSchedule schedule_{{.looks_per_second = 2, .slowest = seconds(8)}};
};

TEST_F(PollScheduleTest, ANewKeyIsLookedAtOnceThenEachInterval) {
  Want("a", seconds(15));
  EXPECT_EQ(Take(), "a");
  EXPECT_EQ(Take(), "");
  Done("a", true);
  EXPECT_EQ(UntilNext(), seconds(15));
  After(seconds(15));
  EXPECT_EQ(Take(), "a");
}

TEST_F(PollScheduleTest, AKeyThatIsOutIsNotHandedOutTwice) {
  Want("a", seconds(15));
  EXPECT_EQ(Take(), "a");
  Want("a", seconds(15), /*fresh=*/true);
  EXPECT_EQ(Take(), "");
  Done("a", true);  // the target changed meanwhile: what was seen is old already
  EXPECT_EQ(Take(), "a");
}

TEST_F(PollScheduleTest, FailuresOpenTheBreakerAndASuccessClosesIt) {
  Want("a", seconds(15));
  for (const base::Duration pause : {seconds(1), seconds(3), seconds(8), seconds(8)}) {
    ASSERT_EQ(Take(), "a");
    Done("a", false);
    EXPECT_EQ(UntilNext(), pause);
    After(pause);
  }
  ASSERT_EQ(Take(), "a");
  Done("a", true);
  EXPECT_EQ(UntilNext(), seconds(15));
}

TEST_F(PollScheduleTest, ASlowLookIsNotRepeatedSoon) {
  Want("a", seconds(2));
  ASSERT_EQ(Take(), "a");
  After(seconds(4));
  Done("a", true);
  EXPECT_EQ(UntilNext(), seconds(16));
  After(seconds(16));
  ASSERT_EQ(Take(), "a");
  After(milliseconds(100));
  Done("a", true);
  EXPECT_EQ(UntilNext(), seconds(2));
}

TEST_F(PollScheduleTest, LooksToComeAreDueTogether) {
  Want("a", seconds(15));
  After(milliseconds(30));
  Want("b", seconds(15));
  ASSERT_EQ(Take(), "a");
  ASSERT_EQ(Take(), "b");
  Done("a", true);
  After(milliseconds(40));
  Done("b", true);
  After(seconds(15) + milliseconds(29));
  EXPECT_EQ(Take(), "") << "neither early";
  After(milliseconds(1));
  EXPECT_EQ(Take(), "a");
  EXPECT_EQ(Take(), "b");
}

TEST_F(PollScheduleTest, AFreshTargetClosesTheBreaker) {
  Want("a", seconds(15));
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(Take(), "a");
    Done("a", false);
    After(seconds(8));
  }
  ASSERT_EQ(Take(), "a");
  Done("a", false);
  EXPECT_EQ(Take(), "");
  Want("a", seconds(15), /*fresh=*/true);
  EXPECT_EQ(Take(), "a");
}

TEST_F(PollScheduleTest, TheOneThatWaitsLongestGoesFirst) {
  Want("a", seconds(1));
  After(milliseconds(1));
  Want("b", seconds(1));
  EXPECT_EQ(Take(), "a");
  EXPECT_EQ(Take(), "b");
}

TEST_F(PollScheduleTest, TooManyLooksAreStretchedAlike) {
  for (const char* name : {"a", "b", "c", "d"}) Want(name, seconds(1));  // 4 a second, 2 allowed
  EXPECT_DOUBLE_EQ(schedule_.Stretch(), 2.0);
  ASSERT_EQ(Take(), "a");
  Done("a", true);
  for (const char* name : {"b", "c", "d"}) ASSERT_EQ(Take(), name);
  EXPECT_EQ(UntilNext(), seconds(2));
}

TEST_F(PollScheduleTest, AShorterIntervalTakesEffectBeforeTheLongOneEnds) {
  Want("a", seconds(60));
  ASSERT_EQ(Take(), "a");
  Done("a", true);
  Want("a", seconds(2));
  EXPECT_EQ(UntilNext(), seconds(2));
}

TEST_F(PollScheduleTest, ADroppedKeyIsForgottenAlsoWhenItIsOut) {
  Want("a", seconds(15));
  ASSERT_EQ(Take(), "a");
  schedule_.Drop(Key("a"));
  Done("a", true);
  EXPECT_EQ(schedule_.NextDue(), std::nullopt);
  EXPECT_EQ(schedule_.size(), 0U);
  EXPECT_DOUBLE_EQ(schedule_.Stretch(), 1.0);
}

TEST_F(PollScheduleTest, ALookOfAnEarlierLifeDoesNotDisturbTheNewOne) {
  Want("a", seconds(15));
  ASSERT_EQ(Take(), "a");
  schedule_.Drop(Key("a"));
  Want("a", seconds(15));
  EXPECT_EQ(Take(), "") << "the look of the first life is still out";
  EXPECT_EQ(schedule_.size(), 1U);
  Done("a", false);  // of the first life
  EXPECT_EQ(Take(), "a") << "at once: what failed was not the new target";
  EXPECT_EQ(Take(), "");
  Done("a", false);
  EXPECT_EQ(UntilNext(), seconds(1)) << "its own first failure";
}

TEST_F(PollScheduleTest, ADroppedKeyAsksForNoLooksWhileItsLastOneIsOut) {
  for (const char* name : {"a", "b", "c"}) Want(name, seconds(1));
  ASSERT_EQ(Take(), "a");
  schedule_.Drop(Key("a"));
  schedule_.Drop(Key("a"));  // once more changes nothing
  EXPECT_EQ(schedule_.size(), 2U);
  EXPECT_DOUBLE_EQ(schedule_.Stretch(), 1.0);
  Want("a", seconds(1));
  EXPECT_DOUBLE_EQ(schedule_.Stretch(), 1.5);
}

}  // namespace
}  // namespace rabbit::observe
