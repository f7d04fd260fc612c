#include "operator/api/parse.h"

#include <gmock/gmock.h>

#include "operator/api/test_spec.h"
#include "operator/api/write.h"

namespace rabbit::api {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(ParseRabbitCluster, GivesAnEmptySpecItsDefaults) {
  const RabbitCluster cluster = ParseSpec("{}");
  Spec expected;
  expected.cluster_name = "c";
  EXPECT_EQ(cluster.spec, expected);
  EXPECT_EQ(cluster.findings, Findings());
  EXPECT_EQ(cluster.meta.key, (kube::ObjectKey{"ns", "c"}));
  EXPECT_EQ(cluster.meta.generation, 3);
  EXPECT_EQ(cluster.spec.replicas, std::nullopt);
  EXPECT_EQ(cluster.spec.drift_interval, 15s);
  EXPECT_THAT(cluster.spec.resources.requests,
              ElementsAre(Pair("cpu", "500m"), Pair("memory", "2Gi")));
}

TEST(ParseRabbitCluster, ReadsEveryKindOfField) {
  const RabbitCluster cluster = ParseSpec(R"({
    "replicas": 5, "stopped": true, "clusterName": "main", "imagePullPolicy": "Never",
    "imagePullSecrets": [{"name": "a"}, {"name": "b"}],
    "storage": {"size": 20, "className": ""}, "plugins": ["rabbitmq_mqtt"],
    "env": [{"name": "A", "value": ""}, {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}],
    "vhosts": [{"name": "v", "limits": {"maxQueues": 0}, "defaultQueueType": "Quorum"}],
    "service": {"type": "NodePort", "expose": ["amqp", "web-mqtt"]},
    "scaleDown": {"onDataLoss": "Migrate"}, "drift": {"interval": "1m30s"},
    "tls": {"secretRef": {"name": "t"}},
    "loadBalancer": {"tls": {"secretRef": {"name": "l"}}, "stats": {"enabled": false}},
    "pod": {"tolerations": [{"key": "k"}], "terminationGracePeriodSeconds": 60,
            "labels": {"team": "x"}, "affinity": {}}})");
  ASSERT_EQ(Errors(cluster), "");
  const Spec& spec = cluster.spec;
  EXPECT_EQ(spec.replicas, 5);
  EXPECT_TRUE(spec.stopped);
  EXPECT_EQ(spec.cluster_name, "main");
  EXPECT_EQ(spec.image_pull_policy, PullPolicy::kNever);
  EXPECT_THAT(spec.image_pull_secrets, ElementsAre("a", "b"));
  EXPECT_EQ(spec.storage.size, "20");
  EXPECT_EQ(spec.storage.class_name, "");
  EXPECT_THAT(spec.plugins, ElementsAre("rabbitmq_mqtt"));
  ASSERT_EQ(spec.env.size(), 2U);
  EXPECT_EQ(spec.env[0].value, "");
  EXPECT_EQ(spec.env[1].value, std::nullopt);
  EXPECT_EQ(spec.env[1].value_from, R"({"fieldRef":{"fieldPath":"x"}})");
  ASSERT_EQ(spec.vhosts.size(), 1U);
  EXPECT_EQ(spec.vhosts[0].limits.max_queues, 0);
  EXPECT_EQ(spec.vhosts[0].limits.max_connections, std::nullopt);
  EXPECT_EQ(spec.vhosts[0].default_queue_type, QueueType::kQuorum);
  EXPECT_THAT(spec.service.expose, ElementsAre(Listener::kAmqp, Listener::kWebMqtt));
  EXPECT_EQ(spec.on_data_loss, OnDataLoss::kMigrate);
  EXPECT_EQ(spec.drift_interval, 90s);
  EXPECT_EQ(spec.tls->secret_name, "t");
  EXPECT_EQ(spec.load_balancer.tls->secret_name, "l");
  EXPECT_FALSE(spec.load_balancer.stats.enabled);
  EXPECT_EQ(spec.load_balancer.stats.port, 9000);
  EXPECT_EQ(spec.pod.tolerations, R"([{"key":"k"}])");
  EXPECT_EQ(spec.pod.termination_grace_period, 60s);
  EXPECT_EQ(spec.pod.affinity, "");
  EXPECT_THAT(spec.pod.labels, ElementsAre(Pair("team", "x")));
}

