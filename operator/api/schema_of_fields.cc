#include "operator/api/schema_of_fields.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "operator/api/duration.h"
#include "operator/api/fields.h"

namespace rabbit::api {
namespace {

using Facts = std::map<std::string, std::string>;

class SchemaLister final : public Visitor {
 public:
  SchemaLister(SchemaFacts& facts, std::string path, bool in_list)
      : facts_(facts), path_(std::move(path)), in_list_(in_list) {
    // A field's place exists even if nothing is said of it.
    facts_[path_]["type"] = Quoted("object");
  }

  void OnLeaf(std::string_view name, const Rule& rule, LeafRef& leaf) override {
    Note(name, rule);
    Facts& facts = facts_[Path(name)];
    Describe(rule, facts, Path(name));
    Json value;
    leaf.WriteTo(rule, value);
    // kubectl would report entries with defaults as changed for ever.
    if (!value.is_null() && !in_list_ && !rule.default_in_code && !no_defaults_) {
      facts["default"] = base::Dump(value);
    }
  }

  void OnObject(std::string_view name, const Rule& rule, const ObjectRef& object) override {
    Note(name, rule);
    object.make();
    SchemaLister inner(facts_, Path(name), in_list_);
    inner.no_defaults_ = no_defaults_;
    object.visit(inner);
    inner.WriteRequired();
  }

  void OnList(std::string_view name, const Rule& rule, const ListRef& list) override {
    Note(name, rule);
    Facts& facts = facts_[Path(name)];
    facts["type"] = Quoted("array");
    facts["maxItems"] = std::to_string(*rule.max);
    facts["x-kubernetes-list-type"] = Quoted("map");
    Json keys = Json::array();
    for (std::string_view key : rule.keys) keys.push_back(key);
    facts["x-kubernetes-list-map-keys"] = base::Dump(keys);
    while (list.size() > 0) list.drop_last();
    list.append();
    SchemaLister inner(facts_, Path(name) + "[]", true);
    list.visit(0, inner);
    inner.WriteRequired();
  }

  void WriteRequired() {
    if (!required_.empty()) facts_[path_]["required"] = base::Dump(required_);
  }
  void LeaveDefaultsOut() { no_defaults_ = true; }

 private:
  static std::string Quoted(std::string_view text) { return base::Dump(Json(text)); }
  std::string Path(std::string_view name) const {
    return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
  }
  void Note(std::string_view name, const Rule& rule) {
    if (rule.required) required_.push_back(name);
  }

  void Describe(const Rule& rule, Facts& facts, const std::string& path) {
    const auto bound = [&](const char* least, const char* most) {
      if (rule.min && *rule.min != 0) facts[least] = std::to_string(*rule.min);
      if (rule.max) facts[most] = std::to_string(*rule.max);
    };
    switch (rule.kind) {
      case Rule::Kind::kBool:
        facts["type"] = Quoted("boolean");
        break;
      case Rule::Kind::kInteger:
        facts["type"] = Quoted("integer");
        if (rule.min) facts["minimum"] = std::to_string(*rule.min);
        if (rule.max) facts["maximum"] = std::to_string(*rule.max);
        break;
      case Rule::Kind::kText:
        DescribeText(rule, facts);
        break;
      case Rule::Kind::kDuration:
        facts["type"] = Quoted("string");
        facts["pattern"] = Quoted(kDurationPattern);
        facts["maxLength"] = std::to_string(kLongestShortText);
        facts["x-kubernetes-validations"] = Quoted(DurationRule(*rule.min, *rule.max));
        break;
      case Rule::Kind::kQuantity:
        facts["x-kubernetes-int-or-string"] = "true";
        facts["anyOf"] = base::Dump(Json::array({{{"type", "integer"}}, {{"type", "string"}}}));
        facts["minimum"] = "0";
        facts["pattern"] = Quoted(kQuantityPattern);
        facts["maxLength"] = std::to_string(kLongestShortText);
        break;
      case Rule::Kind::kTime:
        facts["type"] = Quoted("string");
        facts["format"] = Quoted("date-time");
        break;
      case Rule::Kind::kJsonObject:
        facts["type"] = Quoted("object");
        facts["x-kubernetes-preserve-unknown-fields"] = "true";
        facts["x-kubernetes-map-type"] = Quoted("atomic");
        bound("minProperties", "maxProperties");
        break;
      case Rule::Kind::kJsonArray:
        facts["type"] = Quoted("array");
        facts["x-kubernetes-list-type"] = Quoted("atomic");
        bound("minItems", "maxItems");
        facts_[path + "[]"] = {{"type", Quoted("object")},
                               {"x-kubernetes-preserve-unknown-fields", "true"}};
        break;
      case Rule::Kind::kTexts:
        facts["type"] = Quoted("array");
        facts["x-kubernetes-list-type"] = Quoted("set");
        bound("minItems", "maxItems");
        Describe(*rule.each, facts_[path + "[]"], path + "[]");
        break;
      case Rule::Kind::kTextMap:
        facts["type"] = Quoted("object");
        bound("minProperties", "maxProperties");
        Describe(*rule.each, facts_[path + "{}"], path + "{}");
        break;
      case Rule::Kind::kObject:
      case Rule::Kind::kList:
        break;  // never a leaf
    }
  }

  static void DescribeText(const Rule& rule, Facts& facts) {
    facts["type"] = Quoted("string");
    if (!rule.words.empty()) {
      Json words = Json::array();
      for (std::string_view word : rule.words) words.push_back(word);
      facts["enum"] = base::Dump(words);
    }
    if (rule.min && *rule.min != 0) facts["minLength"] = std::to_string(*rule.min);
    if (rule.max) facts["maxLength"] = std::to_string(*rule.max);
    if (!rule.pattern.empty()) facts["pattern"] = Quoted(rule.pattern);
  }

  SchemaFacts& facts_;
  std::string path_;
  bool in_list_;
  bool no_defaults_ = false;
  Json required_ = Json::array();
};

}  // namespace

std::string DurationRule(std::int64_t min_ms, std::int64_t max_ms) {
  return "duration(self) >= duration('" + FormatDuration(Duration(min_ms)) +
         "') && duration(self) <= duration('" + FormatDuration(Duration(max_ms)) + "')";
}

SchemaFacts SpecSchemaOfFields() {
  SchemaFacts facts;
  Spec spec;
  SchemaLister lister(facts, "", false);
  Fields(lister, spec);
  lister.WriteRequired();
  return facts;
}

SchemaFacts StatusSchemaOfFields() {
  SchemaFacts facts;
  Status status;
  SchemaLister lister(facts, "", false);
  lister.LeaveDefaultsOut();
  Fields(lister, status);
  lister.WriteRequired();
  return facts;
}

}  // namespace rabbit::api
