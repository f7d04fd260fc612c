#include "operator/plan/cluster_name.h"

#include "operator/plan/broker_gate.h"
#include "operator/plan/words.h"

namespace rabbit::plan {

void PlanClusterName(const api::RabbitCluster& cluster, const observe::Observation& seen,
                     int members, std::optional<std::size_t> after, Plan& plan) {
  if (!BrokerMayBeWritten(cluster, seen, members, plan)) return;
  const auto& actual = seen.broker.view->cluster_name;
  if (!actual) {
    AddWait(plan, {Aspect::kTopology, "ClusterNameUnknown",
                   "waiting for the name of the cluster: " + actual.why()});
    return;
  }
  const std::string& declared = cluster.spec.cluster_name;
  if (*actual == declared) return;
  // The status holds what the broker said before: when that was right, somebody changed it since.
  const bool was_right = cluster.status.cluster_name == declared;
  plan.steps.push_back(
      {.action = PutClusterName{declared},
       .reason = (was_right ? "was changed at the broker to " : "the broker has ") +
                 Quoted(*actual) + ", declared is " + Quoted(declared),
       .after = after,
       .repairs_drift = was_right});
}

}  // namespace rabbit::plan