TEST(ParseRabbitCluster, KeepsTheTypesInADefinition) {
  const RabbitCluster cluster = ParseSpec(
      R"({"policies":[{"vhost":"/","name":"p","pattern":"^q","definition":{"ha-params":2,"ha-mode":"exactly"}}]})");
  ASSERT_EQ(cluster.spec.policies.size(), 1U);
  EXPECT_EQ(cluster.spec.policies[0].definition, R"({"ha-mode":"exactly","ha-params":2})");
  EXPECT_EQ(cluster.spec.policies[0].apply_to, ApplyTo::kAll);
}

TEST(ParseRabbitCluster, TakesNullForAbsent) {
  const RabbitCluster cluster = ParseSpec(R"({"replicas":null,"storage":null,"users":null})");
  EXPECT_EQ(cluster.findings, Findings());
}

TEST(ParseRabbitCluster, SaysPathValueAndRuleOfEachError) {
  EXPECT_EQ(Errors(R"({"replicas":0,"drift":{"interval":"0s"},"loadBalancer":{"balance":"Foo"}})"),
            "spec.replicas: 0: must be between 1 and 99\n"
            "spec.loadBalancer.balance: \"Foo\": must be one of LeastConn, RoundRobin, Source\n"
            "spec.drift.interval: \"0s\": must be between 1s and 1h\n");
  EXPECT_EQ(Errors(R"({"storage":5,"plugins":["a","B"],"tls":{}})"),
            "spec.storage: 5: must be an object\n"
            "spec.plugins[1]: \"B\": must be a plugin's name: lower-case letters, digits and "
            "'_'\n"
            "spec.tls.secretRef: is required\n");
}

TEST(ParseRabbitCluster, LeavesAFieldInErrorAtItsDefault) {
  const RabbitCluster cluster =
      ParseSpec(R"({"replicas":1000,"ramNodes":-3,"tls":{"mode":"Only"}})");
  EXPECT_FALSE(cluster.findings.usable());
  EXPECT_EQ(cluster.spec.replicas, std::nullopt);
  EXPECT_EQ(cluster.spec.ram_nodes, 0);
  EXPECT_EQ(cluster.spec.tls, std::nullopt);
}

TEST(ParseRabbitCluster, DropsAnEntryInErrorAndKeepsTheOthers) {
  const RabbitCluster cluster = ParseSpec(R"({"policies":[
      {"vhost":"/","name":"a","pattern":"x","definition":{"k":1}},
      {"vhost":"/","name":"b","pattern":"x","definition":{}},
      {"vhost":"/","name":"c","pattern":"x","definition":{"k":1},"applyTo":"some"},
      {"vhost":"/","name":"d","pattern":"x","definition":{"k":1}},
      "e",
      {"vhost":"/","pattern":"x","definition":{"k":1}}]})");
  EXPECT_TRUE(cluster.findings.usable());
  ASSERT_EQ(cluster.spec.policies.size(), 2U);
  EXPECT_EQ(cluster.spec.policies[1].name, "d");
  ASSERT_EQ(cluster.findings.entries.size(), 4U);
  EXPECT_EQ(
      cluster.findings.entries[0],
      (EntryError{
          "policies", 1, "/", "b", {"spec.policies[1].definition", "{}", "must not be empty"}}));
  EXPECT_EQ(cluster.findings.entries[1].error.path, "spec.policies[2].applyTo");
  EXPECT_EQ(cluster.findings.entries[2].error.rule, "must be an object");
  EXPECT_EQ(cluster.findings.entries[3].error.path, "spec.policies[5].name");
  // It is declared, though broken: its policy at the broker is not to be removed.
  EXPECT_TRUE(cluster.findings.Broken("policies", "/", "b"));
  EXPECT_FALSE(cluster.findings.Broken("users", "", "b"));
}

