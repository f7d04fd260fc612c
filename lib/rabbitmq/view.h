// lib/rabbitmq/view.h: what a broker says of itself, as plain values that planners read.
//
// Unknown is not absent: a part that could not be read holds no value and says why. No planner may
// delete, or take something for missing, on a part without a value.
// Nothing here moves by itself (no counters, no uptime, no memory use), so two views of an idle
// cluster are equal. Lists are sorted by name. Sizes: some KB a cluster, see kMax… below.
// Values: copied, compared with ==, no thread affinity. Read by ManagementClient
// (rabbitmq/client.h).
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "rabbitmq/definitions.h"
#include "rabbitmq/part.h"

namespace rabbit::rabbitmq {

enum class NodeType { kDisc, kRam };

// Without them nobody can see what the broker does: on every node, whatever else is.
inline constexpr std::string_view kManagementPlugin = "rabbitmq_management";
inline constexpr std::string_view kPrometheusPlugin = "rabbitmq_prometheus";

struct Plugin {
  enum class State {
    kEnabled,  // in the node's list; whether it runs was not asked, or it does
    kIdle,     // in the node's list, and does not run: not in the image, or it failed to start
    kOff,      // not in the node's list
  };
  std::string name;
  State state = State::kEnabled;
  bool operator==(const Plugin&) const = default;
};

// A member of the cluster: every node that the cluster knows, running or not.
struct Node {
  std::string name;  // "rabbit@C-node-0.C-nodes.NS"
  bool running = false;
  NodeType type = NodeType::kDisc;
  std::vector<std::string>
      partitions;  // the nodes that it saw a partition from; one side may be blind
  bool mem_alarm = false;
  bool disk_free_alarm = false;
  bool being_drained = false;  // from 4.0 on; always false before
  // False for some seconds after its boot, and when it is stopped: the alarms are then not known.
  bool details_known = false;
  // Likewise of `plugins`. The broker tells what changed with a delay of up to 5 s.
  bool plugins_known = false;
  // What makes the node's list another than management and prometheus alone, both running: those
  // that are enabled besides, and these two where they are not. Sorted by name. What a plugin
  // depends on is not in the list.
  std::vector<Plugin> plugins = {};
  std::string version = {};  // of RabbitMQ; empty: not asked for, or not known
  bool operator==(const Node&) const = default;
};

struct Vhost {
  std::string name;
  std::string description;
  std::vector<std::string> tags;
  std::string default_queue_type;           // empty: not set, or the broker is too old to say
  std::vector<std::string> not_running_on;  // nodes on which the vhost is down or has crashed
  bool operator==(const Vhost&) const = default;
};

struct User {
  std::string name;
  std::vector<std::string> tags;  // sorted
  base::Secret password_hash;     // base64(salt + digest), as PUT takes it back; empty: no password
  std::string hashing_algorithm;  // "rabbit_password_hashing_sha256"
  bool operator==(const User&) const = default;
};

struct Permission {
  std::string user, vhost;
  std::string configure, write, read;  // regular expressions
  bool operator==(const Permission&) const = default;
};

struct TopicPermission {
  std::string user, vhost, exchange;
  std::string write, read;
  bool operator==(const TopicPermission&) const = default;
};

// Absent: no limit. The lists hold those only that have one.
struct VhostLimits {
  std::string vhost;
  std::optional<std::int64_t> max_connections, max_queues;
  bool operator==(const VhostLimits&) const = default;
};
struct UserLimits {
  std::string user;
  std::optional<std::int64_t> max_connections, max_channels;
  bool operator==(const UserLimits&) const = default;
};

struct Policy {
  std::string vhost, name;
  std::string pattern;
  std::string apply_to = "all";  // the broker's word: "queues", "exchanges", "all", …
  std::int64_t priority = 0;
  std::string
      definition;  // JSON object, compact, keys sorted (base::Dump): texts compare as values
  bool operator==(const Policy&) const = default;
};

struct PolicyKey {
  std::string vhost, name;
  auto operator<=>(const PolicyKey&) const = default;
};

// Durable, shared queues only: exclusive and auto-delete ones are not counted anywhere here.
struct QueueCounts {
  std::uint32_t total = 0;
  // Classic queues that their effective policy means to mirror (ha-params 1 does not), or that have
  // a mirror; of these the ones with all the mirrors that the policy means, every one in sync.
  std::uint32_t mirrored = 0;
  std::uint32_t mirrors_in_sync = 0;
  std::uint32_t quorum = 0;
  std::uint32_t stream = 0;
  // Mirrored queues not in sync, and quorum queues or streams with a member offline or with fewer
  // members than they were declared for. `down` are those that serve nobody now.
  std::uint32_t under_replicated = 0;
  std::uint32_t down = 0;
  bool operator==(const QueueCounts&) const = default;
};

// Disabled: it may be enabled now. Else that is under way, or some node does not know it (yet).
struct FeatureFlag {
  std::string name;
  bool disabled = true;
  bool operator==(const FeatureFlag&) const = default;
};

// A policy in vain: on each queue that it matches, `by` stands before it.
struct ShadowedPolicy {
  std::string vhost, name, by;
  bool operator==(const ShadowedPolicy&) const = default;
};

struct QueueSummary {
  QueueCounts all;
  std::map<PolicyKey, QueueCounts>
      by_policy;  // of policies that apply to a queue; at most kMaxPolicies
  std::map<std::string, std::uint32_t> leaders;  // by node: classic homes and leaders
  // At most kMaxExamples, the smallest by vhost and name: "orders in vhost /: 0 of 1 mirrors in
  // sync".
  std::vector<std::string> examples;
  std::vector<ShadowedPolicy> shadowed;  // at most kMaxShadowed
  bool operator==(const QueueSummary&) const = default;
};

// What is kept at most; a longer list makes the part unknown (queue counts go on counting).
inline constexpr std::size_t kMaxExamples = 5;
inline constexpr std::size_t kMaxShadowed = 20;
inline constexpr std::size_t kMaxNodes = 1'000;
inline constexpr std::size_t kMaxPolicies = 2'000;
inline constexpr std::size_t kMaxUsers = 10'000;
inline constexpr std::size_t kMaxVhosts = 10'000;
inline constexpr std::size_t kMaxPermissions = 50'000;

struct BrokerView {
  Part<std::string> cluster_name;
  Part<std::string> version;  // of the node that answered: "3.10.8"
  Part<std::vector<Node>> nodes;
  Part<std::vector<Vhost>> vhosts;
  Part<std::vector<VhostLimits>> vhost_limits;
  // Of the vhosts that were asked for: how many queues there are, of any kind. A vhost that is not
  // there has none.
  std::map<std::string, Part<std::size_t>> vhost_queues;
  Part<std::vector<User>> users;
  Part<std::vector<UserLimits>> user_limits;
  Part<std::vector<Permission>> permissions;
  Part<std::vector<TopicPermission>> topic_permissions;
  Part<std::vector<Policy>> policies;
  Part<std::vector<Policy>> operator_policies;
  Part<MissingDefinitions> missing_definitions;
  // Stable feature flags of the broker, and of plugins that run, that are not enabled. Sorted.
  Part<std::vector<FeatureFlag>> flags_to_enable;
  Part<QueueSummary> queues;
  bool operator==(const BrokerView&) const = default;
};

// The entry, or nullptr.
[[nodiscard]] const Node* FindNode(const std::vector<Node>& nodes, std::string_view name);
[[nodiscard]] const User* FindUser(const std::vector<User>& users, std::string_view name);
[[nodiscard]] const Vhost* FindVhost(const std::vector<Vhost>& vhosts, std::string_view name);
[[nodiscard]] const Policy* FindPolicy(const std::vector<Policy>& policies, std::string_view vhost,
                                       std::string_view name);
[[nodiscard]] const Permission* FindPermission(const std::vector<Permission>& permissions,
                                               std::string_view user, std::string_view vhost);

}  // namespace rabbit::rabbitmq
