// operator/plan/declared.h: what a RabbitCluster declares, with everything that it may leave open
// resolved: the count of nodes and the images; and what of its storage cannot be changed. Pure.
#pragma once

#include <optional>
#include <string>

#include "operator/api/settings.h"
#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/plan/plan.h"

namespace rabbit::plan {

struct Images {
  std::string broker, proxy;
};

// The spec's, else the one pinned in the status, else the operator's default: so a new operator
// with another default changes no cluster that exists.
[[nodiscard]] Images ResolveImages(const api::RabbitCluster& cluster, const Settings& settings);

// Why the nodes of this cluster would not find each other under their names, if so. A matter of the
// operator's settings too, hence not of api/validate.h. What runs under that name keeps running.
[[nodiscard]] std::optional<api::FieldError> NodeNameError(const api::RabbitCluster& cluster,
                                                           const Settings& settings);

// What the nodes' storage was made with: as recorded; where the record is not there, as the
// StatefulSet says, whose claim template the server does not let change. Before both, unless the
// storage is to be ephemeral: as the smallest bound claim that an earlier cluster of the name has
// left, for its nodes get these disks. Else as declared.
[[nodiscard]] observe::StorageRecord StorageInEffect(const api::RabbitCluster& cluster,
                                                     const observe::Observation& seen);

// Says what of spec.storage is declared otherwise than the volumes were made, and which claims are
// left aside.
void PlanStorage(const api::RabbitCluster& cluster, const observe::Observation& seen, Plan& plan);

// Writes the count into a spec that does not say it: `kubectl scale` and autoscalers read it there.
// Into the version that was seen only: a count that somebody has said since stays. `after`: the
// step that records it.
void PlanCountInSpec(const api::RabbitCluster& cluster, int replicas,
                     std::optional<std::size_t> after, Plan& plan);

}  // namespace rabbit::plan