TEST(Findings, AnEntryWithoutAReadableNameMayBeAny) {
  const Findings named =
      ParseSpec(R"({"policies":[{"vhost":"/","name":"a"},{"name":"b"}]})").findings;
  EXPECT_TRUE(named.Broken("policies", "/", "a"));
  EXPECT_FALSE(named.Broken("policies", "v", "a"));
  EXPECT_FALSE(named.Broken("policies", "/", "c"));
  EXPECT_TRUE(named.Broken("policies", "v", "b"));  // its vhost is not readable
  const Findings unnamed = ParseSpec(R"({"users":[{"tags":["a"]}]})").findings;
  EXPECT_TRUE(unnamed.Broken("users", "", "anybody"));
}

TEST(ParseRabbitCluster, DropsTheSecondOfTwoEntriesWithOneName) {
  const RabbitCluster cluster =
      ParseSpec(R"({"users":[{"name":"a","tags":["x"]},{"name":"a"},{"name":"b"}]})");
  ASSERT_EQ(cluster.spec.users.size(), 2U);
  EXPECT_THAT(cluster.spec.users[0].tags, ElementsAre("x"));
  ASSERT_EQ(cluster.findings.entries.size(), 1U);
  EXPECT_EQ(cluster.findings.entries[0].error.rule, "has the same name as an earlier entry");
  // The same name in another vhost is another policy.
  EXPECT_THAT(ParseSpec(R"({"policies":[
      {"vhost":"/","name":"a","pattern":"x","definition":{"k":1}},
      {"vhost":"v","name":"a","pattern":"x","definition":{"k":1}}]})")
                  .findings.entries,
              IsEmpty());
}

TEST(ParseRabbitCluster, AnErrorInsideAUserConcernsThatUser) {
  const RabbitCluster cluster =
      ParseSpec(R"({"users":[{"name":"a","permissions":[{"configure":"x"}]},{"name":"b"}]})");
  EXPECT_TRUE(cluster.findings.usable());
  ASSERT_EQ(cluster.spec.users.size(), 1U);
  ASSERT_EQ(cluster.findings.entries.size(), 1U);
  EXPECT_EQ(cluster.findings.entries[0].error.path, "spec.users[0].permissions[0].vhost");
}

TEST(ParseRabbitCluster, AnErrorInAListOfTheSpecIsStructural) {
  EXPECT_EQ(Errors(R"({"env":[{"name":"1A"},{"name":"B"},{"name":"B","value":"secret"},{},{}]})"),
            "spec.env[0].name: \"1A\": must be letters, digits and '_', no digit first\n"
            "spec.env[2]: B: has the same name as an earlier entry\n"
            "spec.env[3].name: is required\n"
            "spec.env[4].name: is required\n");
}

TEST(ParseRabbitCluster, NeverRepeatsTheValueOfAVariable) {
  const std::string secret(40000, 's');
  const std::string errors = Errors(R"({"env":[{"name":"A","value":")" + secret + R"("}]})");
  EXPECT_EQ(errors, "spec.env[0].value: must have at most 32768 characters\n");
}

TEST(ParseRabbitCluster, CutsLongValues) {
  const std::string errors = Errors(R"({"image":")" + std::string(600, 'x') + R"("})");
  EXPECT_LT(errors.size(), 200U);
}

TEST(ParseRabbitCluster, ReportsUnknownFields) {
  const RabbitCluster cluster = ParseSpec(
      R"({"replica":3,"storage":{"sizes":"1Gi"},"users":[{"name":"a","tag":"x"}],"pod":{"affinity":{"any":1}}})");
  EXPECT_TRUE(cluster.findings.usable());
  EXPECT_THAT(
      cluster.findings.unknown_fields,
      testing::UnorderedElementsAre("spec.replica", "spec.storage.sizes", "spec.users[0].tag"));
}

