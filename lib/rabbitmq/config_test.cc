#include "rabbitmq/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace rabbit::rabbitmq {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::uint64_t kGiB = 1ULL << 30;

BrokerConfig ThreeNodes() {
  BrokerConfig config{.memory_limit_bytes = 2 * kGiB, .volume_bytes = 10 * kGiB};
  for (int i = 0; i < 3; ++i) {
    config.nodes.push_back("rabbit@c-node-" + std::to_string(i) + ".c-nodes.default");
  }
  return config;
}

std::string Text(const BrokerConfig& config) {
  const auto text = RenderConf(config);
  EXPECT_TRUE(text) << (text ? "" : text.error().message);
  return text.value_or("");
}

std::string WithLines(std::string lines) {
  BrokerConfig config = ThreeNodes();
  config.user_lines = std::move(lines);
  const auto text = RenderConf(config);
  return text ? *text : text.error().message;
}

void ExpectGolden(const std::string& name, const std::string& text) {
  const std::string path = std::string(RABBIT_SOURCE_DIR "/lib/rabbitmq/testdata/") + name;
  if (std::getenv("RABBIT_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
  std::ifstream file(path);
  std::ostringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(text, golden.str()) << "./dev golden rewrites " << name;
}

TEST(RenderConf, RendersAThreeNodeClusterOfAnUnknownVersion) {
  ExpectGolden("rabbitmq-unknown.conf", Text(ThreeNodes()));
}

TEST(RenderConf, RendersASmall40ClusterWithLinesOfItsUser) {
  BrokerConfig config = ThreeNodes();
  config.version = Version{4, 0, 5};
  config.memory_limit_bytes = kGiB / 2;
  config.volume_bytes = 2 * kGiB;
  config.user_lines = "heartbeat=30 \n# note\n\n  log.console.level = debug\n";
  ExpectGolden("rabbitmq-4.0.conf", Text(config));
}

TEST(RenderConf, TellsTheNumberOfNodesOnlyWhereThatDoesNotBlockTheStart) {
  BrokerConfig config = ThreeNodes();
  config.version = Version{3, 8, 9};
  EXPECT_THAT(Text(config), Not(HasSubstr("target_cluster_size_hint")));
  config.version = Version{3, 9, 0};
  EXPECT_THAT(Text(config), HasSubstr("cluster_formation.target_cluster_size_hint = 3\n"));
}

TEST(RenderConf, RetriesDiscoveryForEverOnlyWhereThatDoesNotBlockTheFirstStart) {
  BrokerConfig config = ThreeNodes();
  for (const Version& old : {Version{3, 10, 8}, Version{3, 12, 14}}) {
    config.version = old;
    EXPECT_THAT(Text(config), Not(HasSubstr("discovery_retry")));
  }
  config.version = Version{3, 13, 0};
  EXPECT_THAT(Text(config), HasSubstr("cluster_formation.discovery_retry_limit = 1000000\n"));
  EXPECT_THAT(Text(config), HasSubstr("cluster_formation.discovery_retry_interval = 1000\n"));
}

TEST(RenderConf, NeverNamesTheClusterNorACredential) {
  EXPECT_THAT(Text(ThreeNodes()), Not(HasSubstr("cluster_name")));
  EXPECT_THAT(Text(ThreeNodes()), Not(HasSubstr("default_pass")));
  EXPECT_THAT(Text(ThreeNodes()), Not(HasSubstr("randomized_startup_delay"))) << "4.x won't boot";
}

TEST(RenderConf, AUsersLineTakesThePlaceOfADefault) {
  const std::string text = WithLines("disk_free_limit.relative = 1.5\n");
  EXPECT_THAT(text, HasSubstr("disk_free_limit.relative = 1.5\n"));
  EXPECT_THAT(text, Not(HasSubstr("disk_free_limit.absolute")));
  EXPECT_THAT(WithLines("cluster_partition_handling = autoheal"), Not(HasSubstr("pause_minority")));
  EXPECT_THAT(WithLines("log.console.level = debug"), HasSubstr("log.console = true\n"));
}

TEST(RenderConf, OwnedKeysAreRefusedByNameWithTheReason) {
  EXPECT_EQ(WithLines("heartbeat = 30\ncluster_name = x\n"),
            "line 2: `cluster_name` belongs to the operator: the cluster's name is "
            "spec.clusterName");
  for (const char* line :
       {"cluster_formation.peer_discovery_backend = dns", "cluster_formation.dns.hostname = x",
        "default_pass = x", "listeners.tcp.1 = 1", "loopback_users.guest = false",
        "management.tcp.ip = 127.0.0.1", "default_user_tags.administrator = false",
        "total_memory_available_override_value = 1", "management.load_definitions = /x",
        // Would win over what we write, or lock us out.
        "listeners.tcp = none", "listeners.ssl = none", "ssl_options = none",
        "management.disable_basic_auth = true", "management.disable_stats = true",
        "management.enable_queue_totals = true", "management.listener.port = 1",
        "management_agent.disable_metrics_collector = true",
        "distribution.listener.port_range.min = 1"}) {
    EXPECT_THAT(WithLines(line), HasSubstr("belongs to the operator")) << line;
  }
}

TEST(RenderConf, OurOwnUserIsNotLockedOut) {
  EXPECT_EQ(WithLines("auth_backends.1 = ldap\nauth_backends.2 = http\n"),
            "line 2: one of auth_backends must be internal, which knows the operator's own user");
  EXPECT_THAT(WithLines("auth_backends.1 = cache\nauth_cache.cached_backend = ldap"),
              HasSubstr("must be internal"));
  for (const char* lines : {"auth_backends.1 = ldap\nauth_backends.2 = internal",
                            "auth_backends.1 = cache\nauth_cache.cached_backend = internal",
                            "auth_backends.1 = rabbit_auth_backend_oauth2\n"
                            "auth_backends.2 = rabbit_auth_backend_internal",
                            "auth_ldap.servers.1 = ldap.example"}) {
    EXPECT_THAT(WithLines(lines), Not(HasSubstr("must be internal"))) << lines;
  }
}

TEST(RenderConf, KeysThatOnlyResembleOwnedOnesPass) {
  EXPECT_THAT(WithLines("cluster_keepalive_interval = 5000"), HasSubstr("5000\n"));
  EXPECT_THAT(WithLines("management.rates_mode = none"), HasSubstr("none\n"));
  EXPECT_THAT(WithLines("management.oauth_disable_basic_auth = true"), HasSubstr("true\n"));
  EXPECT_THAT(WithLines("raft.segment_max_entries = 4096"), HasSubstr("4096\n"));
}

TEST(RenderConf, ABadLineIsToldByItsNumberAndNeverRepeated) {
  EXPECT_EQ(WithLines("a = 1\n\nsecret-without-equals\n"), "line 3: is not `key = value`");
  EXPECT_THAT(WithLines("a b = 1"), HasSubstr("line 1: is not"));
  EXPECT_THAT(WithLines("a ="), HasSubstr("`a` has no value"));
  EXPECT_THAT(WithLines("a = \x01"), HasSubstr("control character"));
  EXPECT_THAT(WithLines("[{rabbit, []}]."), HasSubstr("is not `key = value`"));
  EXPECT_THAT(WithLines(std::string(300 << 10, '#')), HasSubstr("longer than 256 KiB"));
}

TEST(RenderConf, ValuesMayHoldEqualsSignsAndWindowsLineEndsGo) {
  EXPECT_THAT(WithLines("auth_ldap.dn = cn=x,dc=y\r\n"), HasSubstr("\nauth_ldap.dn = cn=x,dc=y\n"));
}

TEST(RenderConf, LeavesOutWhatDependsOnAMemoryLimitThatIsNotThere) {
  BrokerConfig config = ThreeNodes();
  config.memory_limit_bytes.reset();
  EXPECT_THAT(Text(config), Not(HasSubstr("total_memory")));
  EXPECT_THAT(Text(config), Not(HasSubstr("raft.wal")));
}

TEST(RenderConf, ANodeNameThatIsNoneIsABugAndNotWritten) {
  BrokerConfig config = ThreeNodes();
  config.nodes[0] = "rabbit@a\nb";
  EXPECT_EQ(RenderConf(config).error().kind, base::ErrorKind::kInternal);
}

TEST(BrokerMemory, LeavesAFifthButNoMoreThanTwoGiB) {
  EXPECT_EQ(BrokerMemory(5 * kGiB), 4 * kGiB);
  EXPECT_EQ(BrokerMemory(100 * kGiB), 98 * kGiB);
}

TEST(RenderEnabledPlugins, AlwaysHasManagementAndPrometheusSortedAndOnce) {
  EXPECT_EQ(RenderEnabledPlugins({}).value(), "[rabbitmq_management,rabbitmq_prometheus].\n");
  EXPECT_EQ(RenderEnabledPlugins({"rabbitmq_stream", "rabbitmq_management"}).value(),
            "[rabbitmq_management,rabbitmq_prometheus,rabbitmq_stream].\n");
}

TEST(RenderEnabledPlugins, RefusesWhatIsNoName) {
  for (const char* plugin : {"", "a]", "A", "a-b", "a,b", "1a", "a b", "'a'"}) {
    EXPECT_FALSE(RenderEnabledPlugins({plugin})) << plugin;
  }
}

TEST(OwnedVariable, KnowsIdentityDataAndCredentials) {
  for (const char* name : {"RABBITMQ_NODENAME", "RABBITMQ_ERLANG_COOKIE", "RABBITMQ_DEFAULT_PASS",
                           "RABBITMQ_MNESIA_DIR", "RABBITMQ_CONFIG_FILES", "HOME"}) {
    EXPECT_TRUE(OwnedVariable(name)) << name;
  }
  for (const char* name :
       {"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "TZ", "RABBITMQ_IO_THREAD_POOL_SIZE", "HOMER"}) {
    EXPECT_FALSE(OwnedVariable(name)) << name;
  }
}

}  // namespace
}  // namespace rabbit::rabbitmq
