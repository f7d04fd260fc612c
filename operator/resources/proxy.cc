#include "operator/resources/proxy.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "operator/resources/listeners.h"
#include "operator/resources/names.h"
#include "operator/resources/object.h"
#include "operator/resources/tls.h"
#include "rabbitmq/tls_config.h"

namespace rabbit::resources {
namespace {

using base::Json;
using std::chrono::duration_cast;
using std::chrono::seconds;

constexpr const char* kConfigPath = "/etc/rabbit-operator";
// Until all clients' routes know that a pod is going; a second sufficed on one machine.
constexpr int kSecondsUntilUnrouted = 10;

haproxy::Balance BalanceOf(api::Balance balance) {
  switch (balance) {
    case api::Balance::kLeastConn:
      return haproxy::Balance::kLeastConn;
    case api::Balance::kRoundRobin:
      return haproxy::Balance::kRoundRobin;
    case api::Balance::kSource:
      return haproxy::Balance::kSource;
  }
  return haproxy::Balance::kLeastConn;
}

api::Listener FirstListener(const ChildInputs& inputs) {
  return inputs.listening.plain ? api::Listener::kAmqp : api::Listener::kAmqps;
}

haproxy::Config ConfigOf(const ChildInputs& inputs) {
  const api::RabbitCluster& cluster = *inputs.cluster;
  const api::LoadBalancer& spec = cluster.spec.load_balancer;
  const auto& [ns, name] = cluster.meta.key;
  const Listening& listening = inputs.listening;
  // Some brokers listen on one port, and some on the other.
  const bool apart =
      listening.plain && listening.tls && (listening.plain_alone || listening.tls_alone);
  haproxy::Config config;
  // There in any case: it has the checks.
  const api::Listener first = FirstListener(inputs);
  const ListenerPort first_port = PortOf(first);
  config.listeners = {{.name = std::string(first_port.name),
                       .protocol = haproxy::Protocol::kAmqp,
                       .port = first_port.port,
                       .server_port = first_port.port}};
  for (const api::Listener exposed : ExposedListeners(cluster.spec, listening)) {
    if (exposed == first) continue;
    const ListenerPort port = PortOf(exposed);
    const bool with_tls =
        exposed == api::Listener::kAmqps || exposed == api::Listener::kManagementTls;
    config.listeners.push_back({.name = std::string(port.name),
                                .protocol = port.protocol,
                                .port = port.port,
                                .server_port = port.port,
                                .checked_apart = apart && with_tls});
  }
  for (int i = 0; i < inputs.replicas; ++i) {
    config.servers.push_back(
        {.name = PodName(name, i), .host = HostName(name, ns, i, inputs.settings.cluster_domain)});
  }
  config.balance = BalanceOf(spec.balance);
  config.health_check = {.interval = spec.health_check.interval,
                         .timeout = spec.health_check.timeout,
                         .rise = spec.health_check.rise,
                         .fall = spec.health_check.fall,
                         .type = spec.health_check.type == api::HealthCheckType::kTcp
                                     ? haproxy::CheckType::kTcp
                                     : haproxy::CheckType::kAmqp};
  if (first == api::Listener::kAmqps) {
    config.health_check.tls = true;
    // A check shows no certificate: AMQPS may ask for one, as was declared when the brokers were
    // made; management over HTTPS never does.
    if (config.health_check.type == haproxy::CheckType::kAmqp) {
      config.health_check.type = haproxy::CheckType::kManagement;
      config.health_check.port = rabbitmq::kManagementTlsPort;
    }
  }
  config.timeouts = {.connect = spec.timeouts.connect,
                     .client = spec.timeouts.client,
                     .server = spec.timeouts.server};
  config.retries = spec.retries;
  config.max_connections = spec.max_connections;
  config.max_connections_per_listener = spec.max_connections_per_listener;
  config.admin_port = static_cast<std::uint16_t>(spec.stats.port);
  config.stats = {.enabled = spec.stats.enabled,
                  .path = spec.stats.path,
                  .refresh = duration_cast<seconds>(spec.stats.refresh)};
  return config;
}

Json Probe(const char* path, int period, int failures) {
  return {{"httpGet", {{"path", path}, {"port", "admin"}}},
          {"periodSeconds", period},
          {"timeoutSeconds", 1},
          {"failureThreshold", failures}};
}

Json Ports(const ChildInputs& inputs) {
  Json ports = Json::array();
  const auto add = [&](std::string_view name, int port) {
    ports.push_back({{"name", name}, {"containerPort", port}, {"protocol", "TCP"}});
  };
  const api::Listener first = FirstListener(inputs);
  add(PortOf(first).name, PortOf(first).port);
  for (const api::Listener exposed : ExposedListeners(inputs.cluster->spec, inputs.listening)) {
    if (exposed != first) add(PortOf(exposed).name, PortOf(exposed).port);
  }
  add("admin", inputs.cluster->spec.load_balancer.stats.port);
  return ports;
}

// SIGTERM would cut every connection; SIGUSR1 closes the listeners and lets clients finish. In an
// image without a shell the hook fails and the image's own stop signal counts, which is SIGUSR1 in
// the official one.
Json DrainHook(std::int64_t drain_seconds) {
  const std::string script = "sleep " + std::to_string(kSecondsUntilUnrouted) +
                             "; kill -USR1 1; sleep " + std::to_string(drain_seconds);
  return {{"preStop", {{"exec", {{"command", {"/bin/sh", "-c", script}}}}}}};
}

Json PodSpec(const ChildInputs& inputs) {
  const api::RabbitCluster& cluster = *inputs.cluster;
  const api::LoadBalancer& spec = cluster.spec.load_balancer;
  const std::int64_t drain = std::chrono::ceil<seconds>(spec.drain_time).count();
  Json container = {{"name", "haproxy"},
                    {"image", inputs.proxy_image},
                    {"command",
                     {"haproxy", "-W", "-db", "-S", "/run/haproxy/master.sock,mode,600", "-f",
                      std::string(kConfigPath) + "/" + kProxyConfigFile}},
                    {"ports", Ports(inputs)},
                    {"readinessProbe", Probe(haproxy::kHealthPath, 1, 2)},
                    {"livenessProbe", Probe(haproxy::kLivePath, 10, 6)},
                    {"lifecycle", DrainHook(drain)},
                    {"securityContext", RestrictedContainer()},
                    {"volumeMounts",
                     {{{"name", "config"}, {"mountPath", kConfigPath}, {"readOnly", true}},
                      {{"name", "run"}, {"mountPath", "/run/haproxy"}}}}};
  SetUnlessEmpty(container, "resources", ToJson(spec.resources));
  if (const auto policy = cluster.spec.image_pull_policy) {
    container["imagePullPolicy"] = api::Name(*policy);
  }
  Json pod = {{"terminationGracePeriodSeconds", drain + kSecondsUntilUnrouted + 15},
              {"containers", Json::array({std::move(container)})},
              {"volumes",
               {{{"name", "config"}, {"configMap", {{"name", ProxyName(cluster.meta.key.name)}}}},
                {{"name", "run"}, {"emptyDir", {{"medium", "Memory"}, {"sizeLimit", "16Mi"}}}}}}};
  if (spec.pod.service_account_name) pod["serviceAccountName"] = *spec.pod.service_account_name;
  AddPodSettings(pod, cluster, spec.pod, kProxyComponent, kProxyUid);
  return pod;
}

observe::ChildId IdOf(const kube::ResourceType& type, const ChildInputs& inputs) {
  return {type, ProxyName(inputs.cluster->meta.key.name)};
}

DesiredChild Refused(observe::ChildId id, const base::Error& error) {
  return {.id = std::move(id), .body = {}, .hash = {}, .problem = error.message};
}

}  // namespace

base::Result<haproxy::Rendered> MakeProxyConfig(const ChildInputs& inputs) {
  base::Result<haproxy::Rendered> rendered = haproxy::RenderConfig(ConfigOf(inputs));
  if (!rendered) return base::FailWrapped(rendered.error(), "spec.loadBalancer");
  return rendered;
}

DesiredChild BuildProxyConfig(const ChildInputs& inputs) {
  const observe::ChildId id = IdOf(kube::kConfigMaps, inputs);
  base::Result<haproxy::Rendered> config = MakeProxyConfig(inputs);
  if (!config) return Refused(id, config.error());
  Json object = NewObject(*inputs.cluster, id.type, id.name, kProxyComponent);
  object["data"] = {{kProxyConfigFile, std::move(config->text)}};
  return Finish(id, std::move(object));
}

DesiredChild BuildProxyDeployment(const ChildInputs& inputs) {
  const api::RabbitCluster& cluster = *inputs.cluster;
  const std::string& name = cluster.meta.key.name;
  const api::LoadBalancer& spec = cluster.spec.load_balancer;
  const observe::ChildId id = IdOf(kube::kDeployments, inputs);
  const base::Result<haproxy::Rendered> config = MakeProxyConfig(inputs);
  if (!config) return Refused(id, config.error());

  Json labels = Labels(name, kProxyComponent);
  AddMissing(labels, spec.pod.labels);
  Json annotations = {{kConfigHashAnnotation, config->hash}};
  AddMissing(annotations, spec.pod.annotations);

  Json object = NewObject(cluster, id.type, id.name, kProxyComponent);
  object["spec"] = {
      {"replicas", spec.replicas},
      {"selector", {{"matchLabels", SelectorLabels(name, kProxyComponent)}}},
      {"strategy",
       {{"type", "RollingUpdate"}, {"rollingUpdate", {{"maxUnavailable", 0}, {"maxSurge", 1}}}}},
      {"template",
       {{"metadata", {{"labels", std::move(labels)}, {"annotations", std::move(annotations)}}},
        {"spec", PodSpec(inputs)}}}};
  return Finish(id, std::move(object));
}

}  // namespace rabbit::resources
