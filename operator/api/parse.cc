#include "operator/api/parse.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/quantity.h"
#include "kube/metadata.h"
#include "operator/api/read.h"
#include "operator/api/validate.h"

namespace rabbit::api {
namespace {

// Fills in what follows from what was said. `spoken` is the object as declared, or nullptr.
void CompleteResources(const Json* spoken, Resources& resources) {
  const auto said = [&](std::string_view part, std::string_view name) {
    return spoken != nullptr && base::Find(*spoken, {part, name}) != nullptr;
  };
  // Memory: a request below the limit is a broker that gets killed under pressure.
  if (said("limits", "memory") && !said("requests", "memory")) {
    resources.requests["memory"] = resources.limits["memory"];
  } else if (said("requests", "memory") && !said("limits", "memory")) {
    resources.limits["memory"] = resources.requests["memory"];
  }
  // The default request must not exceed a limit that was said.
  if (said("limits", "cpu") && !said("requests", "cpu") &&
      base::LessQuantity(resources.limits["cpu"], resources.requests["cpu"])) {
    resources.requests["cpu"] = resources.limits["cpu"];
  }
}

void ReadSpec(const Json& object, RabbitCluster& cluster) {
  const Json* spec = base::Find(object, {"spec"});
  cluster.spec.cluster_name = cluster.meta.key.name;
  if (spec == nullptr || !spec->is_object()) {
    cluster.findings.structural.push_back(
        {"spec", spec == nullptr ? "" : ShortValue(*spec), "must be an object"});
    return;
  }
  JsonReader reader(*spec, "spec", cluster.findings);
  Fields(reader, cluster.spec);
  reader.NoteUnknown();
  CompleteResources(base::Find(*spec, {"resources"}), cluster.spec.resources);
  CompleteResources(base::Find(*spec, {"loadBalancer", "resources"}),
                    cluster.spec.load_balancer.resources);
  Validate(cluster.meta, cluster.spec, cluster.findings);
}

void ReadStatus(const Json& object, Status& value) {
  const Json* status = base::Find(object, {"status"});
  if (status == nullptr || !status->is_object()) return;
  Findings ignored;
  JsonReader reader(*status, "status", ignored);
  Fields(reader, value);
}

base::Result<Json> ParseObject(std::string_view text) {
  base::Result<Json> object = base::ParseJson(text);
  if (!object) return base::FailWrapped(object.error(), "RabbitCluster");
  if (!object->is_object()) {
    return base::Fail(base::ErrorKind::kInvalid, "RabbitCluster: is not a JSON object");
  }
  return object;
}

}  // namespace

base::Result<RabbitCluster> ParseRabbitCluster(std::string_view json) {
  base::Result<Json> object = ParseObject(json);
  if (!object) return tl::unexpected(object.error());
  const std::string kind = base::FindString(*object, {"kind"});
  const std::string version = base::FindString(*object, {"apiVersion"});
  // Items of a list have neither.
  if ((!kind.empty() && kind != kRabbitClusters.kind()) ||
      (!version.empty() && version != kRabbitClusters.ApiVersion())) {
    return base::Fail(base::ErrorKind::kInvalid, "is " + version + " " + kind + ", not " +
                                                     kRabbitClusters.ApiVersion() + " " +
                                                     std::string(kRabbitClusters.kind()));
  }
  base::Result<kube::ObjectMeta> meta = kube::ParseMeta(*object);
  if (!meta) return base::Fail(base::ErrorKind::kInvalid, "RabbitCluster: has no metadata.name");
  RabbitCluster cluster;
  cluster.meta = *std::move(meta);
  // What the user last applied by kubectl repeats the whole spec; nobody here reads it.
  cluster.meta.annotations.erase("kubectl.kubernetes.io/last-applied-configuration");
  ReadSpec(*object, cluster);
  ReadStatus(*object, cluster.status);
  return cluster;
}

base::Result<Status> ParseStatus(std::string_view json) {
  base::Result<Json> object = ParseObject(json);
  if (!object) return tl::unexpected(object.error());
  Status status;
  ReadStatus(*object, status);
  return status;
}

}  // namespace rabbit::api
