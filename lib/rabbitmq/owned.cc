// The keys of rabbitmq.conf and the environment variables that the operator keeps to itself.
#include <algorithm>
#include <span>

#include "rabbitmq/config.h"

namespace rabbit::rabbitmq {
namespace {

struct Owned {
  std::string_view name;  // with a dot or an underscore at its end: everything below it
  std::string_view why;
};

constexpr Owned kKeys[] = {
    {"cluster_formation.", "brokers find each other by a list that it writes"},
    {"cluster_name", "the cluster's name is spec.clusterName"},
    {"default_pass", "passwords do not lie in a ConfigMap; see spec.users"},
    {"default_permissions.", "its own user is the first one; see spec.users"},
    {"default_user", "its own user is the first one; see spec.users"},
    {"default_user_tags.", "its own user is the first one; see spec.users"},
    {"default_users.", "users are declared in spec.users"},
    {"default_vhost", "the vhost / always exists; see spec.vhosts"},
    {"definitions.", "definitions are imported by spec.definitions"},
    {"distribution.listener.", "nodes find each other by the standard port"},
    {"listeners.ssl", "TLS is spec.tls"},  // = none, which would win over those below it
    {"listeners.ssl.", "TLS is spec.tls"},
    {"listeners.tcp", "Services and probes point to port 5672"},
    {"listeners.tcp.", "Services and probes point to port 5672"},
    {"load_definitions", "definitions are imported by spec.definitions"},
    {"loopback_users", "it must be able to log in from another pod"},
    {"loopback_users.", "it must be able to log in from another pod"},
    {"management.disable_basic_auth", "it logs in to the management API by name and password"},
    {"management.disable_stats", "it learns of partitions and alarms from the statistics"},
    {"management.enable_queue_totals", "it could not tell which mirrors are synchronised"},
    {"management.listener.", "it reads the management API on port 15672"},
    {"management.load_definitions", "definitions are imported by spec.definitions"},
    {"management.path_prefix", "it reads the management API at its usual path"},
    {"management.ssl.", "TLS is spec.tls"},
    {"management.tcp.", "it reads the management API on port 15672"},
    {"management_agent.disable_metrics_collector",
     "it learns of partitions and alarms from the statistics"},
    {"prometheus.tcp.", "Services point to port 15692"},
    {"proxy_protocol", "it must agree with spec.loadBalancer.proxyProtocol"},
    {"raft.data_dir", "data lies on the volume"},
    {"ssl_options", "TLS is spec.tls"},
    {"ssl_options.", "TLS is spec.tls"},
    {"total_memory_available_override_value", "it follows spec.resources"},
};

// With spec.tls, which writes them; else they are anybody's.
constexpr Owned kTlsKeys[] = {
    {"prometheus.ssl.", "TLS is spec.tls"},
};

constexpr Owned kVariables[] = {
    {"ERL_EPMD_", "nodes find each other by the standard port"},
    {"HOME", "the Erlang cookie lies in the home directory"},
    {"POD_NAME", "a node's name is made from it"},
    {"RABBITMQ_ADVANCED_CONFIG_FILE", "see spec.advancedConfig"},
    {"RABBITMQ_BASE", "data lies on the volume"},
    {"RABBITMQ_CONFIG_FILE", "see spec.config"},
    {"RABBITMQ_CONFIG_FILES", "see spec.config"},
    {"RABBITMQ_CONF_ENV_FILE", "see spec.env"},
    {"RABBITMQ_DEFAULT_", "its own user is the first one; see spec.users"},
    {"RABBITMQ_DIST_PORT", "nodes find each other by the standard port"},
    {"RABBITMQ_ENABLED_PLUGINS", "see spec.plugins"},
    {"RABBITMQ_ENABLED_PLUGINS_FILE", "see spec.plugins"},
    {"RABBITMQ_ERLANG_COOKIE", "the cookie comes from a Secret"},
    {"RABBITMQ_HOME", "data lies on the volume"},
    {"RABBITMQ_LOGS", "logs go to the container's output"},
    {"RABBITMQ_LOG_BASE", "logs go to the container's output"},
    {"RABBITMQ_MNESIA_BASE", "data lies on the volume"},
    {"RABBITMQ_MNESIA_DIR", "data lies on the volume"},
    {"RABBITMQ_NODENAME", "a node's name is the identity of its data"},
    {"RABBITMQ_NODE_IP_ADDRESS", "Services and probes point to port 5672"},
    {"RABBITMQ_NODE_PORT", "Services and probes point to port 5672"},
    {"RABBITMQ_NODE_TYPE", "see spec.ramNodes"},
    {"RABBITMQ_PLUGINS_", "see spec.plugins"},
    {"RABBITMQ_QUORUM_DIR", "data lies on the volume"},
    {"RABBITMQ_SCHEMA_DIR", "data lies on the volume"},
    {"RABBITMQ_STREAM_DIR", "data lies on the volume"},
    {"RABBITMQ_UPGRADE_LOG", "logs go to the container's output"},
    {"RABBITMQ_USE_LONGNAME", "a node's name is the identity of its data"},
};

std::optional<std::string_view> Find(std::span<const Owned> all, std::string_view name) {
  const auto found = std::ranges::find_if(all, [&](const Owned& owned) {
    const bool whole_family = owned.name.ends_with('.') || owned.name.ends_with('_');
    return whole_family ? name.starts_with(owned.name) : name == owned.name;
  });
  if (found == all.end()) return std::nullopt;
  return found->why;
}

}  // namespace

std::optional<std::string_view> OwnedKey(std::string_view key, bool with_tls) {
  const auto why = Find(kKeys, key);
  return why || !with_tls ? why : Find(kTlsKeys, key);
}

std::optional<std::string> LockedOut(const std::vector<ConfLine>& lines) {
  const ConfLine* last = nullptr;
  for (const ConfLine& line : lines) {
    const bool backend = line.key.starts_with("auth_backends.");
    // The cache is a backend that asks another one.
    if (!backend && !line.key.starts_with("auth_cache.cached_backend")) continue;
    if (line.value == "internal" || line.value == "rabbit_auth_backend_internal") return {};
    if (backend) last = &line;
  }
  if (last == nullptr) return {};
  return "line " + std::to_string(last->line) +
         ": one of auth_backends must be internal, which knows the operator's own user";
}

std::optional<std::string_view> OwnedVariable(std::string_view name) {
  return Find(kVariables, name);
}

}  // namespace rabbit::rabbitmq
