#include "haproxy/render.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "haproxy/stats.h"

namespace rabbit::haproxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

std::vector<Server> Brokers(int count) {
  std::vector<Server> servers;
  for (int i = 0; i < count; ++i) {
    const std::string name = "rabbitcluster-node-" + std::to_string(i);
    servers.push_back(
        {.name = name, .host = name + ".rabbitcluster-nodes.default.svc.cluster.local"});
  }
  return servers;
}

// The example cluster of the API's page.
Config Seed() {
  return {.servers = Brokers(3),
          .balance = Balance::kRoundRobin,
          .health_check = {.interval = seconds(5), .rise = 2, .fall = 2},
          .timeouts = {.connect = seconds(5), .client = seconds(60), .server = seconds(60)},
          .max_connections = 5120,
          .max_connections_per_listener = 2000};
}

// Every kind of listener, no page, one broker draining.
Config Everything() {
  Config config{.listeners = {{.name = "amqp"},
                              {.name = "stream",
                               .protocol = Protocol::kTcp,
                               .port = 5552,
                               .server_port = 5552},
                              {.name = "management",
                               .protocol = Protocol::kHttp,
                               .port = 15672,
                               .server_port = 15672}},
                .servers = Brokers(3),
                .balance = Balance::kSource,
                .health_check = {.interval = milliseconds(1500), .type = CheckType::kTcp},
                .retries = 0,
                .admin_port = 9100,
                .stats = {.enabled = false}};
  config.servers[2].draining = true;
  return config;
}

