// operator/plan/load_balancer.h: the proxies: when they may be started, and what is not yet right
// with them. Their objects are children like the others; a changed configuration rolls them through
// its hash in the pod template. Pure.
#pragma once

#include <optional>
#include <string>

#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/plan/plan.h"

namespace rabbit::plan {

// Why the proxies are not to be created yet. A proxy that asks for the address of a broker before
// there is one is told "no such name", and the cluster's DNS goes on saying so for up to 30 s.
[[nodiscard]] std::optional<Wait> WhyProxiesWait(const api::RabbitCluster& cluster,
                                                 const observe::Observation& seen, int members);

// Adds waits and problems of Aspect::kLoadBalancer. `config_hash`: of the configuration as desired.
void PlanLoadBalancer(const api::RabbitCluster& cluster, const observe::Observation& seen,
                      const std::string& config_hash, Plan& plan);

}  // namespace rabbit::plan
