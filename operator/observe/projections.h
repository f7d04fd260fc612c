// operator/observe/projections.h: from an object's JSON text to the little that the caches keep of
// it. Pure functions, thread-safe. A child's text is not kept: its content hash tells whether it
// was compared with what is desired, and one that was not is read again by Observe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"
#include "kube/resource.h"
#include "operator/observe/observation.h"

namespace rabbit::observe {

// Why what C-inventory holds cannot be read.
struct InventoryTrouble {
  std::string text;
  bool operator==(const InventoryTrouble&) const = default;
};

// What only a child's kind has.
using ChildState = std::variant<std::monostate, StatefulSetState, DeploymentState,
                                std::shared_ptr<const Inventory>, InventoryTrouble>;

struct CachedChild {
  kube::ObjectKey cluster;  // the RabbitCluster that its labels name
  ChildId id;
  Child child;  // without body
  ChildState state;
  bool operator==(const CachedChild&) const = default;
};

struct CachedPod {
  kube::ObjectKey cluster;
  bool broker = false;  // else a proxy
  Pod pod;
};

struct CachedClaim {
  kube::ObjectKey cluster;
  VolumeClaim claim;
};

// `text` is one object of `type` as the server sent it, managedFields cut out or not.
[[nodiscard]] base::Result<CachedChild> ProjectChild(const kube::ResourceType& type,
                                                     std::string_view text);
// Puts what only this child's kind has into the observation of cluster `cluster`, replacing what
// was there: the inventory, the states of StatefulSet and Deployment.
void ApplyState(const CachedChild& child, std::string_view cluster, Observation& seen);

[[nodiscard]] base::Result<CachedPod> ProjectPod(std::string_view text);
[[nodiscard]] base::Result<CachedClaim> ProjectClaim(std::string_view text);

}  // namespace rabbit::observe