std::string Text(const Config& config) {
  const auto rendered = RenderConfig(config);
  EXPECT_TRUE(rendered) << (rendered ? "" : rendered.error().message);
  return rendered ? rendered->text : "";
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void ExpectGolden(const std::string& name, const std::string& text) {
  const std::string path = std::string(RABBIT_SOURCE_DIR "/lib/haproxy/testdata/") + name;
  if (std::getenv("RABBIT_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
  EXPECT_EQ(text, ReadFile(path)) << "./dev golden rewrites " << name;
}

// Runs the real `haproxy -c`, warnings as errors; empty when the text is valid, else what it says.
std::string Complaint(const std::string& text) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("rabbit-render-test-" + std::to_string(getpid()) + ".cfg");
  std::ofstream(path) << text;
  const std::string command =
      "PATH=\"$PATH:/usr/sbin:/usr/local/sbin\" haproxy -dW -c -f '" + path.string() + "' 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return "cannot start a shell";
  std::string output;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) output += static_cast<char>(c);
  const int status = pclose(pipe);
  std::filesystem::remove(path);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return "";
  return output.empty() ? "haproxy failed without a word" : output;
}

TEST(RenderConfig, RendersTheExampleCluster) { ExpectGolden("seed.cfg", Text(Seed())); }

TEST(RenderConfig, RendersEveryKindOfListener) {
  ExpectGolden("everything.cfg", Text(Everything()));
}

TEST(RenderConfig, IsAcceptedByTheRealHaproxyWithoutAWarning) {
  EXPECT_EQ(Complaint(Text(Seed())), "");
  EXPECT_EQ(Complaint(Text(Everything())), "");
  EXPECT_EQ(Complaint(Text(Config{})), "") << "no broker yet";
  Config many = Seed();
  many.servers = Brokers(99);
  EXPECT_EQ(Complaint(Text(many)), "");
}

TEST(RenderConfig, TheCheckAgainstTheRealHaproxyCanFail) {
  EXPECT_THAT(Complaint("global\n  nbproc 1\n"), HasSubstr("nbproc"));
}

TEST(RenderConfig, IsStableAndItsHashFollowsTheModel) {
  const auto once = RenderConfig(Seed());
  const auto again = RenderConfig(Seed());
  EXPECT_EQ(once->text, again->text);
  EXPECT_EQ(once->hash, again->hash);
  Config other = Seed();
  other.servers[1].draining = true;
  EXPECT_NE(RenderConfig(other)->hash, once->hash);
}

TEST(RenderConfig, CarriesItsHashWhereTheStatisticsAndTheAdminPortTellIt) {
  const auto rendered = RenderConfig(Seed());
  EXPECT_EQ(rendered->hash.size(), 14U);
  EXPECT_THAT(rendered->text, HasSubstr("\n  description " + rendered->hash + "\n"));
  EXPECT_THAT(rendered->text,
              HasSubstr("set-header " + std::string(kHashHeader) + ' ' + rendered->hash + "\n"));
}

TEST(RenderConfig, NeverAnswersWithConfigurationNorOpensACommandSocket) {
  EXPECT_THAT(Text(Everything()), Not(HasSubstr("stats socket")));
  EXPECT_THAT(Text(Everything()), Not(HasSubstr("stats admin")));
}

TEST(RenderConfig, WritesTimesInTheirLargestExactUnit) {
  Config config = Seed();
  config.timeouts = {.connect = milliseconds(1500), .client = seconds(90), .server = seconds(7200)};
  const std::string text = Text(config);
  EXPECT_THAT(text, HasSubstr("timeout connect 1500ms\n"));
  EXPECT_THAT(text, HasSubstr("timeout client 90s\n"));
  EXPECT_THAT(text, HasSubstr("timeout server 2h\n"));
}

TEST(RenderConfig, ALimitPerListenerAboveThatOfTheProcessCountsForNothing) {
  Config config = Seed();
  config.max_connections = 100;
  EXPECT_THAT(Text(config), HasSubstr("frontend fe_amqp\n  bind :5672\n  maxconn 100\n"));
}

TEST(RenderConfig, RefusesWhatValidateRefuses) {
  Config config = Seed();
  config.stats.path = "/a b";
  const auto rendered = RenderConfig(config);
  ASSERT_FALSE(rendered);
  EXPECT_EQ(rendered.error().kind, base::ErrorKind::kInvalid);
  EXPECT_THAT(rendered.error().message, HasSubstr("stats path \"/a b\""));
}

TEST(StatsCsvTarget, IsThereAlsoWithoutAPageForPeople) {
  EXPECT_EQ(StatsCsvTarget({.path = "/rabbitmq-stats"}), "/rabbitmq-stats;csv");
  EXPECT_EQ(StatsCsvTarget({.enabled = false}), "/internal-stats;csv");
  EXPECT_THAT(Text(Everything()), HasSubstr("stats uri /internal-stats\n"));
}

// Models from the whole range that Validate() accepts.
class RandomConfig {
 public:
  explicit RandomConfig(unsigned seed) : engine_(seed) {}

  Config Next() {
    Config config;
    config.listeners[0].port = Port();
    config.listeners[0].server_port = Port();
    for (int i = Int(0, 4); i > 0; --i) {
      config.listeners.push_back({.name = Label() + std::to_string(i),
                                  .protocol = Int(0, 1) == 0 ? Protocol::kTcp : Protocol::kHttp,
                                  .port = Port(),
                                  .server_port = Port()});
    }
    for (int i = Int(0, 12); i > 0; --i) {
      config.servers.push_back({.name = Label() + std::to_string(i),
                                .host = Int(0, 3) == 0
                                            ? "10.0.0." + std::to_string(Int(1, 254))
                                            : Label() + '.' + Label() + ".svc." + Label(),
                                .draining = Int(0, 3) == 0});
    }
    config.balance = static_cast<Balance>(Int(0, 2));
    config.health_check = {.interval = Time(),
                           .timeout = Time(),
                           .rise = Int(1, 100),
                           .fall = Int(1, 100),
                           .type = static_cast<CheckType>(Int(0, 1))};
    config.timeouts = {.connect = Time(), .client = Time(), .server = Time()};
    config.retries = Int(0, 100);
    config.max_connections = Int(1, 1'000);
    if (Int(0, 1) == 0) config.max_connections_per_listener = Int(1, 1'000);
    config.admin_port = Port();
    config.stats.enabled = Int(0, 1) == 0;
    config.stats.path = "/" + Pick("ABCxyz019._~/-", Int(0, 127));
    config.stats.refresh = seconds(Int(1, 3600));
    return config;
  }

 private:
  int Int(int least, int most) { return std::uniform_int_distribution(least, most)(engine_); }
  std::uint16_t Port() { return static_cast<std::uint16_t>(next_port_ += Int(1, 900)); }
  milliseconds Time() {
    static constexpr milliseconds kUnits[] = {milliseconds(1), seconds(1), std::chrono::minutes(1),
                                              std::chrono::hours(1)};
    return Int(1, 500) * kUnits[Int(0, 3)];
  }
  std::string Pick(std::string_view from, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) {
      text += from[static_cast<std::size_t>(Int(0, static_cast<int>(from.size()) - 1))];
    }
    return text;
  }
  std::string Label() {
    return Pick("abcxyz", 1) + Pick("abc019-", Int(0, 40)) + Pick("xyz019", 1);
  }

  std::mt19937 engine_;
  int next_port_ = 1000;
};

TEST(RenderConfig, WhateverIsValidIsAcceptedByTheRealHaproxyWithoutAWarning) {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    const Config config = RandomConfig(seed).Next();
    const auto rendered = RenderConfig(config);
    ASSERT_TRUE(rendered) << rendered.error().message;
    ASSERT_EQ(Complaint(rendered->text), "") << "seed " << seed << '\n' << rendered->text;
  }
}

TEST(RenderConfig, ChecksBrokersOverTlsWhereTheyAreReachedByNothingElse) {
  Config config{.listeners = {{.name = "amqps", .port = 5671, .server_port = 5671}},
                .servers = Brokers(3),
                .health_check = {.tls = true}};
  EXPECT_THAT(Text(config),
              testing::HasSubstr("svc.cluster.local:5671 check check-ssl verify none\n"));
  EXPECT_THAT(Text(config), testing::HasSubstr("tcp-check connect default\n"));
  EXPECT_EQ(Complaint(Text(config)), "");

  config.health_check.type = CheckType::kManagement;
  config.health_check.port = 15671;
  EXPECT_THAT(Text(config), testing::HasSubstr(":5671 check port 15671 check-ssl verify none\n"));
  EXPECT_THAT(Text(config), testing::HasSubstr("option httpchk GET /\n"));
  EXPECT_EQ(Complaint(Text(config)), "");

  config.health_check.type = CheckType::kTcp;
  config.health_check.port = 0;
  EXPECT_THAT(Text(config), testing::HasSubstr(":5671 check\n"));
}

TEST(RenderConfig, AListenerMayHaveChecksOfItsOwn) {
  Config config{.listeners = {{.name = "amqp"},
                              {.name = "amqps",
                               .protocol = Protocol::kTcp,
                               .port = 5671,
                               .server_port = 5671,
                               .checked_apart = true}},
                .servers = Brokers(1)};
  EXPECT_THAT(Text(config), testing::HasSubstr("svc.cluster.local:5671 check\n"));
  EXPECT_EQ(Complaint(Text(config)), "");
}

}  // namespace
}  // namespace rabbit::haproxy
