// lib/base/yaml_scalar.h: what a plain YAML scalar is. Private to base/yaml.cc; pure.
// The rules are those of kubectl: sigs.k8s.io/yaml 1.6.0 over go-yaml v2, found by feeding it the
// table of yaml_test.cc. They are YAML 1.1's, with a few of 1.2's: yes, no, on, off, y and n are
// booleans; 017 and 0o17 are 15; 1_000 is 1000; 08 and 8.0 are 8; 1:30 and dates are strings.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace rabbit::base {

struct NotANumber {};  // .nan, .inf: numbers that JSON cannot hold
using YamlScalar = std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double,
                                std::string, NotANumber>;

[[nodiscard]] YamlScalar ResolvePlainScalar(std::string_view text);

}  // namespace rabbit::base
