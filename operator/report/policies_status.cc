// status.policies: how many of the declared policies and operator policies are in effect, and what
// ails the others.
#include <algorithm>

#include "operator/plan/policies.h"
#include "operator/report/status.h"

namespace rabbit::report {
namespace {

using rabbitmq::PolicyKind;

// What the planner said against the policy; empty: nothing.
std::string RefusalOf(const Facts& facts, const api::Policy& policy, PolicyKind kind) {
  const std::string subject = plan::PolicySubject(policy.vhost, policy.name, kind) + ": ";
  for (const plan::Problem& problem : facts.plan.problems) {
    if (problem.message.starts_with(subject)) return problem.message.substr(subject.size());
  }
  return {};
}

// Why the step that writes the policy failed; empty: it did not.
std::string FailureOf(const Facts& facts, const api::Policy& policy, PolicyKind kind) {
  for (std::size_t i = 0; i < facts.plan.steps.size(); ++i) {
    const auto* put = std::get_if<plan::PutPolicy>(&facts.plan.steps[i].action);
    if (put == nullptr || put->kind != kind || put->vhost != policy.vhost ||
        put->name != policy.name) {
      continue;
    }
    const StepResult result = ResultOf(facts, i);
    return result.error ? result.error->message : std::string();
  }
  return {};
}

// What ails the policy at the broker; empty: it is as declared.
std::string AilmentOf(const Facts& facts, const api::Policy& policy, PolicyKind kind) {
  if (std::string refusal = RefusalOf(facts, policy, kind); !refusal.empty()) return refusal;
  const rabbitmq::Policy* actual =
      rabbitmq::FindPolicy(*plan::PoliciesAtBroker(*facts.broker, kind), policy.vhost, policy.name);
  const rabbitmq::Policy wanted = plan::ToBroker(policy);
  if (actual != nullptr && *actual == wanted) return {};
  if (std::string failure = FailureOf(facts, policy, kind); !failure.empty()) return failure;
  if (actual == nullptr) return "not yet at the broker";
  return plan::PolicyDifference(wanted, *actual);
}

// The list under construction: at most kMostListed entries, one for each vhost and name, which a
// policy and an operator policy may share.
class Unhealthy {
 public:
  explicit Unhealthy(api::PoliciesStatus& status) : status_(status) {}

  void Add(api::UnhealthyPolicy policy) {
    auto& list = status_.unhealthy;
    const auto same = std::ranges::find_if(list, [&](const api::UnhealthyPolicy& other) {
      return other.vhost == policy.vhost && other.name == policy.name;
    });
    if (same != list.end()) {
      same->message += "; " + policy.message;
    } else if (list.size() < api::PoliciesStatus::kMostListed) {
      list.push_back(std::move(policy));
    } else {
      ++status_.unhealthy_not_listed;
    }
  }

 private:
  api::PoliciesStatus& status_;
};

}  // namespace

std::optional<api::PoliciesStatus> MakePolicies(const Facts& facts) {
  if (facts.broker == nullptr || !facts.broker->policies) return std::nullopt;
  const api::Spec& spec = facts.cluster.spec;
  api::PoliciesStatus status;
  Unhealthy unhealthy(status);
  status.total = std::ssize(spec.policies) + std::ssize(spec.operator_policies);
  // First those that are not as declared: the others come and go as mirrors are filled.
  std::vector<const api::Policy*> in_effect;  // no operator policies: they mirror nothing
  for (const PolicyKind kind : {PolicyKind::kUser, PolicyKind::kOperator}) {
    if (kind == PolicyKind::kOperator && !facts.broker->operator_policies)
      continue;  // not known yet
    for (const api::Policy& policy : plan::DeclaredPolicies(facts.cluster, kind)) {
      std::string ailment = AilmentOf(facts, policy, kind);
      if (ailment.empty()) {
        ++status.synced;
        if (kind == PolicyKind::kUser) in_effect.push_back(&policy);
        continue;
      }
      if (kind == PolicyKind::kOperator) ailment.insert(0, plan::kOperatorPolicyAilment);
      unhealthy.Add({.vhost = policy.vhost,
                     .name = policy.name,
                     .message = std::move(ailment),
                     .queues = {},
                     .in_sync = {}});
    }
  }
  if (!facts.broker->queues) return status;
  for (const api::Policy* policy : in_effect) {
    const auto counts = facts.broker->queues->by_policy.find({policy->vhost, policy->name});
    if (counts == facts.broker->queues->by_policy.end() ||
        counts->second.mirrors_in_sync >= counts->second.mirrored) {
      continue;
    }
    unhealthy.Add({.vhost = policy->vhost,
                   .name = policy->name,
                   .message = "mirrors are not all in sync",
                   .queues = counts->second.mirrored,
                   .in_sync = counts->second.mirrors_in_sync});
  }
  return status;
}

}  // namespace rabbit::report
