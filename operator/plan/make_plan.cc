#include "operator/plan/make_plan.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "operator/api/fields_in_effect.h"
#include "operator/plan/broker_gate.h"
#include "operator/plan/children.h"
#include "operator/plan/cluster_name.h"
#include "operator/plan/declared.h"
#include "operator/plan/definitions.h"
#include "operator/plan/feature_flags.h"
#include "operator/plan/limits.h"
#include "operator/plan/load_balancer.h"
#include "operator/plan/membership/guard.h"
#include "operator/plan/membership/node_count.h"
#include "operator/plan/nodes.h"
#include "operator/plan/own_user.h"
#include "operator/plan/plugins.h"
#include "operator/plan/policies.h"
#include "operator/plan/secrets.h"
#include "operator/plan/tls.h"
#include "operator/plan/topic_permissions.h"
#include "operator/plan/users.h"
#include "operator/plan/vhosts.h"
#include "operator/plan/words.h"
#include "operator/resources/inventory.h"
#include "operator/resources/made_of.h"
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
  const std::string named = "ConfigMap " + resources::InventoryName(cluster.meta.key.name);
  plan.unplanned = {.reason = "InventoryUnreadable", .because = named + " cannot be read"};
  plan.problems.push_back(
      {.aspect = Aspect::kChildren,
       .reason = "InventoryUnreadable",
       .message = named + ": " + seen.inventory_trouble +
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

// Claims belong to a StatefulSet that is not seen, and the server did not say whether it is there.
// What was recorded of disks that are about to go would outlive them; and to disks that stay, nodes
// that found a new cluster would be a second one.
Plan NodeSetUnknown(const api::RabbitCluster& cluster, const observe::Observation& seen) {
  const std::string named = "StatefulSet " + resources::NodeSetName(cluster.meta.key.name);
  Plan plan;
  plan.declared.replicas = cluster.spec.replicas;
  plan.unplanned = {"ChildUnknown", "it is not known whether " + named + " is there"};
  plan.waits.push_back({Aspect::kChildren, "ChildUnknown",
                        named + ", to which volume claims belong, cannot be read: " +
                            seen.node_set_trouble + ": nothing is done before"});
  return plan;
}

observe::Inventory NextInventory(const api::RabbitCluster& cluster,
                                 const observe::Observation& seen, const NodeCount& count,
                                 const GuardDecision& guard) {
  return {.replicas = count.members,
          .formed = guard.formed,
          .reforming = guard.reforming,
          .users = UsersForInventory(cluster, seen),
          .policies = PoliciesForInventory(cluster, seen),
          .volumes = guard.volumes,
          .storage = StorageInEffect(cluster, seen),
          .vhosts = VhostsForInventory(cluster, seen),
          .operator_policies = PoliciesForInventory(cluster, seen, rabbitmq::PolicyKind::kOperator),
          .topic_permissions = TopicPermissionsForInventory(cluster, seen),
          .permissions = PermissionsForInventory(cluster, seen),
          .vhost_limits = VhostLimitsForInventory(cluster, seen),
          .user_limits = UserLimitsForInventory(cluster, seen),
          .flags_version = FlagsVersionForInventory(cluster, seen, count.members),
          .definitions = DefinitionsForInventory(cluster, seen)};
}

// A pod that is made beside them would be given a disk that is about to vanish.
std::optional<Wait> WaitForLeavingClaims(const api::RabbitCluster& cluster,
                                         const observe::Observation& seen, int replicas) {
  if (seen.children.contains(
          {kube::kStatefulSets, resources::NodeSetName(cluster.meta.key.name)})) {
    return std::nullopt;
  }
  if (StorageInEffect(cluster, seen).ephemeral) return std::nullopt;
  std::vector<std::string> leaving;
  for (int ordinal = 0; ordinal < replicas; ++ordinal) {
    const std::string name = resources::ClaimName(cluster.meta.key.name, ordinal);
    const auto claim = std::ranges::find(seen.claims, name, &observe::VolumeClaim::name);
    if (claim != seen.claims.end() && claim->owned && claim->deleting) leaving.push_back(name);
  }
  if (leaving.empty()) return std::nullopt;
  return Wait{Aspect::kChildren, "ChildLeaving",
              "no node is started before the volume claims of the StatefulSet that is gone are "
              "collected: " +
                  Listed(leaving, 3)};
}

Holds HoldsOf(const api::RabbitCluster& cluster, const observe::Observation& seen,
              const NodeCount& count, const Images& images, const BootSecrets& boot,
              std::optional<std::size_t> first) {
  Holds holds;
  if (boot.hold) {
    holds.stateful_set =
        Wait{Aspect::kChildren, "ChildMissing", "no node is started without Secret " + *boot.hold};
  } else {
    holds.stateful_set = WaitForLeavingClaims(cluster, seen, count.members);
  }
  holds.first = first;
  holds.proxies = WhyProxiesWait(cluster, seen, count.members);
  if (const auto why = WhyConfigStays(seen, images.broker)) {
    holds.config =
        Warning{"ConfigHeld", "ConfigMap " + resources::ConfigName(cluster.meta.key.name) +
                                  " is not changed yet: " + *why};
  }
  return holds;
}

// Listing them takes as long as the rest of a plan that has nothing to do.
std::vector<std::string> FieldsWithoutEffect(const api::RabbitCluster& cluster, PlanMemo& memo) {
  const std::string version = SpecVersionOf(cluster.meta);
  if (version.empty()) return api::FieldsNotInEffect(cluster.spec);
  const std::string digest = base::ShortHash(version);
  if (digest != memo.fields_digest) {
    memo.fields_without_effect = api::FieldsNotInEffect(cluster.spec);
    memo.fields_digest = digest;
  }
  return memo.fields_without_effect;
}

void HoldStill(Plan& plan) {
  plan.held = std::exchange(plan.steps, {});
  if (plan.held.empty()) {
    plan.warnings.push_back({"Paused", "spec.paused is true: nothing will be changed"});
  }
}

}  // namespace

std::string SpecVersionOf(const kube::ObjectMeta& meta) {
  if (meta.uid.empty() || meta.generation == 0) return {};
  return meta.uid + " " + std::to_string(meta.generation);
}

Plan MakePlan(const api::RabbitCluster& cluster, const observe::Observation& seen,
              const Settings& settings, PlanMemo& memo, base::TimePoint now) {
  if (!cluster.findings.usable()) return InvalidSpec(cluster.findings.structural);
  if (const auto error = NodeNameError(cluster, settings)) return InvalidSpec({*error});
  if (cluster.meta.deleting) return {};
  if (auto plan = NotOurs(cluster, seen)) return *std::move(plan);
  if (!seen.inventory_trouble.empty()) return UnreadableInventory(cluster, seen);
  if (!seen.node_set_trouble.empty()) return NodeSetUnknown(cluster, seen);

  Plan plan;
  plan.fields_without_effect = FieldsWithoutEffect(cluster, memo);  // planners read it
  PlanStorage(cluster, seen, plan);
  Images images = ResolveImages(cluster, settings);
  const NodeCount count = DecideNodeCount(cluster, seen, images.broker, plan);
  const GuardDecision guard = DecideGuard(cluster, seen, count.members, images.broker, now, plan);

  const BootSecrets boot = PlanBootSecrets(cluster, seen, plan);
  const std::optional<std::size_t> first = PlanQuestions(guard, boot.step, plan);
  const observe::Inventory inventory = NextInventory(cluster, seen, count, guard);
  Holds holds = HoldsOf(cluster, seen, count, images, boot, first);
  holds.tls = PlanTls(cluster, seen, images.broker, settings.cluster_domain, plan);
  const resources::ChildInputs inputs{.cluster = &cluster,
                                      .replicas = count.members,
                                      .pods = count.pods,
                                      .broker_image = images.broker,
                                      .proxy_image = images.proxy,
                                      .inventory = inventory,
                                      .settings = settings,
                                      .listening = resources::ListeningOf(cluster, seen.nodes)};
  const ChildrenPlanned children = PlanChildren(inputs, seen, holds, memo, plan);
  PlanUserSecrets(cluster, seen, plan);
  PlanOwnUser(cluster, seen, now, plan);
  PlanCountInSpec(cluster, count.members, children.inventory_step, plan);
  // Who is let in is recorded before; where that cannot be written, nobody is.
  if (children.inventory_step) {
    PlanAdmissions(guard, children.inventory_step, plan);
  } else if (seen.inventory == inventory) {
    PlanAdmissions(guard, first, plan);
  }

  PlanNodesReady(cluster, seen, count.members, now, plan);
  PlanRestartPending(cluster, seen, images.broker, guard, plan,
                     [&] { return resources::MadeOfDeclared(inputs); });
  PlanClusterName(cluster, seen, count.members, children.inventory_step, plan);
  PlanVhosts(cluster, seen, count.members, children.inventory_step, plan);
  PlanDefinitions(cluster, seen, count.members, now, plan);
  PlanUsers(cluster, seen, count.members, children.inventory_step, plan);
  PlanPolicies(cluster, seen, count.members, children.inventory_step, plan);
  // After what takes a moment only: a command in a pod may take all the time that is left. Plugins
  // bring flags of their own.
  const bool plugins_are_set = PlanPlugins(cluster, seen, count.members, now, plan);
  if (plugins_are_set) PlanFeatureFlags(cluster, seen, count.members, now, plan);
  PlanLoadBalancer(cluster, seen, children.proxy_config_hash, plan);

  plan.declared = {.replicas = count.members,
                   .broker_image = std::move(images.broker),
                   .proxy_image = std::move(images.proxy),
                   .proxy_config_hash = children.proxy_config_hash};
  if (cluster.spec.paused) HoldStill(plan);
  return plan;
}

}  // namespace rabbit::plan
