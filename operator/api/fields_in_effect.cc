#include "operator/api/fields_in_effect.h"

#include <algorithm>
#include <array>
#include <set>

#include "operator/api/write.h"

namespace rabbit::api {
namespace {

// What the operator acts on. "x.*" is x with all below it. Whoever makes a field work adds it here,
// and only then do clusters that declare it become Ready.
constexpr auto kActedOn = std::to_array<std::string_view>({
    "replicas",
    "paused",
    "clusterName",
    "image",
    "imagePullPolicy",
    "imagePullSecrets.*",
    "resources.*",
    "storage.size",
    "storage.className",
    "storage.ephemeral",
    "storage.retention.whenDeleted",
    "plugins",
    "rollout.featureFlags",
    "config",
    "advancedConfig",
    "env.*",
    "vhosts.*",
    "users.*",
    "policies.*",
    "operatorPolicies.*",
    "ownership.*",
    "tls.*",
    "definitions.*",
    "loadBalancer.enabled",
    "loadBalancer.replicas",
    "loadBalancer.image",
    "loadBalancer.balance",
    "loadBalancer.healthCheck.*",
    "loadBalancer.timeouts.*",
    "loadBalancer.retries",
    "loadBalancer.maxConnections",
    "loadBalancer.maxConnectionsPerListener",
    "loadBalancer.stats.enabled",
    "loadBalancer.stats.port",
    "loadBalancer.stats.path",
    "loadBalancer.stats.refresh",
    "loadBalancer.drainTime",
    "loadBalancer.resources.*",
    "loadBalancer.pod.*",
    "service.type",
    "service.annotations",
    "service.labels",
    "service.loadBalancerClass",
    "service.sourceRanges",
    "service.externalTrafficPolicy",
    "service.ipFamilyPolicy",
    "service.expose",  // but see below: only some
    "drift.interval",
    "pod.*",
});

std::string WithoutBrackets(std::string_view path) {
  std::string plain;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '[' && path[i] != ']') plain += path[i];
  }
  return plain;
}

bool Covers(std::string_view row, std::string_view path) {
  if (!row.ends_with(".*")) return row == path;
  row.remove_suffix(2);
  return path.starts_with(row) && (path.size() == row.size() || path[row.size()] == '.');
}

bool ActedOn(std::string_view path) {
  return std::any_of(kActedOn.begin(), kActedOn.end(),
                     [&](std::string_view row) { return Covers(row, path); });
}

// Whether a row is at `path` or below it.
bool AnyBelow(std::string_view path) {
  return std::any_of(kActedOn.begin(), kActedOn.end(), [&](std::string_view row) {
    return row.starts_with(path) && (row.size() == path.size() || row[path.size()] == '.');
  });
}

// The topmost part of `path` ("tls.secretRef.name") of which nothing is acted on ("tls").
std::string TopmostIdle(const std::string& path) {
  for (std::size_t dot = path.find('.'); dot != std::string::npos; dot = path.find('.', dot + 1)) {
    std::string part = path.substr(0, dot);
    if (!AnyBelow(WithoutBrackets(part))) {
      if (part.ends_with("[]")) part.resize(part.size() - 2);
      return part;
    }
  }
  return path;
}

}  // namespace

std::span<const std::string_view> FieldsInEffectTable() { return kActedOn; }

bool IsAnyInEffect(std::string_view path) { return ActedOn(path) || AnyBelow(path); }

std::vector<std::string> FieldsNotInEffect(const Spec& spec) {
  std::set<std::string> idle;
  for (const auto& [path, value] : DeclaredFields(spec)) {
    if (!ActedOn(WithoutBrackets(path))) idle.insert("spec." + TopmostIdle(path));
  }
  for (const Listener listener : spec.service.expose) {
    const bool with_tls = listener == Listener::kAmqps || listener == Listener::kManagementTls;
    if (listener != Listener::kAmqp && !(with_tls && spec.tls)) {
      idle.insert("spec.service.expose[" + std::string(Name(listener)) + "]");
    }
  }
  return {idle.begin(), idle.end()};
}

}  // namespace rabbit::api
