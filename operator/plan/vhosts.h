// operator/plan/vhosts.h: declared vhosts, and "/" without being named, exist, with what is
// declared of description, tags, default queue type and limits. Pure.
//
// - What is not declared of a vhost is left as it is; limits as operator/plan/limits.h says.
// - What the broker's version cannot hold, or not change, is said once for all vhosts, and not
//   written for ever in vain.
// - A vhost that C-inventory lists and the spec no longer declares follows its onRemove as recorded
//   there. One with queues is deleted only by onRemove Delete. "/" is never deleted, nor is a vhost
//   that was never declared.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/plan/plan.h"

namespace rabbit::plan {

// `after`: the step that writes C-inventory. Comes before PlanUsers and PlanPolicies, which wait
// for the steps made here.
void PlanVhosts(const api::RabbitCluster& cluster, const observe::Observation& seen, int members,
                std::optional<std::size_t> after, Plan& plan);

// The queue type that a broker calls so, "quorum" or by its module "rabbit_quorum_queue"; nothing
// for another word, and for none.
[[nodiscard]] std::optional<api::QueueType> QueueTypeOfBroker(std::string_view word);

// What C-inventory is to list: the declared vhosts but "/", and of those listed before the ones
// that the broker has, or may have, and that are not simply to stay.
[[nodiscard]] std::map<std::string, api::OnRemove> VhostsForInventory(
    const api::RabbitCluster& cluster, const observe::Observation& seen);

}  // namespace rabbit::plan
