#include "runtime/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <thread>

namespace rabbit::runtime {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::array kBounds{0.1, 1.0};
constexpr CounterFamily kDone{"test_done_total", "Things done."};
constexpr GaugeFamily kNodes{"test_nodes", "Nodes."};
constexpr HistogramFamily kSeconds{"test_seconds", "Time.", kBounds};

TEST(Registry, WritesTheTextFormat) {
  Registry registry;
  registry.Add(kDone, {{"cluster", "a"}});
  registry.Add(kDone, {{"cluster", "a"}}, 2);
  registry.Set(kNodes, {{"cluster", "a"}}, 3);
  registry.Observe(kSeconds, {}, 0.5);
  const std::string text = registry.Text();
  EXPECT_THAT(text, HasSubstr("# HELP test_done_total Things done.\n"
                              "# TYPE test_done_total counter\n"
                              "test_done_total{cluster=\"a\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("test_nodes{cluster=\"a\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("test_seconds_bucket{le=\"0.1\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("test_seconds_bucket{le=\"1\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("test_seconds_bucket{le=\"+Inf\"} 1\n"));
}

TEST(Registry, SeriesExistAtZeroWhenTheyAreMadeInAdvance) {
  Registry registry;
  registry.Add(kDone, {{"cluster", "a"}}, 0);
  registry.Create(kSeconds, {});
  EXPECT_THAT(registry.Text(), HasSubstr("test_done_total{cluster=\"a\"} 0\n"));
  EXPECT_THAT(registry.Text(), HasSubstr("test_seconds_count 0\n"));
}

TEST(Registry, ForgetsAllOfAClusterAndNothingElse) {
  Registry registry;
  registry.Add(kDone, {{"cluster", "a"}, {"step", "x"}});
  registry.Set(kNodes, {{"cluster", "a"}}, 3);
  registry.Observe(kSeconds, {{"cluster", "a"}}, 1);
  registry.Set(kNodes, {{"cluster", "b"}}, 5);
  registry.Forget({{"cluster", "a"}});
  EXPECT_THAT(registry.Text(), Not(HasSubstr("cluster=\"a\"")));
  EXPECT_THAT(registry.Text(), HasSubstr("test_nodes{cluster=\"b\"} 5\n"));
  registry.Set(kNodes, {{"cluster", "a"}}, 1);
  EXPECT_THAT(registry.Text(), HasSubstr("test_nodes{cluster=\"a\"} 1\n"));
}

TEST(Registry, AFamilyThatGrowsWildIsCut) {
  Registry registry;
  for (std::size_t i = 0; i < Registry::kMaxSeries + 3; ++i) {
    registry.Add(kDone, {{"id", std::to_string(i)}});
  }
  registry.Add(kDone, {{"id", "0"}});
  const std::string text = registry.Text();
  EXPECT_THAT(text, HasSubstr("rabbit_operator_metrics_dropped_total 3\n"));
  EXPECT_THAT(text, HasSubstr("test_done_total{id=\"0\"} 2\n"));
}

TEST(Registry, IsUsedFromManyThreads) {
  Registry registry;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&registry, t] {
        for (int i = 0; i < 100; ++i) {
          registry.Add(kDone, {});
          registry.Set(kNodes, {{"thread", std::to_string(t)}}, i);
          registry.Forget({{"thread", std::to_string(t)}});
          if (i % 10 == 0) {
            EXPECT_THAT(registry.Text(), HasSubstr("dropped"));
          }
        }
      });
    }
  }
  EXPECT_THAT(registry.Text(), HasSubstr("test_done_total 400\n"));
}

TEST(ClientMetrics, CountsAnswersByCode) {
  Registry registry;
  ClientMetrics metrics(registry, "10.0.0.1");
  metrics.OnAnswer(http::Method::kGet, 200);
  metrics.OnAnswer(http::Method::kPatch, 409);
  metrics.OnAnswer(http::Method::kPatch, 0);
  const std::string text = registry.Text();
  for (const char* line :
       {"rest_client_requests_total{code=\"200\",host=\"10.0.0.1\",method=\"GET\"} 1\n",
        "rest_client_requests_total{code=\"409\",host=\"10.0.0.1\",method=\"PATCH\"} 1\n",
        "rest_client_requests_total{code=\"<error>\",host=\"10.0.0.1\",method=\"PATCH\"} 1\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

}  // namespace
}  // namespace rabbit::runtime
