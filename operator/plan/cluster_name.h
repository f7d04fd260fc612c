// operator/plan/cluster_name.h: the name that the broker's cluster has, which clients, shovels and
// federation see, is the declared one. Pure.
#pragma once

#include <optional>

#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/plan/plan.h"

namespace rabbit::plan {

// Appends the step that sets the name when it differs. `after`: the step that must succeed first.
void PlanClusterName(const api::RabbitCluster& cluster, const observe::Observation& seen,
                     int members, std::optional<std::size_t> after, Plan& plan);

}  // namespace rabbit::plan
