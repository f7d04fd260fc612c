#include "operator/commands/rights.h"

#include <array>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace rabbit::commands {
namespace {

constexpr auto kNeeded = std::to_array<Right>({
    {"get", "rabbitcluster.dev", "rabbitclusters"},
    {"list", "rabbitcluster.dev", "rabbitclusters"},
    {"watch", "rabbitcluster.dev", "rabbitclusters"},
    {"patch", "rabbitcluster.dev", "rabbitclusters"},
    {"patch", "rabbitcluster.dev", "rabbitclusters/status"},
    {"get", "", "services"},
    {"list", "", "services"},
    {"watch", "", "services"},
    {"create", "", "services"},
    {"patch", "", "services"},
    {"delete", "", "services"},
    {"get", "", "configmaps"},
    {"list", "", "configmaps"},
    {"watch", "", "configmaps"},
    {"create", "", "configmaps"},
    {"patch", "", "configmaps"},
    {"delete", "", "configmaps"},
    {"get", "", "serviceaccounts"},
    {"list", "", "serviceaccounts"},
    {"watch", "", "serviceaccounts"},
    {"create", "", "serviceaccounts"},
    {"patch", "", "serviceaccounts"},
    {"get", "apps", "statefulsets"},
    {"list", "apps", "statefulsets"},
    {"watch", "apps", "statefulsets"},
    {"create", "apps", "statefulsets"},
    {"patch", "apps", "statefulsets"},
    {"get", "apps", "deployments"},
    {"list", "apps", "deployments"},
    {"watch", "apps", "deployments"},
    {"create", "apps", "deployments"},
    {"patch", "apps", "deployments"},
    {"delete", "apps", "deployments"},
    {"get", "policy", "poddisruptionbudgets"},
    {"list", "policy", "poddisruptionbudgets"},
    {"watch", "policy", "poddisruptionbudgets"},
    {"create", "policy", "poddisruptionbudgets"},
    {"patch", "policy", "poddisruptionbudgets"},
    {"delete", "policy", "poddisruptionbudgets"},
    {"get", "", "secrets"},
    {"create", "", "secrets"},
    {"patch", "", "secrets"},
    {"get", "", "pods"},
    {"list", "", "pods"},
    {"watch", "", "pods"},
    {"list", "", "persistentvolumeclaims"},
    {"watch", "", "persistentvolumeclaims"},
    {"get", "", "pods/exec"},
    {"create", "", "pods/exec"},
    {"create", "events.k8s.io", "events"},
    {"patch", "events.k8s.io", "events"},
});

constexpr auto kLease = std::to_array<Right>({
    {"get", "coordination.k8s.io", "leases"},
    {"create", "coordination.k8s.io", "leases"},
    {"update", "coordination.k8s.io", "leases"},
});

std::string Review(const Right& right, std::string_view ns) {
  const auto slash = right.resource.find('/');
  base::Json attributes = {
      {"verb", right.verb}, {"group", right.group}, {"resource", right.resource.substr(0, slash)}};
  if (slash != std::string_view::npos) attributes["subresource"] = right.resource.substr(slash + 1);
  if (!ns.empty()) attributes["namespace"] = ns;
  return base::Dump({{"apiVersion", "authorization.k8s.io/v1"},
                     {"kind", "SelfSubjectAccessReview"},
                     {"spec", {{"resourceAttributes", std::move(attributes)}}}});
}

}  // namespace

std::span<const Right> NeededRights() { return kNeeded; }
std::span<const Right> LeaseRights() { return kLease; }

base::Result<void> CheckRights(kube::Client& client, std::span<const Right> rights,
                               std::string_view ns, const OptionsOfCall& options) {
  std::string missing;
  for (const Right& right : rights) {
    const auto answer =
        client.Send({.method = http::Method::kPost,
                     .target = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                     .headers = {{"Content-Type", "application/json"}},
                     .body = Review(right, ns)},
                    options());
    if (!answer) return base::FailWrapped(answer.error(), "ask for our rights");
    const auto review = base::ParseJson(*answer);
    if (!review) return base::FailWrapped(review.error(), "ask for our rights");
    if (base::FindBool(*review, {"status", "allowed"})) continue;
    if (!missing.empty()) missing += ", ";
    missing.append(right.verb).append(1, ' ').append(right.resource);
    if (!right.group.empty()) missing.append(1, '.').append(right.group);
  }
  if (missing.empty()) return {};
  return base::Fail(
      base::ErrorKind::kDenied,
      "missing rights in " +
          (ns.empty() ? std::string("all namespaces") : "namespace " + std::string(ns)) + ": " +
          missing + " (see manifests/base/rbac.yaml)");
}

}  // namespace rabbit::commands
