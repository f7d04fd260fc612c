#include "operator/observe/stranger.h"

#include "kube/metadata.h"
#include "operator/resources/names.h"

namespace rabbit::observe {

std::optional<std::string> StrangerIn(std::string_view object, std::string_view cluster_uid) {
  const auto meta = kube::ParseMeta(object);
  if (!meta) return "an object that cannot be read: " + meta.error().message;
  if (!meta->owner.uid.empty()) {
    if (meta->owner.uid == cluster_uid) return std::nullopt;
    return meta->owner.kind + " " + meta->owner.name + ", its controller";
  }
  const auto managed_by = meta->labels.find(std::string(resources::kManagedByLabel));
  if (managed_by == meta->labels.end()) return "somebody else: it carries no label of the operator";
  if (managed_by->second != resources::kFieldManager) return managed_by->second;
  return std::nullopt;
}

}  // namespace rabbit::observe
