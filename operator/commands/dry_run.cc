#include "operator/commands/dry_run.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/json.h"
#include "kube/request.h"
#include "operator/api/types.h"

namespace rabbit::commands {
namespace {

using base::Json;

// Who kubectl is when it does not apply server-side.
constexpr std::string_view kClientSide = "kubectl-client-side-apply";
constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

// `manager`: in whose name, for that decides what an apply takes away.
base::Result<std::string> Ask(kube::Client& client, http::Request request, std::string_view manager,
                              const http::CallOptions& options) {
  request.target.erase(std::min(request.target.find('?'), request.target.size()));
  http::AddQuery(request.target, "fieldManager", manager);
  if (request.method == http::Method::kPatch) http::AddQuery(request.target, "force", "true");
  http::AddQuery(request.target, "dryRun", "All");
  http::AddQuery(request.target, "fieldValidation", "Strict");
  return client.Send(std::move(request), options);
}

// Who applies the object server-side, besides the operator, which applies its status.
std::set<std::string> AppliersOf(const Json& live) {
  std::set<std::string> appliers;
  const Json* entries = base::Find(live, {"metadata", "managedFields"});
  if (entries == nullptr || !entries->is_array()) return appliers;
  for (const Json& entry : *entries) {
    const std::string manager = base::FindString(entry, {"manager"});
    if (base::FindString(entry, {"operation"}) != "Apply" || manager == kube::kFieldManager ||
        !base::FindString(entry, {"subresource"}).empty()) {
      continue;
    }
    appliers.insert(manager);
  }
  return appliers;
}

base::Result<http::Request> ReplaceBy(const Manifest::Document& document, const Json& live,
                                      const std::string& last_applied) {
  auto declared = base::ParseJson(document.text);
  if (!declared) return tl::unexpected(declared.error());
  // kubectl's note always has annotations, perhaps empty ones. Were there none in what is declared,
  // those of others, and the note itself, would go.
  if (Json& annotations = (*declared)["metadata"]["annotations"]; annotations.is_null()) {
    annotations = Json::object();
  }
  Json last = Json::object();
  if (!last_applied.empty()) {
    auto parsed = base::ParseJson(last_applied);
    if (!parsed) return base::FailWrapped(parsed.error(), std::string(kLastApplied));
    last = std::move(*parsed);
  }
  Json outcome = ThreeWayMerge(last, *declared, live);
  outcome["metadata"].erase("managedFields");
  return kube::ReplaceRequest(api::kRabbitClusters, document.key, base::Dump(outcome));
}

base::Result<Applied> AskOnce(kube::Client& client, const Manifest::Document& document,
                              const http::CallOptions& options) {
  Applied applied;
  auto live = client.Get(api::kRabbitClusters, document.key, options);
  if (!live && live.error().kind != base::ErrorKind::kNotFound) {
    return tl::unexpected(live.error());
  }
  base::Result<std::string> after;
  if (!live) {
    after = Ask(client, kube::CreateRequest(api::kRabbitClusters, document.key.ns, document.text),
                kClientSide, options);
  } else {
    applied.before = std::move(*live);
    const auto object = base::ParseJson(applied.before);
    if (!object) return tl::unexpected(object.error());
    const std::string last = base::FindString(*object, {"metadata", "annotations", kLastApplied});
    const std::set<std::string> appliers = AppliersOf(*object);
    const bool one = appliers.size() == 1;
    if (last.empty() && (one || appliers.contains("kubectl"))) {
      after = Ask(client, kube::ApplyRequest(api::kRabbitClusters, document.key, document.text),
                  one ? *appliers.begin() : "kubectl", options);
    } else {
      if (last.empty()) {
        applied.note =
            "nobody is known to have applied this object before: what the file leaves out stays";
      }
      const auto request = ReplaceBy(document, *object, last);
      if (!request) return tl::unexpected(request.error());
      after = Ask(client, *request, kClientSide, options);
    }
  }
  if (!after) return tl::unexpected(after.error());
  applied.after = std::move(*after);
  return applied;
}

}  // namespace

Json ThreeWayMerge(const Json& last, const Json& declared, Json live) {
  if (!declared.is_object()) return declared;
  if (!live.is_object()) live = Json::object();
  if (last.is_object()) {
    for (const auto& [field, unused] : last.items()) {
      if (!declared.contains(field)) live.erase(field);
    }
  }
  for (const auto& [field, value] : declared.items()) {
    if (value.is_null()) {
      live.erase(field);
      continue;
    }
    const Json* before = base::Find(last, {field});
    Json& now = live[field];
    now = ThreeWayMerge(before == nullptr ? Json() : *before, value, std::move(now));
  }
  return live;
}

base::Result<Applied> DryRunApply(kube::Client& client, const Manifest::Document& document,
                                  const http::CallOptions& options) {
  auto applied = AskOnce(client, document, options);
  // Somebody wrote in between, as the operator does with every status; or made the object.
  const bool stale = !applied && (applied.error().kind == base::ErrorKind::kConflict ||
                                  applied.error().kind == base::ErrorKind::kExists);
  return stale ? AskOnce(client, document, options) : applied;
}

}  // namespace rabbit::commands
