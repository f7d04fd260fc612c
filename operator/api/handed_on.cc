#include "operator/api/handed_on.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/json.h"

namespace rabbit::api {
namespace {

using base::Json;

constexpr std::array<std::string_view, 4> kSources{"configMapKeyRef", "fieldRef",
                                                   "resourceFieldRef", "secretKeyRef"};

// Refused wherever they stand.
constexpr std::array<std::string_view, 21> kRefused{"allowPrivilegeEscalation",
                                                    "automountServiceAccountToken",
                                                    "capabilities",
                                                    "ephemeralContainers",
                                                    "finalizers",
                                                    "hostIPC",
                                                    "hostNetwork",
                                                    "hostPID",
                                                    "hostPath",
                                                    "hostPort",
                                                    "hostProcess",
                                                    "hostUsers",
                                                    "managedFields",
                                                    "nodeName",
                                                    "ownerReferences",
                                                    "privileged",
                                                    "procMount",
                                                    "selector",
                                                    "serviceAccount",
                                                    "serviceAccountName",
                                                    "serviceName"};

bool Refused(std::string_view key, std::string_view parent) {
  if (std::find(kRefused.begin(), kRefused.end(), key) != kRefused.end()) return true;
  if (key.starts_with('$')) return true;  // $patch, $retainKeys: they remove what is not named
  if (key.starts_with("app.kubernetes.io/") || key.starts_with("rabbitcluster.dev/")) return true;
  return parent == "metadata" && (key == "name" || key == "namespace" || key == "uid");
}

// The path of the first member that is refused, from `path` on; empty: none. The depth is bounded
// by ParseJson().
std::string FirstRefused(const Json& value, const std::string& path, std::string_view parent) {
  for (const auto& [key, inner] : value.items()) {
    std::string here = path;
    if (value.is_array()) {
      here.append("[").append(key).append("]");
    } else {
      here.append(path.empty() ? "" : ".").append(key);
    }
    if (value.is_object() && Refused(key, parent)) return here;
    if (!inner.is_structured()) continue;
    std::string found = FirstRefused(inner, here, key);
    if (!found.empty()) return found;
  }
  return "";
}

}  // namespace

std::optional<std::string> ValueFromError(const JsonText& value_from) {
  if (value_from.empty()) return std::nullopt;
  const base::Result<Json> json = base::ParseJson(value_from);
  if (json && json->is_object() && json->size() == 1) {
    const auto source = json->begin();
    if (source->is_object() &&
        std::find(kSources.begin(), kSources.end(), source.key()) != kSources.end()) {
      return std::nullopt;
    }
  }
  return "must have exactly one of configMapKeyRef, fieldRef, resourceFieldRef and secretKeyRef";
}

std::optional<std::pair<std::string, std::string>> OverrideError(const JsonText& patch) {
  const base::Result<Json> json = base::ParseJson(patch);
  if (!json) return {{"", "must be an object"}};
  std::string path = FirstRefused(*json, "", "");
  if (path.empty()) return std::nullopt;
  return {{std::move(path), "must not be overridden"}};
}

}  // namespace rabbit::api
