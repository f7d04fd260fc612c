#include "operator/resources/services.h"

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

Json Port(std::string_view name, int port, const char* app_protocol = nullptr) {
  Json json = {{"name", name}, {"port", port}, {"protocol", "TCP"}, {"targetPort", port}};
  if (app_protocol != nullptr) json["appProtocol"] = app_protocol;
  return json;
}

Json AmqpPort() { return Port("amqp", 5672, "amqp"); }
Json ManagementPort() { return Port("management", 15672, "http"); }
Json PrometheusPort() { return Port("prometheus", 15692, "http"); }

// What the brokers themselves are reached by.
void AddBrokerPorts(Json& ports, const Listening& listening) {
  if (listening.plain) {
    ports.push_back(AmqpPort());
    ports.push_back(ManagementPort());
    ports.push_back(PrometheusPort());
  }
  if (listening.tls) {
    ports.push_back(Port("amqps", rabbitmq::kAmqpsPort));
    ports.push_back(Port("management-tls", rabbitmq::kManagementTlsPort, "https"));
    ports.push_back(Port("prometheus-tls", rabbitmq::kPrometheusTlsPort, "https"));
  }
}

DesiredChild ServiceOf(const ChildInputs& inputs, const std::string& name,
                       std::string_view component, Json spec, Json extra_metadata = {}) {
  const api::RabbitCluster& cluster = *inputs.cluster;
  const observe::ChildId id{kube::kServices, name};
  Json object = NewObject(cluster, id.type, id.name, component);
  for (auto& [key, value] : extra_metadata.items()) object["metadata"][key] = value;
  spec["selector"] = SelectorLabels(cluster.meta.key.name, component);
  object["spec"] = std::move(spec);
  return Finish(id, std::move(object));
}

DesiredChild BudgetOf(const ChildInputs& inputs, const std::string& name,
                      std::string_view component, Json spec) {
  const api::RabbitCluster& cluster = *inputs.cluster;
  const observe::ChildId id{kube::kPodDisruptionBudgets, name};
  Json object = NewObject(cluster, id.type, id.name, component);
  spec["maxUnavailable"] = 1;
  spec["selector"] = {{"matchLabels", SelectorLabels(cluster.meta.key.name, component)}};
  object["spec"] = std::move(spec);
  return Finish(id, std::move(object));
}

}  // namespace

DesiredChild BuildClientService(const ChildInputs& inputs) {
  const api::Service& service = inputs.cluster->spec.service;
  const bool proxied = inputs.cluster->spec.load_balancer.enabled;
  const std::string_view component = proxied ? kProxyComponent : kBrokerComponent;

  Json ports = Json::array();
  for (const api::Listener exposed : ExposedListeners(inputs.cluster->spec, inputs.listening)) {
    if (exposed == api::Listener::kAmqp) {
      ports.push_back(AmqpPort());
    } else if (exposed == api::Listener::kManagement) {
      ports.push_back(ManagementPort());
    } else {
      ports.push_back(Port(PortOf(exposed).name, PortOf(exposed).port));
    }
  }
  Json spec = {{"type", api::Name(service.type)}, {"ports", std::move(ports)}};
  if (service.load_balancer_class) spec["loadBalancerClass"] = *service.load_balancer_class;
  if (!service.source_ranges.empty()) spec["loadBalancerSourceRanges"] = service.source_ranges;
  if (service.external_traffic_policy) {
    spec["externalTrafficPolicy"] = api::Name(*service.external_traffic_policy);
  }
  if (service.ip_family_policy) spec["ipFamilyPolicy"] = api::Name(*service.ip_family_policy);

  // Our own labels win: without them the operator would lose sight of the Service.
  Json labels = Labels(inputs.cluster->meta.key.name, component);
  AddMissing(labels, service.labels);
  Json metadata = {{"labels", std::move(labels)}};
  SetUnlessEmpty(metadata, "annotations", service.annotations);
  return ServiceOf(inputs, inputs.cluster->meta.key.name, component, std::move(spec),
                   std::move(metadata));
}

DesiredChild BuildBrokersService(const ChildInputs& inputs) {
  Json ports = Json::array();
  AddBrokerPorts(ports, inputs.listening);
  return ServiceOf(inputs, BrokersServiceName(inputs.cluster->meta.key.name), kBrokerComponent,
                   {{"type", "ClusterIP"}, {"ports", std::move(ports)}});
}

DesiredChild BuildNodesService(const ChildInputs& inputs) {
  Json ports = {Port("epmd", 4369), Port("distribution", 25672)};
  AddBrokerPorts(ports, inputs.listening);
  // Nodes find each other by these names before any of them is ready.
  return ServiceOf(inputs, NodesServiceName(inputs.cluster->meta.key.name), kBrokerComponent,
                   {{"type", "ClusterIP"},
                    {"clusterIP", "None"},
                    {"publishNotReadyAddresses", true},
                    {"ports", std::move(ports)}});
}

DesiredChild BuildProxyAdminService(const ChildInputs& inputs) {
  return ServiceOf(
      inputs, ProxyAdminServiceName(inputs.cluster->meta.key.name), kProxyComponent,
      {{"type", "ClusterIP"},
       {"ports",
        Json::array({Port("stats", inputs.cluster->spec.load_balancer.stats.port, "http")})}});
}

DesiredChild BuildServiceAccount(const ChildInputs& inputs) {
  const observe::ChildId id{kube::kServiceAccounts, NodeSetName(inputs.cluster->meta.key.name)};
  Json object = NewObject(*inputs.cluster, id.type, id.name, kBrokerComponent);
  object["automountServiceAccountToken"] = false;
  return Finish(id, std::move(object));
}

DesiredChild BuildNodesBudget(const ChildInputs& inputs) {
  return BudgetOf(inputs, NodeSetName(inputs.cluster->meta.key.name), kBrokerComponent,
                  Json::object());
}

DesiredChild BuildProxyBudget(const ChildInputs& inputs) {
  // A proxy that is not ready serves nobody: it must not keep a machine from being drained.
  return BudgetOf(inputs, ProxyName(inputs.cluster->meta.key.name), kProxyComponent,
                  {{"unhealthyPodEvictionPolicy", "AlwaysAllow"}});
}

}  // namespace rabbit::resources
