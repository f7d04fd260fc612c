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

// A kind as its URL needs it.
struct ResourceNames {
  std::string_view group;  // "" is the core group
  std::string_view version;
  std::string_view plural;
  std::string_view kind;
  bool namespaced = true;
};

namespace names {
inline constexpr ResourceNames kNone{};
}

// A handle to the names of a kind, which live as long as the process: it is kept in every cached
// object, and is the size of a pointer. The constants below are all that the operator touches.
class ResourceType {
 public:
  constexpr ResourceType() = default;  // of no kind
  explicit constexpr ResourceType(const ResourceNames* names) : names_(names) {}

  [[nodiscard]] constexpr std::string_view group() const { return names_->group; }
  [[nodiscard]] constexpr std::string_view version() const { return names_->version; }
  [[nodiscard]] constexpr std::string_view plural() const { return names_->plural; }
  [[nodiscard]] constexpr std::string_view kind() const { return names_->kind; }
  [[nodiscard]] constexpr bool namespaced() const { return names_->namespaced; }

  [[nodiscard]] std::string ApiVersion() const;  // "apps/v1", "v1"
  // "/apis/apps/v1/namespaces/NS/statefulsets"; an empty `ns` means all namespaces.
  [[nodiscard]] std::string CollectionPath(std::string_view ns) const;
  bool operator==(const ResourceType&) const = default;

 private:
  const ResourceNames* names_ = &names::kNone;
};

namespace names {
inline constexpr ResourceNames kPods{"", "v1", "pods", "Pod"};
inline constexpr ResourceNames kServices{"", "v1", "services", "Service"};
inline constexpr ResourceNames kConfigMaps{"", "v1", "configmaps", "ConfigMap"};
inline constexpr ResourceNames kSecrets{"", "v1", "secrets", "Secret"};
inline constexpr ResourceNames kServiceAccounts{"", "v1", "serviceaccounts", "ServiceAccount"};
inline constexpr ResourceNames kPersistentVolumeClaims{"", "v1", "persistentvolumeclaims",
                                                       "PersistentVolumeClaim"};
inline constexpr ResourceNames kStatefulSets{"apps", "v1", "statefulsets", "StatefulSet"};
inline constexpr ResourceNames kDeployments{"apps", "v1", "deployments", "Deployment"};
inline constexpr ResourceNames kPodDisruptionBudgets{"policy", "v1", "poddisruptionbudgets",
                                                     "PodDisruptionBudget"};
inline constexpr ResourceNames kLeases{"coordination.k8s.io", "v1", "leases", "Lease"};
inline constexpr ResourceNames kEvents{"events.k8s.io", "v1", "events", "Event"};
inline constexpr ResourceNames kCustomResourceDefinitions{
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", false};
}  // namespace names

inline constexpr ResourceType kPods{&names::kPods};
inline constexpr ResourceType kServices{&names::kServices};
inline constexpr ResourceType kConfigMaps{&names::kConfigMaps};
inline constexpr ResourceType kSecrets{&names::kSecrets};
inline constexpr ResourceType kServiceAccounts{&names::kServiceAccounts};
inline constexpr ResourceType kPersistentVolumeClaims{&names::kPersistentVolumeClaims};
inline constexpr ResourceType kStatefulSets{&names::kStatefulSets};
inline constexpr ResourceType kDeployments{&names::kDeployments};
inline constexpr ResourceType kPodDisruptionBudgets{&names::kPodDisruptionBudgets};
inline constexpr ResourceType kLeases{&names::kLeases};
inline constexpr ResourceType kEvents{&names::kEvents};
inline constexpr ResourceType kCustomResourceDefinitions{&names::kCustomResourceDefinitions};

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
