// operator/api/fields.h: the one description of a RabbitCluster's fields. fields.cc says for each
// struct which member carries which name and rule; visitors walk it: one reads JSON (parse.cc), one
// writes it (write.h), one lists paths and rules (the test that compares with the CRD).
// Defaults are the members' initialisers. Pure, thread-safe.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "operator/api/leaf.h"
#include "operator/api/rules.h"
#include "operator/api/types.h"

namespace rabbit::api {

class Visitor;

// A struct that may be absent (std::optional) or is always there.
struct ObjectRef {
  std::function<bool()> present;
  std::function<void()> make;           // default-constructs it if it is absent
  std::function<void()> drop;           // makes it absent, if it can be
  std::function<void(Visitor&)> visit;  // REQUIRES: present
};

// A std::vector of structs.
struct ListRef {
  std::function<std::size_t()> size;
  std::function<void(std::size_t)> reserve;  // room for so many entries
  std::function<void()> append;              // a default-constructed entry
  std::function<void()> drop_last;
  std::function<void(std::size_t, Visitor&)> visit;
};

class Visitor {
 public:
  virtual ~Visitor() = default;
  virtual void OnLeaf(std::string_view name, const Rule& rule, LeafRef& leaf) = 0;
  virtual void OnObject(std::string_view name, const Rule& rule, const ObjectRef& object) = 0;
  virtual void OnList(std::string_view name, const Rule& rule, const ListRef& list) = 0;

  // A value of its own: text, number, word, list or map of texts, JSON as it is.
  template <typename T>
  void Field(std::string_view name, T& value, const Rule& rule) {
    LeafOf<T> leaf(value);
    OnLeaf(name, rule, leaf);
  }

  // A member that is a struct, or a std::optional of one.
  template <typename T>
  void Object(std::string_view name, T& value, const Rule& rule = kObject) {
    OnObject(name, rule,
             {[] { return true; }, [] {}, [] {}, [&value](Visitor& v) { Fields(v, value); }});
  }
  template <typename T>
  void Object(std::string_view name, std::optional<T>& value, const Rule& rule = kObject) {
    OnObject(name, rule,
             {[&value] { return value.has_value(); },
              [&value] {
                if (!value) value.emplace();
              },
              [&value] { value.reset(); }, [&value](Visitor& v) { Fields(v, *value); }});
  }
  // An object of the API whose fields are members of the struct around it.
  template <typename F>
  void Group(std::string_view name, F fields, const Rule& rule = kObject) {
    OnObject(name, rule, {[] { return true; }, [] {}, [] {}, std::move(fields)});
  }

  // A list of structs. `rule` is a ListBy(…).
  template <typename T>
  void List(std::string_view name, std::vector<T>& values, const Rule& rule) {
    List(name, values, rule, [](Visitor& v, T& value) { Fields(v, value); });
  }
  template <typename T, typename F>
  void List(std::string_view name, std::vector<T>& values, const Rule& rule, F fields) {
    OnList(name, rule,
           {[&values] { return values.size(); }, [&values](std::size_t n) { values.reserve(n); },
            [&values] { values.emplace_back(); }, [&values] { values.pop_back(); },
            [&values, fields](std::size_t i, Visitor& v) { fields(v, values[i]); }});
  }
};

void Fields(Visitor& v, Spec& spec);
void Fields(Visitor& v, LoadBalancer& balancer);  // fields_load_balancer.cc, with what it shares
void Fields(Visitor& v, KeyRef& ref);
void Fields(Visitor& v, EnvVar& variable);
void ResourceFields(Visitor& v, Resources& resources);
// `pod`; only the brokers' has a grace period of its own.
void PodFields(Visitor& v, Pod& pod, bool broker);
void Fields(Visitor& v, Status& status);  // fields_status.cc

}  // namespace rabbit::api
