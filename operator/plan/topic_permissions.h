// operator/plan/topic_permissions.h: topic permissions of declared users. Pure.
// One that is not declared is removed for its exchange alone: without any a user may publish what
// he likes, so those that are declared are never taken away on the way.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/plan/plan.h"

namespace rabbit::plan {

// Of one declared user that is at the broker, or that step `made` makes. `after`: the step that
// must succeed first otherwise.
void PlanTopicPermissions(const api::RabbitCluster& cluster, const observe::Observation& seen,
                          const api::User& user, std::optional<std::size_t> made,
                          std::optional<std::size_t> after, Plan& plan);

// Whom C-inventory is to list: users that declare some, and of those listed before the declared
// ones who have some, or may have: the list is read at the broker for these only. Sorted.
[[nodiscard]] std::vector<std::string> TopicPermissionsForInventory(
    const api::RabbitCluster& cluster, const observe::Observation& seen);

}  // namespace rabbit::plan
