// lib/kube/resource.h: names of things in the API: kinds, object keys, the metadata we use.
// Plain values, thread-safe.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace rabbit::kube {

// A kind as its URL needs it; the constants below are all that the operator touches.
struct ResourceType {
  std::string_view group;  // "" is the core group
  std::string_view version;
  std::string_view plural;
  std::string_view kind;
  bool namespaced = true;

  [[nodiscard]] std::string ApiVersion() const;  // "apps/v1", "v1"
  // "/apis/apps/v1/namespaces/NS/statefulsets"; an empty `ns` means all namespaces.
  [[nodiscard]] std::string CollectionPath(std::string_view ns) const;
  bool operator==(const ResourceType&) const = default;
};

inline constexpr ResourceType kPods{"", "v1", "pods", "Pod"};
inline constexpr ResourceType kServices{"", "v1", "services", "Service"};
inline constexpr ResourceType kConfigMaps{"", "v1", "configmaps", "ConfigMap"};
inline constexpr ResourceType kSecrets{"", "v1", "secrets", "Secret"};
inline constexpr ResourceType kServiceAccounts{"", "v1", "serviceaccounts", "ServiceAccount"};
inline constexpr ResourceType kPersistentVolumeClaims{"", "v1", "persistentvolumeclaims",
                                                      "PersistentVolumeClaim"};
inline constexpr ResourceType kStatefulSets{"apps", "v1", "statefulsets", "StatefulSet"};
inline constexpr ResourceType kDeployments{"apps", "v1", "deployments", "Deployment"};
inline constexpr ResourceType kPodDisruptionBudgets{"policy", "v1", "poddisruptionbudgets",
                                                    "PodDisruptionBudget"};
inline constexpr ResourceType kLeases{"coordination.k8s.io", "v1", "leases", "Lease"};
inline constexpr ResourceType kEvents{"events.k8s.io", "v1", "events", "Event"};
inline constexpr ResourceType kCustomResourceDefinitions{
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", false};

struct ObjectKey {
  std::string ns;  // empty for cluster-scoped objects
  std::string name;

  [[nodiscard]] std::string ToString() const;  // "ns/name", or "name"
  auto operator<=>(const ObjectKey&) const = default;
};

struct OwnerReference {
  std::string api_version, kind, name, uid;
  bool controller = false;
  bool operator==(const OwnerReference&) const = default;
};

// What we read of metadata. `owner` is the controlling owner; empty uid: none.
struct ObjectMeta {
  ObjectKey key;
  std::string uid;
  std::string resource_version;  // opaque
  std::int64_t generation = 0;
  bool deleting = false;  // deletionTimestamp is set
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  OwnerReference owner;
  bool operator==(const ObjectMeta&) const = default;
};

}  // namespace rabbit::kube

template <>
struct std::hash<rabbit::kube::ObjectKey> {
  std::size_t operator()(const rabbit::kube::ObjectKey& key) const noexcept {
    return std::hash<std::string>()(key.ns) * 31 + std::hash<std::string>()(key.name);
  }
};
