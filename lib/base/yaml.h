// lib/base/yaml.h: YAML to JSON, every scalar as kubectl reads it (the rules: base/yaml_scalar.h),
// and back.
// Pure, thread-safe. Depth is limited to 100, aliases to 1,000 expanded nodes. Stricter than
// kubectl, so that no file means something else than it seems to: a tag other than the core ones, a
// duplicate key and a merge key are refused (kInvalid, with line and column). The caller bounds the
// size.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace rabbit::base {

// Every document of `text`; empty and null documents are left out.
[[nodiscard]] Result<std::vector<nlohmann::json>> ParseYaml(std::string_view text);

// `value` in YAML's block style, each line indented by `indent`, the last one ended. What a text
// holds is the same to every reader (kubectl, YAML 1.1 and 1.2), whatever it looks like. A float
// that is a whole number is read back as an integer.
[[nodiscard]] std::string WriteYaml(const nlohmann::ordered_json& value, std::size_t indent = 0);

// `text` with control characters, ends of lines (YAML 1.1 has five) and what is not UTF-8 as
// \uXXXX: for comments and terminals.
[[nodiscard]] std::string OnOneLine(std::string_view text);

}  // namespace rabbit::base
