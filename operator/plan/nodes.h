// operator/plan/nodes.h: what the broker pods are waited for, and which of them run something older
// than what is declared. No steps: Kubernetes starts pods, and nothing restarts them here. Pure.
#pragma once

#include <optional>
#include <string>

#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/plan/plan.h"

namespace rabbit::plan {

// Which of the `members` declared nodes are not ready, and why as far as pods tell; nothing when
// all are. Report asks it too, for when nothing was planned.
[[nodiscard]] std::optional<Wait> NodesNotReady(const api::RabbitCluster& cluster,
                                                const observe::Observation& seen, int members);

// Says so.
void PlanNodesReady(const api::RabbitCluster& cluster, const observe::Observation& seen,
                    int members, Plan& plan);

// Why what brokers boot from may not be made for `broker_image` yet: a pod that starts now, evicted
// or new, gets the image of before (the StatefulSet's partition holds the template back), and that
// may not understand it. Nothing when every pod there is runs the like, or there are to be none.
[[nodiscard]] std::optional<std::string> WhyConfigStays(const observe::Observation& seen,
                                                        const std::string& broker_image);

// Says which nodes wait for a restart: a problem when the spec was changed, a warning when only a
// new operator makes something else of the same spec. `formed`: as DecideGuard has it; before, a
// node that does not start is repaired by making it anew, not by what was declared before.
void PlanRestartPending(const api::RabbitCluster& cluster, const observe::Observation& seen,
                        const std::string& broker_image, bool formed, Plan& plan);

}  // namespace rabbit::plan
