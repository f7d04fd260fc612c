#include "operator/observe/targets.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "haproxy/render.h"
#include "operator/resources/names.h"

namespace rabbit::observe {

std::optional<BrokerTarget> BrokerTargetOf(const api::RabbitCluster& cluster,
                                           const Observation& seen) {
  const auto secret = seen.secrets.find(resources::OperatorUserSecretName(cluster.meta.key.name));
  if (secret == seen.secrets.end()) return std::nullopt;
  const auto password = secret->second.data.find(resources::kPasswordKey);
  if (password == secret->second.data.end()) return std::nullopt;
  BrokerTarget target{.nodes = {},
                      .user = std::string(resources::kOperatorUser),
                      .password = password->second,
                      .parts = PartsToRead(cluster, seen)};
  for (const Pod& node : seen.nodes) {
    if (node.ready && !node.deleting && !node.ip.empty()) {
      target.nodes.push_back({.pod = node.name, .address = node.ip});
    }
  }
  if (target.nodes.empty()) return std::nullopt;
  return target;
}

BrokerTarget BrokerToWriteTo(const api::RabbitCluster& cluster, const Observation& seen) {
  BrokerTarget target = BrokerTargetOf(cluster, seen).value_or(BrokerTarget{});
  target.nodes = InOrder(std::move(target.nodes), seen.broker.ask_first);
  return target;
}

rabbitmq::ViewParts PartsToRead(const api::RabbitCluster& cluster, const Observation& seen) {
  const api::Spec& spec = cluster.spec;
  const Inventory none;
  const Inventory& recorded = seen.inventory ? *seen.inventory : none;
  const auto has_limits = [](const auto& one) { return one.limits != decltype(one.limits){}; };
  rabbitmq::ViewParts parts;
  const auto& view = seen.broker.view;
  parts.disabled_flags = recorded.flags_version.empty()
                             ? seen.inventory.has_value()
                             : view && view->version && *view->version != recorded.flags_version;
  if (seen.definitions != nullptr && seen.definitions->trouble.empty() &&
      spec.definitions->mode == api::DefinitionsMode::kKeep && !recorded.definitions.empty()) {
    parts.definitions = {seen.definitions, &seen.definitions->wanted};
  }
  parts.running_plugins = !spec.plugins.empty();
  parts.vhost_limits =
      !recorded.vhost_limits.empty() || std::ranges::any_of(spec.vhosts, has_limits);
  parts.user_limits = !recorded.user_limits.empty() || std::ranges::any_of(spec.users, has_limits);
  parts.topic_permissions = !recorded.topic_permissions.empty() ||
                            std::ranges::any_of(spec.users, [](const api::User& user) {
                              return !user.topic_permissions.empty();
                            });
  parts.operator_policies = !spec.operator_policies.empty() ||
                            !recorded.operator_policies.empty() ||
                            spec.ownership.policies == api::Ownership::kExclusive;
  std::set<std::string_view> listed;
  for (const api::Vhost& vhost : spec.vhosts) listed.insert(vhost.name);
  for (const auto& [name, on_remove] : recorded.vhosts) {
    const bool declared =
        listed.contains(name) || cluster.findings.Broken("vhosts", "", name);  // if badly
    if (!declared && on_remove == api::OnRemove::kDeleteIfEmpty) parts.queues_of.push_back(name);
  }
  return parts;
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
