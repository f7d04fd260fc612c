#include "rabbitmq/policy_check.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/pattern.h"
#include "rabbitmq/policy_keys.h"

namespace rabbit::rabbitmq {
namespace {

using base::Json;
using Kind = PolicyIssue::Kind;

class Checker {
 public:
  Checker(const Policy& policy, PolicyKind kind, const PolicyContext& context)
      : policy_(policy), kind_(kind), context_(context) {}

  // The order is the policy: what no change of a value can help comes first.
  std::vector<PolicyIssue> Run() {
    const auto definition = base::ParseJson(policy_.definition);
    if (!definition || !definition->is_object()) {
      Add(Kind::kBadDefinition, "definition: is not an object");
    } else if (definition->empty()) {
      Add(Kind::kBadDefinition, "definition: is empty, which the broker refuses");
    } else {
      CheckMirroring(*definition);
      for (const auto& [key, value] : definition->items()) CheckKey(key, value);
    }
    if (const auto error = PatternError(policy_.pattern)) {
      Add(Kind::kBadPattern, "pattern \"" + policy_.pattern.substr(0, 100) + "\": " + *error);
    }
    CheckApplyTo();
    std::ranges::stable_sort(issues_, {}, &PolicyIssue::kind);
    return std::move(issues_);
  }

 private:
  void Add(Kind kind, std::string message) {
    issues_.push_back({.kind = kind, .message = std::move(message)});
  }
  void BadValue(std::string_view key, const Json& value, std::string_view rule) {
    Add(Kind::kBadDefinition,
        "definition." + std::string(key) + ": " + Shown(value) + ' ' + std::string(rule));
  }
  static std::string Shown(const Json& value) { return base::Dump(value).substr(0, 100); }
  [[nodiscard]] std::string VersionName() const { return context_.version->ToString(); }

  static const PolicyKeyRule* FindRule(std::string_view key, const Version& version) {
    const auto rules = PolicyKeyRules();
    const auto found = std::ranges::find_if(rules, [&](const PolicyKeyRule& rule) {
      return rule.key == key && rule.since <= version && version < rule.until;
    });
    return found == rules.end() ? nullptr : &*found;
  }
  static bool IsKnown(std::string_view key) {
    return std::ranges::find(PolicyKeyRules(), key, &PolicyKeyRule::key) != PolicyKeyRules().end();
  }

  void CheckKey(std::string_view key, const Json& value) {
    if (key.starts_with("ha-") || !IsKnown(key)) return;
    if (!context_.version) {  // then a value is refused only if no version takes it
      std::optional<std::string> refusal;
      for (const PolicyKeyRule& rule : PolicyKeyRules()) {
        if (rule.key != key) continue;
        refusal = ValueError(rule, value);
        if (!refusal) return;
      }
      BadValue(key, value, *refusal);
      return;
    }
    const PolicyKeyRule* rule = FindRule(key, *context_.version);
    if (rule == nullptr) {
      Add(Kind::kUnsupportedKey, "definition." + std::string(key) + ": RabbitMQ " + VersionName() +
                                     " does not know this key");
      return;
    }
    CheckOperatorKey(*rule);
    if (const auto refusal = ValueError(*rule, value)) BadValue(key, value, *refusal);
  }

  void CheckOperatorKey(const PolicyKeyRule& rule) {
    if (kind_ == PolicyKind::kUser || *context_.version >= rule.in_operator) return;
    Add(Kind::kUnsupportedKey, "definition." + std::string(rule.key) + ": RabbitMQ " +
                                   VersionName() + " does not take it in an operator policy");
  }

  static std::optional<std::string> ValueError(const PolicyKeyRule& rule, const Json& value) {
    switch (rule.type) {
      case ValueType::kInteger:
        return IntegerError(rule, value);
      case ValueType::kText:
        if (!value.is_string()) return "is not a string";
        return std::nullopt;
      case ValueType::kWord: {
        const bool known = value.is_string() && rule.words.find(' ' + value.get<std::string>() +
                                                                ' ') != std::string_view::npos;
        if (!known)
          return "is not one of:" + std::string(rule.words.substr(0, rule.words.size() - 1));
        return std::nullopt;
      }
      case ValueType::kMaxAge:
        return MaxAgeError(value);
      case ValueType::kMirror:
        return std::nullopt;
    }
    return std::nullopt;
  }

