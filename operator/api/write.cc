#include "operator/api/write.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "operator/api/fields.h"

namespace rabbit::api {
namespace {

class JsonWriter final : public Visitor {
 public:
  Json Take() { return std::move(object_); }

  void OnLeaf(std::string_view name, const Rule& rule, LeafRef& leaf) override {
    Json value;
    leaf.WriteTo(rule, value);
    // A required text may be empty: the entry says so itself.
    if (value.is_null() && rule.required) value = "";
    if (!value.is_null()) object_[std::string(name)] = std::move(value);
  }

  void OnObject(std::string_view name, const Rule&, const ObjectRef& object) override {
    if (!object.present()) return;
    JsonWriter inner;
    object.visit(inner);
    if (!inner.object_.empty()) object_[std::string(name)] = inner.Take();
  }

  void OnList(std::string_view name, const Rule&, const ListRef& list) override {
    Json entries = Json::array();
    for (std::size_t i = 0; i < list.size(); ++i) {
      JsonWriter inner;
      list.visit(i, inner);
      entries.push_back(inner.Take());
    }
    if (!entries.empty()) object_[std::string(name)] = std::move(entries);
  }

 private:
  Json object_ = Json::object();
};

// Writes each leaf beside its path; those of list entries under one path, joined.
class LeafLister final : public Visitor {
 public:
  using Leaves = std::map<std::string, std::vector<std::string>>;
  LeafLister(Leaves& leaves, std::string prefix) : leaves_(leaves), prefix_(std::move(prefix)) {}

  void OnLeaf(std::string_view name, const Rule& rule, LeafRef& leaf) override {
    Json value;
    leaf.WriteTo(rule, value);
    leaves_[prefix_ + std::string(name)].push_back(base::Dump(value));
  }

  void OnObject(std::string_view name, const Rule&, const ObjectRef& object) override {
    if (!object.present()) return;
    LeafLister inner(leaves_, prefix_ + std::string(name) + ".");
    object.visit(inner);
  }

  void OnList(std::string_view name, const Rule&, const ListRef& list) override {
    for (std::size_t i = 0; i < list.size(); ++i) {
      LeafLister inner(leaves_, prefix_ + std::string(name) + "[].");
      list.visit(i, inner);
    }
  }

 private:
  Leaves& leaves_;
  std::string prefix_;
};

// A spec in which every list has one default entry and every optional object is there.
class Filler final : public Visitor {
 public:
  void OnLeaf(std::string_view, const Rule&, LeafRef&) override {}
  void OnObject(std::string_view, const Rule&, const ObjectRef& object) override {
    object.make();
    object.visit(*this);
  }
  void OnList(std::string_view, const Rule&, const ListRef& list) override {
    if (list.size() == 0) list.append();
    list.visit(0, *this);
  }
};

LeafLister::Leaves DefaultLeaves() {
  Spec spec;
  Filler filler;
  Fields(filler, spec);
  LeafLister::Leaves leaves;
  LeafLister lister(leaves, "");
  Fields(lister, spec);
  return leaves;
}

}  // namespace

std::string StatusToJson(const Status& status) {
  Status copy = status;  // visitors walk what can be changed
  JsonWriter writer;
  Fields(writer, copy);
  return base::Dump(writer.Take());
}

std::map<std::string, std::string> DeclaredFields(const Spec& spec) {
  static const LeafLister::Leaves kDefaults = DefaultLeaves();
  Spec copy = spec;
  LeafLister::Leaves leaves;
  LeafLister lister(leaves, "");
  Fields(lister, copy);
  std::map<std::string, std::string> declared;
  for (const auto& [path, values] : leaves) {
    const std::string& otherwise = kDefaults.at(path).front();
    for (const std::string& value : values) {
      if (value != otherwise) declared.emplace(path, value);
    }
  }
  return declared;
}

}  // namespace rabbit::api
