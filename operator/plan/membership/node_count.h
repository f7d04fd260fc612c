// operator/plan/membership/node_count.h: how many nodes there are to be. Growing is free while the
// nodes run what is declared; a node that may be a member of the cluster is never taken away here.
// Pure.
#pragma once

#include <string>

#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/plan/plan.h"

namespace rabbit::plan {

struct NodeCount {
  int members =
      0;         // that the cluster is to have: recorded, in the nodes' lists, behind the proxies
  int pods = 0;  // of the StatefulSet; more than `members` while extra ones may be members
};

// The declared count, or the one before it with the reason in `plan` why it does not shrink, or not
// grow: a new node needs its name in a configuration that its image understands.
[[nodiscard]] NodeCount DecideNodeCount(const api::RabbitCluster& cluster,
                                        const observe::Observation& seen,
                                        const std::string& broker_image, Plan& plan);

}  // namespace rabbit::plan
