#include "operator/api/rules.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>

#include "base/pattern.h"
#include "base/quantity.h"
#include "operator/api/duration.h"

namespace rabbit::api {
namespace {

using Json = nlohmann::json;
using Found = std::optional<std::string>;

// Keys of labels, annotations and resources: a prefix of 253, '/' and a name of 63 characters.
constexpr std::size_t kLongestKey = 317;

std::int64_t Characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

bool Matches(std::string_view pattern, std::string_view text) {
  // Rules are constants, so there are some fifteen patterns. Per thread: a Pattern is for one.
  thread_local std::map<std::string_view, base::Pattern> compiled;
  auto found = compiled.find(pattern);
  if (found == compiled.end()) {
    auto made = base::Pattern::Compile(pattern, base::Pattern::Dialect::kSchema);
    if (!made) std::abort();  // a rule of ours that does not compile
    found = compiled.emplace(pattern, *std::move(made)).first;
  }
  return found->second.Matches(text);
}

std::int64_t Size(const Json& value) { return static_cast<std::int64_t>(value.size()); }

std::string Joined(std::span<const std::string_view> words) {
  std::string text;
  for (std::string_view word : words) {
    text += (text.empty() ? "" : ", ") + std::string(word);
  }
  return text;
}

// "must be at least 1", "must have at most 63 characters" …
Found OutOfBounds(const Rule& rule, std::int64_t value, std::string_view verb,
                  std::string_view unit) {
  if ((!rule.min || value >= *rule.min) && (!rule.max || value <= *rule.max)) return std::nullopt;
  std::string text = "must " + std::string(verb) + " ";
  if (rule.min && rule.max && *rule.min > 0) {
    text += (unit.empty() ? "between " : "") + std::to_string(*rule.min) +
            (unit.empty() ? " and " : " to ") + std::to_string(*rule.max);
  } else if (rule.min && value < *rule.min) {
    text += "at least " + std::to_string(*rule.min);
  } else {
    text += "at most " + std::to_string(*rule.max);
  }
  return text + std::string(unit);
}

Found TextViolation(const Rule& rule, const Json& value) {
  if (!value.is_string()) return "must be a string";
  const auto& text = value.get_ref<const std::string&>();
  if (!rule.words.empty()) {
    if (std::find(rule.words.begin(), rule.words.end(), text) != rule.words.end()) return {};
    return "must be one of " + Joined(rule.words);
  }
  if (rule.min == 1 && text.empty()) return "must not be empty";
  if (Found found = OutOfBounds(rule, Characters(text), "have", " characters")) return found;
  if (!rule.pattern.empty() && !Matches(rule.pattern, text)) {
    return "must be " + std::string(rule.says);
  }
  return {};
}

Found DurationViolation(const Rule& rule, const Json& value) {
  constexpr std::string_view kShape = "must be a duration such as 5s, 500ms or 1h30m";
  if (!value.is_string()) return std::string(kShape);
  const std::optional<Duration> duration = ParseDuration(value.get_ref<const std::string&>());
  if (!duration || value.get_ref<const std::string&>().size() > kLongestShortText) {
    return std::string(kShape);
  }
  if (duration->count() >= *rule.min && duration->count() <= *rule.max) return {};
  return "must be between " + FormatDuration(Duration(*rule.min)) + " and " +
         FormatDuration(Duration(*rule.max));
}

Found QuantityViolation(const Json& value) {
  if (value.is_number_integer() && value >= 0) return {};
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (text.size() <= kLongestShortText && Matches(kQuantityPattern, text) &&
        base::QuantityValue(text)) {
      return {};
    }
  }
  return "must be a quantity such as 500m, 2 or 10Gi";
}

Found EntriesViolation(const Rule& rule, const Json& value, Place& place) {
  if (Found found = OutOfBounds(rule, Size(value), "have", " entries")) return found;
  for (const auto& [key, entry] : value.items()) {
    Place inner;
    Found found = Violation(*rule.each, entry, inner);
    if (value.is_object() && (key.empty() || key.size() > kLongestKey)) {
      found = "must have a key of 1 to " + std::to_string(kLongestKey) + " characters";
    } else if (value.is_array() && std::count(value.begin(), value.end(), entry) > 1) {
      found = "must not be there twice";
    }
    if (found) {
      place = {"[" + key + "]", &entry};
      return found;
    }
  }
  return {};
}

Found JsonArrayViolation(const Rule& rule, const Json& value) {
  const bool objects = value.is_array() && std::all_of(value.begin(), value.end(),
                                                       [](const Json& e) { return e.is_object(); });
  if (!objects) return "must be a list of objects";
  return OutOfBounds(rule, Size(value), "have", " entries");
}

Found ObjectViolation(const Rule& rule, const Json& value) {
  if (!value.is_object()) return "must be an object";
  if (rule.min && Size(value) < *rule.min) return "must not be empty";
  return {};
}

}  // namespace

Found Violation(const Rule& rule, const Json& value, Place& place) {
  place = {"", &value};
  switch (rule.kind) {
    case Rule::Kind::kBool:
      if (!value.is_boolean()) return "must be true or false";
      return {};
    case Rule::Kind::kInteger:
      if (!value.is_number_integer()) return "must be an integer";
      if (value.is_number_unsigned() &&
          value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) {
        return "must be an integer of 64 bits";
      }
      return OutOfBounds(rule, value.get<std::int64_t>(), "be", "");
    case Rule::Kind::kText:
      return TextViolation(rule, value);
    case Rule::Kind::kDuration:
      return DurationViolation(rule, value);
    case Rule::Kind::kQuantity:
      return QuantityViolation(value);
    case Rule::Kind::kTime:
      if (!value.is_string() || !ParseTime(value.get_ref<const std::string&>())) {
        return "must be a time by RFC 3339";
      }
      return {};
    case Rule::Kind::kJsonObject:
    case Rule::Kind::kObject:
      return ObjectViolation(rule, value);
    case Rule::Kind::kJsonArray:
      return JsonArrayViolation(rule, value);
    case Rule::Kind::kTexts:
      if (!value.is_array()) return "must be a list";
      return EntriesViolation(rule, value, place);
    case Rule::Kind::kTextMap:
      if (!value.is_object()) return "must be an object";
      return EntriesViolation(rule, value, place);
    case Rule::Kind::kList:
      if (!value.is_array()) return "must be a list";
      return OutOfBounds(rule, Size(value), "have", " entries");
  }
  return {};
}

}  // namespace rabbit::api
