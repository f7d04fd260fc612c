// lib/rabbitmq/node_name.h: Erlang node names of brokers in pods: rabbit@POD.SERVICE.NAMESPACE.
// Without the cluster's domain, so that a changed domain orphans no data. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rabbit::rabbitmq {

struct NodeAddress {
  std::string pod;      // "C-node-0"
  std::string service;  // "C-nodes"
  std::string ns;
  bool operator==(const NodeAddress&) const = default;

  [[nodiscard]] std::string NodeName() const;  // "rabbit@C-node-0.C-nodes.NS"
};

// Nothing for a name of another form ("rabbit@localhost", a name with the cluster's domain).
[[nodiscard]] std::optional<NodeAddress> ParseNodeName(std::string_view name);

// The ordinal at the end of a pod's name, "C-node-12" is 12; nothing for "-", "-01" or no number.
[[nodiscard]] std::optional<int> OrdinalOfPod(std::string_view pod);

}  // namespace rabbit::rabbitmq
