// operator/plan/topic_permissions.h: topic permissions of declared users. Pure.
// Without any a user may publish what he likes. So a vhost is opened to a user only once those that
// are declared are there, and they are never taken away on the way: one that is not declared is
// removed for its exchange alone.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/plan/plan.h"

namespace rabbit::plan {

// What must be before a user is given permissions in a vhost where he has none yet.
struct TopicBounds {
  std::map<std::string, std::size_t> last_step;  // by vhost: the step to succeed first
  std::set<std::string> unknown;  // vhosts in which it is not known whether the declared are there
};

// Of one declared user that is at the broker, or that step `made` makes. `after`: the step that
// must succeed first otherwise. Comes before the user's permissions.
TopicBounds PlanTopicPermissions(const api::RabbitCluster& cluster,
                                 const observe::Observation& seen, const api::User& user,
                                 std::optional<std::size_t> made, std::optional<std::size_t> after,
                                 Plan& plan);

// Whom C-inventory is to list: users that declare some, and of those listed before the ones
// who have some, or may have: the list is read at the broker for these only. Sorted.
[[nodiscard]] std::vector<std::string> TopicPermissionsForInventory(
    const api::RabbitCluster& cluster, const observe::Observation& seen);

}  // namespace rabbit::plan
