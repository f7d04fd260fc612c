// status.policies: how many of the declared policies are in effect, and what ails the others.
#include <algorithm>

#include "operator/plan/policies.h"
#include "operator/report/status.h"

namespace rabbit::report {
namespace {

// What the planner said against the policy; empty: nothing.
std::string RefusalOf(const Facts& facts, const api::Policy& policy) {
  const std::string subject = plan::PolicySubject(policy.vhost, policy.name) + ": ";
  for (const plan::Problem& problem : facts.plan.problems) {
    if (problem.message.starts_with(subject)) return problem.message.substr(subject.size());
  }
  return {};
}

// Why the step that writes the policy failed; empty: it did not.
std::string FailureOf(const Facts& facts, const api::Policy& policy) {
  for (std::size_t i = 0; i < facts.plan.steps.size(); ++i) {
    const auto* put = std::get_if<plan::PutPolicy>(&facts.plan.steps[i].action);
    if (put == nullptr || put->vhost != policy.vhost || put->name != policy.name) continue;
    const StepResult result = ResultOf(facts, i);
    return result.error ? result.error->message : std::string();
  }
  return {};
}

// What ails the policy at the broker; empty: it is as declared.
std::string AilmentOf(const Facts& facts, const api::Policy& policy) {
  if (std::string refusal = RefusalOf(facts, policy); !refusal.empty()) return refusal;
  const rabbitmq::Policy* actual =
      rabbitmq::FindPolicy(*facts.broker->policies, policy.vhost, policy.name);
  const rabbitmq::Policy wanted = plan::ToBroker(policy);
  if (actual != nullptr && *actual == wanted) return {};
  if (std::string failure = FailureOf(facts, policy); !failure.empty()) return failure;
  if (actual == nullptr) return "not yet at the broker";
  return plan::PolicyDifference(wanted, *actual);
}

}  // namespace

std::optional<api::PoliciesStatus> MakePolicies(const Facts& facts) {
  if (facts.broker == nullptr || !facts.broker->policies) return std::nullopt;
  api::PoliciesStatus status;
  const auto add = [&](api::UnhealthyPolicy policy) {
    if (status.unhealthy.size() < api::PoliciesStatus::kMostListed) {
      status.unhealthy.push_back(std::move(policy));
    } else {
      ++status.unhealthy_not_listed;
    }
  };
  status.total = static_cast<std::int64_t>(facts.cluster.spec.policies.size());
  // First those that are not as declared: the others come and go as mirrors are filled.
  std::vector<const api::Policy*> in_effect;
  for (const api::Policy& policy : facts.cluster.spec.policies) {
    if (std::string ailment = AilmentOf(facts, policy); !ailment.empty()) {
      add({.vhost = policy.vhost,
           .name = policy.name,
           .message = std::move(ailment),
           .queues = {},
           .in_sync = {}});
    } else {
      in_effect.push_back(&policy);
    }
  }
  status.synced = static_cast<std::int64_t>(in_effect.size());
  if (!facts.broker->queues) return status;
  for (const api::Policy* policy : in_effect) {
    const auto counts = facts.broker->queues->by_policy.find({policy->vhost, policy->name});
    if (counts == facts.broker->queues->by_policy.end() ||
        counts->second.mirrors_in_sync >= counts->second.mirrored) {
      continue;
    }
    add({.vhost = policy->vhost,
         .name = policy->name,
         .message = "mirrors are not all in sync",
         .queues = counts->second.mirrored,
         .in_sync = counts->second.mirrors_in_sync});
  }
  return status;
}

}  // namespace rabbit::report
