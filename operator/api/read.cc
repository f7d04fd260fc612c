#include "operator/api/read.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/json.h"

namespace rabbit::api {
namespace {

constexpr std::size_t kLongestValue = 80;  // bytes of a value in a message

// The entry's keys for people ("/, half"), or nothing when one is missing, which is another error.
std::optional<std::string> KeyOf(const Rule& rule, const Json& entry) {
  std::string key;
  for (std::string_view name : rule.keys) {
    const Json* part = base::Find(entry, {name});
    if (part == nullptr || !part->is_string()) return std::nullopt;
    // Names hold no control characters, so the line break tells "a, b" and "c" from "a" and "b, c".
    key += (key.empty() ? "" : ",\n") + part->get<std::string>();
  }
  return key;
}

std::string OnOneLine(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::string KeyNames(const Rule& rule) {
  std::string names;
  for (std::string_view name : rule.keys)
    names += (names.empty() ? "" : " and ") + std::string(name);
  return names;
}

}  // namespace

std::string ShortValue(const Json& value) {
  std::string text = base::Dump(value);
  if (text.size() <= kLongestValue) return text;
  std::size_t end = kLongestValue;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
    --end;  // whole characters
  return text.substr(0, end) + "…";
}

JsonReader::JsonReader(const Json& object, std::string path, Findings& findings)
    : object_(object), path_(std::move(path)), findings_(findings) {}

const Json* JsonReader::Find(std::string_view name, const Rule& rule) {
  known_.push_back(name);
  const auto found = object_.find(std::string(name));
  const std::string path = path_ + "." + std::string(name);
  if (found == object_.end() || found->is_null()) {
    if (rule.required) findings_.structural.push_back({path, "", "is required"});
    return nullptr;
  }
  Place place;
  if (std::optional<std::string> wrong = Violation(rule, *found, place)) {
    std::string value;
    if (!rule.hide) value = ShortValue(*place.value);
    findings_.structural.push_back({path + place.step, std::move(value), *std::move(wrong)});
    return nullptr;
  }
  return &*found;
}

void JsonReader::OnLeaf(std::string_view name, const Rule& rule, LeafRef& leaf) {
  if (const Json* value = Find(name, rule)) leaf.ReadFrom(rule, *value);
}

void JsonReader::OnObject(std::string_view name, const Rule& rule, const ObjectRef& object) {
  const Json* value = Find(name, rule);
  if (value == nullptr) return;
  object.make();
  const std::size_t before = findings_.structural.size();
  JsonReader inner(*value, path_ + "." + std::string(name), findings_);
  object.visit(inner);
  inner.NoteUnknown();
  // Half of it would be something that nobody declared.
  if (findings_.structural.size() > before) object.drop();
}

void JsonReader::OnList(std::string_view name, const Rule& rule, const ListRef& list) {
  const Json* value = Find(name, rule);
  if (value == nullptr) return;
  std::set<std::string> seen;
  list.reserve(value->size());  // what is kept for each cluster has no room to spare
  for (std::size_t i = 0; i < value->size(); ++i) {
    const Json& entry = (*value)[i];
    const std::string path = path_ + "." + std::string(name) + "[" + std::to_string(i) + "]";
    Findings found;
    const std::optional<std::string> key = KeyOf(rule, entry);
    if (!entry.is_object()) {
      found.structural.push_back({path, ShortValue(entry), "must be an object"});
    } else if (key && !seen.insert(*key).second) {
      found.structural.push_back(
          {path, OnOneLine(*key), "has the same " + KeyNames(rule) + " as an earlier entry"});
    } else {
      list.append();
      JsonReader inner(entry, path, found);
      list.visit(list.size() - 1, inner);
      inner.NoteUnknown();
      if (!found.structural.empty()) list.drop_last();
    }
    std::move(found.unknown_fields.begin(), found.unknown_fields.end(),
              std::back_inserter(findings_.unknown_fields));
    if (found.structural.empty()) continue;
    if (rule.own_concern) {
      const bool by_vhost = rule.keys.size() > 1;
      findings_.entries.push_back({std::string(name), i,
                                   by_vhost ? base::FindString(entry, {"vhost"}) : std::string(),
                                   base::FindString(entry, {"name"}), found.structural.front()});
    } else {
      std::move(found.structural.begin(), found.structural.end(),
                std::back_inserter(findings_.structural));
    }
  }
}

void JsonReader::NoteUnknown() {
  for (const auto& [key, value] : object_.items()) {
    if (std::find(known_.begin(), known_.end(), key) == known_.end()) {
      findings_.unknown_fields.push_back(path_ + "." + key);
    }
  }
}

}  // namespace rabbit::api
