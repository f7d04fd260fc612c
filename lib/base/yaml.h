// lib/base/yaml.h: YAML to JSON, every scalar as kubectl reads it (the rules: base/yaml_scalar.h).
// Pure, thread-safe. Depth is limited to 100, aliases to 1,000 expanded nodes. Stricter than
// kubectl, so that no file means something else than it seems to: a tag other than the core ones, a
// duplicate key and a merge key are refused (kInvalid, with line and column). The caller bounds the
// size.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace rabbit::base {

// Every document of `text`; empty and null documents are left out.
[[nodiscard]] Result<std::vector<nlohmann::json>> ParseYaml(std::string_view text);

}  // namespace rabbit::base
