// lib/runtime/lease_json.h: a Lease of coordination.k8s.io/v1 as text. Pure; private to the
// elector.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "kube/resource.h"
#include "runtime/lease_machine.h"

namespace rabbit::runtime {

// kInternal when it is no Lease. Absent fields are empty.
[[nodiscard]] base::Result<LeaseRecord> ParseLease(std::string_view body);

// A Lease to create.
[[nodiscard]] std::string NewLease(const kube::ObjectKey& key, const LeaseRecord& record);
// `body` with the fields of `record`, and its version as the one that must not have changed. What
// else is in `body` stays.
[[nodiscard]] base::Result<std::string> ChangedLease(std::string_view body,
                                                     const LeaseRecord& record);

}  // namespace rabbit::runtime
