// operator/resources/stateful_set.h: StatefulSet C-node: what a broker pod looks like. Pure.
//
// - All pods start at once (Parallel): a node may have to wait for another one to be complete.
// - `partition` is the count of pods: no change of the template ever rolls by itself.
// - Claims are retained in every case: the operator alone decides when a disk may go.
// - Ready is TCP 5672 (5671 with TLS alone), which opens when the node has fully booted and closes
//   while it is paused. No liveness probe: a node that waits for its peers, or for the guard, must
//   not be killed.
#pragma once

#include "operator/resources/children.h"

namespace rabbit::resources {

inline constexpr int kBrokerUid = 999;  // rabbitmq, in the official image and in Debian-made ones

[[nodiscard]] DesiredChild BuildStatefulSet(const ChildInputs& inputs);

}  // namespace rabbit::resources
