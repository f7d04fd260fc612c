#include "kube/metadata.h"

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace rabbit::kube {
namespace {

std::map<std::string, std::string> StringMap(const base::Json& meta, std::string_view name) {
  std::map<std::string, std::string> map;
  const base::Json* value = base::Find(meta, {name});
  if (value == nullptr || !value->is_object()) return map;
  for (const auto& [key, text] : value->items()) {
    if (text.is_string()) map.emplace_hint(map.end(), key, text.get_ref<const std::string&>());
  }
  return map;
}

OwnerReference ControllingOwner(const base::Json& meta) {
  const base::Json* owners = base::Find(meta, {"ownerReferences"});
  if (owners == nullptr || !owners->is_array()) return {};
  for (const base::Json& owner : *owners) {
    if (!base::FindBool(owner, {"controller"})) continue;
    return {base::FindString(owner, {"apiVersion"}), base::FindString(owner, {"kind"}),
            base::FindString(owner, {"name"}), base::FindString(owner, {"uid"}), true};
  }
  return {};
}

}  // namespace

base::Result<ObjectMeta> ParseMeta(const nlohmann::json& object) {
  const base::Json* meta = base::Find(object, {"metadata"});
  if (meta == nullptr) return base::Fail(base::ErrorKind::kInternal, "an object without metadata");
  ObjectMeta parsed;
  parsed.key = {base::FindString(*meta, {"namespace"}), base::FindString(*meta, {"name"})};
  if (parsed.key.name.empty()) {
    return base::Fail(base::ErrorKind::kInternal, "an object without a name");
  }
  parsed.uid = base::FindString(*meta, {"uid"});
  parsed.resource_version = base::FindString(*meta, {"resourceVersion"});
  parsed.generation = base::FindInt(*meta, {"generation"});
  parsed.deleting = !base::FindString(*meta, {"deletionTimestamp"}).empty();
  parsed.labels = StringMap(*meta, "labels");
  parsed.annotations = StringMap(*meta, "annotations");
  parsed.owner = ControllingOwner(*meta);
  return parsed;
}

base::Result<ObjectMeta> ParseMeta(std::string_view object) {
  auto json = base::ParseJson(object);
  if (!json) return tl::unexpected(std::move(json.error()));
  return ParseMeta(*json);
}

}  // namespace rabbit::kube
