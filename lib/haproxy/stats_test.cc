#include "haproxy/stats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace rabbit::haproxy {
namespace {

using testing::HasSubstr;

// An answer of HAProxy 2.6.12: servers up, refusing, with weight 0, disabled, without an address,
// and without checks; and another back end that tracks the first server.
std::string Captured() {
  std::ifstream file(RABBIT_SOURCE_DIR "/lib/haproxy/testdata/stats-2.6.csv");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

constexpr std::string_view kHeader = "# pxname,svname,scur,status,weight,check_status,\n";
constexpr std::string_view kBackend = "rabbitmq_cluster,BACKEND,0,UP,1,,\n";

ServerView OnlyServer(std::string_view row) {
  const auto view = ParseStats(std::string(kHeader) + std::string(row) + std::string(kBackend), "");
  EXPECT_TRUE(view && view->servers.size() == 1);
  return view ? view->servers.at(0) : ServerView{};
}

TEST(ParseStats, ReadsARealAnswer) {
  const auto view = ParseStats(Captured(), "0123456789abcdef");
  ASSERT_TRUE(view) << view.error().message;
  EXPECT_EQ(view->config_hash, "0123456789abcdef");
  using enum ServerState;
  EXPECT_EQ(
      view->servers,
      (std::vector<ServerView>{
          {.name = "a-node-0", .state = kUp, .status = "UP", .last_check = "L4OK", .sessions = 1},
          {.name = "a-node-1", .state = kDown, .status = "DOWN", .last_check = "L4CON"},
          {.name = "a-node-2", .state = kDraining, .status = "UP", .last_check = "L4OK"},
          {.name = "a-node-3", .state = kMaintenance, .status = "MAINT"},
          {.name = "a-node-4", .state = kMaintenance, .status = "MAINT (resolution)"},
          {.name = "a-node-5", .state = kUp, .status = "no check", .sessions = 1},
      }));
  EXPECT_EQ(CountUp(*view), 2U);
}

TEST(ParseStats, ACutAnswerNeverCrashesNorLosesAServerInSilence) {
  const std::string whole = Captured();
  for (std::size_t size = 0; size < whole.size(); size += 11) {
    const auto view = ParseStats(whole.substr(0, size), "");
    if (view) {
      EXPECT_EQ(view->servers.size(), 6U) << size;
    }
  }
}

TEST(ParseStats, AnHtmlPageIsNoStatistics) {
  const auto view = ParseStats("<html><body><h1>503 Service Unavailable</h1>", "");
  ASSERT_FALSE(view);
  EXPECT_EQ(view.error().kind, base::ErrorKind::kInternal);
}

TEST(ParseStats, AProxyWithoutOurBackEndIsNotOurs) {
  const auto view = ParseStats(std::string(kHeader) + "other,BACKEND,0,UP,1,,\n", "");
  ASSERT_FALSE(view);
  EXPECT_THAT(view.error().message, HasSubstr("no back end rabbitmq_cluster"));
}

TEST(ParseStats, ServersThatAreChangingTheirStateKeepTheOldOneUntilItChanged) {
  EXPECT_EQ(OnlyServer("rabbitmq_cluster,a,0,UP 1/2,1,L4OK,\n").state, ServerState::kUp);
  EXPECT_EQ(OnlyServer("rabbitmq_cluster,a,0,DOWN 1/2,1,L4OK,\n").state, ServerState::kDown);
}

TEST(ParseStats, AServerThatIsUpWithWeightZeroIsDraining) {
  EXPECT_EQ(OnlyServer("rabbitmq_cluster,a,0,UP,0,L4OK,\n").state, ServerState::kDraining);
}

TEST(ParseStats, AWordOfALaterVersionIsUnknown) {
  EXPECT_EQ(OnlyServer("rabbitmq_cluster,a,0,SLEEPING,1,,\n").state, ServerState::kUnknown);
}

TEST(ParseStats, QuotedFieldsMayHoldCommas) {
  EXPECT_EQ(OnlyServer("rabbitmq_cluster,a,7,\"UP, \"\"almost\"\"\",1,L4OK,\r\n"),
            (ServerView{.name = "a",
                        .state = ServerState::kUp,
                        .status = "UP, \"almost\"",
                        .last_check = "L4OK",
                        .sessions = 7}));
}

TEST(ParseStats, RefusesMoreServersThanItKeeps) {
  std::string csv(kHeader);
  for (std::size_t i = 0; i <= kMaxServers; ++i) csv += "rabbitmq_cluster,a,0,UP,1,,\n";
  EXPECT_FALSE(ParseStats(csv + std::string(kBackend), ""));
}

TEST(SameState, SessionsAndChecksMayDifferHashAndStatesMayNot) {
  const ProxyView view{.config_hash = "x", .servers = {{.name = "a", .state = ServerState::kUp}}};
  ProxyView other = view;
  other.servers[0].sessions = 9;
  other.servers[0].last_check = "L7OK";
  EXPECT_TRUE(SameState(view, other));
  other.servers[0].state = ServerState::kDown;
  EXPECT_FALSE(SameState(view, other));
  other = view;
  other.config_hash = "y";
  EXPECT_FALSE(SameState(view, other));
  other = view;
  other.servers.clear();
  EXPECT_FALSE(SameState(view, other));
}

}  // namespace
}  // namespace rabbit::haproxy
