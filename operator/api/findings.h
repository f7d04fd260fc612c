// operator/api/findings.h: what is wrong with a RabbitCluster as declared. Values, thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rabbit::api {

struct FieldError {
  std::string path;   // "spec.users[2].permissions[0].read"
  std::string value;  // as JSON, cut short; empty: absent, or not to be repeated
  std::string rule;   // "must be between 1 and 99"

  // "spec.replicas: 0: must be between 1 and 99".
  [[nodiscard]] std::string ToString() const;
  bool operator==(const FieldError&) const = default;
};

// One entry of a list whose entries stand for themselves: vhosts, users, policies,
// operatorPolicies. The entry is not in the parsed list. It is still declared: what exists at the
// broker under its name is neither changed nor removed.
struct EntryError {
  std::string list;       // "policies"
  std::size_t index = 0;  // as declared
  std::string vhost;      // of a policy; empty: not readable
  std::string name;       // empty: not readable
  FieldError error;       // the first that was found
  bool operator==(const EntryError&) const = default;
};

// Allowed, but perhaps not what was meant.
struct SpecWarning {
  std::string path;
  std::string message;  // what will happen, and what to write instead
  bool operator==(const SpecWarning&) const = default;
};

struct Findings {
  std::vector<FieldError> structural;  // any: nothing of this spec is put into effect
  std::vector<EntryError> entries;
  std::vector<SpecWarning> warnings;
  std::vector<std::string> unknown_fields;  // paths; the API server would have dropped them
  bool operator==(const Findings&) const = default;

  [[nodiscard]] bool usable() const { return structural.empty(); }
  // Whether `list` has a broken entry that is of this name (and vhost, for policies), or may be:
  // one whose name is not readable may be any. It is declared, so nothing may be removed.
  [[nodiscard]] bool Broken(std::string_view list, std::string_view vhost,
                            std::string_view name) const;
};

}  // namespace rabbit::api
