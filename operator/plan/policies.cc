#include "operator/plan/policies.h"

#include <algorithm>
#include <set>

#include "operator/api/enums.h"
#include "operator/plan/broker_gate.h"
#include "operator/plan/definitions.h"
#include "operator/resources/names.h"

namespace rabbit::plan {
namespace {

using rabbitmq::PolicyKind;
using Key = std::pair<std::string, std::string>;  // vhost, name

constexpr PolicyKind kKinds[] = {PolicyKind::kUser, PolicyKind::kOperator};

std::string_view FieldOf(PolicyKind kind) {
  return kind == PolicyKind::kOperator ? "operatorPolicies" : "policies";
}

const std::vector<Key>& Recorded(const observe::Inventory& inventory, PolicyKind kind) {
  return kind == PolicyKind::kOperator ? inventory.operator_policies : inventory.policies;
}

rabbitmq::DefinitionKey KeyOf(const std::string& vhost, const std::string& name, PolicyKind kind) {
  return kind == PolicyKind::kOperator
             ? rabbitmq::ParameterDefinition("operator_policy", vhost, name)
             : rabbitmq::PolicyDefinition(vhost, name);
}

rabbitmq::PolicyContext ContextOf(const rabbitmq::BrokerView& view) {
  rabbitmq::PolicyContext context{.version = rabbitmq::ParseVersion(*view.version), .nodes = {}};
  if (view.nodes) {
    for (const rabbitmq::Node& node : *view.nodes) context.nodes.push_back(node.name);
  }
  return context;
}

// The planning of the policies of one kind.
class PolicyPlanner {
 public:
  PolicyPlanner(const api::RabbitCluster& cluster, const observe::Observation& seen,
                PolicyKind kind, std::optional<std::size_t> after, Plan& plan)
      : cluster_(cluster),
        seen_(seen),
        kind_(kind),
        actual_(*PoliciesAtBroker(*seen.broker.view, kind)),
        after_(after),
        plan_(plan) {}

  void Run() {
    const rabbitmq::PolicyContext context = ContextOf(*seen_.broker.view);
    for (const api::Policy& policy : DeclaredPolicies(cluster_, kind_)) PlanOne(policy, context);
    PlanRemovals();
    if (cluster_.spec.ownership.policies == api::Ownership::kExclusive) PlanRemovalsOfUndeclared();
  }

 private:
  [[nodiscard]] std::string Subject(const rabbitmq::Policy& policy) const {
    return PolicySubject(policy.vhost, policy.name, kind_) + ": ";
  }

  // Whether this policy was once seen at the broker as this generation declares it.
  [[nodiscard]] bool WasInEffect(const api::Policy& policy) const {
    if (TopologyWasInEffect(cluster_, plan_)) return true;
    // Operator policies are not known at each report, and one that is not is not listed.
    if (kind_ == PolicyKind::kOperator) return false;
    // Another policy or user may be what holds the whole back: the status names those that are not
    // as declared.
    const auto& status = cluster_.status;
    if (status.observed_generation != cluster_.meta.generation || !status.policies ||
        status.policies->unhealthy_not_listed > 0) {
      return false;
    }
    // (One whose mirrors are not in sync, which comes with counts, is at the broker as declared.)
    return std::ranges::none_of(status.policies->unhealthy, [&](const api::UnhealthyPolicy& other) {
      return other.vhost == policy.vhost && other.name == policy.name && !other.queues &&
             !other.message.starts_with(kOperatorPolicyAilment);
    });
  }

  // Says what speaks against the policy; true when nothing does.
  bool MayBeWritten(const rabbitmq::Policy& policy, const rabbitmq::PolicyContext& context) {
    const auto issues = rabbitmq::CheckPolicy(policy, kind_, context);
    if (const rabbitmq::PolicyIssue* refusal = rabbitmq::FirstRefusal(issues)) {
      AddProblem(plan_, {.aspect = Aspect::kTopology,
                         .reason = std::string(rabbitmq::Name(refusal->kind)),
                         .message = Subject(policy) + refusal->message,
                         .needs_person = true});
      return false;
    }
    for (const rabbitmq::PolicyIssue& issue : issues) {
      plan_.warnings.push_back({"PolicyWarning", Subject(policy) + issue.message});
    }
    return true;
  }

