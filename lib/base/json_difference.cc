#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "base/json.h"
#include "base/quantity.h"

namespace rabbit::base {
namespace {

// What names an element of a list of objects, the most telling first: several volumeMounts may
// share a name, ports of a Service a number. Lists whose elements have a "key" (tolerations, items)
// are not here: to the API server they are one value, replaced as a whole.
constexpr std::array<std::string_view, 6> kMergeKeys{"mountPath", "name", "containerPort",
                                                     "port",      "ip",   "type"};

// Fields whose value, or whose map's values, are quantities. Elsewhere "1k" and "1000" are texts
// that differ: annotations, environment variables, the data of a ConfigMap.
constexpr std::array<std::string_view, 6> kQuantityFields{"requests", "limits",    "capacity",
                                                          "hard",     "sizeLimit", "divisor"};

bool IsEmpty(const Json& value) {
  return value.is_null() || ((value.is_object() || value.is_array()) && value.empty());
}

std::string ScalarText(const Json& value) {
  return value.is_string() ? value.get<std::string>() : Dump(value);
}

bool SameScalar(const Json& desired, const Json& actual, bool quantity) {
  if (desired == actual) return true;
  if (!quantity) return false;
  const auto scalar = [](const Json& v) { return v.is_string() || v.is_number(); };
  return scalar(desired) && scalar(actual) && SameQuantity(ScalarText(desired), ScalarText(actual));
}

// Whether `key` tells the elements of `list` apart.
bool Identifies(std::string_view key, const Json& list) {
  std::set<std::string> seen;
  for (const Json& element : list) {
    if (!element.is_object()) return false;
    const auto value = element.find(key);
    if (value == element.end() || !value->is_primitive()) return false;
    if (!seen.insert(ScalarText(*value)).second) return false;
  }
  return true;
}

std::string_view MergeKey(const Json& desired, const Json& actual) {
  for (const std::string_view key : kMergeKeys) {
    if (Identifies(key, desired) && Identifies(key, actual)) return key;
  }
  return {};
}

std::string Join(const std::string& path, const std::string& field) {
  if (path.empty()) return field;
  return path + "." + field;
}

using Difference = std::optional<std::string>;

// `actual` may be null, for absent.
Difference Compare(const Json& desired, const Json* actual, const std::string& path, bool quantity);

Difference CompareObjects(const Json& desired, const Json& actual, const std::string& path,
                          bool quantity) {
  for (const auto& [field, value] : desired.items()) {
    const auto found = actual.find(field);
    const bool is_quantity = quantity || std::find(kQuantityFields.begin(), kQuantityFields.end(),
                                                   field) != kQuantityFields.end();
    Difference difference =
        Compare(value, found == actual.end() ? nullptr : &*found, Join(path, field), is_quantity);
    if (difference) return difference;
  }
  return std::nullopt;
}

Difference CompareArrays(const Json& desired, const Json& actual, const std::string& path,
                         bool quantity) {
  const std::string_view key = desired.empty() ? std::string_view() : MergeKey(desired, actual);
  if (key.empty()) {
    if (desired.size() != actual.size()) return path;
    for (std::size_t i = 0; i < desired.size(); ++i) {
      Difference difference =
          Compare(desired[i], &actual[i], path + "[" + std::to_string(i) + "]", quantity);
      if (difference) return difference;
    }
    return std::nullopt;
  }
  for (const Json& element : desired) {
    const Json& name = *element.find(key);
    const auto found = std::find_if(actual.begin(), actual.end(),
                                    [&](const Json& other) { return *other.find(key) == name; });
    Difference difference =
        Compare(element, found == actual.end() ? nullptr : &*found,
                path + "[" + std::string(key) + "=" + ScalarText(name) + "]", quantity);
    if (difference) return difference;
  }
  return std::nullopt;
}

Difference Compare(const Json& desired, const Json* actual, const std::string& path,
                   bool quantity) {
  if (actual == nullptr || IsEmpty(*actual)) {
    // A map with nothing but empty members says as little as an empty one.
    if (desired.is_object()) return CompareObjects(desired, Json::object(), path, quantity);
    return IsEmpty(desired) ? std::nullopt : Difference(path);
  }
  if (desired.is_object() && actual->is_object()) {
    return CompareObjects(desired, *actual, path, quantity);
  }
  if (desired.is_array() && actual->is_array()) {
    return CompareArrays(desired, *actual, path, quantity);
  }
  return SameScalar(desired, *actual, quantity) ? std::nullopt : Difference(path);
}

}  // namespace

std::optional<std::string> FirstDifference(const Json& desired, const Json& actual) {
  Difference difference = Compare(desired, &actual, "", false);
  if (difference && difference->empty()) return "(the whole value)";
  return difference;
}

}  // namespace rabbit::base
