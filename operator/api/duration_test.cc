#include "operator/api/duration.h"

#include <gtest/gtest.h>

namespace rabbit::api {
namespace {

using namespace std::chrono_literals;

TEST(ParseDuration, AddsUpItsParts) {
  EXPECT_EQ(ParseDuration("5s"), 5s);
  EXPECT_EQ(ParseDuration("500ms"), 500ms);
  EXPECT_EQ(ParseDuration("1h30m"), 90min);
  EXPECT_EQ(ParseDuration("1m500ms"), 60500ms);
  EXPECT_EQ(ParseDuration("0s"), 0s);
}

TEST(ParseDuration, RefusesWhatIsNone) {
  for (const char* text : {"", "5", "s", "-5s", "5 s", "1.5s", "5d", "5S", "5ss", "+5s", "5s ",
                           "99999999999999999999s", "999999999h", "1234567890s"}) {
    EXPECT_EQ(ParseDuration(text), std::nullopt) << text;
  }
}

TEST(FormatDuration, IsTheShortestFormAndReadsBack) {
  for (const Duration d : {Duration(0), Duration(1), Duration(999), Duration(60'000),
                           Duration(5'400'000), Duration(3'600'001), Duration(90'061'001)}) {
    EXPECT_EQ(ParseDuration(FormatDuration(d)), d);
  }
  EXPECT_EQ(FormatDuration(90min), "1h30m");
  EXPECT_EQ(FormatDuration(0s), "0s");
}

TEST(ParseTime, ReadsWhatTheServerWrites) {
  const auto noon = ParseTime("2026-11-22T12:00:00Z");
  ASSERT_TRUE(noon);
  EXPECT_EQ(base::FormatTime(*noon), "2026-11-22T12:00:00Z");
  EXPECT_EQ(ParseTime("2026-11-22T12:00:00.999999Z"), noon);
  EXPECT_EQ(ParseTime("2026-11-22T14:30:00+02:30"), noon);
  EXPECT_EQ(ParseTime("2026-11-22T04:00:00-08:00"), noon);
  EXPECT_TRUE(ParseTime("2024-02-29T23:59:59Z"));
}

TEST(ParseTime, RefusesWhatIsNone) {
  for (const char* text :
       {"", "2026", "2026-11-22", "2026-11-22T12:00:00", "2026-13-22T12:00:00Z",
        "2025-02-29T12:00:00Z", "2026-11-22T24:00:00Z", "2026-11-22T12:00:00.Z",
        "2026-11-22T12:00:00+0200", "2026-11-22T12:00:00+02:00Z", "-026-11-22T12:00:00Z"}) {
    EXPECT_EQ(ParseTime(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace rabbit::api