  static std::optional<std::string> IntegerError(const PolicyKeyRule& rule, const Json& value) {
    if (!value.is_number_integer()) {
      return value.is_string() ? "is a string; write the number without quotes"
                               : "is not an integer";
    }
    // A number beyond 64 bits signed is kept as unsigned; the broker knows no such bound.
    const bool huge = value.is_number_unsigned() &&
                      value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX);
    const std::int64_t number = huge ? INT64_MAX : value.get<std::int64_t>();
    if (number < rule.least) return "is less than " + std::to_string(rule.least);
    if (number > rule.most) return "is more than " + std::to_string(rule.most);
    return std::nullopt;
  }

  static std::optional<std::string> MaxAgeError(const Json& value) {
    constexpr std::string_view kRule =
        "is not a number above 0 and one of Y, M, D, h, m, s, like \"7D\"";
    if (!value.is_string()) return std::string(kRule);
    const std::string& text = value.get_ref<const std::string&>();
    const std::size_t digits = text.find_first_not_of("0123456789");
    const bool well = digits != std::string::npos && digits > 0 && digits + 1 == text.size() &&
                      std::string_view("YMDhms").find(text.back()) != std::string_view::npos &&
                      text.find_first_not_of('0') < digits;
    if (!well) return std::string(kRule);
    return std::nullopt;
  }

  void CheckMirroring(const Json& definition) {
    const bool mirrors = std::ranges::any_of(
        definition.items(), [](const auto& item) { return item.key().starts_with("ha-"); });
    if (!mirrors) return;
    if (context_.version && !CanMirror(*context_.version)) {
      Add(Kind::kMirroringUnsupported,
          "RabbitMQ " + VersionName() +
              " has no mirrored queues (ha-*): declare quorum queues instead, or stay on 3.13, the "
              "last version that mirrors");
      return;
    }
    if (context_.version && kind_ == PolicyKind::kOperator) {
      for (const auto& [key, value] : definition.items()) {
        const PolicyKeyRule* rule = FindRule(key, *context_.version);
        if (rule != nullptr && rule->type == ValueType::kMirror) CheckOperatorKey(*rule);
      }
    }
    CheckMirrorValues(definition);
  }

  void CheckMirrorValues(const Json& definition) {
    const Json* mode = base::Find(definition, {"ha-mode"});
    const Json* params = base::Find(definition, {"ha-params"});
    if (mode == nullptr) {
      Add(Kind::kBadDefinition, "definition.ha-mode: is missing, but another ha- key is there");
      return;
    }
    if (*mode == "all") {
      if (params != nullptr) {
        BadValue("ha-params", *params, "is too much: ha-mode all takes no parameters");
      }
    } else if (*mode == "exactly") {
      CheckExactly(params);
    } else if (*mode == "nodes") {
      CheckNodes(params);
    } else {
      BadValue("ha-mode", *mode, "is not one of: all exactly nodes");
    }
    CheckMirrorWord(definition, "ha-sync-mode", " manual automatic ");
    CheckMirrorWord(definition, "ha-promote-on-shutdown", " always when-synced ");
    CheckMirrorWord(definition, "ha-promote-on-failure", " always when-synced ");
    if (const Json* size = base::Find(definition, {"ha-sync-batch-size"}); size != nullptr) {
      const PolicyKeyRule rule{.least = 1};
      if (const auto refusal = IntegerError(rule, *size)) {
        BadValue("ha-sync-batch-size", *size, *refusal);
      }
    }
  }

  void CheckMirrorWord(const Json& definition, std::string_view key, std::string_view words) {
    const Json* value = base::Find(definition, {key});
    if (value == nullptr) return;
    const PolicyKeyRule rule{.type = ValueType::kWord, .words = words};
    if (const auto refusal = ValueError(rule, *value)) BadValue(key, *value, *refusal);
  }