  void PlanOne(const api::Policy& declared, const rabbitmq::PolicyContext& context) {
    const rabbitmq::Policy wanted = ToBroker(declared);
    if (!MayBeWritten(wanted, context)) return;
    if (!VhostExists(seen_, plan_, declared.vhost)) {
      SayVhostMissing(PolicySubject(wanted.vhost, wanted.name, kind_), wanted.vhost, plan_);
      return;
    }
    const rabbitmq::Policy* actual = rabbitmq::FindPolicy(actual_, declared.vhost, declared.name);
    const bool was_in_effect = WasInEffect(declared);
    std::string reason;
    if (actual == nullptr) {
      reason = was_in_effect ? "was removed at the broker" : "does not exist";
    } else {
      reason = PolicyDifference(wanted, *actual);
      if (reason.empty()) return WarnOfShadow(wanted);
      if (was_in_effect) reason.insert(0, "was changed at the broker: ");
    }
    const auto vhost_step = StepThatCreates(seen_, plan_, declared.vhost);
    plan_.steps.push_back({.action = PutPolicy{.vhost = wanted.vhost,
                                               .name = wanted.name,
                                               .pattern = wanted.pattern,
                                               .apply_to = wanted.apply_to,
                                               .priority = declared.priority,
                                               .definition = wanted.definition,
                                               .kind = kind_},
                           .reason = std::move(reason),
                           .after = vhost_step ? vhost_step : after_,
                           .repairs_drift = was_in_effect});
  }

  // It is there as declared, and does nothing.
  void WarnOfShadow(const rabbitmq::Policy& policy) {
    const auto& queues = seen_.broker.view->queues;
    if (kind_ == PolicyKind::kOperator || !queues) return;
    for (const rabbitmq::ShadowedPolicy& shadowed : queues->shadowed) {
      if (shadowed.vhost != policy.vhost || shadowed.name != policy.name) continue;
      plan_.warnings.push_back(
          {"PolicyWarning",
           Subject(policy) + "governs no queue: on each that its pattern matches, policy " +
               shadowed.by + " of the same or a higher priority stands before it; " +
               "raise its priority, or make the other's pattern narrower"});
    }
  }

  // What is in a vhost that is deleted goes with it.
  [[nodiscard]] bool MayBeRemoved(const std::string& vhost, const std::string& name) const {
    const bool declared =
        cluster_.findings.Broken(FieldOf(kind_), vhost, name) ||  // declared, if badly
        std::ranges::any_of(DeclaredPolicies(cluster_, kind_), [&](const api::Policy& policy) {
          return policy.vhost == vhost && policy.name == name;
        });
    return !declared && !VhostGoes(plan_, vhost) &&
           !MayBeDefined(cluster_, seen_, KeyOf(vhost, name, kind_));
  }

  void PlanRemovals() {
    if (!seen_.inventory) return;
    for (const auto& [vhost, name] : Recorded(*seen_.inventory, kind_)) {
      if (!MayBeRemoved(vhost, name)) continue;
      if (rabbitmq::FindPolicy(actual_, vhost, name) == nullptr) continue;
      plan_.steps.push_back(
          {DeletePolicy{vhost, name, kind_}, "is no longer declared", after_, false});
    }
  }

  void PlanRemovalsOfUndeclared() {
    const bool was_in_effect = TopologyWasInEffect(cluster_, plan_);
    for (const rabbitmq::Policy& policy : actual_) {
      if (policy.name.starts_with(resources::kTemporaryPolicyPrefix)) continue;
      if (WasDeclared(policy) || !MayBeRemoved(policy.vhost, policy.name)) continue;
      plan_.steps.push_back({DeletePolicy{policy.vhost, policy.name, kind_},
                             "is not declared, and spec.ownership.policies is Exclusive", after_,
                             was_in_effect});
    }
  }

