#include "operator/observe/stranger.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "kube/metadata.h"
#include "operator/api/types.h"
#include "operator/resources/names.h"

namespace rabbit::observe {

std::optional<std::string> StrangerIn(std::string_view object, std::string_view cluster_name,
                                      std::string_view cluster_uid) {
  const auto meta = kube::ParseMeta(object);
  if (!meta) return "an object that cannot be read: " + meta.error().message;
  if (!meta->owner.uid.empty()) {
    if (meta->owner.uid == cluster_uid) return std::nullopt;
    return meta->owner.kind + " " + meta->owner.name + ", its controller";
  }
  const auto managed_by = meta->labels.find(std::string(resources::kManagedByLabel));
  if (managed_by == meta->labels.end()) return "somebody else: it carries no label of the operator";
  if (managed_by->second != resources::kFieldManager) return managed_by->second;
  const auto instance = meta->labels.find(std::string(resources::kInstanceLabel));
  if (instance == meta->labels.end()) return "somebody else: its labels name no cluster";
  if (instance->second != cluster_name)
    return "RabbitCluster " + instance->second + ", by its labels";
  return std::nullopt;
}

std::optional<std::string> ForeignController(const nlohmann::json& object) {
  const base::Json* owners = base::Find(object, {"metadata", "ownerReferences"});
  if (owners == nullptr || !owners->is_array()) return std::nullopt;
  for (const base::Json& owner : *owners) {
    if (!base::FindBool(owner, {"controller"})) continue;
    const std::string kind = base::FindString(owner, {"kind"});
    const std::string name = base::FindString(owner, {"name"});
    const bool is_cluster =
        kind == api::kRabbitClusters.kind() &&
        base::FindString(owner, {"apiVersion"})
            .starts_with(std::string(api::kRabbitClusters.group()) + "/") &&
        name == base::FindString(object, {"metadata", "labels", resources::kInstanceLabel});
    if (!is_cluster) return std::string(kind).append(" ").append(name);
  }
  return std::nullopt;
}

}  // namespace rabbit::observe
