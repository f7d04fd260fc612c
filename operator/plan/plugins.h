// operator/plan/plugins.h: the plugins that each running node has enabled: management, prometheus
// and spec.plugins, and no others. Put into effect by a command in the node's pod, without a
// restart; C-config has the same list for the next boot. Pure.
//
// - A plugin that the image does not have is told, once known by an attempt, and the rest is in
//   effect. A node boots all the same with such a name in its list: that one does not run.
// - What the broker shows of it is up to 5 s old, and after a boot some plugins are yet to start.
// - One node at a time: such a command starts an Erlang VM or two, which may take all the time that
//   a write has. What is in vain is done less and less often (attempts.h).
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/plan/plan.h"

namespace rabbit::plan {

// Whether nothing is under way: no step, and no wait for what one did.
bool PlanPlugins(const api::RabbitCluster& cluster, const observe::Observation& seen, int members,
                 base::TimePoint now, Plan& plan);

// Whether all these nodes were seen to have exactly what is declared enabled and running, but for
// plugins that their images do not have.
[[nodiscard]] bool PluginsAreAsDeclared(const api::RabbitCluster& cluster,
                                        const observe::Observation& seen, int members);

// Whether a node that runs is yet to have what is declared running, and nothing was in vain there:
// what needs a plugin (a shovel) waits for that, and not for a plugin that cannot be had.
// REQUIRES: IsOfNow().
[[nodiscard]] bool PluginsAreComing(const api::RabbitCluster& cluster,
                                    const observe::Observation& seen, int members);

// All that the node's list of enabled plugins has, sorted. REQUIRES: node.plugins_known.
[[nodiscard]] std::vector<std::string> EnabledPlugins(const rabbitmq::Node& node);

}  // namespace rabbit::plan
