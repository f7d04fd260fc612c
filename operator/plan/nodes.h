// operator/plan/nodes.h: what the broker pods are waited for, and which of them run something older
// than what is declared. No steps: Kubernetes starts pods, and nothing restarts them here. Pure.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/plan/membership/guard.h"
#include "operator/plan/plan.h"

namespace rabbit::plan {

// A pod that is missing for so long is not about to be made: the API server refuses it.
inline constexpr std::chrono::seconds kLongMissing{30};

// Whether no node has been in service since the cluster was applied. `formed` and `volumes` are
// those of C-inventory. One that was applied again over disks that are there counts as formed, and
// its nodes are recorded as they serve: false when its disks would go with it.
[[nodiscard]] bool IsFirstStart(const api::RabbitCluster& cluster, const observe::Observation& seen,
                                bool formed, const std::map<int, std::string>& volumes);
// What a person does about one that goes nowhere, and what becomes of the volumes.
[[nodiscard]] std::string BeginAnew(const api::RabbitCluster& cluster,
                                    const observe::Observation& seen);

// Which of the `members` declared nodes are not ready, and why as far as pods tell; nothing when
// all are. Report asks it too, for when nothing was planned.
[[nodiscard]] std::optional<Wait> NodesNotReady(const api::RabbitCluster& cluster,
                                                const observe::Observation& seen, int members);

// Says so, and where Kubernetes tells why it makes no pod when one has been missing for long.
void PlanNodesReady(const api::RabbitCluster& cluster, const observe::Observation& seen,
                    int members, base::TimePoint now, Plan& plan);

// Why what brokers boot from may not be made for `broker_image` yet: a pod that starts now, evicted
// or new, gets the image of before (the StatefulSet's partition holds the template back), and that
// may not understand it. Nothing when every pod there is runs the like, or there are to be none.
[[nodiscard]] std::optional<std::string> WhyConfigStays(const observe::Observation& seen,
                                                        const std::string& broker_image);

// Says which nodes wait for a restart: a problem when the spec was changed, a warning when only a
// new operator makes something else of the same spec. Before the cluster has formed, a node that
// does not start is repaired by making it anew, not by what was declared before; and so are pods
// that the API server refuses, which are made from the earlier template for ever. `declared` is
// asked what nodes are to be made of, when that is worth telling.
void PlanRestartPending(const api::RabbitCluster& cluster, const observe::Observation& seen,
                        const std::string& broker_image, const GuardDecision& guard, Plan& plan,
                        const std::function<observe::MadeOf()>& declared = {});

}  // namespace rabbit::plan
