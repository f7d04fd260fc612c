#include "operator/observe/targets.h"

#include "haproxy/render.h"
#include "operator/resources/names.h"

namespace rabbit::observe {

std::optional<BrokerTarget> BrokerTargetOf(const api::RabbitCluster& cluster,
                                           const Observation& seen) {
  const auto secret = seen.secrets.find(resources::OperatorUserSecretName(cluster.meta.key.name));
  if (secret == seen.secrets.end()) return std::nullopt;
  const auto password = secret->second.data.find(resources::kPasswordKey);
  if (password == secret->second.data.end()) return std::nullopt;
  BrokerTarget target{
      .nodes = {}, .user = std::string(resources::kOperatorUser), .password = password->second};
  for (const Pod& node : seen.nodes) {
    if (node.ready && !node.deleting && !node.ip.empty()) {
      target.nodes.push_back({.pod = node.name, .address = node.ip});
    }
  }
  if (target.nodes.empty()) return std::nullopt;
  return target;
}

std::optional<ProxyTarget> ProxyTargetOf(const api::RabbitCluster& cluster,
                                         const Observation& seen) {
  const api::LoadBalancer& balancer = cluster.spec.load_balancer;
  if (!balancer.enabled) return std::nullopt;
  ProxyTarget target{.proxies = {},
                     .port = static_cast<std::uint16_t>(balancer.stats.port),
                     .csv_target = haproxy::StatsCsvTarget(
                         {.enabled = balancer.stats.enabled, .path = balancer.stats.path})};
  for (const Pod& proxy : seen.proxies) {
    if (proxy.ready && !proxy.deleting && !proxy.ip.empty()) {
      target.proxies.push_back({.pod = proxy.name, .address = proxy.ip});
    }
  }
  if (target.proxies.empty()) return std::nullopt;
  return target;
}

}  // namespace rabbit::observe
