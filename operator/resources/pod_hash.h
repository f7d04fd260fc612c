// operator/resources/pod_hash.h: by which a running broker is known to be of an earlier template or
// configuration. Two halves tell who changed it: the first covers what the spec says about brokers,
// the second what the operator made of it. A new operator changes the second alone. Pure.
#pragma once

#include <string>
#include <string_view>

#include "operator/resources/children.h"

namespace rabbit::resources {

// "<16 hex digits>-<16 hex digits>" for `made`: a pod template or configuration files.
[[nodiscard]] std::string PodHash(const ChildInputs& inputs, std::string_view made);

// Whether both say the same to a broker, whoever said it.
[[nodiscard]] bool SameMade(std::string_view pod_hash, std::string_view other);

// Whether both were made from the same spec, as far as brokers are concerned.
[[nodiscard]] bool SameSpec(std::string_view pod_hash, std::string_view other);

// Whether the spec of a pod, of its template or of what it booted from, is another than that of the
// StatefulSet: it waits for a restart. Nothing is known of what a pod has not booted from yet.
[[nodiscard]] bool IsOfEarlierSpec(const observe::Pod& pod, const observe::StatefulSetState& set);

}  // namespace rabbit::resources
