#include "operator/resources/children.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include "operator/resources/broker_config.h"
#include "operator/resources/inventory.h"
#include "operator/resources/names.h"
#include "operator/resources/proxy.h"
#include "operator/resources/services.h"
#include "operator/resources/stateful_set.h"

namespace rabbit::resources {
namespace {

using observe::ChildId;

enum class Need { kAlways, kProxies };

// One row a child, in the order of creation. Pods that start before something they mount exists are
// held up for seconds, and a StatefulSet for longer without its ServiceAccount.
struct Row {
  const kube::ResourceType& type;
  std::string (*name)(std::string_view cluster);
  DesiredChild (*build)(const ChildInputs& inputs);
  Need need;
};

std::string ClientServiceName(std::string_view cluster) { return std::string(cluster); }

constexpr std::array<Row, 12> kRows{{
    {kube::kConfigMaps, InventoryName, BuildInventory, Need::kAlways},
    {kube::kConfigMaps, ConfigName, BuildBrokerConfig, Need::kAlways},
    {kube::kServices, NodesServiceName, BuildNodesService, Need::kAlways},
    // Also where the spec names another one: pods of the template of before go on with this one,
    // and without it an evicted pod would not be let in again.
    {kube::kServiceAccounts, NodeSetName, BuildServiceAccount, Need::kAlways},
    {kube::kStatefulSets, NodeSetName, BuildStatefulSet, Need::kAlways},
    {kube::kServices, ClientServiceName, BuildClientService, Need::kAlways},
    {kube::kServices, BrokersServiceName, BuildBrokersService, Need::kAlways},
    {kube::kPodDisruptionBudgets, NodeSetName, BuildNodesBudget, Need::kAlways},
    {kube::kConfigMaps, ProxyName, BuildProxyConfig, Need::kProxies},
    {kube::kServices, ProxyAdminServiceName, BuildProxyAdminService, Need::kProxies},
    {kube::kPodDisruptionBudgets, ProxyName, BuildProxyBudget, Need::kProxies},
    {kube::kDeployments, ProxyName, BuildProxyDeployment, Need::kProxies},
}};

bool IsWanted(const Row& row, const ChildInputs& inputs) {
  return row.need == Need::kAlways || inputs.cluster->spec.load_balancer.enabled;
}

ChildId IdOf(const Row& row, const ChildInputs& inputs) {
  return {row.type, row.name(inputs.cluster->meta.key.name)};
}

}  // namespace

std::vector<ChildId> ChildIds(const ChildInputs& inputs) {
  std::vector<ChildId> ids;
  for (const Row& row : kRows) {
    if (IsWanted(row, inputs)) ids.push_back(IdOf(row, inputs));
  }
  return ids;
}

DesiredChild BuildChild(const ChildInputs& inputs, const ChildId& id) {
  const auto* row =
      std::ranges::find_if(kRows, [&](const Row& r) { return IdOf(r, inputs) == id; });
  if (row == kRows.end()) {
    std::fprintf(stderr, "BuildChild: no child is called %s\n", id.name.c_str());
    std::abort();
  }
  return row->build(inputs);
}

std::vector<DesiredChild> BuildChildren(const ChildInputs& inputs) {
  std::vector<DesiredChild> children;
  for (const Row& row : kRows) {
    if (IsWanted(row, inputs)) children.push_back(row.build(inputs));
  }
  return children;
}

std::vector<ChildId> UnwantedIds(const ChildInputs& inputs) {
  std::vector<ChildId> ids;
  // What was made last goes first: the proxies before the configuration that they mount.
  for (auto row = kRows.rbegin(); row != kRows.rend(); ++row) {
    if (!IsWanted(*row, inputs)) ids.push_back(IdOf(*row, inputs));
  }
  return ids;
}

std::string ProxyConfigHash(const ChildInputs& inputs) {
  if (!inputs.cluster->spec.load_balancer.enabled) return {};
  const auto config = MakeProxyConfig(inputs);
  return config ? config->hash : std::string();
}

}  // namespace rabbit::resources
