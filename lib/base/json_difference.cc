#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <span>

#include "base/json.h"
#include "base/quantity.h"

namespace rabbit::base {
namespace {

// What names an element of a list of objects, the most telling first: several volumeMounts may
// share a name, ports of a Service a number. Lists whose elements have a "key" (tolerations, items)
// are not here: to the API server they are one value, replaced as a whole.
// Policies and permissions of a broker are told apart by two fields, or by their vhost.
using Key = std::span<const std::string_view>;  // fields; none: there is no key
constexpr std::array<std::string_view, 10> kKeyFields{
    "mountPath", "name",  "containerPort", "port",  "ip",
    "type",      "vhost", "name",          "vhost", "exchange"};
constexpr std::array<Key, 9> kMergeKeys{
    Key(&kKeyFields[0], 1), Key(&kKeyFields[1], 1), Key(&kKeyFields[2], 1),
    Key(&kKeyFields[3], 1), Key(&kKeyFields[4], 1), Key(&kKeyFields[5], 1),
    Key(&kKeyFields[6], 2), Key(&kKeyFields[8], 2), Key(&kKeyFields[6], 1)};

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

bool IsQuantityField(std::string_view field) {
  return std::find(kQuantityFields.begin(), kQuantityFields.end(), field) != kQuantityFields.end();
}

bool SameScalar(const Json& desired, const Json& actual, bool quantity) {
  if (desired == actual) return true;
  if (!quantity) return false;
  const auto scalar = [](const Json& v) { return v.is_string() || v.is_number(); };
  return scalar(desired) && scalar(actual) && SameQuantity(ScalarText(desired), ScalarText(actual));
}

// "vhost=a,name=p"
std::string Label(Key key, const Json& element) {
  std::string label;
  for (const std::string_view field : key) {
    if (!label.empty()) label += ',';
    label.append(field).append("=").append(ScalarText(*element.find(field)));
  }
  return label;
}

// Whether `key` tells the elements of `list` apart.
bool Identifies(Key key, const Json& list) {
  std::set<std::vector<std::string>> seen;
  for (const Json& element : list) {
    if (!element.is_object()) return false;
    std::vector<std::string> values;
    for (const std::string_view field : key) {
      const auto value = element.find(field);
      if (value == element.end() || !value->is_primitive()) return false;
      values.push_back(ScalarText(*value));
    }
    if (!seen.insert(std::move(values)).second) return false;
  }
  return true;
}

Key MergeKey(const Json& desired, const Json& actual) {
  for (const Key key : kMergeKeys) {
    if (Identifies(key, desired) && Identifies(key, actual)) return key;
  }
  return {};
}

// The one of a `list` whose elements `key` tells apart that is called as `element` is; or nullptr.
template <typename List>
auto FindElement(List& list, Key key, const Json& element) -> decltype(&list[0]) {
  const auto found = std::find_if(list.begin(), list.end(), [&](const Json& other) {
    return std::all_of(key.begin(), key.end(), [&](std::string_view field) {
      return *other.find(field) == *element.find(field);
    });
  });
  return found == list.end() ? nullptr : &*found;
}

std::string Join(const std::string& path, const std::string& field) {
  if (path.empty()) return field;
  return path + "." + field;
}

using Place = std::optional<std::string>;

// `actual` may be null, for absent.
Place Compare(const Json& desired, const Json* actual, const std::string& path, bool quantity);

Place CompareObjects(const Json& desired, const Json& actual, const std::string& path,
                     bool quantity) {
  for (const auto& [field, value] : desired.items()) {
    const auto found = actual.find(field);
    Place difference = Compare(value, found == actual.end() ? nullptr : &*found, Join(path, field),
                               quantity || IsQuantityField(field));
    if (difference) return difference;
  }
  return std::nullopt;
}

Place CompareArrays(const Json& desired, const Json& actual, const std::string& path,
                    bool quantity) {
  const Key key = desired.empty() ? Key() : MergeKey(desired, actual);
  if (key.empty()) {
    if (desired.size() != actual.size()) return path;
    for (std::size_t i = 0; i < desired.size(); ++i) {
      Place difference =
          Compare(desired[i], &actual[i], path + "[" + std::to_string(i) + "]", quantity);
      if (difference) return difference;
    }
    return std::nullopt;
  }
  for (const Json& element : desired) {
    Place difference = Compare(element, FindElement(actual, key, element),
                               path + "[" + Label(key, element) + "]", quantity);
    if (difference) return difference;
  }
  return std::nullopt;
}

Place Compare(const Json& desired, const Json* actual, const std::string& path, bool quantity) {
  if (actual == nullptr || IsEmpty(*actual)) {
    // A map with nothing but empty members says as little as an empty one.
    if (desired.is_object()) return CompareObjects(desired, Json::object(), path, quantity);
    return IsEmpty(desired) ? std::nullopt : Place(path);
  }
  if (desired.is_object() && actual->is_object()) {
    return CompareObjects(desired, *actual, path, quantity);
  }
  if (desired.is_array() && actual->is_array()) {
    return CompareArrays(desired, *actual, path, quantity);
  }
  return SameScalar(desired, *actual, quantity) ? std::nullopt : Place(path);
}

void Put(const Json& desired, Json& actual, bool quantity) {
  if (!Compare(desired, &actual, "", quantity)) return;
  if (desired.is_object()) {
    if (!actual.is_object()) actual = Json::object();
    for (const auto& [field, value] : desired.items()) {
      if (IsEmpty(value) && !actual.contains(field)) continue;
      Put(value, actual[field], quantity || IsQuantityField(field));
    }
    return;
  }
  const Key key = desired.is_array() && actual.is_array() && !desired.empty()
                      ? MergeKey(desired, actual)
                      : Key();
  if (key.empty()) {
    actual = desired;
    return;
  }
  for (const Json& element : desired) {
    if (Json* found = FindElement(actual, key, element)) {
      Put(element, *found, quantity);
    } else {
      actual.push_back(element);
    }
  }
}

// A key with a dot would look like two.
std::string Step(const std::string& path, const std::string& field) {
  if (field.find_first_of(".[]\" ") == std::string::npos && !field.empty())
    return Join(path, field);
  return path + "[" + Dump(field) + "]";
}

void Collect(const Json* before, const Json* after, const std::string& path, bool quantity,
             std::vector<Difference>& found);

void CollectElements(const Json& before, const Json& after, Key key, const std::string& path,
                     bool quantity, std::vector<Difference>& found) {
  const auto collect = [&](const Json& element, const Json* one, const Json* other) {
    Collect(one, other, path + "[" + Label(key, element) + "]", quantity, found);
  };
  for (const Json& element : before) {
    collect(element, &element, FindElement(after, key, element));
  }
  for (const Json& element : after) {
    if (FindElement(before, key, element) == nullptr) collect(element, nullptr, &element);
  }
}

void Collect(const Json* before, const Json* after, const std::string& path, bool quantity,
             std::vector<Difference>& found) {
  if (before != nullptr && IsEmpty(*before)) before = nullptr;
  if (after != nullptr && IsEmpty(*after)) after = nullptr;
  if (before == nullptr && after == nullptr) return;
  if (before != nullptr && after != nullptr) {
    if (before->is_object() && after->is_object()) {
      Json keys = *before;
      keys.update(*after);  // the union, sorted
      for (const auto& [field, unused] : keys.items()) {
        const auto one = before->find(field);
        const auto other = after->find(field);
        Collect(one == before->end() ? nullptr : &*one, other == after->end() ? nullptr : &*other,
                Step(path, field), quantity || IsQuantityField(field), found);
      }
      return;
    }
    if (before->is_array() && after->is_array()) {
      if (const Key key = MergeKey(*before, *after); !key.empty()) {
        return CollectElements(*before, *after, key, path, quantity, found);
      }
    }
    if (SameScalar(*before, *after, quantity)) return;
  }
  const auto text = [](const Json* value) {
    return value == nullptr ? std::nullopt : std::optional(Dump(*value));
  };
  found.push_back({path, text(before), text(after)});
}

}  // namespace

std::optional<std::string> FirstDifference(const Json& desired, const Json& actual) {
  Place difference = Compare(desired, &actual, "", false);
  if (difference && difference->empty()) return "(the whole value)";
  return difference;
}

Json PutInto(const Json& desired, Json actual) {
  Put(desired, actual, false);
  return actual;
}

std::vector<Difference> Differences(const Json& before, const Json& after) {
  std::vector<Difference> found;
  Collect(&before, &after, "", false, found);
  return found;
}

}  // namespace rabbit::base
