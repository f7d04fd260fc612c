// operator/plan/policies.h: when a policy, or an operator policy, is written to the broker, and
// when not. Pure.
//
// A declared policy is written when it differs from the broker's, by value and by JSON type, and
// nothing speaks against it: the rules of its version (rabbitmq/policy_check.h; ha-* on 4.x is
// never written), and its vhost. One bad policy holds back no other. Removed is what C-inventory
// lists and the spec no longer declares; by spec.ownership.policies Exclusive also what nobody
// declared, but for the temporary ones of the operator itself (resources/names.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/plan/plan.h"
#include "rabbitmq/policy_check.h"
#include "rabbitmq/view.h"

namespace rabbit::plan {

// Both kinds. Comes after PlanVhosts. `after`: the step that writes C-inventory.
void PlanPolicies(const api::RabbitCluster& cluster, const observe::Observation& seen, int members,
                  std::optional<std::size_t> after, Plan& plan);

// What C-inventory is to list of a kind, as (vhost, name), sorted: the declared policies, and of
// those listed before the ones that the broker has, or may have.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> PoliciesForInventory(
    const api::RabbitCluster& cluster, const observe::Observation& seen,
    rabbitmq::PolicyKind kind = rabbitmq::PolicyKind::kUser);

// The declared ones of a kind, and those at the broker.
[[nodiscard]] const std::vector<api::Policy>& DeclaredPolicies(const api::RabbitCluster& cluster,
                                                               rabbitmq::PolicyKind kind);
[[nodiscard]] const rabbitmq::Part<std::vector<rabbitmq::Policy>>& PoliciesAtBroker(
    const rabbitmq::BrokerView& view, rabbitmq::PolicyKind kind);

// "policy half in vhost /", "operator policy …": how messages about a policy begin, followed by
// ": ".
[[nodiscard]] std::string PolicySubject(std::string_view vhost, std::string_view name,
                                        rabbitmq::PolicyKind kind = rabbitmq::PolicyKind::kUser);

// How what ails an operator policy, and no policy of its name, begins in status.policies.
inline constexpr std::string_view kOperatorPolicyAilment = "operator policy: ";

// The declared policy as the broker would show it.
[[nodiscard]] rabbitmq::Policy ToBroker(const api::Policy& policy);

// "ha-params is 1, declared is 2; pattern is …": what `actual` has other than `declared`, with old
// and new values. Empty: equal.
[[nodiscard]] std::string PolicyDifference(const rabbitmq::Policy& declared,
                                           const rabbitmq::Policy& actual);

}  // namespace rabbit::plan
