// operator/plan/limits.h: limits of vhosts and users. Pure.
//
// Where any limit of a vhost or user is declared, its limits are as declared: one that differs is
// put back, and one that is not declared is removed. Where none is declared any more, and
// C-inventory says that one was, all are removed. Where none ever was, they are left alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/plan/plan.h"

namespace rabbit::plan {

[[nodiscard]] bool DeclaresLimits(const api::Vhost& vhost);
[[nodiscard]] bool DeclaresLimits(const api::User& user);

// `made`: the step that makes the vhost, if it is not there yet. `after`: the step that must
// succeed first, of a vhost that is there.
void PlanVhostLimits(const api::RabbitCluster& cluster, const observe::Observation& seen,
                     const api::Vhost& vhost, std::optional<std::size_t> made,
                     std::optional<std::size_t> after, Plan& plan);
// Likewise. Of a broker that has no limits of users, see SayUserLimitsUnsupported.
void PlanUserLimits(const api::RabbitCluster& cluster, const observe::Observation& seen,
                    const api::User& user, std::optional<std::size_t> made,
                    std::optional<std::size_t> after, Plan& plan);

// What C-inventory is to list: the vhosts and users for whom limits are declared, and of those
// listed before the ones that have some, or may have; but not a vhost that left the spec to stay.
// Sorted.
[[nodiscard]] std::vector<std::string> VhostLimitsForInventory(const api::RabbitCluster& cluster,
                                                               const observe::Observation& seen);
[[nodiscard]] std::vector<std::string> UserLimitsForInventory(const api::RabbitCluster& cluster,
                                                              const observe::Observation& seen);

// Says once which users' limits the broker cannot hold, if so.
void SayUserLimitsUnsupported(const api::RabbitCluster& cluster, const observe::Observation& seen,
                              Plan& plan);

}  // namespace rabbit::plan
