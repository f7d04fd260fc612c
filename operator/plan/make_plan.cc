#include "operator/plan/make_plan.h"

#include <utility>

#include "operator/plan/broker_gate.h"
#include "operator/plan/children.h"
#include "operator/plan/cluster_name.h"
#include "operator/plan/declared.h"
#include "operator/plan/load_balancer.h"
#include "operator/plan/membership/guard.h"
#include "operator/plan/membership/node_count.h"
#include "operator/plan/nodes.h"
#include "operator/plan/policies.h"
#include "operator/plan/secrets.h"
#include "operator/plan/users.h"
#include "operator/plan/vhosts.h"
#include "operator/plan/words.h"
#include "operator/resources/inventory.h"
#include "operator/resources/names.h"

namespace rabbit::plan {
namespace {

Plan InvalidSpec(const std::vector<api::FieldError>& found) {
  std::vector<std::string> errors;
  errors.reserve(found.size());
  for (const api::FieldError& error : found) errors.push_back(error.ToString());
  Plan plan;
  plan.unplanned = {.reason = "InvalidSpec", .because = "the spec is not valid"};
  plan.problems.push_back({.aspect = Aspect::kSpec,
                           .reason = "InvalidSpec",
                           .message = Listed(errors, 3) + "; what runs is left as it is",
                           .needs_person = true});
  return plan;
}

// Nearly every step rests on what is recorded: the count of nodes, which volume is whose, what was
// once declared. A record made anew from what can be seen would lose the rest of it for good, so
// nothing is done on it, and nothing is let in.
Plan UnreadableInventory(const api::RabbitCluster& cluster, const observe::Observation& seen) {
  Plan plan;
  plan.unplanned = {.reason = "InventoryUnreadable", .because = "C-inventory cannot be read"};
  plan.problems.push_back(
      {.aspect = Aspect::kChildren,
       .reason = "InventoryUnreadable",
       .message = "ConfigMap " + resources::InventoryName(cluster.meta.key.name) + ": " +
                  seen.inventory_trouble +
                  ": put back what was there. Or delete the ConfigMap: volumes are then recorded "
                  "anew, and what is no longer declared stays at the broker. Until then nothing "
                  "is changed, and no blank disk is let in",
       .needs_person = true});
  if (cluster.spec.replicas) {
    plan.declared.replicas = *cluster.spec.replicas;
  } else if (seen.stateful_set) {
    plan.declared.replicas = seen.stateful_set->replicas;
  }
  return plan;
}

// The record and the nodes are not this cluster's: an earlier one of its name was deleted a moment
// ago, and they are yet to be collected; or somebody controls the record. What is planned beside
// them would rest on nothing: neither count nor volumes are known, and what is written at the
// brokers goes to nodes that are about to stop.
std::optional<Plan> NotOurs(const api::RabbitCluster& cluster, const observe::Observation& seen) {
  const std::string& name = cluster.meta.key.name;
  const observe::ChildId inventory{kube::kConfigMaps, resources::InventoryName(name)};
  for (const observe::ChildId& id :
       {inventory, {kube::kStatefulSets, resources::NodeSetName(name)}}) {
    const auto found = seen.children.find(id);
    if (found == seen.children.end()) continue;
    const observe::Child& child = found->second;
    if (child.owner_uid.empty() || child.owner_uid == cluster.meta.uid) continue;
    const std::string named = std::string(id.type.kind()) + " " + id.name;
    Plan plan;
    plan.declared.replicas = cluster.spec.replicas;
    if (child.foreign_owner.empty()) {
      plan.unplanned = {"ChildLeaving", named + " of an earlier cluster is yet to be collected"};
      plan.waits.push_back({Aspect::kChildren, "ChildLeaving",
                            named + " belongs to an earlier cluster of this name (owner " +
                                child.owner_uid +
                                ") and is yet to be collected: nothing is done before"});
      return plan;
    }
    if (id == inventory) {
      plan.unplanned = {"NameTaken", named + " belongs to somebody else"};
      plan.problems.push_back(NameTaken(id, child.foreign_owner + ", its controller"));
      return plan;
    }
  }
  return std::nullopt;
}

observe::Inventory NextInventory(const api::RabbitCluster& cluster,
                                 const observe::Observation& seen, const NodeCount& count,
                                 const GuardDecision& guard) {
  return {.replicas = count.members,
          .formed = guard.formed,
          .users = UsersForInventory(cluster, seen),
          .policies = PoliciesForInventory(cluster, seen),
          .volumes = guard.volumes,
          .storage = resources::StorageOf(cluster, seen.inventory)};
}

CreationHolds HoldsOf(const api::RabbitCluster& cluster, const observe::Observation& seen,
                      const NodeCount& count, const BootSecrets& boot) {
  CreationHolds holds;
  if (boot.hold) {
    holds.stateful_set =
        Wait{Aspect::kChildren, "ChildMissing", "no node is started without Secret " + *boot.hold};
  }
  holds.boot_secrets = boot.step;
  holds.proxies = WhyProxiesWait(cluster, seen, count.members);
  return holds;
}

void HoldStill(Plan& plan) {
  plan.held = std::exchange(plan.steps, {});
  if (plan.held.empty()) {
    plan.warnings.push_back({"Paused", "spec.paused is true: nothing will be changed"});
  }
}

}  // namespace

Plan MakePlan(const api::RabbitCluster& cluster, const observe::Observation& seen,
              const Settings& settings, ChildrenMemo& memo, base::TimePoint now) {
  if (!cluster.findings.usable()) return InvalidSpec(cluster.findings.structural);
  if (const auto error = NodeNameError(cluster, settings)) return InvalidSpec({*error});
  if (cluster.meta.deleting) return {};
  if (auto plan = NotOurs(cluster, seen)) return *std::move(plan);
  if (!seen.inventory_trouble.empty()) return UnreadableInventory(cluster, seen);

  Plan plan;
  PlanStorage(cluster, seen, plan);
  Images images = ResolveImages(cluster, settings);
  const NodeCount count = DecideNodeCount(cluster, seen, plan);
  const GuardDecision guard = DecideGuard(cluster, seen, count.members, now, plan);

  const BootSecrets boot = PlanBootSecrets(cluster, seen, plan);
  const ChildrenPlanned children =
      PlanChildren({.cluster = &cluster,
                    .replicas = count.members,
                    .pods = count.pods,
                    .broker_image = images.broker,
                    .proxy_image = images.proxy,
                    .inventory = NextInventory(cluster, seen, count, guard),
                    .settings = settings},
                   seen, HoldsOf(cluster, seen, count, boot), memo, plan);
  PlanUserSecrets(cluster, seen, plan);
  PlanCountInSpec(cluster, count.members, children.inventory_step, plan);
  PlanAdmissions(guard, children.inventory_step, plan);

  PlanNodesReady(cluster, seen, count.members, plan);
  PlanRestartPending(seen, images.broker, plan);
  PlanClusterName(cluster, seen, children.inventory_step, plan);
  PlanVhosts(cluster, seen, children.inventory_step, plan);
  PlanUsers(cluster, seen, children.inventory_step, plan);
  PlanPolicies(cluster, seen, children.inventory_step, plan);
  PlanLoadBalancer(cluster, seen, children.proxy_config_hash, plan);

  plan.declared = {.replicas = count.members,
                   .broker_image = std::move(images.broker),
                   .proxy_image = std::move(images.proxy),
                   .proxy_config_hash = children.proxy_config_hash};
  if (cluster.spec.paused) HoldStill(plan);
  return plan;
}

}  // namespace rabbit::plan
