// The part of policies.h that reads JSON.
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "operator/api/enums.h"
#include "operator/plan/policies.h"
#include "operator/plan/words.h"

namespace rabbit::plan {
namespace {

void Add(std::string& list, std::string_view what, const std::string& actual,
         const std::string& declared) {
  if (!list.empty()) list += "; ";
  list.append(what).append(" is ").append(actual).append(", declared is ").append(declared);
}

// As text, so that 2 and "2", 1 and 1.0 are told apart.
std::string Text(const base::Json& object, const std::string& key) {
  const auto found = object.find(key);
  return found == object.end() ? "absent" : Shortened(base::Dump(*found));
}

void AddDefinition(std::string& list, const std::string& actual_text,
                   const std::string& declared_text) {
  const auto actual = base::ParseJson(actual_text);
  const auto declared = base::ParseJson(declared_text);
  if (!actual || !declared || !actual->is_object() || !declared->is_object()) {
    Add(list, "definition", Shortened(actual_text), Shortened(declared_text));
    return;
  }
  base::Json keys = *declared;
  keys.update(*actual);  // the union, sorted
  for (const auto& [key, unused] : keys.items()) {
    const auto has = actual->find(key);
    const auto wants = declared->find(key);
    if (has != actual->end() && wants != declared->end() &&
        base::Dump(*has) == base::Dump(*wants)) {
      continue;
    }
    Add(list, Shortened(key), Text(*actual, key), Text(*declared, key));
  }
}

}  // namespace

std::string PolicySubject(std::string_view vhost, std::string_view name,
                          rabbitmq::PolicyKind kind) {
  const bool is_operators = kind == rabbitmq::PolicyKind::kOperator;
  return std::string(is_operators ? "operator policy " : "policy ")
      .append(name)
      .append(" in vhost ")
      .append(vhost);
}

rabbitmq::Policy ToBroker(const api::Policy& policy) {
  return {.vhost = policy.vhost,
          .name = policy.name,
          .pattern = policy.pattern,
          .apply_to = std::string(api::Name(policy.apply_to)),
          .priority = policy.priority,
          .definition = policy.definition};
}

std::string PolicyDifference(const rabbitmq::Policy& declared, const rabbitmq::Policy& actual) {
  std::string list;
  if (declared.definition != actual.definition) {
    AddDefinition(list, actual.definition, declared.definition);
  }
  if (declared.pattern != actual.pattern) {
    Add(list, "pattern", Quoted(actual.pattern), Quoted(declared.pattern));
  }
  if (declared.apply_to != actual.apply_to) {
    Add(list, "applyTo", actual.apply_to, declared.apply_to);
  }
  if (declared.priority != actual.priority) {
    Add(list, "priority", std::to_string(actual.priority), std::to_string(declared.priority));
  }
  return list;
}

}  // namespace rabbit::plan