TEST(ParseRabbitCluster, MakesMemoryRequestAndLimitOne) {
  const auto memory = [](const std::string& resources) {
    const RabbitCluster c = ParseSpec(R"({"resources":)" + resources + "}");
    EXPECT_EQ(Errors(c), "");
    return c.spec.resources.requests.at("memory") + " " + c.spec.resources.limits.at("memory");
  };
  EXPECT_EQ(memory("{}"), "2Gi 2Gi");
  EXPECT_EQ(memory(R"({"limits":{"memory":"4Gi"}})"), "4Gi 4Gi");
  EXPECT_EQ(memory(R"({"requests":{"memory":"1Gi"}})"), "1Gi 1Gi");
  EXPECT_EQ(memory(R"({"requests":{"memory":"1Gi"},"limits":{"memory":"1024Mi"}})"), "1Gi 1024Mi");
}

TEST(ParseRabbitCluster, KeepsTheDefaultCpuRequestBelowALimit) {
  const Resources small = ParseSpec(R"({"resources":{"limits":{"cpu":"200m"}}})").spec.resources;
  EXPECT_EQ(small.requests.at("cpu"), "200m");
  const Resources large = ParseSpec(R"({"resources":{"limits":{"cpu":4}}})").spec.resources;
  EXPECT_EQ(large.requests.at("cpu"), "500m");
  EXPECT_EQ(large.limits.at("cpu"), "4");
}

TEST(ParseRabbitCluster, RefusesWhatIsNone) {
  for (
      const char* text :
      {"", "[]", "{", "{}", R"({"metadata":{}})", R"({"kind":"Pod","metadata":{"name":"a"}})",
       R"({"apiVersion":"rabbitcluster.dev/v1","kind":"RabbitCluster","metadata":{"name":"a"}})"}) {
    const auto parsed = ParseRabbitCluster(text);
    ASSERT_FALSE(parsed.has_value()) << text;
  }
}

TEST(ParseRabbitCluster, TakesItemsOfAListWithoutAKind) {
  EXPECT_TRUE(ParseRabbitCluster(R"({"metadata":{"name":"a"},"spec":{}})"));
}

TEST(ParseRabbitCluster, SaysThatASpecIsMissing) {
  const auto parsed = ParseRabbitCluster(R"({"metadata":{"name":"a"}})");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(Errors(*parsed), "spec: must be an object\n");
}

TEST(ParseRabbitCluster, KeepsNoCopyOfWhatKubectlApplied) {
  const auto parsed = ParseRabbitCluster(
      R"({"metadata":{"name":"a","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}","x":"y"}},"spec":{}})");
  ASSERT_TRUE(parsed);
  EXPECT_THAT(parsed->meta.annotations, ElementsAre(Pair("x", "y")));
}

TEST(DeclaredFields, AreThoseThatDifferFromTheirDefaults) {
  const RabbitCluster cluster = ParseSpec(R"({"replicas":3,"paused":false,
      "users":[{"name":"u","permissions":[{"vhost":"/","read":"","write":"^$"}]}],
      "policies":[{"vhost":"/","name":"p","pattern":"^q","definition":{"ha-params":2}}],
      "pod":{"tolerations":[{"key":"k"}]},"storage":{"size":"10Gi","className":""},
      "loadBalancer":{"timeouts":{"server":"90s"},"stats":{"enabled":false}}})");
  EXPECT_THAT(
      DeclaredFields(cluster.spec),
      testing::UnorderedElementsAre(
          Pair("replicas", "3"), Pair("clusterName", "\"c\""), Pair("users[].name", "\"u\""),
          Pair("users[].permissions[].vhost", "\"/\""), Pair("users[].permissions[].read", "null"),
          Pair("policies[].vhost", "\"/\""), Pair("policies[].name", "\"p\""),
          Pair("policies[].pattern", "\"^q\""), Pair("policies[].definition", R"({"ha-params":2})"),
          Pair("pod.tolerations", R"([{"key":"k"}])"), Pair("storage.className", "\"\""),
          Pair("loadBalancer.timeouts.server", "\"1m30s\""),
          Pair("loadBalancer.stats.enabled", "false")));
}

}  // namespace
}  // namespace rabbit::api
