#include "operator/report/quiet.h"

#include <gtest/gtest.h>

namespace rabbit::report {
namespace {

using std::chrono::seconds;

constexpr base::WallTime kStart{seconds(1'767'225'600)};

// A status that was written at kStart.
api::Status Stored() {
  api::Status status;
  status.observed_generation = 1;
  status.counted_at = kStart;
  status.summary = {.nodes = "3/3", .mirrors = "2/2", .proxies = "2/2"};
  status.queues = api::QueuesStatus{.total = 2, .mirrored = 2, .mirrors_in_sync = 2};
  status.policies = api::PoliciesStatus{.total = 1, .synced = 1};
  status.conditions = {{.type = "Ready",
                        .status = api::ConditionStatus::kFalse,
                        .reason = "NodesStarting",
                        .message = "2 of 3 nodes"},
                       {.type = "QueuesReplicated",
                        .status = api::ConditionStatus::kTrue,
                        .reason = "AllReplicated",
                        .message = "2 of 2"}};
  return status;
}

struct Row {
  const char* name;
  void (*change)(api::Status&);
  Difference difference;
};

const Row kRows[] = {
    {"nothing", [](api::Status&) {}, Difference::kNone},
    {"the time of writing alone", [](api::Status& s) { s.counted_at = kStart + seconds(99); },
     Difference::kNone},
    {"queues", [](api::Status& s) { s.queues->total = 3; }, Difference::kCounts},
    {"mirrors in sync", [](api::Status& s) { s.summary.mirrors = "1/2"; }, Difference::kCounts},
    {"the message about queues", [](api::Status& s) { s.conditions[1].message = "3 of 3"; },
     Difference::kCounts},
    {"backends", [](api::Status& s) { s.load_balancer.backends_up = 2; }, Difference::kCounts},
    {"a policy whose mirrors are filled",
     [](api::Status& s) {
       s.policies->unhealthy.push_back({.vhost = "/", .name = "p", .queues = 2, .in_sync = 1});
     },
     Difference::kCounts},
    {"nodes ready", [](api::Status& s) { s.ready_replicas = 2; }, Difference::kProgress},
    {"a message", [](api::Status& s) { s.conditions[0].message = "1 of 3 nodes"; },
     Difference::kProgress},
    {"another reason for the same", [](api::Status& s) { s.conditions[0].reason = "Forming"; },
     Difference::kProgress},
    {"not true in another way",
     [](api::Status& s) { s.conditions[0].status = api::ConditionStatus::kUnknown; },
     Difference::kProgress},
    {"counts and progress",
     [](api::Status& s) {
       s.queues->total = 3;
       s.ready_replicas = 2;
     },
     Difference::kProgress},
    {"a condition that becomes true",
     [](api::Status& s) { s.conditions[0].status = api::ConditionStatus::kTrue; },
     Difference::kNews},
    {"queues that are no longer replicated",
     [](api::Status& s) { s.conditions[1].status = api::ConditionStatus::kFalse; },
     Difference::kNews},
    {"a policy that is not in effect",
     [](api::Status& s) { s.policies->unhealthy.push_back({.vhost = "/", .name = "p"}); },
     Difference::kNews},
    {"the version", [](api::Status& s) { s.version = "3.13.7"; }, Difference::kNews},
    {"another generation", [](api::Status& s) { s.observed_generation = 2; }, Difference::kNews},
    {"the pinned image", [](api::Status& s) { s.image = "i"; }, Difference::kNews},
};

TEST(QuietTest, TheKindOfADifference) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.name);
    api::Status fresh = Stored();
    row.change(fresh);
    EXPECT_EQ(Compare(Stored(), fresh), row.difference);
  }
}

TEST(QuietTest, EachKindIsWrittenInItsTime) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.name);
    api::Status fresh = Stored();
    row.change(fresh);
    const auto written_after = [&](seconds time) {
      return Settle(Stored(), fresh, kStart + time).status != Stored();
    };
    EXPECT_EQ(written_after(seconds(0)), row.difference == Difference::kNews);
    EXPECT_EQ(written_after(kProgressPause), row.difference >= Difference::kProgress);
    EXPECT_EQ(written_after(kCountsPause), row.difference >= Difference::kCounts);
  }
}

TEST(QuietTest, WhatIsLeftOutSaysWhenItMayBeWritten) {
  api::Status fresh = Stored();
  fresh.queues->total = 3;
  const Settled settled = Settle(Stored(), fresh, kStart + seconds(45));
  EXPECT_EQ(settled.status, Stored());
  EXPECT_EQ(settled.wait, base::Duration(seconds(15)));
  EXPECT_EQ(Settle(Stored(), Stored(), kStart).wait, std::nullopt);
}

TEST(QuietTest, WhatIsWrittenIsWrittenWholeWithItsTime) {
  api::Status fresh = Stored();
  fresh.queues->total = 3;
  fresh.version = "3.13.7";
  const base::WallTime now = kStart + seconds(3) + std::chrono::milliseconds(500);
  const Settled settled = Settle(Stored(), fresh, now);
  fresh.counted_at = kStart + seconds(3);
  EXPECT_EQ(settled.status, fresh);
}

TEST(QuietTest, ATimeInTheFutureHoldsNothingBack) {
  api::Status stored = Stored();
  stored.counted_at = kStart + std::chrono::hours(1);  // another machine's clock
  api::Status fresh = stored;
  fresh.queues->total = 3;
  EXPECT_NE(Settle(stored, fresh, kStart).status, stored);
}

TEST(QuietTest, AFirstStatusIsWritten) { EXPECT_EQ(Settle({}, Stored(), kStart).status, Stored()); }

TEST(QuietTest, NumbersAreLeftOut) {
  EXPECT_EQ(WithoutNumbers("3 of 12 on c-node-1"), "# of # on c-node-#");
}

}  // namespace
}  // namespace rabbit::report
