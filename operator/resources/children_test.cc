#include "operator/resources/children.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/yaml.h"
#include "operator/api/parse.h"
#include "operator/resources/golden.h"
#include "operator/resources/names.h"
#include "operator/resources/pod_hash.h"
#include "rabbitmq/config.h"

namespace rabbit::resources {
namespace {

using base::Find;
using base::FindInt;
using base::FindString;
using base::Json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class ChildrenTest : public testing::Test {
 protected:
  ChildrenTest() {
    Declare("{}");
    inputs_.broker_image = "rabbitmq:3.13-management";
    inputs_.proxy_image = "haproxy:3.0";
  }

  // `spec` is YAML.
  void Declare(const std::string& spec, const std::string& name = "rabbitcluster") {
    Json object = {{"apiVersion", "rabbitcluster.dev/v1beta1"},
                   {"kind", "RabbitCluster"},
                   {"metadata",
                    {{"name", name},
                     {"namespace", "default"},
                     {"uid", "11111111-2222-3333-4444-555555555555"},
                     {"generation", 1}}},
                   {"spec", base::ParseYaml(spec).value().at(0)}};
    auto parsed = api::ParseRabbitCluster(base::Dump(object));
    ASSERT_TRUE(parsed) << parsed.error().message;
    ASSERT_TRUE(parsed->findings.usable()) << parsed->findings.structural[0].ToString();
    cluster_ = std::move(*parsed);
    inputs_.cluster = &cluster_;
    inputs_.inventory.replicas = inputs_.replicas;
  }

  void Scale(int replicas) {
    inputs_.replicas = inputs_.pods = replicas;
    inputs_.inventory.replicas = replicas;
  }

  [[nodiscard]] std::vector<Json> All() const {
    std::vector<Json> all;
    for (const DesiredChild& child : BuildChildren(inputs_)) {
      EXPECT_THAT(child.problem, IsEmpty());
      all.push_back(base::ParseJson(child.body).value());
    }
    return all;
  }
  [[nodiscard]] Json Child(const kube::ResourceType& type, const std::string& name) const {
    for (Json& object : All()) {
      if (object["kind"] == type.kind() && object["metadata"]["name"] == name) return object;
    }
    ADD_FAILURE() << "no " << type.kind() << " " << name;
    return {};
  }
  [[nodiscard]] Json StatefulSet() const {
    return Child(kube::kStatefulSets, "rabbitcluster-node");
  }
  [[nodiscard]] Json Pod() const { return StatefulSet()["spec"]["template"]; }
  [[nodiscard]] std::string Annotation(std::string_view key) const {
    return FindString(Pod(), {"metadata", "annotations", key});
  }
  // By their annotations, which say how they speak TLS; "" does not. Declare() comes before.
  void Runs(const std::vector<std::string>& brokers) {
    std::vector<observe::Pod> pods;
    for (const std::string& tls : brokers) pods.emplace_back().tls = tls;
    inputs_.listening = ListeningOf(cluster_, pods);
  }
  [[nodiscard]] std::string ProxyConfig() const {
    return FindString(Child(kube::kConfigMaps, "rabbitcluster-haproxy"), {"data", "haproxy.cfg"});
  }
  [[nodiscard]] Json Environment() const { return Pod()["spec"]["containers"][0]["env"]; }

  api::RabbitCluster cluster_;
  ChildInputs inputs_;
};

// --- whole clusters

TEST_F(ChildrenTest, TheSeedsClusterIsThatOfItsGoldenFile) {
  Declare(R"(
replicas: 3
clusterName: rabbitcluster
image: rabbitmq:3.13-management
users:
- name: root
  passwordSecretRef: {name: rabbit-root, key: password}
  tags: [administrator]
  permissions:
  - {vhost: /, configure: "^$", write: "^$", read: ".*"}
policies:
- {vhost: /, name: half, pattern: "^queue.*1$", applyTo: queues, definition: {ha-mode: exactly, ha-params: 2}}
loadBalancer:
  balance: RoundRobin
  healthCheck: {interval: 5s, rise: 2, fall: 2}
  timeouts: {connect: 5s, client: 60s, server: 60s}
  maxConnections: 5120
  maxConnectionsPerListener: 2000
  stats: {port: 9000, path: /rabbitmq-stats, refresh: 5s}
)");
  inputs_.inventory.users = {"root"};
  inputs_.inventory.policies = {{"/", "half"}};
  inputs_.inventory.storage =
      observe::StorageRecord{.size = "10Gi", .class_name = {}, .ephemeral = false};
  ExpectGolden("cluster-seed.yaml", All());
}

TEST_F(ChildrenTest, AnEmptySpecIsThatOfItsGoldenFile) {
  ExpectGolden("cluster-minimal.yaml", All());
}

TEST_F(ChildrenTest, AnEphemeralClusterIsThatOfItsGoldenFile) {
  Declare("{storage: {ephemeral: true, size: 1Gi}, loadBalancer: {enabled: false}}");
  Scale(1);
  ExpectGolden("cluster-ephemeral.yaml", All());
}

TEST_F(ChildrenTest, AClusterWithEverythingAboutPodsIsThatOfItsGoldenFile) {
  Declare(R"(
imagePullPolicy: Always
imagePullSecrets: [{name: registry}]
resources: {requests: {cpu: "1"}, limits: {memory: 4Gi}}
storage: {size: 20Gi, className: fast}
plugins: [rabbitmq_stream]
config: |
  vm_memory_high_watermark.relative = 0.5
advancedConfig: "[{rabbit, []}]."
env: [{name: TZ, value: UTC}, {name: NODE_IP, valueFrom: {fieldRef: {fieldPath: status.hostIP}}}]
service:
  type: LoadBalancer
  annotations: {example.dev/pool: public}
  labels: {team: messaging}
  loadBalancerClass: example.dev/lb
  sourceRanges: [10.0.0.0/8]
  externalTrafficPolicy: Local
  ipFamilyPolicy: PreferDualStack
  expose: [amqp, management, stream]
loadBalancer:
  enabled: false
pod:
  labels: {team: messaging}
  annotations: {example.dev/note: "1"}
  nodeSelector: {disk: ssd}
  affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, namespaceSelector: {}}]}}
  tolerations: [{key: messaging, operator: Exists}]
  topologySpreadConstraints: [{maxSkew: 1, topologyKey: rack, whenUnsatisfiable: DoNotSchedule}]
  priorityClassName: high
  serviceAccountName: mine
  terminationGracePeriodSeconds: 60
  securityContext: {runAsUser: 1000, runAsNonRoot: true}
)");
  Scale(2);
  ExpectGolden("cluster-pods.yaml", All());
}

