// operator/api/spec.h: the spec of a RabbitCluster as plain values. The names are those of the API
// in C++ dress; the initialisers are the defaults (operator/api/fields.h reads them from here, and
// a test compares them with the CRD). Meaning and limits: docs/reference/rabbitcluster.md. Values:
// copied, compared, thread-safe. Parsed by operator/api/parse.h, so that every value obeys its
// rule. A std::optional is absent with a meaning of its own; a free text that is absent is empty.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "operator/api/common.h"
#include "operator/api/enums.h"
#include "operator/api/load_balancer.h"

namespace rabbit::api {

struct Retention {
  RetentionAction when_deleted = RetentionAction::kRetain;
  RetentionAction when_scaled = RetentionAction::kDelete;
  bool operator==(const Retention&) const = default;
};

struct Storage {
  Quantity size = "10Gi";
  std::optional<std::string> class_name;  // absent: the cluster's default; "": no class at all
  bool ephemeral = false;                 // an emptyDir: a pod that goes loses its data
  Retention retention;
  bool operator==(const Storage&) const = default;
};

struct VhostLimits {
  std::optional<std::int64_t> max_connections, max_queues;  // absent: no limit
  bool operator==(const VhostLimits&) const = default;
};

struct Vhost {
  std::string name;
  OnRemove on_remove = OnRemove::kDeleteIfEmpty;
  std::optional<QueueType> default_queue_type;
  VhostLimits limits;
  std::vector<std::string> tags;
  std::string description;
  bool operator==(const Vhost&) const = default;
};

// What is absent grants nothing: "^$" matches no name but the empty one.
struct Permission {
  std::string vhost, configure = "^$", write = "^$", read = "^$";
  bool operator==(const Permission&) const = default;
};

struct TopicPermission {
  std::string vhost, exchange, write = "^$", read = "^$";
  bool operator==(const TopicPermission&) const = default;
};

struct UserLimits {
  std::optional<std::int64_t> max_connections, max_channels;  // absent: no limit
  bool operator==(const UserLimits&) const = default;
};

struct User {
  std::string name;
  std::optional<KeyRef> password_secret_ref;  // absent: the operator generates one
  std::vector<std::string> tags;
  std::vector<Permission> permissions;             // keyed by vhost
  std::vector<TopicPermission> topic_permissions;  // keyed by vhost and exchange
  UserLimits limits;
  bool operator==(const User&) const = default;
};

// Also an operator policy. Keyed by vhost and name.
struct Policy {
  std::string vhost, name;
  std::string pattern;  // PCRE, compiles
  ApplyTo apply_to = ApplyTo::kAll;
  std::int32_t priority = 0;
  JsonText definition;  // an object with at least one key; values keep their JSON type
  bool operator==(const Policy&) const = default;
};

struct OwnershipSettings {
  Ownership users = Ownership::kDeclared;
  Ownership policies = Ownership::kDeclared;
  bool operator==(const OwnershipSettings&) const = default;
};

// Exactly one of the two references is there.
struct Definitions {
  std::optional<KeyRef> config_map_ref;  // {name, key} of a ConfigMap
  std::optional<KeyRef> secret_ref;
  DefinitionsMode mode = DefinitionsMode::kOnce;
  bool operator==(const Definitions&) const = default;
};

struct Tls {
  std::string secret_name;              // secretRef.name: type kubernetes.io/tls
  std::optional<KeyRef> ca_secret_ref;  // key: "ca.crt" when not said
  TlsMode mode = TlsMode::kBoth;
  ClientAuth client_auth = ClientAuth::kNone;
  TlsVersion min_version = TlsVersion::kTls12;
  bool operator==(const Tls&) const = default;
};

struct Service {
  ServiceType type = ServiceType::kClusterIp;
  StringMap annotations, labels;
  std::optional<std::string> load_balancer_class;
  std::vector<std::string> source_ranges;  // CIDRs
  std::optional<TrafficPolicy> external_traffic_policy;
  std::optional<IpFamilyPolicy> ip_family_policy;
  std::vector<Listener> expose = {Listener::kAmqp};
  bool operator==(const Service&) const = default;
};

struct Rollout {
  Duration gate_timeout = std::chrono::minutes(15);
  OnOperatorChange on_operator_change = OnOperatorChange::kManual;
  bool grow_quorum_queues = true;
  FeatureFlags feature_flags = FeatureFlags::kEnableAfterUpgrade;
  bool operator==(const Rollout&) const = default;
};

struct Binding {
  std::optional<std::string> user;  // absent: the one of Secret C-default-user
  std::string vhost = "/";
  bool operator==(const Binding&) const = default;
};

// One of the operator's own objects; keyed by kind and name.
struct Override {
  OverrideKind kind = OverrideKind::kStatefulSet;
  std::string name;
  JsonText patch;  // an object, merged last
  bool operator==(const Override&) const = default;
};

struct Monitoring {
  bool pod_monitor = false;
  bool service_monitor = false;
  StringMap labels;  // put on the monitors, so that a Prometheus selects them
  Duration interval = std::chrono::seconds(30);
  bool operator==(const Monitoring&) const = default;
};

inline constexpr std::int32_t kMostNodes = 99;

struct Spec {
  std::optional<std::int32_t>
      replicas;  // 1 to kMostNodes; absent: the count that was last declared
  bool stopped = false;
  bool paused = false;
  std::string cluster_name;  // never empty once parsed: metadata.name when not said
  std::optional<std::string> image;
  std::optional<PullPolicy> image_pull_policy;
  std::vector<std::string> image_pull_secrets;  // names
  Resources resources{.requests = {{"cpu", "500m"}, {"memory", "2Gi"}},
                      .limits = {{"memory", "2Gi"}}};
  Storage storage;
  std::vector<std::string> plugins;  // on top of management and prometheus
  std::string config;                // lines of rabbitmq.conf
  std::string advanced_config;       // Erlang terms
  std::vector<EnvVar> env;
  std::int32_t ram_nodes = 0;
  std::vector<Vhost> vhosts;  // "/" exists without being named
  std::vector<User> users;
  std::vector<Policy> policies;
  std::vector<Policy> operator_policies;
  OwnershipSettings ownership;
  std::optional<Definitions> definitions;
  std::optional<Tls> tls;
  LoadBalancer load_balancer;
  Service service;
  OnDataLoss on_data_loss = OnDataLoss::kRefuse;        // scaleDown.onDataLoss
  OnLostVolume on_lost_volume = OnLostVolume::kForget;  // recovery.onLostVolume
  Rollout rollout;
  Duration drift_interval = std::chrono::seconds(15);  // drift.interval, 1 s to 1 h
  Binding binding;
  Pod pod{.termination_grace_period = std::chrono::seconds(600)};
  std::vector<Override> overrides;
  Monitoring monitoring;
  bool operator==(const Spec&) const = default;
};

}  // namespace rabbit::api
