// operator/api/common.h: the small values that several parts of a RabbitCluster are made of.
// Values: copied, compared, thread-safe.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rabbit::api {

using Duration = std::chrono::milliseconds;  // "5s" in the API
using StringMap = std::map<std::string, std::string>;
// Canonical JSON (compact, keys sorted): what is handed on without being read. Empty: absent.
using JsonText = std::string;
// As declared ("2Gi", "500m", "1"); always valid once parsed. base/quantity.h counts them.
using Quantity = std::string;

// The operator's own user at every broker: not to be declared.
inline constexpr std::string_view kOperatorUser = "rabbit-operator";

// A key of a Secret or of a ConfigMap in the same namespace.
struct KeyRef {
  std::string name, key;
  bool operator==(const KeyRef&) const = default;
};

// As in a container. Memory: the parser makes request and limit equal when one of them is said.
struct Resources {
  std::map<std::string, Quantity> requests, limits;
  bool operator==(const Resources&) const = default;
};

struct EnvVar {
  std::string name;
  std::optional<std::string> value;
  JsonText value_from;  // valueFrom; never together with `value`
  bool operator==(const EnvVar&) const = default;
};

// What a user may say about pods. The texts are JSON as in a pod's spec.
struct Pod {
  StringMap labels, annotations, node_selector;
  JsonText affinity;                     // object
  JsonText tolerations;                  // array
  JsonText topology_spread_constraints;  // array; empty: spread over hosts and zones by preference
  std::optional<std::string> priority_class_name;
  std::optional<std::string> service_account_name;
  // Brokers only; absent in a proxy, whose time follows from drainTime.
  std::optional<std::chrono::seconds> termination_grace_period;
  JsonText security_context;  // object; empty: what the "restricted" level asks for
  bool operator==(const Pod&) const = default;
};

}  // namespace rabbit::api
