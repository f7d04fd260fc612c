#include "operator/observe/projections.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/hash.h"
#include "base/json.h"
#include "kube/json_text.h"
#include "operator/observe/stranger.h"
#include "operator/resources/inventory.h"
#include "operator/resources/names.h"
#include "operator/resources/tls.h"

namespace rabbit::observe {
namespace {

using base::Find;
using base::FindBool;
using base::FindInt;
using base::FindString;
using base::Json;

std::string Label(const Json& object, std::string_view key) {
  return FindString(object, {"metadata", "labels", key});
}

kube::ObjectKey ClusterOf(const Json& object) {
  return {FindString(object, {"metadata", "namespace"}), Label(object, resources::kInstanceLabel)};
}

std::string ControllerUid(const Json& object) {
  const Json* owners = Find(object, {"metadata", "ownerReferences"});
  if (owners == nullptr || !owners->is_array()) return {};
  for (const Json& owner : *owners) {
    if (FindBool(owner, {"controller"})) return FindString(owner, {"uid"});
  }
  return {};
}

// A hash of what the object says, taken from its text: a DOM of each event of five thousand objects
// would cost seconds. The server writes equal objects as equal texts; where it does not, a content
// is compared once more than need be.
std::uint64_t ContentHash(std::string_view text) {
  std::string kept;
  for (kube::Members members(text); members.Next();) {
    if (members.key() == "status" || members.key() == "kind" || members.key() == "apiVersion") {
      continue;  // lists leave kind and apiVersion out
    }
    if (members.key() != "metadata") {
      kept.append(members.key()).append(1, ':').append(members.value()).append(1, '\n');
      continue;
    }
    for (kube::Members metadata(members.value()); metadata.Next();) {
      if (metadata.key() == "labels" || metadata.key() == "ownerReferences") {
        kept.append(metadata.key()).append(1, ':').append(metadata.value()).append(1, '\n');
      } else if (metadata.key() == "annotations") {
        for (kube::Members annotations(metadata.value()); annotations.Next();) {
          if (annotations.key() == resources::kAppliedHashAnnotation) continue;
          kept.append(annotations.key()).append(1, ':').append(annotations.value()).append(1, '\n');
        }
      }
    }
  }
  return base::Hash64(kept);
}

// The member at the end of `path`, parsed; null when a step is missing.
Json Member(std::string_view text, std::initializer_list<std::string_view> path) {
  for (const std::string_view key : path) {
    const auto found = kube::FindMember(text, key);
    if (!found) return nullptr;
    text = *found;
  }
  return base::ParseJson(text).value_or(nullptr);
}

constexpr std::size_t kLongestHash = 64;  // of what a pod says of itself

// metadata without managedFields, which the answer to a write carries: often half of its text.
Json Metadata(std::string_view text) {
  Json metadata = Json::object();
  for (kube::Members members(kube::FindMember(text, "metadata").value_or("{}")); members.Next();) {
    if (members.key() == "managedFields") continue;
    metadata[std::string(members.key())] = base::ParseJson(members.value()).value_or(nullptr);
  }
  return metadata;
}

// The image of a pod's first container.
std::string FirstImage(std::string_view spec) {
  const auto containers = kube::FindMember(spec, "containers");
  if (!containers) return {};
  const std::size_t begin = containers->find('{');
  if (begin == std::string_view::npos) return {};
  const auto image = kube::FindMember(containers->substr(begin), "image");
  return image ? kube::Unquote(*image).value_or("") : "";
}

bool IsTrue(const Json& pod, std::string_view condition) {
  const Json* conditions = Find(pod, {"status", "conditions"});
  if (conditions == nullptr || !conditions->is_array()) return false;
  return std::any_of(conditions->begin(), conditions->end(), [&](const Json& c) {
    return FindString(c, {"type"}) == condition && FindString(c, {"status"}) == "True";
  });
}

const Json* NamedStatus(const Json& pod, std::string_view list, std::string_view name) {
  const Json* statuses = Find(pod, {"status", list});
  if (statuses == nullptr || !statuses->is_array()) return nullptr;
  for (const Json& status : *statuses) {
    if (FindString(status, {"name"}) == name) return &status;
  }
  return nullptr;
}

// "ImagePullBackOff: Back-off pulling image …" of the first container that waits with a cause that
// does not go away by waiting a moment.
std::string WaitingTrouble(const Json& pod) {
  for (const char* list : {"initContainerStatuses", "containerStatuses"}) {
    const Json* statuses = Find(pod, {"status", list});
    if (statuses == nullptr || !statuses->is_array()) continue;
    for (const Json& status : *statuses) {
      const std::string reason = FindString(status, {"state", "waiting", "reason"});
      if (reason.empty() || reason == "PodInitializing" || reason == "ContainerCreating") continue;
      const std::string message = FindString(status, {"state", "waiting", "message"});
      return message.empty() ? reason : reason + ": " + message;
    }
  }
  const Json* conditions = Find(pod, {"status", "conditions"});
  if (conditions != nullptr && conditions->is_array()) {
    for (const Json& c : *conditions) {
      if (FindString(c, {"type"}) == "PodScheduled" && FindString(c, {"status"}) == "False") {
        return FindString(c, {"reason"}, "Unschedulable") + ": " + FindString(c, {"message"});
      }
    }
  }
  return {};
}

std::string RequestedSize(const Json& claim) {
  return FindString(claim, {"spec", "resources", "requests", "storage"});
}

std::optional<std::string> ClassOf(const Json& claim) {
  if (Find(claim, {"spec", "storageClassName"}) == nullptr) return std::nullopt;
  return FindString(claim, {"spec", "storageClassName"});
}

// Of a StatefulSet with these claim templates.
std::optional<StorageRecord> StorageFrom(const Json& claim_templates) {
  if (!claim_templates.is_array() || claim_templates.empty()) {
    return StorageRecord{.size = {}, .class_name = {}, .ephemeral = true};
  }
  for (const Json& claim : claim_templates) {
    if (FindString(claim, {"metadata", "name"}) != resources::kDataVolume) continue;
    return StorageRecord{.size = RequestedSize(claim), .class_name = ClassOf(claim)};
  }
  return std::nullopt;
}

}  // namespace

base::Result<CachedChild> ProjectChild(const kube::ResourceType& type, std::string_view text) {
  const Json object = {{"metadata", Metadata(text)}};
  CachedChild out;
  out.cluster = ClusterOf(object);
  out.id = {type, FindString(object, {"metadata", "name"})};
  if (out.id.name.empty()) {
    return base::Fail(base::ErrorKind::kInternal, std::string(type.kind()) + " without a name");
  }
  Child& child = out.child;
  child.uid = FindString(object, {"metadata", "uid"});
  child.resource_version = FindString(object, {"metadata", "resourceVersion"});
  child.owner_uid = ControllerUid(object);
  child.foreign_owner = ForeignController(object).value_or("");
  child.applied_hash =
      FindString(object, {"metadata", "annotations", resources::kAppliedHashAnnotation});
  child.content_hash = ContentHash(text);
  child.deleting = Find(object, {"metadata", "deletionTimestamp"}) != nullptr;

  if (type == kube::kStatefulSets) {
    const Json status = Member(text, {"status"});
    const Json replicas = Member(text, {"spec", "replicas"});
    const Json annotations = Member(text, {"spec", "template", "metadata", "annotations"});
    const std::string current = FindString(status, {"currentRevision"});
    out.state = StatefulSetState{
        .replicas = replicas.is_number_integer() ? replicas.get<int>() : 0,
        .ready_replicas = static_cast<int>(FindInt(status, {"readyReplicas"})),
        .template_hash = FindString(annotations, {resources::kTemplateHashAnnotation}),
        .config_hash = FindString(annotations, {resources::kConfigHashAnnotation}),
        .storage = StorageFrom(Member(text, {"spec", "volumeClaimTemplates"})),
        .makes_earlier_pods =
            !current.empty() && current != FindString(status, {"updateRevision"})};
  } else if (type == kube::kDeployments) {
    const Json status = Member(text, {"status"});
    const Json spec_replicas = Member(text, {"spec", "replicas"});
    const std::int64_t replicas =
        spec_replicas.is_number_integer() ? spec_replicas.get<std::int64_t>() : 0;
    const std::int64_t updated = FindInt(status, {"updatedReplicas"});
    out.state = DeploymentState{
        .replicas = static_cast<int>(replicas),
        .ready_replicas = static_cast<int>(FindInt(status, {"readyReplicas"})),
        .updated_replicas = static_cast<int>(updated),
        .settled = FindInt(status, {"observedGeneration"}) >=
                       FindInt(object, {"metadata", "generation"}) &&
                   updated == replicas && FindInt(status, {"replicas"}) == replicas};
  } else if (type == kube::kConfigMaps && out.id.name.ends_with(resources::InventoryName(""))) {
    std::map<std::string, std::string> data;
    const Json entries = Member(text, {"data"});
    for (const auto& [key, value] : entries.items()) {
      if (value.is_string()) data[key] = value.get<std::string>();
    }
    base::Result<Inventory> inventory = resources::InventoryFromData(data);
    if (inventory) {
      out.state = std::make_shared<const Inventory>(std::move(*inventory));
    } else {
      out.state = InventoryTrouble{inventory.error().message};
    }
  }
  return out;
}

void ApplyState(const CachedChild& child, std::string_view cluster, Observation& seen) {
  if (const auto* set = std::get_if<StatefulSetState>(&child.state);
      set != nullptr && child.id.name == resources::NodeSetName(cluster)) {
    seen.stateful_set = *set;
  } else if (const auto* deployment = std::get_if<DeploymentState>(&child.state);
             deployment != nullptr && child.id.name == resources::ProxyName(cluster)) {
    seen.proxy_deployment = *deployment;
  } else if (child.id.name != resources::InventoryName(cluster)) {
    return;
  } else if (const auto* inventory = std::get_if<std::shared_ptr<const Inventory>>(&child.state)) {
    seen.inventory = **inventory;
    seen.inventory_trouble.clear();
  } else if (const auto* trouble = std::get_if<InventoryTrouble>(&child.state)) {
    seen.inventory.reset();
    seen.inventory_trouble = trouble->text;
  }
}

base::Result<CachedPod> ProjectPod(std::string_view text) {
  // Of the spec, most of the text, next to nothing is read.
  const Json object = {{"metadata", Metadata(text)}, {"status", Member(text, {"status"})}};
  const std::string_view spec = kube::FindMember(text, "spec").value_or("{}");

  CachedPod out;
  out.cluster = ClusterOf(object);
  out.broker = Label(object, resources::kComponentLabel) == resources::kBrokerComponent;
  Pod& pod = out.pod;
  pod.name = FindString(object, {"metadata", "name"});
  pod.uid = FindString(object, {"metadata", "uid"});
  pod.ip = FindString(object, {"status", "podIP"});
  if (pod.name.empty()) return base::Fail(base::ErrorKind::kInternal, "Pod without a name");
  if (const auto host = kube::FindMember(spec, "nodeName")) {
    pod.host = kube::Unquote(*host).value_or("");
  }
  pod.image = FirstImage(spec);
  pod.template_hash =
      FindString(object, {"metadata", "annotations", resources::kTemplateHashAnnotation});
  pod.config_hash =
      FindString(object, {"metadata", "annotations", resources::kConfigHashAnnotation});
  pod.tls = FindString(object, {"metadata", "annotations", resources::kTlsAnnotation});
  pod.ready = IsTrue(object, "Ready");
  pod.deleting = Find(object, {"metadata", "deletionTimestamp"}) != nullptr;
  if (const Json* guard =
          NamedStatus(object, "initContainerStatuses", resources::kGuardContainer)) {
    pod.preparing = Find(*guard, {"state", "running"}) != nullptr;
    const std::string booted_from = FindString(*guard, {"state", "terminated", "message"});
    // The first line; what follows is read when it is asked for.
    if (!booted_from.empty()) {
      pod.config_hash = booted_from.substr(0, std::min(booted_from.find('\n'), kLongestHash));
    }
    if (Find(*guard, {"state", "terminated"}) == nullptr) pod.config_hash.clear();
  } else if (out.broker) {
    pod.config_hash.clear();  // not started
  }
  if (const Json* statuses = Find(object, {"status", "containerStatuses"});
      statuses != nullptr && statuses->is_array()) {
    for (const Json& status : *statuses) {
      pod.restarts += static_cast<int>(FindInt(status, {"restartCount"}));
    }
  }
  pod.trouble = WaitingTrouble(object);
  return out;
}

base::Result<CachedClaim> ProjectClaim(std::string_view text) {
  base::Result<Json> parsed = base::ParseJson(text);
  if (!parsed) return base::FailWrapped(parsed.error(), "PersistentVolumeClaim");
  const Json& object = *parsed;
  CachedClaim out;
  out.cluster = ClusterOf(object);
  const Json* owners = Find(object, {"metadata", "ownerReferences"});
  const bool owned =
      owners != nullptr && std::ranges::any_of(*owners, [&](const auto& owner) {
        return FindString(owner, {"kind"}) == "StatefulSet" &&
               FindString(owner, {"name"}) == resources::NodeSetName(out.cluster.name);
      });
  const std::string phase = FindString(object, {"status", "phase"});
  out.claim = {.name = FindString(object, {"metadata", "name"}),
               .uid = FindString(object, {"metadata", "uid"}),
               .size = RequestedSize(object),
               .class_name = ClassOf(object),
               .bound = phase == "Bound" || phase == "Lost",
               .deleting = Find(object, {"metadata", "deletionTimestamp"}) != nullptr,
               .owned = owned};
  return out;
}

}  // namespace rabbit::observe
