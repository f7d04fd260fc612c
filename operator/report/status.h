// operator/report/status.h: the status of a RabbitCluster but its conditions. Pure.
// What is not known now is absent, never zero and never what it was, except for what names the
// cluster in the columns: version and clusterName stay as the broker last said them.
#pragma once

#include "operator/api/status.h"
#include "operator/report/facts.h"

namespace rabbit::report {

// Everything but `conditions` and `counted_at`, which stay as stored.
[[nodiscard]] api::Status MakeStatus(const Facts& facts);

// The parts, for tests.
[[nodiscard]] std::vector<api::NodeStatus> MakeNodes(const Facts& facts);
[[nodiscard]] std::optional<api::PoliciesStatus> MakePolicies(const Facts& facts);
[[nodiscard]] api::LoadBalancerStatus MakeLoadBalancer(const Facts& facts);
[[nodiscard]] api::Endpoints MakeEndpoints(const api::RabbitCluster& cluster,
                                           const std::vector<observe::Pod>& nodes = {});

}  // namespace rabbit::report
