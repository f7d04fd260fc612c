// operator/plan/membership/members.h: what the last look at the broker says of its members. Pure.
#pragma once

#include <string>
#include <vector>

#include "operator/api/types.h"
#include "operator/observe/observation.h"

namespace rabbit::plan {

// The members, or null when the last look failed: then nothing may be concluded.
[[nodiscard]] const std::vector<rabbitmq::Node>* KnownMembers(const observe::Observation& seen);

[[nodiscard]] std::string NodeNameOf(const api::RabbitCluster& cluster, int ordinal);

// Members whose ordinal is `from` or higher: names of their pods.
[[nodiscard]] std::vector<std::string> MembersFrom(const api::RabbitCluster& cluster,
                                                   const std::vector<rabbitmq::Node>& members,
                                                   int from);

// Whether more than half of all members run.
[[nodiscard]] bool MajorityRuns(const std::vector<rabbitmq::Node>& members);

// By which a disk is known again: a new one has a new uid. Empty: not known yet. `storage` is what
// the StatefulSet was made with (StorageInEffect), which a changed spec does not change.
[[nodiscard]] std::string VolumeOf(const observe::StorageRecord& storage, const observe::Pod& pod);

// Whether the disk of this ordinal is there to stay, whoever mounts it.
[[nodiscard]] bool HasClaim(const api::RabbitCluster& cluster, const observe::Observation& seen,
                            int ordinal);

}  // namespace rabbit::plan
