// operator/plan/vhosts.h: declared vhosts, and "/" without being named, exist. Pure.
// Nothing here removes a vhost: it would take its queues along.
#pragma once

#include <optional>

#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/plan/plan.h"

namespace rabbit::plan {

// Appends a step for each vhost that is missing. `after`: the step that must succeed first.
// Comes before PlanUsers and PlanPolicies, which wait for the steps made here.
void PlanVhosts(const api::RabbitCluster& cluster, const observe::Observation& seen, int members,
                std::optional<std::size_t> after, Plan& plan);

}  // namespace rabbit::plan
