// operator/api/status.h: the status of a RabbitCluster. What is not known is absent, never zero.
// Values: copied, compared, thread-safe. Written by operator/api/status_json.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "operator/api/enums.h"

namespace rabbit::api {

struct Condition {
  std::string type;
  ConditionStatus status = ConditionStatus::kUnknown;
  std::string reason;   // one CamelCase word
  std::string message;  // names objects and counts, and what to do next
  std::int64_t observed_generation = 0;
  base::WallTime last_transition_time;  // whole seconds
  bool operator==(const Condition&) const = default;
};

struct StatusSummary {
  std::string nodes, mirrors, proxies;  // "3/3"; empty: not known
  bool operator==(const StatusSummary&) const = default;
};

// A member of the broker's cluster, ghosts included (`pod` is empty then).
struct NodeStatus {
  std::string name;  // "rabbit@rabbitcluster-node-0.rabbitcluster-nodes.default"
  std::string pod, volume_uid, image, config_hash;
  bool running = false;
  std::string type;  // "disc" or "ram", as the broker says; empty: not known
  std::vector<std::string> partitions, alarms;
  bool operator==(const NodeStatus&) const = default;
};

// Durable, shared queues only.
struct QueuesStatus {
  std::int64_t total = 0, mirrored = 0, mirrors_in_sync = 0, quorum = 0, under_replicated = 0;
  bool operator==(const QueuesStatus&) const = default;
};

struct UnhealthyPolicy {
  std::string vhost, name, message;
  std::optional<std::int64_t> queues, in_sync;
  bool operator==(const UnhealthyPolicy&) const = default;
};

struct PoliciesStatus {
  static constexpr std::size_t kMostListed = 20;
  std::int64_t total = 0, synced = 0;
  std::vector<UnhealthyPolicy> unhealthy;  // at most kMostListed
  std::int64_t unhealthy_not_listed = 0;   // how many more there are
  bool operator==(const PoliciesStatus&) const = default;
};

struct LoadBalancerStatus {
  std::string image;  // pinned
  std::optional<std::int32_t> replicas, ready_replicas, backends_up;
  std::string config_hash;  // of what is wanted
  std::string live_hash;    // of what every proxy runs; empty while they differ
  bool operator==(const LoadBalancerStatus&) const = default;
};

// The one running procedure. Written before the step that it protects.
struct Operation {
  OperationType type = OperationType::kScaleDown;
  std::string node, step, message;
  base::WallTime started_at;  // whole seconds
  bool operator==(const Operation&) const = default;
};

struct Endpoints {
  std::string amqp, amqps, management, stats, metrics;  // empty: not offered
  bool operator==(const Endpoints&) const = default;
};

struct Status {
  std::int64_t observed_generation = 0;
  std::vector<Condition> conditions;  // keyed by type; see operator/api/conditions.h
  StatusSummary summary;
  std::optional<std::int32_t> replicas, ready_replicas;
  std::string selector;               // label selector of the broker pods, for scale
  std::string image;                  // pinned
  std::string version, cluster_name;  // as the broker says
  std::vector<NodeStatus> nodes;      // keyed by name
  std::optional<QueuesStatus> queues;
  std::optional<PoliciesStatus> policies;
  LoadBalancerStatus load_balancer;
  std::optional<Operation> operation;
  Endpoints endpoints;
  std::string binding_name;  // binding.name: the Secret of the Service Binding specification
  // When this status was last written; its counts may have moved since, for at most a minute.
  std::optional<base::WallTime> counted_at;  // whole seconds
  bool operator==(const Status&) const = default;
};

}  // namespace rabbit::api