TEST_F(ChildrenTest, AClusterWithTlsAloneIsThatOfItsGoldenFile) {
  Declare(R"(
tls: {secretRef: {name: web-tls}, caSecretRef: {name: roots, key: bundle.pem}, mode: Only, clientAuth: Require}
service: {expose: [amqp, management-tls]}
)");
  Runs({"Only web-tls roots/bundle.pem"});
  ExpectGolden("cluster-tls.yaml", All());
}

TEST_F(ChildrenTest, WithTlsBesideThePlainListenersClientsAreOfferedBothAsTheySay) {
  Declare("{tls: {secretRef: {name: web-tls}}, service: {expose: [amqp, amqps]}}");
  Runs({"Both web-tls web-tls/ca.crt"});
  const auto ports = [this](const std::string& service) {
    std::string names;
    const Json body = Child(kube::kServices, service);
    for (const Json& port : body["spec"]["ports"]) {
      names += port["name"].get<std::string>() + " ";
    }
    return names;
  };
  EXPECT_EQ(ports("rabbitcluster"), "amqp amqps ");
  EXPECT_EQ(ports("rabbitcluster-brokers"),
            "amqp management prometheus amqps management-tls prometheus-tls ");
  EXPECT_THAT(ProxyConfig(), HasSubstr("bind :5671\n"));
  EXPECT_THAT(ProxyConfig(), Not(HasSubstr("ssl")));
}

TEST_F(ChildrenTest, WhileBrokersListenOnDifferentPortsProxiesCheckEachByItself) {
  for (const char* mode : {"Only", "Both"}) {  // whichever way they are going
    Declare(std::string("{tls: {secretRef: {name: web-tls}, mode: ") + mode +
            "}, service: {expose: [amqp, management]}}");
    Runs({"", "Only web-tls web-tls/ca.crt"});
    const std::string config = ProxyConfig();
    for (const char* port : {"5672", "5671", "15671"}) {
      EXPECT_THAT(config, HasSubstr(std::string("svc.cluster.local:") + port + " check\n"));
    }
  }
}

