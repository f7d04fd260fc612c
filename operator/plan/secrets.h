// operator/plan/secrets.h: the operator's own Secrets exist. They are made once and never changed:
// what is in them is at work in the brokers. Pure.
#pragma once

#include <optional>
#include <string>

#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/plan/plan.h"

namespace rabbit::plan {

// The cookie and the operator's user, which a broker pod mounts. Says which of them somebody else
// owns: no pod may be started with that.
[[nodiscard]] std::optional<std::string> PlanBootSecrets(const api::RabbitCluster& cluster,
                                                         const observe::Observation& seen,
                                                         Plan& plan);

// The clients' default user, and declared users without a Secret of their own.
void PlanUserSecrets(const api::RabbitCluster& cluster, const observe::Observation& seen,
                     Plan& plan);

}  // namespace rabbit::plan
