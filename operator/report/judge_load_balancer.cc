// Whether the proxies run what is declared, and send to all nodes that run.
#include "operator/plan/words.h"
#include "operator/report/conditions.h"

namespace rabbit::report {

using api::ConditionStatus;

Verdict JudgeLoadBalancer(const Facts& facts) {
  if (auto verdict = NotJudged(facts)) return *verdict;
  // What a proxy says that is not as it should be was found by the planner (plan/load_balancer.h).
  for (const Finding& finding : facts.findings) {
    if (finding.aspect != plan::Aspect::kLoadBalancer) continue;
    const bool silent = finding.reason == "ProxiesNotAnswering";
    return {silent ? ConditionStatus::kUnknown : ConditionStatus::kFalse, finding.reason,
            finding.message, finding.weight == Finding::Weight::kPerson};
  }
  const api::LoadBalancer& balancer = facts.cluster.spec.load_balancer;
  if (!balancer.enabled) {
    return {ConditionStatus::kTrue, "Disabled", "spec.loadBalancer.enabled is false"};
  }
  if (!facts.seen.proxy_deployment) {
    return {ConditionStatus::kFalse, "ProxiesStarting", "the proxies are yet to be seen"};
  }
  // It found nothing: that is an answer only if there was one of every proxy.
  for (const observe::Pod& proxy : facts.seen.proxies) {
    if (proxy.deleting || !proxy.ready) continue;
    if (ViewOf(facts, proxy) == nullptr) {
      return {ConditionStatus::kUnknown, "ProxiesNotAnswering",
              "waiting for an answer of proxy " + proxy.name};
    }
  }
  return {ConditionStatus::kTrue, "Live",
          plan::Counted(static_cast<std::size_t>(balancer.replicas), "proxy") +
              " with the declared configuration, sending to all nodes that serve"};
}

}  // namespace rabbit::report
