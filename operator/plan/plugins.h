// operator/plan/plugins.h: the plugins that each running node has enabled: management, prometheus
// and spec.plugins, and no others. Put into effect by a command in the node's pod, without a
// restart; C-config has the same list for the next boot. Pure.
//
// - A plugin that the image does not have is told, once known by an attempt, and the rest is in
//   effect. A node boots all the same with such a name in its list: that one does not run.
// - What the broker shows of it is up to 5 s old, and after a boot some plugins are yet to start.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/plan/plan.h"

namespace rabbit::plan {

void PlanPlugins(const api::RabbitCluster& cluster, const observe::Observation& seen, int members,
                 base::TimePoint now, Plan& plan);

// All that the node's list of enabled plugins has, sorted. REQUIRES: node.plugins_known.
[[nodiscard]] std::vector<std::string> EnabledPlugins(const rabbitmq::Node& node);

}  // namespace rabbit::plan
