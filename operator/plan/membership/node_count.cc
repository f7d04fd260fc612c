#include "operator/plan/membership/node_count.h"

#include "operator/plan/broker_gate.h"
#include "operator/plan/membership/members.h"
#include "operator/plan/nodes.h"
#include "operator/plan/words.h"

namespace rabbit::plan {
namespace {

// Why pods with ordinal `from` and above may not go; empty: nobody there was ever let in.
std::string WhyNotBelow(int from, const api::RabbitCluster& cluster,
                        const observe::Observation& seen) {
  if (!seen.inventory || !seen.inventory->formed) return "the cluster has not formed yet";
  const std::vector<rabbitmq::Node>* members = KnownMembers(seen);
  if (members == nullptr) return "the broker does not say who its members are";
  const std::vector<std::string> beyond = MembersFrom(cluster, *members, from);
  if (!beyond.empty()) {
    return Listed(beyond) + (beyond.size() == 1 ? " is a member" : " are members") +
           " of the cluster";
  }
  // Let in a moment ago: it may be joining.
  if (const auto admitted = seen.inventory->volumes.lower_bound(from);
      admitted != seen.inventory->volumes.end()) {
    return "node " + std::to_string(admitted->first) + " was let in";
  }
  return {};
}

// About a count that is not lowered. Of a cluster that may never form with `before` nodes, to set
// it back would be no way out.
std::string WhatToDo(int before, const api::RabbitCluster& cluster,
                     const observe::Observation& seen) {
  const std::string set_back = "et spec.replicas back to " + std::to_string(before);
  if (seen.inventory &&
      IsFirstStart(cluster, seen, seen.inventory->formed, seen.inventory->volumes)) {
    return ". S" + set_back + ", or, when they cannot form one, " + BeginAnew(cluster, seen);
  }
  return ", and this version of the operator removes no members; s" + set_back;
}

int CountBefore(int declared, const observe::Observation& seen) {
  if (seen.inventory) return seen.inventory->replicas.value_or(declared);
  return seen.stateful_set ? seen.stateful_set->replicas : declared;
}

void SayGrowthWaits(int before, int declared, const observe::Observation& seen,
                    const std::string& why, Plan& plan) {
  const std::string what = "cannot go from " + std::to_string(before) + " nodes to " +
                           std::to_string(declared) + " yet: " + why;
  if (seen.nodes.empty()) {
    plan.waits.push_back({Aspect::kNodes, "GrowthHeld", what});
    return;
  }
  plan.problems.push_back({.aspect = Aspect::kNodes,
                           .reason = "GrowthHeld",
                           .message = what +
                                      ", and this version of the operator does no rolling "
                                      "restart; set spec.image back until the nodes are added",
                           .needs_person = true});
}

}  // namespace

NodeCount DecideNodeCount(const api::RabbitCluster& cluster, const observe::Observation& seen,
                          const std::string& broker_image, Plan& plan) {
  const int declared = DeclaredReplicas(cluster, seen);
  NodeCount count{.members = declared, .pods = declared};

  const int before = CountBefore(declared, seen);
  if (declared < before) {
    if (const std::string why = WhyNotBelow(declared, cluster, seen); !why.empty()) {
      count.members = before;
      plan.problems.push_back({.aspect = Aspect::kNodes,
                               .reason = "ScaleDownRefused",
                               .message = "cannot go from " + std::to_string(before) +
                                          " nodes to " + std::to_string(declared) + ": " + why +
                                          WhatToDo(before, cluster, seen),
                               .needs_person = true});
    }
  }

  if (declared > before) {
    if (const auto why = WhyConfigStays(seen, broker_image)) {
      count.members = before;
      SayGrowthWaits(before, declared, seen, *why, plan);
    }
  }

  count.pods = count.members;
  if (seen.stateful_set && seen.stateful_set->replicas > count.members) {
    // Scaled by hand: put back, unless one of the extra pods became a member.
    if (const std::string why = WhyNotBelow(count.members, cluster, seen); !why.empty()) {
      count.pods = seen.stateful_set->replicas;
      plan.waits.push_back({Aspect::kNodes, "ExtraNodes",
                            "the StatefulSet has " + std::to_string(count.pods) + " pods, " +
                                std::to_string(count.members) + " are declared: " + why});
    }
  }
  return count;
}

}  // namespace rabbit::plan
