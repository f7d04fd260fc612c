// operator/plan/definitions.h: when spec.definitions are imported, and what of them. Pure.
//
// - What the spec or the operator itself names is not part of them (observe/definitions.h), so the
//   two never write the same thing.
// - What the broker does not have as they say is imported, list by list: what it exports shows it.
//   So an import that was cut, or never answered, goes on where it ended.
// - C-inventory records their digest once nothing is missing but what the broker would not have.
//   Once: then they are done with, whatever becomes of them or of the broker. Keep: it goes on.
// - Policies that the broker would refuse are left out, and what it refuses or does not take holds
//   back nothing else: it is told and not written again and again.
// - What they declare is never removed as undeclared; while it is not known, nothing is.
#pragma once

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

// Whether it is the definitions that declare it now, and they are in effect: that the spec did once
// is then to be forgotten. Else it would go when it leaves them.
[[nodiscard]] bool IsHandedToDefinitions(const api::RabbitCluster& cluster,
                                         const observe::Observation& seen,
                                         const rabbitmq::DefinitionKey& key);

}  // namespace rabbit::plan