  void CheckExactly(const Json* params) {
    if (params == nullptr) {
      Add(Kind::kBadDefinition, "definition.ha-params: is missing: ha-mode exactly takes a count");
      return;
    }
    if (const auto refusal = IntegerError({.least = 1}, *params)) {
      BadValue("ha-params", *params, *refusal);
      return;
    }
    if (!context_.nodes.empty() && *params > context_.nodes.size()) {
      Add(Kind::kWarning, "definition.ha-params: " + Shown(*params) + " copies on " +
                              std::to_string(context_.nodes.size()) +
                              " nodes: every node gets one, no more");
    }
  }

  void CheckNodes(const Json* params) {
    const bool list = params != nullptr && params->is_array() && !params->empty() &&
                      std::ranges::all_of(*params, [](const Json& n) { return n.is_string(); });
    if (!list) {
      BadValue("ha-params", params == nullptr ? Json() : *params,
               "is not a list of node names, which ha-mode nodes takes");
      return;
    }
    if (context_.nodes.empty()) return;
    for (const Json& node : *params) {
      if (std::ranges::find(context_.nodes, node.get<std::string>()) != context_.nodes.end()) {
        continue;
      }
      Add(Kind::kWarning,
          "definition.ha-params: " + Shown(node) + " is not a node of this cluster");
    }
  }

  void CheckApplyTo() {
    static constexpr std::array<std::string_view, 3> kOld = {"all", "queues", "exchanges"};
    static constexpr std::array<std::string_view, 3> kNew = {"classic_queues", "quorum_queues",
                                                             "streams"};
    if (std::ranges::find(kOld, policy_.apply_to) != kOld.end()) return;
    if (std::ranges::find(kNew, policy_.apply_to) == kNew.end()) {
      Add(Kind::kBadApplyTo, "applyTo \"" + policy_.apply_to.substr(0, 100) +
                                 "\": is not one of: all queues exchanges classic_queues "
                                 "quorum_queues streams");
    } else if (context_.version && !HasQueueTypeInApplyTo(*context_.version)) {
      Add(Kind::kBadApplyTo,
          "applyTo " + policy_.apply_to + ": RabbitMQ " + VersionName() +
              " knows only all, queues and exchanges; the others came with 3.12");
    }
  }

  const Policy& policy_;
  PolicyKind kind_;
  const PolicyContext& context_;
  std::vector<PolicyIssue> issues_;
};

}  // namespace

std::string_view Name(PolicyIssue::Kind kind) {
  switch (kind) {
    case Kind::kMirroringUnsupported:
      return "MirroringUnsupported";
    case Kind::kBadDefinition:
      return "InvalidDefinition";
    case Kind::kBadPattern:
      return "InvalidPattern";
    case Kind::kBadApplyTo:
      return "InvalidApplyTo";
    case Kind::kUnsupportedKey:
      return "UnsupportedKey";
    case Kind::kWarning:
      return "PolicyWarning";
  }
  return "InvalidDefinition";
}

std::vector<PolicyIssue> CheckPolicy(const Policy& policy, PolicyKind kind,
                                     const PolicyContext& context) {
  return Checker(policy, kind, context).Run();
}

const PolicyIssue* FirstRefusal(const std::vector<PolicyIssue>& issues) {
  const auto found = std::ranges::find_if(
      issues, [](const PolicyIssue& issue) { return issue.kind != Kind::kWarning; });
  return found == issues.end() ? nullptr : &*found;
}

std::optional<std::string> PatternError(std::string_view pattern) {
  const auto compiled = base::Pattern::Compile(pattern, base::Pattern::Dialect::kErlang);
  return compiled ? std::nullopt : std::optional(compiled.error().message);
}

std::optional<std::string> CanonicalDefinition(std::string_view json) {
  const auto definition = base::ParseJson(json);
  if (!definition || !definition->is_object()) return std::nullopt;
  return base::Dump(*definition);
}

}  // namespace rabbit::rabbitmq
