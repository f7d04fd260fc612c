#include "runtime/event_series.h"

#include <gtest/gtest.h>

#include <set>

namespace rabbit::runtime {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

Event About(const std::string& object, const std::string& note) {
  return {{"rabbitcluster.dev/v1beta1", "RabbitCluster", {"ns", object}, "uid-" + object},
          false,
          "Created",
          "Create",
          note};
}

class EventSeriesTest : public testing::Test {
 protected:
  EventWrite On(const Event& event) { return series_.On(event, now_, ++unique_); }
  // How many of `count` events of one object, all different, are written.
  int Written(const std::string& object, int count) {
    int written = 0;
    for (int i = 0; i < count; ++i) {
      const Event event = About(object, "note " + std::to_string(++notes_));
      written += On(event).kind == EventWrite::Kind::kNothing ? 0 : 1;
    }
    return written;
  }

  base::TimePoint now_{hours(1)};
  std::uint64_t unique_ = 0;
  int notes_ = 0;
  EventSeries series_;
};

TEST_F(EventSeriesTest, TheFirstIsCreatedAndRepeatsAreCounted) {
  const EventWrite first = On(About("a", "x"));
  EXPECT_EQ(first.kind, EventWrite::Kind::kCreate);
  EXPECT_EQ(first.name, "a.0000000000000001");
  const EventWrite second = On(About("a", "x"));
  EXPECT_EQ(second.kind, EventWrite::Kind::kCount);
  EXPECT_EQ(second.name, first.name);
  EXPECT_EQ(second.count, 2);
}

TEST_F(EventSeriesTest, WhatDiffersInAnythingIsAnotherEvent) {
  On(About("a", "x"));
  EXPECT_EQ(On(About("a", "y")).kind, EventWrite::Kind::kCreate);
  EXPECT_EQ(On(About("b", "x")).kind, EventWrite::Kind::kCreate);
  Event warning = About("a", "x");
  warning.warning = true;
  EXPECT_EQ(On(warning).kind, EventWrite::Kind::kCreate);
  Event recreated = About("a", "x");
  recreated.regarding.uid = "another";
  EXPECT_EQ(On(recreated).kind, EventWrite::Kind::kCreate);
}

TEST_F(EventSeriesTest, ANoisyObjectIsCutShortAndOthersAreNot) {
  EXPECT_EQ(Written("a", 100), 25);
  EXPECT_EQ(Written("b", 5), 5);
}

TEST_F(EventSeriesTest, OneMorePassesEveryFiveMinutes) {
  Written("a", 100);
  now_ += minutes(5) - seconds(1);
  EXPECT_EQ(Written("a", 10), 0);
  now_ += seconds(1);
  EXPECT_EQ(Written("a", 10), 1);
  now_ += minutes(15);
  EXPECT_EQ(Written("a", 10), 3);
}

TEST_F(EventSeriesTest, AQuietObjectGetsItsBurstBackAndNoMore) {
  Written("a", 100);
  now_ += hours(100);
  EXPECT_EQ(Written("a", 100), 25);
}

TEST_F(EventSeriesTest, CountsGoOnWhileNothingPasses) {
  for (int i = 0; i < 40; ++i) On(About("a", "x"));
  now_ += minutes(5);
  const EventWrite write = On(About("a", "x"));
  EXPECT_EQ(write.kind, EventWrite::Kind::kCount);
  EXPECT_EQ(write.count, 41);
}

TEST_F(EventSeriesTest, AfterALongPauseANewOneIsMade) {
  On(About("a", "x"));
  now_ += EventSeries::kIdle + seconds(1);
  const EventWrite write = On(About("a", "x"));
  EXPECT_EQ(write.kind, EventWrite::Kind::kCreate);
  EXPECT_EQ(write.count, 1);
}

TEST_F(EventSeriesTest, WhatWasForgottenIsMadeAnew) {
  On(About("a", "x"));
  series_.Forget(About("a", "x"));
  EXPECT_EQ(On(About("a", "x")).kind, EventWrite::Kind::kCreate);
}

TEST_F(EventSeriesTest, WhatIsKeptIsBounded) {
  for (int i = 0; i < 1500; ++i) {
    now_ += std::chrono::milliseconds(1);
    On(About("object-" + std::to_string(i), "x"));
  }
  EXPECT_LE(series_.kept(), 2 * EventSeries::kMaxKept);
  EXPECT_EQ(On(About("object-1499", "x")).kind, EventWrite::Kind::kCount) << "the latest are kept";
}

TEST_F(EventSeriesTest, NamesFitTheApi) {
  const EventWrite write = On(About(std::string(300, 'a'), "x"));
  EXPECT_EQ(write.name.size(), 253U);
  EXPECT_EQ(On(About("a-.", "x")).name, "a.0000000000000002");
}

}  // namespace
}  // namespace rabbit::runtime
