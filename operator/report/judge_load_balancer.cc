// Whether the proxies run what is declared, and send to all nodes that run.
#include <algorithm>

#include "haproxy/stats.h"
#include "operator/plan/words.h"
#include "operator/report/conditions.h"

namespace rabbit::report {
namespace {

using api::ConditionStatus;

Verdict False(std::string reason, std::string message, bool needs_person = false) {
  return {ConditionStatus::kFalse, std::move(reason), std::move(message), needs_person};
}

// Servers that the proxy does not send to although the broker says that they run.
std::vector<std::string> Unreached(const Facts& facts, const haproxy::ProxyView& view) {
  std::vector<std::string> unreached;
  for (const haproxy::ServerView& server : view.servers) {
    if (server.state == haproxy::ServerState::kUp ||
        server.state == haproxy::ServerState::kDraining) {
      continue;
    }
    const auto node = std::ranges::find(facts.seen.nodes, server.name, &observe::Pod::name);
    if (node == facts.seen.nodes.end() || !node->ready || node->deleting) continue;
    unreached.push_back(server.name + " (" + server.status +
                        (server.last_check.empty() ? "" : ", " + server.last_check) + ")");
  }
  return unreached;
}

std::optional<Verdict> JudgeProxy(const Facts& facts, const observe::Pod& proxy,
                                  const std::string& wanted) {
  const auto look = std::ranges::find(facts.seen.proxy_looks, proxy.name, &observe::ProxyLook::pod);
  if (look == facts.seen.proxy_looks.end() || !look->view || !look->trouble.empty()) {
    std::string message = "proxy " + proxy.name + " does not answer";
    if (look != facts.seen.proxy_looks.end() && !look->trouble.empty()) {
      message += ": " + look->trouble;
    }
    return Verdict{ConditionStatus::kUnknown, "ProxyNotAnswering", std::move(message)};
  }
  if (wanted.empty() || look->view->config_hash != wanted) {
    return False("ConfigNotLive", "proxy " + proxy.name + " runs another configuration than wanted");
  }
  if (const auto unreached = Unreached(facts, *look->view); !unreached.empty()) {
    return False("NodesNotReached",
                 "proxy " + proxy.name + " does not reach " + plan::Listed(unreached, 3));
  }
  return std::nullopt;
}

}  // namespace

Verdict JudgeLoadBalancer(const Facts& facts) {
  if (facts.spec_is_bad) {
    return {ConditionStatus::kUnknown, "InvalidSpec", "not judged: the spec is not valid"};
  }
  for (const Finding& finding : facts.findings) {
    if (finding.aspect != plan::Aspect::kLoadBalancer) continue;
    return False(finding.reason, finding.message, finding.weight == Finding::Weight::kPerson);
  }
  const api::LoadBalancer& balancer = facts.cluster.spec.load_balancer;
  if (!balancer.enabled) {
    return {ConditionStatus::kTrue, "Disabled", "spec.loadBalancer.enabled is false"};
  }
  const auto& deployment = facts.seen.proxy_deployment;
  const int ready = deployment ? deployment->ready_replicas : 0;
  const std::string count =
      std::to_string(ready) + " of " +
      plan::Counted(static_cast<std::size_t>(balancer.replicas), "proxy");
  if (!deployment || !deployment->settled || ready < balancer.replicas) {
    for (const observe::Pod& proxy : facts.seen.proxies) {
      if (proxy.ready || proxy.trouble.empty()) continue;
      return False("ProxiesStarting", count + " ready; pod " + proxy.name + ": " + proxy.trouble);
    }
    return False("ProxiesStarting", count + " ready");
  }
  const std::string wanted = WantedProxyHash(facts);
  for (const observe::Pod& proxy : facts.seen.proxies) {
    if (proxy.deleting) continue;
    if (auto verdict = JudgeProxy(facts, proxy, wanted)) return *verdict;
  }
  return {ConditionStatus::kTrue, "Live", count + " run the wanted configuration"};
}

}  // namespace rabbit::report
