#include "operator/plan/declared.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/quantity.h"
#include "operator/api/validate.h"

namespace rabbit::plan {
namespace {

std::string FirstSaid(const std::optional<std::string>& declared, const std::string& pinned,
                      const std::string& otherwise) {
  if (declared) return *declared;
  return pinned.empty() ? otherwise : pinned;
}

}  // namespace

Images ResolveImages(const api::RabbitCluster& cluster, const Settings& settings) {
  const api::Spec& spec = cluster.spec;
  const api::Status& status = cluster.status;
  return {.broker = FirstSaid(spec.image, status.image, settings.broker_image),
          .proxy = FirstSaid(spec.load_balancer.image, status.load_balancer.image,
                             settings.proxy_image)};
}

observe::StorageRecord StorageToRecord(const api::RabbitCluster& cluster,
                                       const observe::Observation& seen) {
  if (seen.inventory && seen.inventory->storage) return *seen.inventory->storage;
  const api::Storage& storage = cluster.spec.storage;
  if (storage.ephemeral) return {.size = {}, .class_name = {}, .ephemeral = true};
  return {.size = storage.size, .class_name = storage.class_name, .ephemeral = false};
}

void PlanStorage(const api::RabbitCluster& cluster, const observe::Observation& seen, Plan& plan) {
  const observe::StorageRecord made = StorageToRecord(cluster, seen);
  const api::Storage& now = cluster.spec.storage;
  api::Storage then = now;
  then.ephemeral = made.ephemeral;
  if (!made.ephemeral) {
    then.size = made.size;
    then.class_name = made.class_name;
  }
  const std::vector<api::FieldError> refused = api::ValidateStorageChange(now, then);
  for (const api::FieldError& error : refused) {
    plan.problems.push_back({.aspect = Aspect::kSpec,
                             .reason = "StorageChangeRefused",
                             .message = error.ToString() + "; the volumes stay as they are",
                             .needs_person = true});
  }
  if (refused.empty() && !base::SameQuantity(now.size, then.size)) {
    plan.problems.push_back({.aspect = Aspect::kSpec,
                             .reason = "VolumeExpansionPending",
                             .message = "spec.storage.size is " + now.size +
                                        ", the volumes were made with " + then.size +
                                        ": this version of the operator does not grow them",
                             .needs_person = true});
  }
}

void PlanCountInSpec(const api::RabbitCluster& cluster, int replicas, Plan& plan) {
  if (cluster.spec.replicas) return;
  const base::Json body = {{"apiVersion", api::kRabbitClusters.ApiVersion()},
                           {"kind", api::kRabbitClusters.kind()},
                           {"metadata", {{"name", cluster.meta.key.name}}},
                           {"spec", {{"replicas", replicas}}}};
  plan.steps.push_back({.action = ApplyObject{.type = api::kRabbitClusters,
                                              .name = cluster.meta.key.name,
                                              .uid = cluster.meta.uid,
                                              .body = base::Dump(body)},
                        .reason = "spec.replicas is not said; the count last declared is " +
                                  std::to_string(replicas),
                        .after = {},
                        .repairs_drift = false});
}

}  // namespace rabbit::plan