TEST_F(ChildrenTest, WhereAllBrokersListenOnBothTheCheckOfOneStandsForBoth) {
  Declare("{tls: {secretRef: {name: web-tls}}, service: {expose: [amqp, amqps]}}");
  Runs({"Both web-tls web-tls/ca.crt", "Both web-tls web-tls/ca.crt"});
  EXPECT_THAT(ProxyConfig(), HasSubstr("svc.cluster.local:5671 track "));
}

// Whether brokers that run ask for certificates is what was declared when they were made.
TEST_F(ChildrenTest, ProxiesCheckBrokersWithTlsAloneWhereNobodyAsksForACertificate) {
  for (const char* declared :
       {"tls: {secretRef: {name: web-tls}, mode: Only}",
        "tls: {secretRef: {name: web-tls}, caSecretRef: {name: r, key: k}, clientAuth: Require}",
        "replicas: 3"}) {
    Declare(declared);
    Runs({"Only web-tls web-tls/ca.crt"});
    EXPECT_THAT(ProxyConfig(), HasSubstr(":5671 check port 15671 check-ssl verify none\n"));
    EXPECT_THAT(ProxyConfig(), HasSubstr("option httpchk GET /\n"));
    Declare(std::string("loadBalancer: {healthCheck: {type: Tcp}}\n") + declared);
    EXPECT_THAT(ProxyConfig(), HasSubstr("svc.cluster.local:5671 check\n"));
  }
}

TEST_F(ChildrenTest, WhoAsksForOtherTlsMakesOtherPods) {
  Declare("{tls: {secretRef: {name: web-tls}, caSecretRef: {name: r, key: k}}}");
  const std::string before = Annotation(kTemplateHashAnnotation);
  Declare(
      "{tls: {secretRef: {name: web-tls}, caSecretRef: {name: r, key: k}, clientAuth: Request}}");
  EXPECT_FALSE(SameSpec(Annotation(kTemplateHashAnnotation), before));
  EXPECT_FALSE(SameMade(Annotation(kTemplateHashAnnotation), before));
}

TEST_F(ChildrenTest, GoldenFilesSayWhatIsSentToTheServer) {
  for (const Json& object : All()) {
    const auto read = base::ParseYaml(ToYaml(object));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->at(0), object);
  }
}

// --- rules

TEST_F(ChildrenTest, AClusterWithProxiesIsCreatedWithTwelveWritesBesidesItsThreeSecrets) {
  EXPECT_EQ(BuildChildren(inputs_).size(), 12U);
}

TEST_F(ChildrenTest, WhatPodsMountAndTheAccountThatTheyRunAsComeBeforeThem) {
  std::vector<std::string> order;
  for (const Json& object : All()) {
    order.push_back(FindString(object, {"kind"}) + " " + FindString(object, {"metadata", "name"}));
  }
  const auto at = [&](const char* what) { return std::ranges::find(order, what) - order.begin(); };
  const auto set = at("StatefulSet rabbitcluster-node");
  EXPECT_LT(at("ConfigMap rabbitcluster-inventory"), set);
  EXPECT_LT(at("ConfigMap rabbitcluster-config"), set);
  EXPECT_LT(at("Service rabbitcluster-nodes"), set);
  EXPECT_LT(at("ServiceAccount rabbitcluster-node"), set);
  EXPECT_LT(at("ConfigMap rabbitcluster-haproxy"), at("Deployment rabbitcluster-haproxy"));
}

TEST_F(ChildrenTest, EveryChildGoesWithTheClusterAndIsKnownByItsLabels) {
  for (const Json& object : All()) {
    const Json& metadata = object["metadata"];
    SCOPED_TRACE(metadata["name"]);
    ASSERT_EQ(metadata["ownerReferences"].size(), 1U);
    EXPECT_EQ(metadata["ownerReferences"][0]["uid"], cluster_.meta.uid);
    EXPECT_EQ(metadata["ownerReferences"][0]["controller"], true);
    EXPECT_EQ(metadata["ownerReferences"][0]["blockOwnerDeletion"], true);
    EXPECT_EQ(FindString(metadata, {"labels", kManagedByLabel}), "rabbit-operator");
    EXPECT_EQ(FindString(metadata, {"labels", kInstanceLabel}), "rabbitcluster");
    EXPECT_FALSE(FindString(metadata, {"annotations", kAppliedHashAnnotation}).empty());
  }
}

