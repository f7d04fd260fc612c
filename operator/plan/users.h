// operator/plan/users.h: users of the broker: the declared ones with password, tags, permissions,
// topic permissions and limits, and the clients' default user (Secret C-default-user). Pure.
//
// - A password is compared by hashing it with the salt that the broker stored: one that still
//   matches is never written again. Tags are never written without a password or its hash, which
//   would wipe the password.
// - The operator's own user is never touched, whatever is declared.
// - A Secret that is missing or bad is a problem of that user alone; an existing user keeps its
//   password, and its tags and permissions are still kept right.
// - Removed is what C-inventory lists and the spec no longer declares, users and permissions; by
//   spec.ownership.users Exclusive also whom nobody declared, and what nobody declared that
//   declared users may do.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/plan/plan.h"

namespace rabbit::plan {

// Comes after PlanVhosts: permissions wait for the vhosts that it creates. `after`: the step that
// writes C-inventory, so that no user is made that would be forgotten when it is removed here.
void PlanUsers(const api::RabbitCluster& cluster, const observe::Observation& seen, int members,
               std::optional<std::size_t> after, Plan& plan);

// What C-inventory is to list: the declared users, and of those listed before the ones that the
// broker has, or may have. Sorted.
[[nodiscard]] std::vector<std::string> UsersForInventory(const api::RabbitCluster& cluster,
                                                         const observe::Observation& seen);
// Likewise of permissions, as (user, vhost).
[[nodiscard]] std::vector<std::pair<std::string, std::string>> PermissionsForInventory(
    const api::RabbitCluster& cluster, const observe::Observation& seen);

}  // namespace rabbit::plan
