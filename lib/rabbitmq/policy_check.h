// lib/rabbitmq/policy_check.h: what the broker would say of a policy, before it is asked.
// Pure, thread-safe. The rules were taken from the answers of 3.10.8 and 4.0.5, including two that
// those answer with 500 (a bad max-age). Keys that are not in the table may be a plugin's: they
// pass, and the broker has the last word.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rabbitmq/version.h"
#include "rabbitmq/view.h"

namespace rabbit::rabbitmq {

enum class PolicyKind { kUser, kOperator };

struct PolicyIssue {
  enum class Kind {
    kMirroringUnsupported,  // ha-* on 4.0 and later: never written there
    kBadDefinition,         // not an object, empty, or a value that its key does not take
    kBadPattern,            // does not compile
    kBadApplyTo,            // not a word of this version
    kUnsupportedKey,        // a key that came later, or that operator policies refuse
    kWarning,  // will be accepted, but may not do what was meant; the only harmless one
  };
  Kind kind = Kind::kBadDefinition;
  std::string message;  // for people: names the key, the value, the rule and the way out
  bool operator==(const PolicyIssue&) const = default;
};
// "MirroringUnsupported" …: a condition's reason.
[[nodiscard]] std::string_view Name(PolicyIssue::Kind kind);

struct PolicyContext {
  std::optional<Version> version;  // of the broker; unknown: rules of every version only
  std::vector<std::string> nodes;  // members, for the warnings about ha-mode; empty: unknown
};

// All issues, worst first; empty: it may be written.
[[nodiscard]] std::vector<PolicyIssue> CheckPolicy(const Policy& policy, PolicyKind kind,
                                                   const PolicyContext& context);
// The first issue that forbids writing, or nullptr.
[[nodiscard]] const PolicyIssue* FirstRefusal(const std::vector<PolicyIssue>& issues);

// Why `pattern` is no regular expression ("missing closing parenthesis at 3"), or nothing.
[[nodiscard]] std::optional<std::string> PatternError(std::string_view pattern);

// The definition as the broker keeps it: compact, keys sorted. Nothing when it is not an object.
[[nodiscard]] std::optional<std::string> CanonicalDefinition(std::string_view json);

}  // namespace rabbit::rabbitmq
