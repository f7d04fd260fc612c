// lib/kube/metadata.h: metadata of an object, from its JSON. Pure functions, thread-safe.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "base/error.h"
#include "kube/resource.h"

namespace rabbit::kube {

// Reads object.metadata. kInternal when there is no name; any other member that is missing or of
// the wrong type counts as absent. The owner is the reference with `controller: true`.
[[nodiscard]] base::Result<ObjectMeta> ParseMeta(const nlohmann::json& object);
[[nodiscard]] base::Result<ObjectMeta> ParseMeta(std::string_view object);

}  // namespace rabbit::kube
