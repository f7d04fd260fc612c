// lib/rabbitmq/policy_keys.h: what the broker takes for each key of a policy's definition.
// Internal to the module. Every row was compared with the answers of 3.10.8 and 4.0.5; versions in
// between are those of the release notes. Keys of plugins (federation, …) are not here.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "rabbitmq/version.h"

namespace rabbit::rabbitmq {

enum class ValueType {
  kInteger,  // `least` to `most`
  kText,
  kWord,    // one of `words`, with blanks around each: " a b "
  kMaxAge,  // "7D": a number and one of Y M D h m s
  kMirror,  // ha-*: judged together
};

struct PolicyKeyRule {
  std::string_view key;
  ValueType type = ValueType::kText;
  std::int64_t least = 0;
  std::int64_t most = INT64_MAX;
  std::string_view words;
  Version since;                   // the first that knows the key
  Version until{999, 0, 0};        // the first that does not any more
  Version in_operator{999, 0, 0};  // the first that takes it in an operator policy
};

[[nodiscard]] std::span<const PolicyKeyRule> PolicyKeyRules();

}  // namespace rabbit::rabbitmq
