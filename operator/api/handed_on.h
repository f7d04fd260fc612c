// operator/api/handed_on.h: checks of the JSON that users write and Kubernetes reads (JsonText in
// common.h). Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "operator/api/common.h"

namespace rabbit::api {

// What is wrong with env[].valueFrom, or nothing. Empty is good.
[[nodiscard]] std::optional<std::string> ValueFromError(const JsonText& value_from);

// The path of the first member of overrides[].patch that is refused, and why; or nothing. Refused:
// what gives a pod rights on its machine, other rights in Kubernetes, or takes an object out of the
// operator's sight (selectors, names, owners, its labels), and directives of the merge itself.
[[nodiscard]] std::optional<std::pair<std::string, std::string>> OverrideError(
    const JsonText& patch);

}  // namespace rabbit::api
