#include "operator/plan/vhosts.h"

#include <string>
#include <vector>

#include "operator/plan/broker_gate.h"

namespace rabbit::plan {

void PlanVhosts(const api::RabbitCluster& cluster, const observe::Observation& seen, int members,
                std::optional<std::size_t> after, Plan& plan) {
  SayBrokenEntries(cluster, "vhosts", plan);
  if (!BrokerMayBeWritten(cluster, seen, members, plan)) return;
  if (!seen.broker.view->vhosts) {
    AddWait(plan, {Aspect::kTopology, "VhostsUnknown",
                   "waiting for the list of vhosts: " + seen.broker.view->vhosts.why()});
    return;
  }
  std::vector<std::string> declared = {"/"};
  for (const api::Vhost& vhost : cluster.spec.vhosts) declared.push_back(vhost.name);

  const bool was_there = TopologyWasInEffect(cluster);
  for (const std::string& name : declared) {
    if (VhostExists(seen, plan, name)) continue;
    plan.steps.push_back({.action = PutVhost{name},
                          .reason = was_there ? "was removed at the broker" : "does not exist",
                          .after = after,
                          .repairs_drift = was_there});
  }
}

}  // namespace rabbit::plan
