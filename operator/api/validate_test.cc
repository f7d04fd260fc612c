#include "operator/api/validate.h"

#include <gmock/gmock.h>

#include "operator/api/test_spec.h"

namespace rabbit::api {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::string Warnings(const std::string& spec) {
  const RabbitCluster cluster = ParseSpec(spec);
  EXPECT_EQ(Errors(cluster), "");
  std::string text;
  for (const SpecWarning& warning : cluster.findings.warnings) text += warning.path + "\n";
  return text;
}

TEST(Validate, KnowsGoodNames) {
  for (const std::string& name : {std::string("c"), std::string("a-b-1"), std::string(47, 'a')}) {
    EXPECT_EQ(Errors(ParseSpec("{}", name)), "") << name;
  }
  for (const std::string& name : {std::string("1a"), std::string("a.b"), std::string("a-"),
                                  std::string("A"), std::string(48, 'a')}) {
    EXPECT_THAT(Errors(ParseSpec("{}", name)), HasSubstr("metadata.name: " + name)) << name;
  }
}

TEST(Validate, KeepsOneNodeOnDisk) {
  EXPECT_EQ(Errors(R"({"replicas":3,"ramNodes":2})"), "");
  EXPECT_EQ(
      Errors(R"({"replicas":3,"ramNodes":3})"),
      "spec.ramNodes: 3: must be less than spec.replicas (3): one node at least keeps its data "
      "on disk\n");
}

TEST(Validate, WarnsOfAnEvenCount) {
  EXPECT_EQ(Warnings(R"({"replicas":3})"), "");
  EXPECT_EQ(Warnings(R"({"replicas":4})"), "spec.replicas\n");
}

TEST(Validate, WantsMemoryRequestedAsLimited) {
  EXPECT_EQ(Errors(R"({"resources":{"requests":{"memory":"1Gi"},"limits":{"memory":"2Gi"}}})"),
            "spec.resources.requests.memory: 1Gi: must be equal to limits.memory (2Gi)\n");
  EXPECT_EQ(
      Errors(R"({"loadBalancer":{"resources":{"requests":{"cpu":2},"limits":{"cpu":"1500m"}}}})"),
      "spec.loadBalancer.resources.requests.cpu: 2: must not exceed limits.cpu (1500m)\n");
  EXPECT_EQ(Errors(R"({"resources":{"limits":{"memory":0}}})"),
            "spec.resources.limits.memory: 0: must be more than nothing\n");
}

TEST(Validate, RefusesASizeOfNothing) {
  EXPECT_EQ(Errors(R"({"storage":{"size":0}})"),
            "spec.storage.size: 0: must be more than nothing\n");
}

TEST(Validate, RefusesTheOperatorsOwnSettingsByName) {
  EXPECT_THAT(Errors(R"({"config":"heartbeat = 30\ncluster_name = x"})"),
              HasSubstr("spec.config: cluster_name: line 2: "));
  EXPECT_THAT(Errors(R"({"config":"no setting"})"), HasSubstr("spec.config: "));
  // Of a person's own until TLS is declared, which writes the same keys.
  EXPECT_EQ(Errors(R"({"config":"prometheus.ssl.port = 1"})"), "");
  EXPECT_THAT(Errors(R"({"config":"prometheus.ssl.port = 1","tls":{"secretRef":{"name":"web"}}})"),
              HasSubstr("spec.config: prometheus.ssl.port: line 1: TLS is spec.tls"));
  EXPECT_EQ(Errors(R"({"config":"# a comment\nheartbeat = 30\n"})"), "");
  EXPECT_THAT(Errors(R"({"advancedConfig":"[{rabbit, [{cluster_nodes, []}]}]."})"),
              HasSubstr("spec.advancedConfig: line 1: cluster_nodes"));
  EXPECT_THAT(Errors(R"({"env":[{"name":"RABBITMQ_NODENAME","value":"x"}]})"),
              HasSubstr("spec.env[0].name: RABBITMQ_NODENAME: "));
}

TEST(Validate, WantsAValueOrASource) {
  EXPECT_EQ(
      Errors(R"({"env":[{"name":"A","value":"x","valueFrom":{"fieldRef":{"fieldPath":"a"}}}]})"),
      "spec.env[0]: A: must have value or valueFrom, not both\n");
}

TEST(Validate, ChecksWhatBelongsTogether) {
  EXPECT_EQ(Errors(R"({"definitions":{}})"),
            "spec.definitions: must have exactly one of configMapRef and secretRef\n");
  EXPECT_EQ(Errors(R"({"tls":{"secretRef":{"name":"a"},"clientAuth":"Require"}})"),
            "spec.tls.caSecretRef: is required with clientAuth Require\n");
  EXPECT_EQ(Errors(R"({"loadBalancer":{"stats":{"userSecretRef":{"name":"a","key":"b"}}}})"),
            "spec.loadBalancer.stats: must have both of userSecretRef and passwordSecretRef, or "
            "neither\n");
  EXPECT_EQ(Errors(R"({"loadBalancer":{"tls":{"mode":"Terminate"}}})"),
            "spec.loadBalancer.tls.secretRef: is required with mode Terminate\n");
  EXPECT_EQ(Errors(R"({"loadBalancer":{"stats":{"port":5672}}})"),
            "spec.loadBalancer.stats.port: 5672: must not be a port of the brokers' protocols\n");
  EXPECT_EQ(Errors(R"({"overrides":[{"kind":"Service","name":"other","patch":{"a":1}}]})"),
            "spec.overrides[0].name: other: must be an object of this cluster: c or c-…\n");
}

TEST(Validate, KnowsWhatAServiceTypeAllows) {
  EXPECT_EQ(Errors(R"({"service":{"externalTrafficPolicy":"Local"}})"),
            "spec.service.externalTrafficPolicy: Local: needs type NodePort or LoadBalancer\n");
  EXPECT_EQ(Errors(R"({"service":{"type":"NodePort","externalTrafficPolicy":"Local"}})"), "");
  EXPECT_EQ(Errors(R"({"service":{"type":"NodePort","loadBalancerClass":"a"}})"),
            "spec.service.loadBalancerClass: a: needs type LoadBalancer\n");
  EXPECT_EQ(Errors(R"({"service":{"type":"LoadBalancer",
                                  "sourceRanges":["10.0.0.0/8","::/0","192.168.0.1/32"]}})"),
            "");
  EXPECT_EQ(
      Errors(R"({"service":{"type":"LoadBalancer","sourceRanges":["10.0.0/8","10.0.0.0/33"]}})"),
      "spec.service.sourceRanges[0]: 10.0.0/8: must be an address range as 10.0.0.0/8\n"
      "spec.service.sourceRanges[1]: 10.0.0.0/33: must be an address range as 10.0.0.0/8\n");
}

TEST(Validate, KeepsTheOperatorsLabels) {
  EXPECT_EQ(Errors(R"({"pod":{"labels":{"app.kubernetes.io/name":"x"}}})"),
            "spec.pod.labels[app.kubernetes.io/name]: x: belongs to the operator\n");
  EXPECT_EQ(Errors(R"({"pod":{"nodeSelector":{"app.kubernetes.io/name":"x"}}})"), "");
  EXPECT_THAT(Errors(R"({"service":{"annotations":{"a b":"x"}}})"),
              HasSubstr("spec.service.annotations[a b]: must have a key of"));
}

TEST(Validate, WarnsOfTimeoutsBelowTheHeartbeat) {
  EXPECT_EQ(Warnings(R"({"loadBalancer":{"timeouts":{"server":"15s"}}})"),
            "spec.loadBalancer.timeouts.server\n");
  EXPECT_EQ(Warnings(R"({"loadBalancer":{"timeouts":{"client":"60s","server":"60s"}}})"), "");
  EXPECT_EQ(Warnings(R"({"config":"heartbeat = 10","loadBalancer":{"timeouts":{"server":"15s"}}})"),
            "");
  EXPECT_EQ(
      Warnings(R"({"config":"heartbeat = 120","loadBalancer":{"timeouts":{"server":"90s"}}})"),
      "spec.loadBalancer.timeouts.server\n");
  EXPECT_EQ(Warnings(R"({"loadBalancer":{"enabled":false,"timeouts":{"server":"15s"}}})"), "");
}

TEST(Validate, DropsAPolicyWhosePatternDoesNotCompile) {
  const RabbitCluster cluster = ParseSpec(R"({"policies":[
      {"vhost":"/","name":"a","pattern":"x","definition":{}},
      {"vhost":"/","name":"b","pattern":"(","definition":{"k":1}},
      {"vhost":"/","name":"c","pattern":"^c","definition":{"k":1}}]})");
  ASSERT_EQ(cluster.spec.policies.size(), 1U);
  EXPECT_EQ(cluster.spec.policies[0].name, "c");
  ASSERT_EQ(cluster.findings.entries.size(), 2U);
  const EntryError& error = cluster.findings.entries[1];
  EXPECT_EQ(error.index, 1U);  // as declared, although the entry before it is gone
  EXPECT_EQ(error.name, "b");
  EXPECT_EQ(error.error.path, "spec.policies[1].pattern");
  EXPECT_THAT(error.error.rule, HasSubstr("must be a regular expression"));
}

