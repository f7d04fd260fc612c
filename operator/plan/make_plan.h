// operator/plan/make_plan.h: from what is declared and what is seen to what is to be done. Pure.
// The planners, one file a concern: declared (images, storage), membership/ (count, guard),
// children, secrets, nodes, plugins, cluster_name, vhosts, definitions, users (with
// topic_permissions and limits), policies, feature_flags, load_balancer. Order in the plan: what
// pods mount, the other children, nodes let in, the inventory before any broker step, broker steps
// last.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "operator/api/settings.h"
#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/plan/plan.h"
#include "operator/resources/children.h"

namespace rabbit::plan {

// Memory of one cluster that saves work and decides nothing: a plan made with an empty memo is the
// same plan. Kept by the reconciler between reconciles of a key, never shared.
struct PlanMemo {
  std::string inputs_digest;  // of the ChildInputs that `hashes` were made from
  // Id and desired hash, in creation order; an empty hash: could not be built.
  std::vector<std::pair<observe::ChildId, std::string>> hashes;
  std::string proxy_config_hash;
  std::string fields_digest;  // of the spec that `fields_without_effect` were listed from
  std::vector<std::string> fields_without_effect;
};

// Names the spec that something was made from: the server raises the generation with every change
// of it. Empty where there is none (a file): nothing is remembered then.
[[nodiscard]] std::string SpecVersionOf(const kube::ObjectMeta& meta);

// A spec with structural findings, one that is paused and a cluster that is being deleted give a
// plan without steps: what runs keeps running.
[[nodiscard]] Plan MakePlan(const api::RabbitCluster& cluster, const observe::Observation& seen,
                            const Settings& settings, PlanMemo& memo, base::TimePoint now);

}  // namespace rabbit::plan
