// operator/observe/targets.h: whom to ask about a cluster's broker and proxies. Pure.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "operator/api/types.h"
#include "operator/observe/broker_watch.h"
#include "operator/observe/observation.h"
#include "operator/resources/tls.h"

namespace rabbit::observe {

// The nodes that serve (ready, not going away) with the operator's own user, and what to ask of
// them: one that is to be asked for more is another target, and looked at at once. Nothing while
// its password is not known or no node serves: then there is nobody to ask. A node is asked over
// TLS where its pod speaks that; its certificate may then name it in `domain`, the Kubernetes
// cluster's.
[[nodiscard]] std::optional<BrokerTarget> BrokerTargetOf(const api::RabbitCluster& cluster,
                                                         const Observation& seen,
                                                         std::string_view domain = "cluster.local");
// Whom to write to, in that order: where a look found a node that hangs, nothing is written to it
// first either.
[[nodiscard]] BrokerTarget BrokerToWriteTo(const api::RabbitCluster& cluster,
                                           const Observation& seen,
                                           std::string_view domain = "cluster.local");
// How certificates are to be had: as declared, and as pods say that they were made; each once.
// Nothing of a cluster without TLS.
[[nodiscard]] std::vector<resources::PodTls> TlsOf(const api::RabbitCluster& cluster,
                                                   const Observation& seen);
// What is to be read of the broker beyond what is always read: what this spec, or what is recorded
// of an earlier one, makes somebody ask. Nothing of a cluster that declares none of it.
[[nodiscard]] rabbitmq::ViewParts PartsToRead(const api::RabbitCluster& cluster,
                                              const Observation& seen);
// The proxies that serve; nothing when the balancer is off or none serves. One that becomes ready
// makes another target of it: it is looked at at once.
[[nodiscard]] std::optional<ProxyTarget> ProxyTargetOf(const api::RabbitCluster& cluster,
                                                       const Observation& seen);

}  // namespace rabbit::observe