void ExpectNothingEmpty(const Json& value, const std::string& path) {
  EXPECT_FALSE(value.is_null()) << path;
  if (!value.is_structured()) return;
  EXPECT_FALSE(value.empty()) << path;
  for (const auto& [key, member] : value.items()) ExpectNothingEmpty(member, path + "." + key);
}

TEST_F(ChildrenTest, NothingEmptyIsSent) {
  for (const Json& object : All()) ExpectNothingEmpty(object, object["metadata"]["name"]);
}

TEST_F(ChildrenTest, AChildIsBuiltAloneAsAmongAll) {
  const std::vector<DesiredChild> all = BuildChildren(inputs_);
  const std::vector<observe::ChildId> ids = ChildIds(inputs_);
  ASSERT_EQ(ids.size(), all.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(all[i].id, ids[i]);
    EXPECT_EQ(BuildChild(inputs_, ids[i]).body, all[i].body);
  }
}

TEST_F(ChildrenTest, NoTemplateChangeRollsByItself) {
  inputs_.pods = 5;
  const Json spec = StatefulSet()["spec"];
  EXPECT_EQ(spec["replicas"], 5);
  EXPECT_EQ(FindInt(spec, {"updateStrategy", "rollingUpdate", "partition"}), 5);
}

TEST_F(ChildrenTest, ClaimsAreNeverDeletedByTheStatefulSet) {
  Declare("{storage: {retention: {whenDeleted: Delete, whenScaled: Delete}}}");
  EXPECT_EQ(StatefulSet()["spec"]["persistentVolumeClaimRetentionPolicy"],
            (Json{{"whenDeleted", "Delete"}, {"whenScaled", "Retain"}}));
}

TEST_F(ChildrenTest, AClaimTemplateStaysWhatItWasMadeWith) {
  Declare("{storage: {size: 50Gi}}");
  inputs_.inventory.storage =
      observe::StorageRecord{.size = "10Gi", .class_name = "fast", .ephemeral = false};
  const Json claim = StatefulSet()["spec"]["volumeClaimTemplates"][0]["spec"];
  EXPECT_EQ(claim["resources"]["requests"]["storage"], "10Gi");
  EXPECT_EQ(claim["storageClassName"], "fast");
}

TEST_F(ChildrenTest, ARefusedChangeOfStorageMakesNoPodOutOfDate) {
  inputs_.inventory.storage =
      observe::StorageRecord{.size = "10Gi", .class_name = {}, .ephemeral = false};
  const std::string before = Annotation(kTemplateHashAnnotation);
  Declare("{storage: {ephemeral: true}}");
  EXPECT_EQ(Annotation(kTemplateHashAnnotation), before);
}

TEST_F(ChildrenTest, AClaimOfNoClassIsNotOneOfTheDefaultClass) {
  EXPECT_FALSE(
      StatefulSet()["spec"]["volumeClaimTemplates"][0]["spec"].contains("storageClassName"));
  Declare("{storage: {className: \"\"}}");
  EXPECT_EQ(StatefulSet()["spec"]["volumeClaimTemplates"][0]["spec"]["storageClassName"], "");
}

TEST_F(ChildrenTest, TheNodesNameIsGivenAndDoesNotFollowTheClusterDomain) {
  inputs_.settings.cluster_domain = "example.org";
  const Json environment = Environment();
  EXPECT_EQ(environment[0]["name"], "POD_NAME");
  EXPECT_EQ(environment[1]["value"], "rabbit@$(POD_NAME).rabbitcluster-nodes.default");
  EXPECT_THAT(base::Dump(Child(kube::kConfigMaps, "rabbitcluster-haproxy")),
              HasSubstr("rabbitcluster-node-0.rabbitcluster-nodes.default.svc.example.org"));
}

