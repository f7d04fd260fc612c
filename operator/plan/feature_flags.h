// operator/plan/feature_flags.h: the stable feature flags of the broker's version, enabled once all
// nodes run it (spec.rollout.featureFlags). An upgrade to a later version than the next may need
// them. Experimental ones are left alone. Pure.
#pragma once

#include <string>

#include "base/clock.h"
#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/plan/plan.h"

namespace rabbit::plan {

void PlanFeatureFlags(const api::RabbitCluster& cluster, const observe::Observation& seen,
                      int members, base::TimePoint now, Plan& plan);

// For what C-inventory is to say that nothing is left to enable: the broker's version and the
// declared plugins, each of which may bring flags of its own (resources::FlagsRecord). Until it is
// these, the flags are asked for with each look.
[[nodiscard]] std::string FlagsVersionForInventory(const api::RabbitCluster& cluster,
                                                   const observe::Observation& seen, int members);

}  // namespace rabbit::plan
