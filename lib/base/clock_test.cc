#include "base/clock.h"

#include <gtest/gtest.h>

namespace rabbit::base {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

TEST(ManualClock, StandsStillUntilItIsAdvanced) {
  ManualClock clock;
  const TimePoint start = clock.Now();
  EXPECT_EQ(clock.Now(), start);
  clock.Advance(seconds(90));
  EXPECT_EQ(clock.Now() - start, seconds(90));
  EXPECT_EQ(FormatTime(clock.WallNow()), "2026-01-01T00:01:30Z");
}

TEST(RealClock, DoesNotRunBackwards) {
  RealClock clock;
  const TimePoint first = clock.Now();
  EXPECT_GE(clock.Now(), first);
}

TEST(FormatTime, IsRfc3339InUtc) {
  EXPECT_EQ(FormatTime(WallTime()), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatTime(WallTime(seconds(1'709'210'096))), "2024-02-29T12:34:56Z");
}

TEST(FormatTime, CutsFractionsTowardsThePast) {
  EXPECT_EQ(FormatTime(WallTime(microseconds(1'999'999))), "1970-01-01T00:00:01Z");
  EXPECT_EQ(FormatTime(WallTime(microseconds(-1))), "1969-12-31T23:59:59Z");
}

TEST(FormatMicroTime, AlwaysHasSixDigits) {
  EXPECT_EQ(FormatMicroTime(WallTime()), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(FormatMicroTime(WallTime(microseconds(1'000'042))), "1970-01-01T00:00:01.000042Z");
}

}  // namespace
}  // namespace rabbit::base
