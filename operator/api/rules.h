// operator/api/rules.h: what holds of one field, as data, in the terms of the CRD's schema. A test
// compares each rule with the schema, word by word, so patterns use what RE2 and PCRE have in
// common. Values, thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "operator/api/enums.h"

namespace rabbit::api {

struct Rule {
  enum class Kind {
    kBool,
    kInteger,
    kText,
    kDuration,    // text as "1h30m"; bounds in milliseconds
    kQuantity,    // text or integer as "2Gi"
    kTime,        // text by RFC 3339
    kJsonObject,  // handed on as it is
    kJsonArray,   // of objects, likewise
    kTexts,       // list of texts, `each`
    kTextMap,     // texts by key, `each`
    kObject,
    kList,  // of our own structs
  };
  Kind kind = Kind::kText;
  bool required = false;
  // kInteger: of the value; kText: of the length in characters; lists and maps: of the entries.
  std::optional<std::int64_t> min = std::nullopt, max = std::nullopt;
  std::string_view pattern = {};                 // kText; empty: any
  std::string_view says = {};                    // the pattern for people: "a DNS label"
  std::span<const std::string_view> words = {};  // kText, kTexts: the only ones allowed
  const Rule* each = nullptr;
  std::span<const std::string_view> keys = {};  // kList: entries are told apart by these
  bool own_concern = false;      // kList: an entry in error is dropped, and the others go on
  bool default_in_code = false;  // the default depends on other fields: the schema has none
  bool hide = false;             // the value is not repeated in error texts
};

[[nodiscard]] constexpr Rule Required(Rule rule) { return rule.required = true, rule; }

using Milliseconds = std::chrono::milliseconds;
[[nodiscard]] constexpr Rule Between(std::int64_t min, std::int64_t max) {
  return {.kind = Rule::Kind::kInteger, .min = min, .max = max};
}
[[nodiscard]] constexpr Rule Between(Milliseconds min, Milliseconds max) {
  return {.kind = Rule::Kind::kDuration, .min = min.count(), .max = max.count()};
}
[[nodiscard]] constexpr Rule Text(std::int64_t min, std::int64_t max, std::string_view pattern = {},
                                  std::string_view says = {}) {
  return {.kind = Rule::Kind::kText, .min = min, .max = max, .pattern = pattern, .says = says};
}
template <typename E>
[[nodiscard]] constexpr Rule WordOf() {
  return {.kind = Rule::Kind::kText, .words = EnumNames<E>::kWords};
}
[[nodiscard]] constexpr Rule SetOf(const Rule& each, std::int64_t max, std::int64_t min = 0) {
  Rule rule{.kind = Rule::Kind::kTexts, .max = max, .each = &each};
  if (min > 0) rule.min = min;
  return rule;
}
[[nodiscard]] constexpr Rule MapOf(const Rule& each, std::int64_t max) {
  return {.kind = Rule::Kind::kTextMap, .max = max, .each = &each};
}
[[nodiscard]] constexpr Rule ListBy(std::span<const std::string_view> keys, std::int64_t max) {
  return {.kind = Rule::Kind::kList, .max = max, .keys = keys};
}

inline constexpr Rule kBool{.kind = Rule::Kind::kBool};
inline constexpr Rule kQuantity{.kind = Rule::Kind::kQuantity};
inline constexpr Rule kTime{.kind = Rule::Kind::kTime};
inline constexpr Rule kObject{.kind = Rule::Kind::kObject};
inline constexpr Rule kJsonObject{.kind = Rule::Kind::kJsonObject};
inline constexpr Rule kAnyText{};
inline constexpr Rule kAnyInteger{.kind = Rule::Kind::kInteger};

inline constexpr std::string_view kDurationPattern = "^([0-9]{1,9}(ms|s|m|h)){1,4}$";
inline constexpr std::string_view kQuantityPattern =
    R"(^[0-9]+(\.[0-9]{1,9})?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][0-9]{1,2})?$)";
inline constexpr std::int64_t kLongestShortText = 32;  // characters of a duration or a quantity

// Names of Kubernetes objects and of what is in them.
inline constexpr Rule kObjectName =
    Text(1, 253, R"(^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$)",
         "a name of lower-case letters, digits, '-' and '.'");
// Empty is a class name too: it means no class at all.
inline constexpr Rule kClassName =
    Text(0, 253, R"(^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)?$)",
         kObjectName.says);
inline constexpr Rule kDataKey =
    Text(1, 253, "^[-._a-zA-Z0-9]+$", "letters, digits, '-', '_' and '.'");
inline constexpr Rule kLabelValue =
    Text(0, 63, "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$", "a label value");
inline constexpr Rule kAnnotationValue = Text(0, 65536);
inline constexpr Rule kImage = Text(1, 512, R"(^[-A-Za-z0-9._:/@\[\]]+$)", "an image reference");
inline constexpr Rule kEnvName =
    Text(1, 253, "^[A-Za-z_][A-Za-z0-9_]*$", "letters, digits and '_', no digit first");
// Names and texts of the broker.
inline constexpr Rule kBrokerName =
    Text(1, 255, R"(^[^\x00-\x1f\x7f]+$)", "a name without control characters");
inline constexpr Rule kOneLine =
    Text(0, 1024, R"(^[^\x00-\x1f\x7f]*$)", "one line without control characters");
inline constexpr Rule kRegex = kOneLine;  // that it compiles is checked by validate.h
// The broker returns the bytes of others as characters: é as Ã© (3.8.9 to 4.3.6).
inline constexpr Rule kTag = Text(1, 64, R"(^[!-+.-~-]+$)", "one word of ASCII without commas");
inline constexpr Rule kPlugin =
    Text(1, 64, "^[a-z][a-z0-9_]*$", "a plugin's name: lower-case letters, digits and '_'");
inline constexpr Rule kStatsPath = Text(1, 128, "^/[A-Za-z0-9._~/-]{0,127}$",
                                        "'/' and letters, digits, '.', '_', '~', '/' or '-'");
inline constexpr Rule kCidr =
    Text(1, 64, "^[0-9a-fA-F:.]+/[0-9]{1,3}$", "an address range as 10.0.0.0/8");

// Which part of a value breaks its rule: an entry of a list or map of texts, or all of it.
struct Place {
  std::string step;                       // "[2]", "[cpu]"; empty: all of it
  const nlohmann::json* value = nullptr;  // inside the value that was looked at
};

// What `value` lacks of `rule`, as a phrase that follows the field's path and value ("must be at
// most 63 characters"), or nothing. Fills in `place` then.
[[nodiscard]] std::optional<std::string> Violation(const Rule& rule, const nlohmann::json& value,
                                                   Place& place);

}  // namespace rabbit::api
