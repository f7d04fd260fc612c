// operator/api/enums.h: the closed sets of words in a RabbitCluster, each with the words as the API
// spells them, in the order of the enumerators. Values, thread-safe.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace rabbit::api {

enum class PullPolicy { kAlways, kIfNotPresent, kNever };
enum class RetentionAction { kRetain, kDelete };  // storage.retention, both fields
enum class QueueType { kClassic, kQuorum, kStream };
enum class OnRemove { kDeleteIfEmpty, kRetain, kDelete };  // a vhost that is no longer declared
// The broker's own words, so that a policy reads as in its documentation. The last three exist from
// RabbitMQ 3.12 on.
enum class ApplyTo { kAll, kQueues, kExchanges, kClassicQueues, kQuorumQueues, kStreams };
enum class Ownership { kDeclared, kExclusive };
enum class DefinitionsMode { kOnce, kKeep };
enum class TlsMode { kBoth, kOnly };  // plain listeners beside the TLS ones, or TLS alone
enum class ClientAuth { kNone, kRequest, kRequire };
enum class TlsVersion { kTls12, kTls13 };
enum class ServiceType { kClusterIp, kNodePort, kLoadBalancer };
enum class TrafficPolicy { kCluster, kLocal };
enum class IpFamilyPolicy { kSingleStack, kPreferDualStack, kRequireDualStack };
// What Service C can offer. The words are its port names.
enum class Listener {
  kAmqp,
  kAmqps,
  kManagement,
  kManagementTls,
  kStream,
  kStreamTls,
  kMqtt,
  kMqtts,
  kStomp,
  kStomps,
  kWebMqtt,
  kWebStomp,
  kPrometheus
};
enum class OnDataLoss { kRefuse, kMigrate, kAccept };
enum class OnLostVolume { kForget, kRefuse };
enum class OnOperatorChange { kManual, kAutomatic };
enum class FeatureFlags { kEnableAfterUpgrade, kManual };
enum class OverrideKind { kStatefulSet, kDeployment, kService, kPodDisruptionBudget };
enum class Balance { kLeastConn, kRoundRobin, kSource };
enum class HealthCheckType { kAmqp, kTcp };
enum class ProxyTlsMode { kPassthrough, kTerminate, kReencrypt };
enum class OperationType { kScaleDown, kRejoin, kRollout, kPartitionRecovery, kVolumeExpansion };
enum class ConditionStatus { kTrue, kFalse, kUnknown };

// The words of E, indexed by the enumerators.
template <typename E>
struct EnumNames;

#define RABBIT_ENUM_NAMES(E, ...)                                                  \
  template <>                                                                      \
  struct EnumNames<E> {                                                            \
    static constexpr auto kWords = std::to_array<std::string_view>({__VA_ARGS__}); \
  }
RABBIT_ENUM_NAMES(PullPolicy, "Always", "IfNotPresent", "Never");
RABBIT_ENUM_NAMES(RetentionAction, "Retain", "Delete");
RABBIT_ENUM_NAMES(QueueType, "Classic", "Quorum", "Stream");
RABBIT_ENUM_NAMES(OnRemove, "DeleteIfEmpty", "Retain", "Delete");
RABBIT_ENUM_NAMES(ApplyTo, "all", "queues", "exchanges", "classic_queues", "quorum_queues",
                  "streams");
RABBIT_ENUM_NAMES(Ownership, "Declared", "Exclusive");
RABBIT_ENUM_NAMES(DefinitionsMode, "Once", "Keep");
RABBIT_ENUM_NAMES(TlsMode, "Both", "Only");
RABBIT_ENUM_NAMES(ClientAuth, "None", "Request", "Require");
RABBIT_ENUM_NAMES(TlsVersion, "TLSv1.2", "TLSv1.3");
RABBIT_ENUM_NAMES(ServiceType, "ClusterIP", "NodePort", "LoadBalancer");
RABBIT_ENUM_NAMES(TrafficPolicy, "Cluster", "Local");
RABBIT_ENUM_NAMES(IpFamilyPolicy, "SingleStack", "PreferDualStack", "RequireDualStack");
RABBIT_ENUM_NAMES(Listener, "amqp", "amqps", "management", "management-tls", "stream", "stream-tls",
                  "mqtt", "mqtts", "stomp", "stomps", "web-mqtt", "web-stomp", "prometheus");
RABBIT_ENUM_NAMES(OnDataLoss, "Refuse", "Migrate", "Accept");
RABBIT_ENUM_NAMES(OnLostVolume, "Forget", "Refuse");
RABBIT_ENUM_NAMES(OnOperatorChange, "Manual", "Automatic");
RABBIT_ENUM_NAMES(FeatureFlags, "EnableAfterUpgrade", "Manual");
RABBIT_ENUM_NAMES(OverrideKind, "StatefulSet", "Deployment", "Service", "PodDisruptionBudget");
RABBIT_ENUM_NAMES(Balance, "LeastConn", "RoundRobin", "Source");
RABBIT_ENUM_NAMES(HealthCheckType, "Amqp", "Tcp");
RABBIT_ENUM_NAMES(ProxyTlsMode, "Passthrough", "Terminate", "Reencrypt");
RABBIT_ENUM_NAMES(OperationType, "ScaleDown", "Rejoin", "Rollout", "PartitionRecovery",
                  "VolumeExpansion");
RABBIT_ENUM_NAMES(ConditionStatus, "True", "False", "Unknown");
#undef RABBIT_ENUM_NAMES

// The word of `value`: Name(Balance::kLeastConn) is "LeastConn".
template <typename E>
[[nodiscard]] constexpr auto Name(E value) -> decltype(EnumNames<E>::kWords[0]) {
  return EnumNames<E>::kWords[static_cast<std::size_t>(value)];
}

// The enumerator of `word`, or nothing when E has no such word.
template <typename E>
[[nodiscard]] constexpr std::optional<E> FromName(std::string_view word) {
  for (std::size_t i = 0; i < EnumNames<E>::kWords.size(); ++i) {
    if (EnumNames<E>::kWords[i] == word) return static_cast<E>(i);
  }
  return std::nullopt;
}

}  // namespace rabbit::api