TEST(Validate, DropsAUserWhosePermissionDoesNotCompile) {
  const RabbitCluster cluster = ParseSpec(
      R"({"users":[{"name":"a","permissions":[{"vhost":"/","read":"["}]},{"name":"b"}]})");
  ASSERT_EQ(cluster.spec.users.size(), 1U);
  ASSERT_EQ(cluster.findings.entries.size(), 1U);
  EXPECT_EQ(cluster.findings.entries[0].error.path, "spec.users[0].permissions[0].read");
}

TEST(Validate, DropsAUserWithTheNameOfTheOperatorsOwn) {
  const RabbitCluster cluster = ParseSpec(
      R"({"users":[{"name":"a"},{"name":"rabbit-operator"},{"name":"rabbit-operator2"}]})");
  EXPECT_EQ(cluster.spec.users.size(), 2U);
  ASSERT_EQ(cluster.findings.entries.size(), 1U);
  EXPECT_EQ(cluster.findings.entries[0].error.ToString(),
            "spec.users[1].name: rabbit-operator: must be another name: this is the operator's own "
            "user");
  EXPECT_TRUE(cluster.findings.usable()) << "the other users go on";
}

TEST(Validate, DropsAUserWithATopicPermissionThatCouldNeverBeRemoved) {
  const RabbitCluster cluster = ParseSpec(
      R"({"users":[{"name":"a","topicPermissions":[{"vhost":"/","exchange":"amq.default"}]}]})");
  ASSERT_EQ(cluster.findings.entries.size(), 1U);
  EXPECT_EQ(cluster.findings.entries[0].error.path, "spec.users[0].topicPermissions[0].exchange");
}

TEST(Validate, KnowsWhomABindingNames) {
  EXPECT_EQ(Errors(R"({"binding":{"user":"a"},"users":[{"name":"a"}]})"), "");
  EXPECT_EQ(Errors(R"({"binding":{"user":"a"}})"),
            "spec.binding.user: a: must be one of spec.users\n");
  // A broken user is that user's concern alone.
  EXPECT_EQ(Errors(R"({"binding":{"user":"a"},"users":[{"name":"a","tags":[1]}]})"), "");
}

TEST(Validate, KnowsWhereAVariableComesFrom) {
  EXPECT_EQ(Errors(R"({"env":[{"name":"A","valueFrom":{"secretKeyRef":{"name":"a","key":"b"}}}]})"),
            "");
  for (const char* bad :
       {R"({"a":{}})", R"({"fieldRef":1})", R"({"fieldRef":{},"secretKeyRef":{}})"}) {
    EXPECT_THAT(Errors(std::string(R"({"env":[{"name":"A","valueFrom":)") + bad + "}]}"),
                HasSubstr("spec.env[0].valueFrom: must have exactly one of"));
  }
}

TEST(Validate, LetsNoOverrideGiveRights) {
  const auto errors = [](const std::string& patch) {
    return Errors(R"({"overrides":[{"kind":"StatefulSet","name":"c-node","patch":)" + patch +
                  "}]}");
  };
  EXPECT_EQ(errors(R"({"spec":{"template":{"spec":{"containers":[{"name":"x","image":"y"}]}}}})"),
            "");
  EXPECT_EQ(errors(R"({"metadata":{"annotations":{"a":"b"}}})"), "");
  EXPECT_EQ(errors(R"({"spec":{"template":{"spec":{"hostNetwork":true}}}})"),
            "spec.overrides[0].patch: spec.template.spec.hostNetwork: must not be overridden\n");
  for (const char* key : {"hostPath", "privileged", "capabilities", "selector", "ownerReferences",
                          "serviceAccountName", "hostPID", "$patch"}) {
    EXPECT_THAT(errors(std::string(R"({"spec":{"list":[{")") + key + R"(":{}}]}})"),
                HasSubstr(std::string("spec.list[0].") + key + ": must not be overridden"));
  }
  EXPECT_THAT(errors(R"({"metadata":{"name":"x"}})"), HasSubstr("metadata.name: must not be"));
  EXPECT_THAT(errors(R"({"metadata":{"labels":{"app.kubernetes.io/name":"x"}}})"),
              HasSubstr("metadata.labels.app.kubernetes.io/name: must not be"));
}

TEST(ValidateStorageChange, LetsAVolumeGrowAndNothingElse) {
  const Storage then{.size = "10Gi"};
  EXPECT_THAT(ValidateStorageChange({.size = "10240Mi"}, then), IsEmpty());
  EXPECT_THAT(ValidateStorageChange({.size = "11Gi"}, then), IsEmpty());
  EXPECT_EQ(ValidateStorageChange({.size = "9Gi"}, then).front().ToString(),
            "spec.storage.size: 9Gi: must not shrink (it is 10Gi)");
  EXPECT_EQ(ValidateStorageChange({.class_name = "a"}, then).size(), 1U);
  EXPECT_EQ(ValidateStorageChange({.class_name = ""}, then).size(), 1U);
  EXPECT_EQ(ValidateStorageChange({.class_name = "a"}, {.class_name = ""}).front().ToString(),
            "spec.storage.className: a: must not change (it is none)");
  EXPECT_THAT(ValidateStorageChange({}, {.class_name = "a"}), IsEmpty());
  EXPECT_EQ(ValidateStorageChange({.ephemeral = true}, then).size(), 1U);
}

}  // namespace
}  // namespace rabbit::api
