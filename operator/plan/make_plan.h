// operator/plan/make_plan.h: from what is declared and what is seen to what is to be done. Pure.
// The planners, one file a concern: declared (count, images), children, secrets, membership,
// cluster_name, users, policies, load_balancer. Order in the plan: children first, the inventory
// before any broker step, broker steps last.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "operator/api/parse.h"
#include "operator/observe/observation.h"
#include "operator/plan/plan.h"
#include "operator/resources/children.h"
#include "operator/api/settings.h"

namespace rabbit::plan {

// Memory of one cluster that saves work and decides nothing: a plan made with an empty memo is the
// same plan. Kept by the reconciler between reconciles of a key, never shared.
struct ChildrenMemo {
  std::string inputs_digest;  // of the ChildInputs that `hashes` were made from
  std::vector<std::pair<observe::ChildId, std::string>> hashes;  // id, desired hash, creation order
};

// A spec with structural findings gives a plan without steps: what runs keeps running.
[[nodiscard]] Plan MakePlan(const api::Parsed& declared, const observe::Observation& seen,
                            const Settings& settings, ChildrenMemo& memo, base::TimePoint now);

}  // namespace rabbit::plan
