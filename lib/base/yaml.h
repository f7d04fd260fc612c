// lib/base/yaml.h: YAML to JSON, scalars by YAML 1.2's core schema as kubectl reads them.
// Pure, thread-safe. Depth is limited to 100, aliases to 1,000 expanded nodes; a tag other than the
// core ones, a duplicate key and a merge key are refused (kInvalid, with line and column).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace rabbit::base {

// Every document of `text`; empty documents are left out.
[[nodiscard]] Result<std::vector<nlohmann::json>> ParseYaml(std::string_view text);

}  // namespace rabbit::base
