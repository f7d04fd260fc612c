#include "operator/resources/stateful_set.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "operator/resources/broker_config.h"
#include "operator/resources/guard.h"
#include "operator/resources/inventory.h"
#include "operator/resources/names.h"
#include "operator/resources/object.h"
#include "operator/resources/pod_hash.h"
#include "operator/resources/tls.h"
#include "rabbitmq/tls_config.h"

namespace rabbit::resources {
namespace {

using base::Json;

constexpr const char* kSourcePath = "/etc/rabbit-operator";  // prepare.sh reads from here
constexpr int kReadableByAll = 0444;

Json Mount(std::string_view volume, std::string_view path, bool read_only = false) {
  Json mount = {{"name", volume}, {"mountPath", path}};
  if (read_only) mount["readOnly"] = true;
  return mount;
}

Json Scratch(std::string_view name, std::string_view size) {
  return {{"name", name}, {"emptyDir", {{"sizeLimit", size}}}};
}

Json Item(std::string_view key, std::string_view path) { return {{"key", key}, {"path", path}}; }

// Everything that prepare.sh reads, in one volume, so that it is mounted at once.
Json SourceVolume(std::string_view cluster) {
  const Json config = {
      {"name", ConfigName(cluster)},
      {"items",
       {Item(kConfFile, "config/rabbitmq.conf"), Item(kAdvancedFile, "config/advanced.config"),
        Item(kPluginsFile, "config/enabled_plugins"), Item(kHashFile, "config/hash")}}};
  const Json inventory = {{"name", InventoryName(cluster)},
                          {"items", Json::array({Item(kFormedKey, "inventory/formed")})}};
  const Json cookie = {{"name", CookieSecretName(cluster)},
                       {"items", Json::array({Item(kCookieKey, "cookie")})}};
  const Json user = {{"name", OperatorUserSecretName(cluster)},
                     {"items",
                      {Item(kUsernameKey, "operator-user/username"),
                       Item(kPasswordKey, "operator-user/password")}}};
  return {{"name", "source"},
          {"projected",
           {{"defaultMode", kReadableByAll},
            {"sources",
             {{{"configMap", config}},
              {{"configMap", inventory}},
              {{"secret", cookie}},
              {{"secret", user}}}}}}};
}

Json Environment(const ChildInputs& inputs) {
  const kube::ObjectKey& key = inputs.cluster->meta.key;
  Json environment = Json::array();
  // First, since the others refer to it.
  environment.push_back(
      {{"name", "POD_NAME"}, {"valueFrom", {{"fieldRef", {{"fieldPath", "metadata.name"}}}}}});
  const auto add = [&](std::string_view name, std::string_view value) {
    environment.push_back({{"name", name}, {"value", value}});
  };
  // The identity of the data on the disk: this never changes.
  add("RABBITMQ_NODENAME", "rabbit@$(POD_NAME)." + NodesServiceName(key.name) + "." + key.ns);
  add("RABBITMQ_USE_LONGNAME", "true");
  add("HOME", "/var/lib/rabbitmq");
  add("RABBITMQ_LOGS", "-");
  add("RABBITMQ_UPGRADE_LOG", "-");
  return environment;
}

Json BrokerEnvironment(const ChildInputs& inputs) {
  Json environment = Environment(inputs);
  for (const api::EnvVar& variable : inputs.cluster->spec.env) {
    Json entry = {{"name", variable.name}};
    if (variable.value) entry["value"] = *variable.value;
    if (!variable.value_from.empty()) {
      entry["valueFrom"] = base::ParseJson(variable.value_from).value_or(nullptr);
    }
    environment.push_back(std::move(entry));
  }
  return environment;
}

// Image, resources and the like are the same for both containers: a quota then counts the pod once.
Json NewContainer(const ChildInputs& inputs, std::string_view name) {
  Json container = {
      {"name", name}, {"image", inputs.broker_image}, {"securityContext", RestrictedContainer()}};
  SetUnlessEmpty(container, "resources", ToJson(inputs.cluster->spec.resources));
  if (const auto policy = inputs.cluster->spec.image_pull_policy) {
    container["imagePullPolicy"] = api::Name(*policy);
  }
  return container;
}

std::string TlsConf(const ChildInputs& inputs, const api::Tls& tls) {
  using rabbitmq::PeerCertificates;
  PeerCertificates peers = PeerCertificates::kUnasked;
  if (tls.client_auth == api::ClientAuth::kRequest) peers = PeerCertificates::kAsked;
  if (tls.client_auth == api::ClientAuth::kRequire) peers = PeerCertificates::kRequired;
  return rabbitmq::RenderTlsConf({.folder = kTlsFolder,
                                  .only = tls.mode == api::TlsMode::kOnly,
                                  .peers = peers,
                                  .tls13_only = tls.min_version == api::TlsVersion::kTls13,
                                  .version = rabbitmq::VersionOfImage(inputs.broker_image)});
}

// Two Secrets or one, in one folder. A pod is not started before they are there, with these keys.
Json TlsVolume(const api::Tls& tls) {
  const PodTls from = PodTlsOf(tls);
  const Json pair = {
      {"name", from.secret},
      {"items",
       {Item(kTlsCertificateKey, kTlsCertificateKey), Item(kTlsPrivateKeyKey, kTlsPrivateKeyKey)}}};
  const Json ca = {{"name", from.ca.name}, {"items", Json::array({Item(from.ca.key, kCaKey)})}};
  return {{"name", "tls"},
          {"projected",
           {{"defaultMode", kReadableByAll}, {"sources", {{{"secret", pair}}, {{"secret", ca}}}}}}};
}

Json PrepareContainer(const ChildInputs& inputs) {
  Json container = NewContainer(inputs, kGuardContainer);
  std::string script(PrepareScript());
  container["env"] = Environment(inputs);
  if (const auto& tls = inputs.cluster->spec.tls) {
    script += PrepareTlsScript();
    container["env"].push_back({{"name", "TLS_CONF"}, {"value", TlsConf(inputs, *tls)}});
  }
  container["command"] = {"/bin/sh", "-c", std::move(script)};
  container["volumeMounts"] = {Mount("source", kSourcePath, true), Mount("etc", "/etc/rabbitmq"),
                               Mount("run", "/run/rabbit-operator"),
                               Mount(kDataVolume, "/var/lib/rabbitmq")};
  return container;
}

Json BrokerContainer(const ChildInputs& inputs) {
  Json container = NewContainer(inputs, kBrokerContainer);
  // Not the image's entry point, which may be a script that changes what prepare.sh wrote.
  container["command"] = Json::array({"rabbitmq-server"});
  container["env"] = BrokerEnvironment(inputs);
  const auto& tls = inputs.cluster->spec.tls;
  const bool plain = !tls || tls->mode == api::TlsMode::kBoth;
  Json ports = Json::array();
  const auto add = [&](const char* name, int port) {
    ports.push_back({{"name", name}, {"containerPort", port}, {"protocol", "TCP"}});
  };
  if (plain) add("amqp", 5672);
  if (tls) add("amqps", rabbitmq::kAmqpsPort);
  add("epmd", 4369);
  add("distribution", 25672);
  if (plain) add("management", 15672);
  if (tls) add("management-tls", rabbitmq::kManagementTlsPort);
  if (plain) add("prometheus", 15692);
  if (tls) add("prometheus-tls", rabbitmq::kPrometheusTlsPort);
  container["ports"] = std::move(ports);
  // Each second: half a period is what a probe adds to the time until clients are served.
  container["readinessProbe"] = {{"tcpSocket", {{"port", plain ? "amqp" : "amqps"}}},
                                 {"periodSeconds", 1},
                                 {"timeoutSeconds", 1},
                                 {"failureThreshold", 5}};
  container["volumeMounts"] = {Mount(kDataVolume, "/var/lib/rabbitmq"),
                               Mount("etc", "/etc/rabbitmq"), Mount("tmp", "/tmp"),
                               Mount("log", "/var/log/rabbitmq")};
  if (tls) container["volumeMounts"].push_back(Mount("tls", kTlsFolder, true));
  return container;
}

Json PodSpec(const ChildInputs& inputs) {
  const api::RabbitCluster& cluster = *inputs.cluster;
  const api::Pod& pod = cluster.spec.pod;
  const std::string& name = cluster.meta.key.name;
  Json volumes = {SourceVolume(name), Scratch("etc", "16Mi"), Scratch("run", "1Mi"),
                  Scratch("tmp", "256Mi"), Scratch("log", "256Mi")};
  if (cluster.spec.tls) volumes.push_back(TlsVolume(*cluster.spec.tls));
  if (StorageOf(*inputs.cluster, inputs.inventory).ephemeral) {
    volumes.push_back(Scratch(kDataVolume, cluster.spec.storage.size));
  }
  Json spec = {{"serviceAccountName", pod.service_account_name.value_or(NodeSetName(name))},
               {"initContainers", Json::array({PrepareContainer(inputs)})},
               {"containers", Json::array({BrokerContainer(inputs)})},
               {"volumes", std::move(volumes)}};
  if (pod.termination_grace_period) {
    spec["terminationGracePeriodSeconds"] = pod.termination_grace_period->count();
  }
  AddPodSettings(spec, cluster, pod, kBrokerComponent, kBrokerUid);
  return spec;
}

Json PodTemplate(const ChildInputs& inputs, const BrokerFiles& files) {
  const api::RabbitCluster& cluster = *inputs.cluster;
  const api::Pod& pod = cluster.spec.pod;
  Json labels = Labels(cluster.meta.key.name, kBrokerComponent);
  AddMissing(labels, pod.labels);
  Json pod_template = {
      {"metadata", {{"labels", std::move(labels)}, {"annotations", Json::object()}}},
      {"spec", PodSpec(inputs)}};
  Json& annotations = pod_template["metadata"]["annotations"];
  if (cluster.spec.tls) annotations[kTlsAnnotation] = ToText(PodTlsOf(*cluster.spec.tls));
  AddMissing(annotations, pod.annotations);
  // Without the configuration: a pod of an earlier template takes the newest one when it restarts.
  annotations[std::string(kTemplateHashAnnotation)] = PodHash(inputs, base::Dump(pod_template));
  annotations[std::string(kConfigHashAnnotation)] = files.hash;
  return pod_template;
}

Json ClaimTemplate(const observe::StorageRecord& storage, std::string_view cluster) {
  Json claim = {
      {"apiVersion", "v1"},
      {"kind", "PersistentVolumeClaim"},
      {"metadata", {{"name", kDataVolume}, {"labels", Labels(cluster, kBrokerComponent)}}},
      {"spec",
       {{"accessModes", Json::array({"ReadWriteOnce"})},
        {"resources", {{"requests", {{"storage", storage.size}}}}}}}};
  if (storage.class_name) claim["spec"]["storageClassName"] = *storage.class_name;
  return claim;
}

}  // namespace

DesiredChild BuildStatefulSet(const ChildInputs& inputs) {
  const api::RabbitCluster& cluster = *inputs.cluster;
  const std::string& name = cluster.meta.key.name;
  const observe::ChildId id{kube::kStatefulSets, NodeSetName(name)};
  const base::Result<BrokerFiles> files = MakeBrokerFiles(inputs);
  if (!files) return {.id = id, .body = {}, .hash = {}, .problem = files.error().message};

  Json object = NewObject(cluster, id.type, id.name, kBrokerComponent);
  Json spec = {{"replicas", inputs.pods},
               {"serviceName", NodesServiceName(name)},
               {"podManagementPolicy", "Parallel"},
               {"selector", {{"matchLabels", SelectorLabels(name, kBrokerComponent)}}},
               {"updateStrategy",
                {{"type", "RollingUpdate"}, {"rollingUpdate", {{"partition", inputs.pods}}}}},
               {"persistentVolumeClaimRetentionPolicy",
                // Of a scale-down: a claim goes only after its node was forgotten.
                {{"whenDeleted", api::Name(cluster.spec.storage.retention.when_deleted)},
                 {"whenScaled", "Retain"}}},
               {"template", PodTemplate(inputs, *files)}};
  if (const observe::StorageRecord storage = StorageOf(*inputs.cluster, inputs.inventory);
      !storage.ephemeral) {
    spec["volumeClaimTemplates"] = Json::array({ClaimTemplate(storage, name)});
  }
  object["spec"] = std::move(spec);
  return Finish(id, std::move(object));
}

}  // namespace rabbit::resources