  [[nodiscard]] bool WasDeclared(const rabbitmq::Policy& policy) const {
    if (!seen_.inventory) return false;
    const auto& recorded = Recorded(*seen_.inventory, kind_);
    return std::ranges::find(recorded, Key{policy.vhost, policy.name}) != recorded.end();
  }

  const api::RabbitCluster& cluster_;
  const observe::Observation& seen_;
  const PolicyKind kind_;
  const std::vector<rabbitmq::Policy>& actual_;
  const std::optional<std::size_t> after_;
  Plan& plan_;
};

// Whether anything is to be done, or to be known, about policies of this kind: operator policies
// are looked at for these clusters only.
bool Concerns(const api::RabbitCluster& cluster, const observe::Observation& seen,
              PolicyKind kind) {
  return kind == PolicyKind::kUser || !DeclaredPolicies(cluster, kind).empty() ||
         cluster.spec.ownership.policies == api::Ownership::kExclusive ||
         (seen.inventory && !Recorded(*seen.inventory, kind).empty());
}

}  // namespace

const std::vector<api::Policy>& DeclaredPolicies(const api::RabbitCluster& cluster,
                                                 PolicyKind kind) {
  return kind == PolicyKind::kOperator ? cluster.spec.operator_policies : cluster.spec.policies;
}

const rabbitmq::Part<std::vector<rabbitmq::Policy>>& PoliciesAtBroker(
    const rabbitmq::BrokerView& view, PolicyKind kind) {
  return kind == PolicyKind::kOperator ? view.operator_policies : view.policies;
}

void PlanPolicies(const api::RabbitCluster& cluster, const observe::Observation& seen, int members,
                  std::optional<std::size_t> after, Plan& plan) {
  for (const PolicyKind kind : kKinds) SayBrokenEntries(cluster, FieldOf(kind), plan);
  if (!BrokerMayBeWritten(cluster, seen, members, plan)) return;
  const rabbitmq::BrokerView& view = *seen.broker.view;
  if (!view.vhosts) return;  // PlanVhosts says so
  for (const PolicyKind kind : kKinds) {
    if (!Concerns(cluster, seen, kind)) continue;
    if (const auto& actual = PoliciesAtBroker(view, kind); !actual) {
      AddWait(plan, {Aspect::kTopology, "PoliciesUnknown",
                     std::string("waiting for the list of ") +
                         (kind == PolicyKind::kOperator ? "operator policies: " : "policies: ") +
                         actual.why()});
    } else if (!view.version) {
      AddWait(plan, {Aspect::kTopology, "VersionUnknown",
                     "waiting for the broker's version, which decides what policies may hold: " +
                         view.version.why()});
    } else {
      PolicyPlanner(cluster, seen, kind, after, plan).Run();
    }
  }
}

std::vector<Key> PoliciesForInventory(const api::RabbitCluster& cluster,
                                      const observe::Observation& seen, PolicyKind kind) {
  std::set<Key> policies;
  for (const api::Policy& policy : DeclaredPolicies(cluster, kind)) {
    policies.emplace(policy.vhost, policy.name);
  }
  if (seen.inventory) {
    const observe::BrokerLook& look = seen.broker;
    const bool known = IsOfNow(look) && PoliciesAtBroker(*look.view, kind);
    for (const auto& [vhost, name] : Recorded(*seen.inventory, kind)) {
      if (IsHandedToDefinitions(cluster, seen, KeyOf(vhost, name, kind))) continue;
      // Forgotten only once the broker was seen without it.
      if (!known ||
          rabbitmq::FindPolicy(*PoliciesAtBroker(*look.view, kind), vhost, name) != nullptr) {
        policies.emplace(vhost, name);
      }
    }
  }
  return {policies.begin(), policies.end()};
}

}  // namespace rabbit::plan
