// operator/plan/broker_gate.h: whether the broker may be written to at all, and what the planners
// of the broker's state (cluster_name, vhosts, users, policies) share. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/plan/plan.h"

namespace rabbit::plan {

// True when the broker answered the last look and the cluster has formed, of the `members` that it
// is to have (node_count.h), whatever the spec says. Otherwise the plan says, once for all
// planners, what is waited for. True means: `seen.broker.view` is not null.
[[nodiscard]] bool BrokerMayBeWritten(const api::RabbitCluster& cluster,
                                      const observe::Observation& seen, int members, Plan& plan);

// Whether the last look shows the broker as it is now, after all that was written there: what is
// missing in it is not there. True means: `look.view` is not null.
[[nodiscard]] bool IsOfNow(const observe::BrokerLook& look);

// The count of nodes that is declared: of the spec, else as C-inventory has it, else 3, or more
// when there are disks of an earlier cluster of this name: C-inventory went with that cluster, and
// fewer nodes would leave members with data behind.
[[nodiscard]] int DeclaredReplicas(const api::RabbitCluster& cluster,
                                   const observe::Observation& seen);

// Whether all of this generation's topology was once seen in effect, so that a difference now is
// somebody's doing at the broker. False when in doubt, as after an update of an operator that did
// not act on all fields yet: `plan` names those that this one does not act on.
[[nodiscard]] bool TopologyWasInEffect(const api::RabbitCluster& cluster, const Plan& plan);

// Says which entries of a list of the spec ("users") are in error. They concern themselves alone.
void SayBrokenEntries(const api::RabbitCluster& cluster, std::string_view list, Plan& plan);

// Adds the problem VhostMissing: what `subject` ("user app: permission") wants is in a vhost that
// does not exist, or that a step of the plan deletes.
void SayVhostMissing(std::string_view subject, std::string_view vhost, Plan& plan);

// Adds the problem UnsupportedField: `field` of those `names` ("vhost", "user" by `kind`) is
// nothing for this broker: `what` it does instead, and the `advice`. Nothing when there are no
// names.
void SayUnsupported(std::string_view field, std::string_view kind,
                    const std::vector<std::string>& names, const rabbitmq::BrokerView& view,
                    std::string_view what, std::string_view advice, Plan& plan);

// Tags of a vhost or user as the broker keeps them: sorted, each once.
[[nodiscard]] std::vector<std::string> SortedTags(std::vector<std::string> tags);
// They in a reason: "\"a, b\"", or "none".
[[nodiscard]] std::string TagList(const std::vector<std::string>& tags);

// Adds it unless the plan has the same one already.
void AddWait(Plan& plan, Wait wait);
void AddProblem(Plan& plan, Problem problem);

// The step of `plan` that creates the vhost, if there is one; not one that changes a vhost.
// REQUIRES: seen.broker.view->vhosts has a value.
[[nodiscard]] std::optional<std::size_t> StepThatCreates(const observe::Observation& seen,
                                                         const Plan& plan, std::string_view vhost);

// Whether a step of `plan` deletes the vhost: what is in it goes along.
[[nodiscard]] bool VhostGoes(const Plan& plan, std::string_view vhost);

// Whether the vhost is there, or a step of `plan` creates it, and none deletes it.
// REQUIRES: seen.broker.view->vhosts has a value.
[[nodiscard]] bool VhostExists(const observe::Observation& seen, const Plan& plan,
                               std::string_view vhost);

}  // namespace rabbit::plan
