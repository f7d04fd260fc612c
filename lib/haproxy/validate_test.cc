#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "haproxy/render.h"
#include "haproxy/stats.h"

namespace rabbit::haproxy {
namespace {

using testing::HasSubstr;

Config Valid() { return {.servers = {{.name = "a-0", .host = "a-0.a.ns.svc.cluster.local"}}}; }

std::string Refusal(const Config& config) {
  const auto valid = Validate(config);
  return valid ? "valid" : valid.error().message;
}

std::string RefusalOfHost(std::string host) {
  Config config = Valid();
  config.servers[0].host = std::move(host);
  return Refusal(config);
}

std::string RefusalOfServerName(std::string name) {
  Config config = Valid();
  config.servers[0].name = std::move(name);
  return Refusal(config);
}

TEST(Validate, AcceptsTheDefaultsWithNamesAndAddresses) {
  EXPECT_EQ(Refusal(Valid()), "valid");
  EXPECT_EQ(RefusalOfHost("10.1.2.3"), "valid");
}

// HAProxy takes all of these for something else than a host: a socket, an environment variable,
// a further keyword, the end of the line, a new directive.
TEST(Validate, RefusesHostsThatHaproxyWouldReadAsMore) {
  for (const std::string host : {"",         "/run/haproxy/admin.sock",
                                 "unix@x",   "abns@x",
                                 "$HOME",    "${HOME}",
                                 "a b",      "a\tb",
                                 "a#b",      "a\nglobal",
                                 "a\rb",     "a\x01",
                                 "a\x7f",    "a\"",
                                 "a'",       "a\\",
                                 "a:1",      "a..b",
                                 ".a",       "a.",
                                 "-a",       "a-",
                                 "A",        "ä",
                                 "a_b",      "::1",
                                 "%[env(X)]"}) {
    EXPECT_THAT(RefusalOfHost(host), HasSubstr("neither a host name nor an IPv4 address")) << host;
  }
  EXPECT_THAT(RefusalOfHost(std::string("a\0b", 3)), HasSubstr("neither"));
  EXPECT_THAT(RefusalOfHost(std::string(64, 'a')), HasSubstr("neither"));
}

TEST(Validate, RefusesNamesThatAreNoLabels) {
  for (const std::string name : {"", "a b", "a\nb", "a/b", "a.b", "A", "-a", "a#"}) {
    EXPECT_THAT(RefusalOfServerName(name), HasSubstr("is not a DNS label")) << name;
  }
}

TEST(Validate, AnErrorTextNeitherRepeatsControlBytesNorGrowsWithTheValue) {
  const std::string refusal = RefusalOfHost("a\n\x1b[31m" + std::string(5000, 'b'));
  EXPECT_LT(refusal.size(), 200U);
  EXPECT_EQ(refusal.find('\n'), std::string::npos);
  EXPECT_EQ(refusal.find('\x1b'), std::string::npos);
}

TEST(Validate, RefusesStatsPathsThatAreUnsafeOrTaken) {
  for (const std::string path :
       {"", "stats", "/a b", "/a#b", "/a\nb", "/%41", "/ä", "/a;csv", "/a?b", "/$HOME"}) {
    EXPECT_FALSE(IsStatsPath(path)) << path;
  }
  EXPECT_FALSE(IsStatsPath("/healthz"));
  EXPECT_FALSE(IsStatsPath("/metrics"));
  EXPECT_FALSE(IsStatsPath("/" + std::string(128, 'a')));
  EXPECT_TRUE(IsStatsPath("/"));
  EXPECT_TRUE(IsStatsPath("/rabbitmq-stats"));
  EXPECT_TRUE(IsStatsPath("/a/b_c.d~e-F9"));
}

TEST(Validate, RefusesPortsThatAreTakenTwice) {
  Config config = Valid();
  config.listeners.push_back({.name = "admin", .protocol = Protocol::kTcp, .port = 9000});
  EXPECT_THAT(Refusal(config), HasSubstr("port 9000 is taken"));
  config.listeners[1].port = 5672;
  EXPECT_THAT(Refusal(config), HasSubstr("port 5672 is taken"));
  config.listeners[1].port = 0;
  EXPECT_THAT(Refusal(config), HasSubstr("a port is 0"));
}

TEST(Validate, RefusesNamesThatOccurTwice) {
  Config config = Valid();
  config.servers.push_back(config.servers[0]);
  EXPECT_THAT(Refusal(config), HasSubstr("server name \"a-0\": occurs twice"));
  config = Valid();
  config.listeners.push_back({.name = "amqp", .protocol = Protocol::kTcp, .port = 1});
  EXPECT_THAT(Refusal(config), HasSubstr("listener name \"amqp\": occurs twice"));
}

TEST(Validate, WantsExactlyOneAmqpListenerAndThatFirst) {
  Config config = Valid();
  config.listeners = {};
  EXPECT_THAT(Refusal(config), HasSubstr("the first must be the AMQP one"));
  config.listeners = {{.name = "a", .protocol = Protocol::kTcp}};
  EXPECT_THAT(Refusal(config), HasSubstr("the first must be the AMQP one"));
  config.listeners = {{.name = "a"}, {.name = "b", .port = 1}};
  EXPECT_THAT(Refusal(config), HasSubstr("second AMQP listener"));
}

TEST(Validate, RefusesNumbersThatHaproxyRefuses) {
  Config config = Valid();
  config.health_check.rise = 0;
  EXPECT_EQ(Refusal(config), "health check rise: 0 is not within 1 and 100");
  config = Valid();
  config.timeouts.server = std::chrono::hours(24 * 25);
  EXPECT_THAT(Refusal(config), HasSubstr("server timeout"));
  config = Valid();
  config.timeouts.connect = std::chrono::milliseconds(0);
  EXPECT_THAT(Refusal(config), HasSubstr("connect timeout"));
  config = Valid();
  config.retries = -1;
  EXPECT_THAT(Refusal(config), HasSubstr("retries"));
  config = Valid();
  config.max_connections = 0;
  EXPECT_THAT(Refusal(config), HasSubstr("max connections"));
  config = Valid();
  config.max_connections_per_listener = 0;
  EXPECT_THAT(Refusal(config), HasSubstr("max connections per listener"));
}

TEST(Validate, RefusesMoreServersThanTheStatisticsReaderTakes) {
  Config config = Valid();
  for (std::size_t i = 0; i <= kMaxServers; ++i) {
    config.servers.push_back({.name = "b-" + std::to_string(i), .host = "b"});
  }
  EXPECT_THAT(Refusal(config), HasSubstr("servers: more than"));
}

}  // namespace
}  // namespace rabbit::haproxy