TEST_F(ChildrenTest, NoVariableOfOursCanBeSetTwice) {
  for (const Json& variable : Environment()) {
    EXPECT_TRUE(rabbitmq::OwnedVariable(variable["name"].get<std::string>())) << variable["name"];
  }
}

TEST_F(ChildrenTest, ANewNodeMakesNoRunningNodeOutOfDate) {
  const std::string config = Annotation(kConfigHashAnnotation);
  const std::string pod = Annotation(kTemplateHashAnnotation);
  Scale(5);
  EXPECT_EQ(Annotation(kConfigHashAnnotation), config);
  EXPECT_EQ(Annotation(kTemplateHashAnnotation), pod);
  EXPECT_THAT(base::Dump(Child(kube::kConfigMaps, "rabbitcluster-config")),
              HasSubstr("rabbit@rabbitcluster-node-4.rabbitcluster-nodes.default"));
}

TEST_F(ChildrenTest, AChangeOfTheSpecIsToldFromOneOfTheOperator) {
  const std::string before = Annotation(kTemplateHashAnnotation);
  Declare("{policies: [{vhost: /, name: p, pattern: x, definition: {max-length: 1}}]}");
  EXPECT_EQ(Annotation(kTemplateHashAnnotation), before);

  inputs_.broker_image = "rabbitmq:3.14-management";
  EXPECT_FALSE(SameMade(Annotation(kTemplateHashAnnotation), before));
  EXPECT_FALSE(SameSpec(Annotation(kTemplateHashAnnotation), before));

  EXPECT_TRUE(SameSpec("aaaa-bbbb", "aaaa-cccc"));
  EXPECT_FALSE(SameMade("aaaa-bbbb", "aaaa-cccc"));
  EXPECT_TRUE(SameMade("aaaa-bbbb", "dddd-bbbb"));
  EXPECT_FALSE(SameMade("", "aaaa-bbbb"));
}

TEST_F(ChildrenTest, AChangedConfigurationMakesPodsOutOfDate) {
  const std::string before = Annotation(kConfigHashAnnotation);
  const std::string pod_before = Annotation(kTemplateHashAnnotation);
  for (const char* spec : {"{config: heartbeat = 30}", "{advancedConfig: '[{rabbit, []}].'}"}) {
    Declare(spec);
    EXPECT_FALSE(SameMade(Annotation(kConfigHashAnnotation), before)) << spec;
    // But once a pod has taken the new files, nothing else of it is old.
    EXPECT_TRUE(SameMade(Annotation(kTemplateHashAnnotation), pod_before)) << spec;
    const Json config = Child(kube::kConfigMaps, "rabbitcluster-config");
    EXPECT_THAT(FindString(config, {"data", "hash"}),
                StartsWith(Annotation(kConfigHashAnnotation) + "\n"))
        << "what the guard tells is not what is compared";
  }
}

// They are put into effect without a restart; who restarts has them, too.
TEST_F(ChildrenTest, OtherPluginsMakeNoPodOutOfDate) {
  const std::string before = Annotation(kConfigHashAnnotation);
  const std::string pod_before = Annotation(kTemplateHashAnnotation);
  Declare("{plugins: [rabbitmq_stream]}");
  EXPECT_EQ(Annotation(kConfigHashAnnotation), before);
  EXPECT_EQ(Annotation(kTemplateHashAnnotation), pod_before);
  EXPECT_EQ(Child(kube::kConfigMaps, "rabbitcluster-config")["data"]["enabled_plugins"],
            "[rabbitmq_management,rabbitmq_prometheus,rabbitmq_stream].\n");
}

