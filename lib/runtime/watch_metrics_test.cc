#include "runtime/watch_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rabbit::runtime {
namespace {

using testing::HasSubstr;

TEST(WatchMetrics, CountsByKind) {
  Registry registry;
  WatchMetrics metrics(registry);
  metrics.OnList(kube::kPods, 7);
  metrics.OnWatchEvent(kube::kPods);
  metrics.OnWatchEvent(kube::kPods);
  metrics.OnTrouble(kube::kPods, base::ErrorKind::kGone);
  metrics.OnTrouble(kube::kServices, base::ErrorKind::kDenied);
  const std::string text = registry.Text();
  EXPECT_THAT(text, HasSubstr("rabbit_operator_watch_lists_total{kind=\"Pod\"} 1"));
  EXPECT_THAT(text, HasSubstr("rabbit_operator_watch_events_total{kind=\"Pod\"} 2"));
  EXPECT_THAT(text, HasSubstr("rabbit_operator_watch_bad_objects_total{kind=\"Pod\"} 0"));
  EXPECT_THAT(text,
              HasSubstr("rabbit_operator_watch_failures_total{error=\"Gone\",kind=\"Pod\"} 1"));
  EXPECT_THAT(
      text, HasSubstr("rabbit_operator_watch_failures_total{error=\"Denied\",kind=\"Service\"} 1"));
  metrics.OnBadObject(kube::kPods);
  EXPECT_THAT(registry.Text(),
              HasSubstr("rabbit_operator_watch_bad_objects_total{kind=\"Pod\"} 1"));
}

}  // namespace
}  // namespace rabbit::runtime
