#include "operator/plan/policies.h"

#include <algorithm>
#include <set>

#include "operator/api/enums.h"
#include "operator/plan/broker_gate.h"
#include "rabbitmq/policy_check.h"

namespace rabbit::plan {
namespace {

// Whether this policy was once seen at the broker as this generation declares it.
bool WasInEffect(const api::RabbitCluster& cluster, const api::Policy& policy) {
  if (TopologyWasInEffect(cluster)) return true;
  // Another policy or user may be what holds the whole back: the status names those that are not
  // as declared.
  const auto& status = cluster.status;
  if (status.observed_generation != cluster.meta.generation || !status.policies ||
      status.policies->unhealthy_not_listed > 0) {
    return false;
  }
  // (One whose mirrors are not in sync, which comes with counts, is at the broker as declared.)
  return std::ranges::none_of(status.policies->unhealthy, [&](const api::UnhealthyPolicy& other) {
    return other.vhost == policy.vhost && other.name == policy.name && !other.queues;
  });
}

rabbitmq::PolicyContext ContextOf(const rabbitmq::BrokerView& view) {
  rabbitmq::PolicyContext context{.version = rabbitmq::ParseVersion(*view.version), .nodes = {}};
  if (view.nodes) {
    for (const rabbitmq::Node& node : *view.nodes) context.nodes.push_back(node.name);
  }
  return context;
}

// Says what speaks against the policy; true when nothing does.
bool MayBeWritten(const rabbitmq::Policy& policy, const rabbitmq::PolicyContext& context,
                  Plan& plan) {
  const std::string subject = PolicySubject(policy.vhost, policy.name) + ": ";
  const auto issues = rabbitmq::CheckPolicy(policy, rabbitmq::PolicyKind::kUser, context);
  if (const rabbitmq::PolicyIssue* refusal = rabbitmq::FirstRefusal(issues)) {
    AddProblem(plan, {.aspect = Aspect::kTopology,
                      .reason = std::string(rabbitmq::Name(refusal->kind)),
                      .message = subject + refusal->message,
                      .needs_person = true});
    return false;
  }
  for (const rabbitmq::PolicyIssue& issue : issues) {
    plan.warnings.push_back({"PolicyWarning", subject + issue.message});
  }
  return true;
}

void PlanOne(const api::RabbitCluster& cluster, const observe::Observation& seen,
             const api::Policy& declared, const rabbitmq::PolicyContext& context,
             std::optional<std::size_t> after, Plan& plan) {
  const rabbitmq::Policy wanted = ToBroker(declared);
  if (!MayBeWritten(wanted, context, plan)) return;
  if (!VhostExists(seen, plan, declared.vhost)) {
    AddProblem(plan, {.aspect = Aspect::kTopology,
                      .reason = "VhostMissing",
                      .message = PolicySubject(declared.vhost, declared.name) +
                                 ": the vhost does not exist: declare it in spec.vhosts",
                      .needs_person = true});
    return;
  }
  const rabbitmq::Policy* actual =
      rabbitmq::FindPolicy(*seen.broker.view->policies, declared.vhost, declared.name);
  const bool was_in_effect = WasInEffect(cluster, declared);
  std::string reason;
  if (actual == nullptr) {
    reason = was_in_effect ? "was removed at the broker" : "does not exist";
  } else {
    reason = PolicyDifference(wanted, *actual);
    if (reason.empty()) return;
    if (was_in_effect) reason.insert(0, "was changed at the broker: ");
  }
  const auto vhost_step = StepThatCreates(plan, declared.vhost);
  plan.steps.push_back({.action = PutPolicy{.vhost = wanted.vhost,
                                            .name = wanted.name,
                                            .pattern = wanted.pattern,
                                            .apply_to = wanted.apply_to,
                                            .priority = declared.priority,
                                            .definition = wanted.definition},
                        .reason = std::move(reason),
                        .after = vhost_step ? vhost_step : after,
                        .repairs_drift = was_in_effect});
}

bool Declares(const api::RabbitCluster& cluster, const std::string& vhost,
              const std::string& name) {
  return cluster.findings.Broken("policies", vhost, name) ||  // declared, if badly
         std::ranges::any_of(cluster.spec.policies, [&](const api::Policy& policy) {
           return policy.vhost == vhost && policy.name == name;
         });
}

}  // namespace

void PlanPolicies(const api::RabbitCluster& cluster, const observe::Observation& seen, int members,
                  std::optional<std::size_t> after, Plan& plan) {
  SayBrokenEntries(cluster, "policies", plan);
  SayBrokenEntries(cluster, "operatorPolicies", plan);
  if (!BrokerMayBeWritten(cluster, seen, members, plan)) return;
  const rabbitmq::BrokerView& view = *seen.broker.view;
  if (!view.policies) {
    AddWait(plan, {Aspect::kTopology, "PoliciesUnknown",
                   "waiting for the list of policies: " + view.policies.why()});
    return;
  }
  if (!view.vhosts) return;  // PlanVhosts says so
  if (!view.version) {
    AddWait(plan, {Aspect::kTopology, "VersionUnknown",
                   "waiting for the broker's version, which decides what policies may hold: " +
                       view.version.why()});
    return;
  }
  const rabbitmq::PolicyContext context = ContextOf(view);
  for (const api::Policy& policy : cluster.spec.policies) {
    PlanOne(cluster, seen, policy, context, after, plan);
  }
  if (!seen.inventory) return;
  for (const auto& [vhost, name] : seen.inventory->policies) {
    if (Declares(cluster, vhost, name)) continue;
    if (rabbitmq::FindPolicy(*view.policies, vhost, name) == nullptr) continue;
    plan.steps.push_back({DeletePolicy{vhost, name}, "is no longer declared", after, false});
  }
}

std::vector<std::pair<std::string, std::string>> PoliciesForInventory(
    const api::RabbitCluster& cluster, const observe::Observation& seen) {
  std::set<std::pair<std::string, std::string>> policies;
  for (const api::Policy& policy : cluster.spec.policies) {
    policies.emplace(policy.vhost, policy.name);
  }
  if (seen.inventory) {
    const observe::BrokerLook& look = seen.broker;
    const bool known = look.view && look.trouble.empty() && look.view->policies;
    for (const auto& [vhost, name] : seen.inventory->policies) {
      // Forgotten only once the broker was seen without it.
      if (!known || rabbitmq::FindPolicy(*look.view->policies, vhost, name) != nullptr) {
        policies.emplace(vhost, name);
      }
    }
  }
  return {policies.begin(), policies.end()};
}

}  // namespace rabbit::plan