TEST_F(ChildrenTest, NoPodGetsATokenOrTheNeighboursServicesAsEnvironment) {
  for (const Json& spec :
       {Pod()["spec"],
        Child(kube::kDeployments, "rabbitcluster-haproxy")["spec"]["template"]["spec"]}) {
    EXPECT_EQ(spec["automountServiceAccountToken"], false);
    EXPECT_EQ(spec["enableServiceLinks"], false);
    EXPECT_EQ(spec["securityContext"]["runAsNonRoot"], true);
    EXPECT_EQ(spec["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
    for (const char* list : {"initContainers", "containers"}) {
      if (!spec.contains(list)) continue;
      for (const Json& container : spec[list]) {
        EXPECT_EQ(container["securityContext"]["allowPrivilegeEscalation"], false);
        EXPECT_EQ(container["securityContext"]["readOnlyRootFilesystem"], true);
        EXPECT_EQ(container["securityContext"]["capabilities"]["drop"], Json::array({"ALL"}));
      }
    }
  }
}

TEST_F(ChildrenTest, OnlyTheGuardSeesTheSecrets) {
  EXPECT_THAT(base::Dump(Pod()["spec"]["containers"]), Not(HasSubstr("\"source\"")));
  for (const Json& object : All()) {
    if (object["kind"] == "ConfigMap") {
      EXPECT_THAT(base::Dump(object), Not(HasSubstr("default_pass")));
    }
  }
}

TEST_F(ChildrenTest, ClientsGoToTheProxiesAndToTheBrokersWhenThereAreNone) {
  EXPECT_EQ(
      FindString(Child(kube::kServices, "rabbitcluster"), {"spec", "selector", kComponentLabel}),
      "proxy");
  Declare("{loadBalancer: {enabled: false}}");
  EXPECT_EQ(
      FindString(Child(kube::kServices, "rabbitcluster"), {"spec", "selector", kComponentLabel}),
      "broker");
}

TEST_F(ChildrenTest, WithoutTheBalancerItsChildrenAreUnwantedTheProxiesFirst) {
  EXPECT_THAT(UnwantedIds(inputs_), IsEmpty());
  Declare("{loadBalancer: {enabled: false}}");
  const std::vector<observe::ChildId> unwanted = UnwantedIds(inputs_);
  ASSERT_EQ(unwanted.size(), 4U);
  EXPECT_EQ(unwanted[0].type, kube::kDeployments);
  EXPECT_EQ(unwanted[3].type, kube::kConfigMaps);
  EXPECT_EQ(ProxyConfigHash(inputs_), "");
}

// The pods that run keep the template of before, and come back with its account.
TEST_F(ChildrenTest, AnAccountOfTheUsersTakesNoneAwayFromThePodsThatRun) {
  Declare("{pod: {serviceAccountName: mine}}");
  EXPECT_EQ(Pod()["spec"]["serviceAccountName"], "mine");
  EXPECT_EQ(Child(kube::kServiceAccounts, "rabbitcluster-node")["metadata"]["name"],
            "rabbitcluster-node");
  EXPECT_THAT(UnwantedIds(inputs_), IsEmpty());
}

TEST_F(ChildrenTest, AChangedProxyConfigurationRollsTheProxies) {
  const auto hash = [&] {
    return FindString(Child(kube::kDeployments, "rabbitcluster-haproxy"),
                      {"spec", "template", "metadata", "annotations", kConfigHashAnnotation});
  };
  const std::string before = hash();
  EXPECT_EQ(before, ProxyConfigHash(inputs_));
  Declare("{loadBalancer: {maxConnections: 100}}");
  EXPECT_NE(hash(), before);
  EXPECT_EQ(hash(), ProxyConfigHash(inputs_));
}

TEST_F(ChildrenTest, TheProxysTimeToDrainIsThatOfTheSpec) {
  Declare("{loadBalancer: {drainTime: 90s}}");
  const Json pod = Child(kube::kDeployments, "rabbitcluster-haproxy")["spec"]["template"]["spec"];
  EXPECT_EQ(pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][2],
            "sleep 10; kill -USR1 1; sleep 90");
  EXPECT_EQ(pod["terminationGracePeriodSeconds"], 115);
}

TEST_F(ChildrenTest, WhatCannotBeBuiltSaysWhyAndSpoilsNothingElse) {
  cluster_.spec.config = "cluster_name = mine\n";  // parsing refuses it; nothing is taken on trust
  int problems = 0;
  for (const DesiredChild& child : BuildChildren(inputs_)) {
    const bool depends =
        child.id.type == kube::kStatefulSets ||
        (child.id.type == kube::kConfigMaps && child.id.name == "rabbitcluster-config");
    EXPECT_EQ(child.problem.empty(), !depends) << child.id.name;
    EXPECT_EQ(child.hash.empty(), depends);
    if (depends) {
      EXPECT_THAT(child.problem, HasSubstr("spec.config"));
      ++problems;
    }
  }
  EXPECT_EQ(problems, 2);
}

}  // namespace
}  // namespace rabbit::resources
