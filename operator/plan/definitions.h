// operator/plan/definitions.h: when spec.definitions are imported. Pure.
//
// - What the spec or the operator itself names is not part of them (observe/definitions.h), so the
//   two never write the same thing.
// - Once: one time, until spec.definitions is taken out; C-inventory records it after it was done,
//   so an operator that is killed in between imports them again. Another content is told, and left.
// - Keep: again when their content changes, and what of them is missing or different at the broker.
//   What the broker does not take as it is, is told and not written again and again.
// - What they declare is never removed as undeclared; while they cannot be read, nothing is.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/plan/plan.h"
#include "rabbitmq/definitions.h"

namespace rabbit::plan {

// Comes after PlanVhosts: what they declare may be in vhosts of the spec.
void PlanDefinitions(const api::RabbitCluster& cluster, const observe::Observation& seen,
                     int members, base::TimePoint now, Plan& plan);

// What C-inventory is to say of the last import; empty: none.
[[nodiscard]] std::string DefinitionsForInventory(const api::RabbitCluster& cluster,
                                                  const observe::Observation& seen);

// Whether the definitions declare it, or may: then it is not removed because the spec does not.
[[nodiscard]] bool MayBeDefined(const api::RabbitCluster& cluster, const observe::Observation& seen,
                                const rabbitmq::DefinitionKey& key);

}  // namespace rabbit::plan
