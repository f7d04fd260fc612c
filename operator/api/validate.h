// operator/api/validate.h: what must hold between fields, and of texts that a schema cannot read.
// Pure, thread-safe. Called by ParseRabbitCluster, after each field by itself was found good.
#pragma once

#include <string_view>
#include <vector>

#include "kube/resource.h"
#include "operator/api/findings.h"
#include "operator/api/types.h"

namespace rabbit::api {

// What the broker's API calls the exchange without a name in a path: nothing can have this name.
inline constexpr std::string_view kUnnamedExchangeInPaths = "amq.default";

// Adds to `findings`, and drops entries of `spec` that are in error. `meta` is the cluster's.
void Validate(const kube::ObjectMeta& meta, Spec& spec, Findings& findings);

// What cannot change while the cluster lives, given what was last put into effect. The schema says
// the same of all but the size: with what it compares, the old object, may never have taken effect.
// Structural errors; empty: the step is allowed.
[[nodiscard]] std::vector<FieldError> ValidateStorageChange(const Storage& now,
                                                            const Storage& then);

}  // namespace rabbit::api
