#include "operator/plan/load_balancer.h"

#include <algorithm>
#include <vector>

#include "operator/plan/broker_gate.h"
#include "operator/plan/words.h"
#include "operator/resources/names.h"

namespace rabbit::plan {
namespace {

void Wait(Plan& plan, std::string reason, std::string message) {
  AddWait(plan, {Aspect::kLoadBalancer, std::move(reason), std::move(message)});
}

const observe::Pod* FindPod(const std::vector<observe::Pod>& pods, const std::string& name) {
  const auto found = std::ranges::find(pods, name, &observe::Pod::name);
  return found == pods.end() ? nullptr : &*found;
}

void PlanPods(const observe::Observation& seen, int declared, Plan& plan) {
  std::vector<std::string> trouble;
  for (const observe::Pod& proxy : seen.proxies) {
    if (!proxy.deleting && !proxy.trouble.empty()) {
      trouble.push_back(proxy.name + ": " + Shortened(proxy.trouble, 200));
    }
  }
  const int ready = seen.proxy_deployment ? seen.proxy_deployment->ready_replicas : 0;
  if (ready < declared) {
    Wait(plan, trouble.empty() ? "ProxiesStarting" : "ProxiesInTrouble",
         std::to_string(ready) + " of " + std::to_string(declared) + " proxies are ready" +
             (trouble.empty() ? std::string() : ": " + Listed(trouble, 2)));
  } else if (!seen.proxy_deployment->settled) {
    Wait(plan, "ProxiesRolling", "proxies with another configuration or image are being replaced");
  }
}

// What the proxies themselves say: their configuration, and the brokers as they see them.
void PlanLooks(const observe::Observation& seen, const std::string& config_hash, Plan& plan) {
  std::vector<std::string> silent;
  std::vector<std::string> other_config;
  std::vector<std::string> down;
  for (const observe::ProxyLook& look : seen.proxy_looks) {
    const observe::Pod* pod = FindPod(seen.proxies, look.pod);
    if (pod == nullptr || pod->deleting || !pod->ready) continue;  // the pods' own matter
    if (!look.view) {
      silent.push_back(look.pod +
                       (look.trouble.empty() ? "" : " (" + Shortened(look.trouble, 120) + ")"));
      continue;
    }
    if (look.view->config_hash != config_hash) other_config.push_back(look.pod);
    for (const haproxy::ServerView& server : look.view->servers) {
      // A broker that is not ready is down for the proxies too, as it should be.
      const observe::Pod* broker = FindPod(seen.nodes, server.name);
      const bool serves = broker != nullptr && broker->ready && !broker->deleting;
      if (serves && server.state != haproxy::ServerState::kUp) {
        down.push_back(look.pod + " sees " + server.name + " as " + server.status);
      }
    }
  }
  if (!silent.empty()) {
    Wait(plan, "ProxiesNotAnswering", "waiting for an answer of " + Listed(silent, 2));
  }
  if (!other_config.empty()) {
    Wait(plan, "ProxiesRolling",
         Listed(other_config) + (other_config.size() == 1 ? " runs" : " run") +
             " another configuration than the declared one");
  }
  if (!down.empty()) Wait(plan, "BackendsDown", Listed(down, 3));
}

}  // namespace

std::optional<plan::Wait> WhyProxiesWait(const api::RabbitCluster& cluster,
                                         const observe::Observation& seen, int members) {
  int with_address = 0;
  for (const observe::Pod& node : seen.nodes) {
    if (node.ready) return std::nullopt;  // one is enough to serve clients
    const auto ordinal = resources::OrdinalOf(cluster.meta.key.name, node.name);
    if (ordinal && *ordinal < members && !node.ip.empty()) ++with_address;
  }
  if (with_address >= members) return std::nullopt;
  return plan::Wait{Aspect::kLoadBalancer, "ProxiesWaiting",
                    "the proxies are started when the nodes have addresses: " +
                        std::to_string(with_address) + " of " + std::to_string(members) + " have"};
}

void PlanLoadBalancer(const api::RabbitCluster& cluster, const observe::Observation& seen,
                      const std::string& config_hash, Plan& plan) {
  const api::LoadBalancer& spec = cluster.spec.load_balancer;
  if (!spec.enabled) return;
  PlanPods(seen, spec.replicas, plan);
  PlanLooks(seen, config_hash, plan);
}

}  // namespace rabbit::plan
