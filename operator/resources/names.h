// operator/resources/names.h: the names of everything the operator makes for cluster C, and the
// labels and annotations by which it knows them again. The table is in docs/reference/names.md.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "operator/api/common.h"

namespace rabbit::resources {

inline constexpr std::string_view kFieldManager = "rabbit-operator";
inline constexpr std::string_view kManagedByLabel =
    "app.kubernetes.io/managed-by";  // = rabbit-operator
inline constexpr std::string_view kInstanceLabel = "app.kubernetes.io/instance";  // = C
inline constexpr std::string_view kComponentLabel =
    "app.kubernetes.io/component";  // broker | proxy
inline constexpr std::string_view kBrokerComponent = "broker";
inline constexpr std::string_view kProxyComponent = "proxy";
inline constexpr std::string_view kAppliedHashAnnotation = "rabbitcluster.dev/applied-hash";
// On pod templates, of all but the configuration and of that: "<what the spec says>-<what came of
// it>", see operator/resources/pod_hash.h.
inline constexpr std::string_view kTemplateHashAnnotation = "rabbitcluster.dev/template-hash";
inline constexpr std::string_view kConfigHashAnnotation = "rabbitcluster.dev/config-hash";

// How the names begin of policies that procedures write and take back themselves: nobody declared
// them, and no planner takes them away.
inline constexpr std::string_view kTemporaryPolicyPrefix = "rabbit-operator:";

// Keys of the Secrets below; passwordSecretRef names a key of its own.
inline constexpr const char* kUsernameKey = "username";
inline constexpr const char* kPasswordKey = "password";
inline constexpr const char* kPortKey = "port";
inline constexpr const char* kCookieKey = "cookie";

inline constexpr std::string_view kDataVolume = "data";  // of a node, claimed or ephemeral
inline constexpr std::string_view kBrokerContainer = "rabbitmq";
inline constexpr std::string_view kGuardContainer = "prepare";  // init container, see the guard
inline constexpr std::string_view kReleaseFile = "/run/rabbit-operator/release";
inline constexpr std::string_view kHeldFile = "/run/rabbit-operator/held";
using api::kOperatorUser;  // at the broker

[[nodiscard]] std::string NodeSetName(std::string_view cluster);  // C-node: StatefulSet, SA, PDB
[[nodiscard]] std::string PodName(std::string_view cluster, int ordinal);  // C-node-0
[[nodiscard]] std::optional<int> OrdinalOf(std::string_view cluster, std::string_view pod);
[[nodiscard]] std::string NodesServiceName(std::string_view cluster);    // C-nodes, headless
[[nodiscard]] std::string BrokersServiceName(std::string_view cluster);  // C-brokers
[[nodiscard]] std::string ProxyName(
    std::string_view cluster);  // C-haproxy: Deployment, ConfigMap, PDB
[[nodiscard]] std::string ProxyAdminServiceName(std::string_view cluster);   // C-haproxy-admin
[[nodiscard]] std::string ConfigName(std::string_view cluster);              // C-config
[[nodiscard]] std::string InventoryName(std::string_view cluster);           // C-inventory
[[nodiscard]] std::string CookieSecretName(std::string_view cluster);        // C-erlang-cookie
[[nodiscard]] std::string OperatorUserSecretName(std::string_view cluster);  // C-operator-user
[[nodiscard]] std::string DefaultUserSecretName(std::string_view cluster);   // C-default-user
// C-user-<slug>-<hash>: `user` may hold any character, the name may not.
[[nodiscard]] std::string UserSecretName(std::string_view cluster, std::string_view user);
// data-C-node-0: the volume claim of an ordinal.
[[nodiscard]] std::string ClaimName(std::string_view cluster, int ordinal);
// rabbit@C-node-0.C-nodes.NS
[[nodiscard]] std::string NodeName(std::string_view cluster, std::string_view ns, int ordinal);
// C-node-0.C-nodes.NS.svc.DOMAIN
[[nodiscard]] std::string HostName(std::string_view cluster, std::string_view ns, int ordinal,
                                   std::string_view domain);
// What the nodes ask DNS for first when they look for that one: the host of its node name with the
// head of their pods' search list, C-node-0.C-nodes.NS.NS.svc.DOMAIN. A resolver that finds this
// too long gives up there, and never comes to the name that exists.
[[nodiscard]] std::string FirstSearchedName(std::string_view cluster, std::string_view ns,
                                            int ordinal, std::string_view domain);
inline constexpr std::size_t kLongestDnsName = 253;  // characters

}  // namespace rabbit::resources
