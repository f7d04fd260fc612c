#include "operator/plan/declared.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/quantity.h"
#include "operator/api/validate.h"
#include "operator/plan/words.h"
#include "operator/resources/inventory.h"
#include "operator/resources/names.h"

namespace rabbit::plan {
namespace {

std::string FirstSaid(const std::optional<std::string>& declared, const std::string& pinned,
                      const std::string& otherwise) {
  if (declared) return *declared;
  return pinned.empty() ? otherwise : pinned;
}

// Of a node, and there to stay.
bool IsOfNode(const api::RabbitCluster& cluster, const observe::VolumeClaim& claim) {
  const std::string prefix = std::string(resources::kDataVolume) + "-";
  return !claim.deleting && claim.name.starts_with(prefix) &&
         resources::OrdinalOf(cluster.meta.key.name, claim.name.substr(prefix.size()));
}

// With a volume: what waits for one holds no data, and may do so for the very thing that was mended
// since (a class that does not exist).
bool IsDisk(const api::RabbitCluster& cluster, const observe::VolumeClaim& claim) {
  return claim.bound && IsOfNode(cluster, claim);
}

// Claims of a first start that got no volume keep asking for it, whatever was mended since.
void WarnOfEarlierClaims(const api::RabbitCluster& cluster, const observe::Observation& seen,
                         const observe::StorageRecord& made, Plan& plan) {
  std::vector<std::string> earlier;
  for (const observe::VolumeClaim& claim : seen.claims) {
    if (claim.bound || claim.size.empty() || !IsOfNode(cluster, claim)) continue;
    const bool other_class = made.class_name && claim.class_name != made.class_name;
    if (other_class || !base::SameQuantity(claim.size, made.size)) earlier.push_back(claim.name);
  }
  if (earlier.empty()) return;
  std::ranges::sort(earlier);
  plan.warnings.push_back(
      {"ClaimsOutdated", "volume claims that still wait for a volume ask for something else than " +
                             made.size + (made.class_name ? " of class " + *made.class_name : "") +
                             ": " + Listed(earlier) +
                             ": delete them, and those of nodes are made anew"});
}

const observe::VolumeClaim* SmallestClaim(const api::RabbitCluster& cluster,
                                          const observe::Observation& seen) {
  const observe::VolumeClaim* smallest = nullptr;
  for (const observe::VolumeClaim& claim : seen.claims) {
    if (claim.size.empty() || !IsDisk(cluster, claim)) continue;
    const bool is_less =
        smallest == nullptr || base::LessQuantity(claim.size, smallest->size) ||
        (base::SameQuantity(claim.size, smallest->size) && claim.name < smallest->name);
    if (is_less) smallest = &claim;
  }
  return smallest;
}

void WarnOfUnusedVolumes(const api::RabbitCluster& cluster, const observe::Observation& seen,
                         Plan& plan) {
  std::vector<std::string> unused;
  for (const observe::VolumeClaim& claim : seen.claims) {
    if (IsDisk(cluster, claim)) unused.push_back(claim.name);
  }
  if (unused.empty()) return;
  std::ranges::sort(unused);
  plan.warnings.push_back(
      {"VolumesUnused",
       "spec.storage.ephemeral is true, so no node uses these volume claims, which may hold the "
       "data of an earlier cluster: " +
           Listed(unused) +
           ": delete them, or delete the RabbitCluster and apply it again without ephemeral"});
}

// What to do about a change of storage that is not made.
std::string StorageAdvice(const api::RabbitCluster& cluster, const observe::StorageRecord& made,
                          const std::string& path) {
  if (path == "spec.storage.size") return "set spec.storage.size back to " + made.size;
  // The schema refuses any change of these, so what is declared came with the RabbitCluster itself.
  const std::string again =
      "set it back; where the API server does not let you, delete the RabbitCluster and apply it "
      "again as it was (";
  if (made.ephemeral) return again + "the data is gone then: it is on no volume)";
  return again +
         (cluster.spec.storage.retention.when_deleted == api::RetentionAction::kRetain
              ? "volumes are retained: nothing is lost)"
              : "volumes go with it unless you set spec.storage.retention.whenDeleted to Retain "
                "before)");
}

}  // namespace

Images ResolveImages(const api::RabbitCluster& cluster, const Settings& settings) {
  const api::Spec& spec = cluster.spec;
  const api::Status& status = cluster.status;
  return {.broker = FirstSaid(spec.image, status.image, settings.broker_image),
          .proxy = FirstSaid(spec.load_balancer.image, status.load_balancer.image,
                             settings.proxy_image)};
}

std::optional<api::FieldError> NodeNameError(const api::RabbitCluster& cluster,
                                             const Settings& settings) {
  const auto& [ns, name] = cluster.meta.key;
  // Of the node with the longest name that `kubectl scale` can ask for.
  const auto length = [&, &space = ns](const std::string& cluster_name) {
    return resources::FirstSearchedName(cluster_name, space, api::kMostNodes - 1,
                                        settings.cluster_domain)
        .size();
  };
  const std::size_t has = length(name);
  if (has <= resources::kLongestDnsName) return std::nullopt;
  const std::size_t each = length(name + "x") - has;  // a character more of the cluster's name
  const std::size_t too_many = (has - resources::kLongestDnsName + each - 1) / each;
  const std::string where = " in namespace " + ns + " with cluster domain " +
                            settings.cluster_domain +
                            ": its nodes look for each other by names of ";
  const std::string limit =
      too_many < name.size()
          ? "must have at most " + std::to_string(name.size() - too_many) + " characters"
          : "cannot be short enough";
  return api::FieldError{"metadata.name", name,
                         limit + where + std::to_string(has) + " characters, and DNS has " +
                             std::to_string(resources::kLongestDnsName) + " at most"};
}

observe::StorageRecord StorageInEffect(const api::RabbitCluster& cluster,
                                       const observe::Observation& seen) {
  if (seen.inventory && seen.inventory->storage) return *seen.inventory->storage;
  if (seen.stateful_set && seen.stateful_set->storage) return *seen.stateful_set->storage;
  if (!cluster.spec.storage.ephemeral) {
    if (const observe::VolumeClaim* claim = SmallestClaim(cluster, seen)) {
      return {.size = claim->size, .class_name = claim->class_name};
    }
  }
  return resources::StorageOf(cluster, std::nullopt);
}

void PlanStorage(const api::RabbitCluster& cluster, const observe::Observation& seen, Plan& plan) {
  const observe::StorageRecord made = StorageInEffect(cluster, seen);
  if (made.ephemeral && cluster.spec.storage.ephemeral) WarnOfUnusedVolumes(cluster, seen, plan);
  if (!made.ephemeral) WarnOfEarlierClaims(cluster, seen, made, plan);
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
                             .message = error.ToString() + "; the volumes stay as they are: " +
                                        StorageAdvice(cluster, made, error.path),
                             .needs_person = true});
  }
  if (refused.empty() && !base::SameQuantity(now.size, then.size)) {
    plan.problems.push_back({.aspect = Aspect::kSpec,
                             .reason = "VolumeExpansionPending",
                             .message = "spec.storage.size is " + now.size +
                                        ", the volumes were made with " + then.size +
                                        ": this version of the operator does not grow them: " +
                                        StorageAdvice(cluster, made, "spec.storage.size"),
                             .needs_person = true});
  }
}

void PlanCountInSpec(const api::RabbitCluster& cluster, int replicas,
                     std::optional<std::size_t> after, Plan& plan) {
  if (cluster.spec.replicas) return;
  base::Json body = {{"apiVersion", api::kRabbitClusters.ApiVersion()},
                     {"kind", api::kRabbitClusters.kind()},
                     {"metadata", {{"name", cluster.meta.key.name}}},
                     {"spec", {{"replicas", replicas}}}};
  // The apply is forced. With another version there now the server answers 409: look again.
  if (!cluster.meta.resource_version.empty()) {
    body["metadata"]["resourceVersion"] = cluster.meta.resource_version;
  }
  plan.steps.push_back({.action = ApplyObject{.type = api::kRabbitClusters,
                                              .name = cluster.meta.key.name,
                                              .uid = cluster.meta.uid,
                                              .body = base::Dump(body)},
                        .reason = "spec.replicas is not said; the count last declared is " +
                                  std::to_string(replicas),
                        .after = after,
                        .repairs_drift = false});
}

}  // namespace rabbit::plan
