#include "operator/plan/children.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/hash.h"
#include "base/json.h"
#include "operator/plan/broker_gate.h"
#include "operator/resources/inventory.h"
#include "operator/resources/names.h"

namespace rabbit::plan {
namespace {

using observe::ChildId;
using resources::ChildInputs;
using resources::DesiredChild;

std::string Named(const ChildId& id) { return std::string(id.type.kind()) + " " + id.name; }

// Equal for inputs that give the same children. Empty where the spec has no version.
std::string DigestOf(const ChildInputs& inputs) {
  std::string text = SpecVersionOf(inputs.cluster->meta);
  if (text.empty()) return {};
  text += " " + std::to_string(inputs.replicas) + " " + std::to_string(inputs.pods) + " " +
          inputs.broker_image + " " + inputs.proxy_image + " " + inputs.settings.cluster_domain;
  text += inputs.listening.plain ? " plain" : "";
  text += inputs.listening.tls ? " tls" : "";
  text += inputs.listening.plain_alone ? " plain-alone" : "";
  text += inputs.listening.tls_alone ? " tls-alone" : "";
  for (const auto& [key, value] : resources::InventoryToData(inputs.inventory)) {
    text.append(1, '\n').append(key).append(1, '=').append(value);
  }
  return base::ShortHash(text);
}

// The desired children, built when one is first asked for; with a memo of these inputs only those
// whose text is needed.
class Desired {
 public:
  Desired(const ChildInputs& inputs, PlanMemo& memo) : inputs_(inputs), memo_(memo) {
    std::string digest = DigestOf(inputs);
    if (!digest.empty() && digest == memo.inputs_digest) return;
    memo.inputs_digest = std::move(digest);
    memo.hashes.clear();
    memo.proxy_config_hash = resources::ProxyConfigHash(inputs);
    std::vector<DesiredChild> children = resources::BuildChildren(inputs);
    memo.hashes.reserve(children.size());
    for (DesiredChild& child : children) {
      memo.hashes.emplace_back(child.id, child.hash);
      built_.emplace(child.id, std::move(child));
    }
  }

  [[nodiscard]] const std::vector<std::pair<ChildId, std::string>>& hashes() const {
    return memo_.hashes;
  }

  const DesiredChild& Get(const ChildId& id) {
    const auto found = built_.find(id);
    if (found != built_.end()) return found->second;
    return built_.emplace(id, resources::BuildChild(inputs_, id)).first->second;
  }

 private:
  const ChildInputs& inputs_;
  PlanMemo& memo_;
  std::map<ChildId, DesiredChild> built_;
};

std::optional<std::string> DifferenceIn(const std::string& desired, const std::string& actual) {
  const auto want = base::ParseJson(desired);
  const auto have = base::ParseJson(actual);
  if (!want || !have) return "the whole object";
  return base::FirstDifference(*want, *have);
}

class ChildrenPlanner {
 public:
  ChildrenPlanner(const ChildInputs& inputs, const observe::Observation& seen, const Holds& holds,
                  PlanMemo& memo, Plan& plan)
      : inputs_(inputs),
        cluster_(inputs.cluster->meta.key.name),
        seen_(seen),
        holds_(holds),
        plan_(plan),
        desired_(inputs, memo) {}

  ChildrenPlanned Run(const PlanMemo& memo) {
    for (const auto& [id, hash] : desired_.hashes()) {
      if (hash.empty()) {
        SayNotBuilt(id);
      } else {
        PlanOne(id, hash);
      }
    }
    for (const ChildId& id : resources::UnwantedIds(inputs_)) PlanRemoval(id);
    return {.inventory_step = StepOf({kube::kConfigMaps, resources::InventoryName(cluster_)}),
            .proxy_config_hash = memo.proxy_config_hash};
  }

 private:
  void PlanOne(const ChildId& id, const std::string& hash) {
    if (const auto stranger = seen_.strangers.find(id); stranger != seen_.strangers.end()) {
      SayTaken(id, stranger->second);
      return;
    }
    const auto found = seen_.children.find(id);
    if (found == seen_.children.end()) {
      PlanCreation(id);
      return;
    }
    const observe::Child& child = found->second;
    if (child.deleting) {
      AddWait(plan_, {Aspect::kChildren, "ChildLeaving", Named(id) + " is being deleted"});
    } else if (child.owner_uid == inputs_.cluster->meta.uid) {
      PlanOwn(id, hash, child);  // whatever its labels say
    } else if (!child.foreign_owner.empty()) {
      SayTaken(id, child.foreign_owner + ", its controller");
    } else if (!child.owner_uid.empty()) {
      // Ours by its labels: of an earlier cluster of this name, and soon collected.
      AddWait(plan_, {Aspect::kChildren, "ChildLeaving",
                      Named(id) + " belongs to an earlier cluster of this name (owner " +
                          child.owner_uid + ") and is yet to be collected"});
    } else if (IsHeldByTls(id, hash, child)) {
      AddWait(plan_, *holds_.tls);
    } else if (IsHeld(id, hash, child)) {
      plan_.warnings.push_back(*holds_.config);
    } else {
      Apply(id, child, "has no owner: it is taken up again", false);
    }
  }

  void PlanOwn(const ChildId& id, const std::string& hash, const observe::Child& child) {
    if (IsHeldByTls(id, hash, child)) {
      AddWait(plan_, *holds_.tls);
    } else if (IsHeld(id, hash, child)) {
      plan_.warnings.push_back(*holds_.config);
    } else if (child.applied_hash != hash) {
      PlanChange(id, child);
    } else {
      PlanRepair(id, hash, child);
    }
  }

  void SayTaken(const ChildId& id, const std::string& by) { AddProblem(plan_, NameTaken(id, by)); }

  void PlanCreation(const ChildId& id) {
    if (const std::optional<Wait> hold = HoldOn(id)) {
      AddWait(plan_, *hold);
      return;
    }
    Append(id,
           {.action = CreateObject{.type = id.type, .name = id.name, .body = desired_.Get(id).body},
            .reason = "does not exist",
            .after = Before(id),
            .repairs_drift = false});
  }

  // The body is there only where its content was never compared.
  void PlanChange(const ChildId& id, const observe::Child& child) {
    std::string reason = "what is declared has changed";
    if (child.applied_hash.empty()) reason = "was not written by the operator as it is";
    if (child.body != nullptr) {
      const auto difference = DifferenceIn(desired_.Get(id).body, *child.body);
      // The annotation with the hash always differs here; it is no news.
      if (difference && !difference->starts_with("metadata.annotations")) {
        reason += ": " + *difference;
      }
    }
    Apply(id, child, std::move(reason), false);
  }

  void PlanRepair(const ChildId& id, const std::string& hash, const observe::Child& child) {
    if (seen_.verified.Holds(id, hash, child.content_hash)) return;
    if (child.body == nullptr) return;  // could not be read this time: the next look compares
    const auto difference = DifferenceIn(desired_.Get(id).body, *child.body);
    if (!difference) {
      plan_.verified.push_back({id, {hash, child.content_hash}});
    } else {
      Apply(id, child, "was changed by hand: " + *difference, true);
    }
  }

  void PlanRemoval(const ChildId& id) {
    const auto found = seen_.children.find(id);
    if (found == seen_.children.end() || found->second.deleting) return;
    if (found->second.owner_uid != inputs_.cluster->meta.uid) return;
    // Clients are sent elsewhere first.
    Append(id, {.action = DeleteObject{.type = id.type, .name = id.name, .uid = found->second.uid},
                .reason = "is no longer declared",
                .after = StepOf({kube::kServices, cluster_}),
                .repairs_drift = false});
  }

  void Apply(const ChildId& id, const observe::Child& child, std::string reason, bool drift) {
    Append(id, {.action = ApplyObject{.type = id.type,
                                      .name = id.name,
                                      .uid = child.uid,
                                      .body = desired_.Get(id).body,
                                      .replace_lists = drift},
                .reason = std::move(reason),
                .after = Before(id),
                .repairs_drift = drift});
  }

  // What must be written before `id`: what is recorded before the pods that it speaks of, and a
  // configuration before the proxies that start with it.
  [[nodiscard]] std::optional<std::size_t> Before(const ChildId& id) const {
    const ChildId inventory{kube::kConfigMaps, resources::InventoryName(cluster_)};
    if (id == inventory) return holds_.first;
    if (id.type == kube::kStatefulSets) {
      const std::optional<std::size_t> recorded = StepOf(inventory);
      return recorded ? recorded : holds_.first;
    }
    if (id.type == kube::kDeployments) {
      return StepOf({kube::kConfigMaps, resources::ProxyName(cluster_)});
    }
    return std::nullopt;
  }

  // Whether to write `id` would bring a change that has to wait.
  [[nodiscard]] bool IsHeld(const ChildId& id, const std::string& hash,
                            const observe::Child& child) const {
    return holds_.config && child.applied_hash != hash &&
           id == ChildId{kube::kConfigMaps, resources::ConfigName(cluster_)};
  }

  // A change of what nodes, and the ways to them, are made of. What is recorded is recorded still.
  [[nodiscard]] bool IsHeldByTls(const ChildId& id, const std::string& hash,
                                 const observe::Child& child) const {
    return holds_.tls && child.applied_hash != hash &&
           id != ChildId{kube::kConfigMaps, resources::InventoryName(cluster_)};
  }

  // Why `id` may not be created now: somebody else's hold, or something that its pods would mount
  // is not there and not coming.
  [[nodiscard]] std::optional<Wait> HoldOn(const ChildId& id) const {
    std::vector<ChildId> needed;
    if (id.type == kube::kStatefulSets) {
      if (holds_.stateful_set) return holds_.stateful_set;
      if (holds_.tls) return holds_.tls;
      needed = {{kube::kConfigMaps, resources::InventoryName(cluster_)},
                {kube::kConfigMaps, resources::ConfigName(cluster_)},
                {kube::kServices, resources::NodesServiceName(cluster_)}};
    } else if (id.type == kube::kDeployments) {
      if (holds_.proxies) return holds_.proxies;
      needed = {{kube::kConfigMaps, resources::ProxyName(cluster_)}};
    }
    for (const ChildId& other : needed) {
      if (!IsOurs(other) && !StepOf(other)) {
        return Wait{Aspect::kChildren, "ChildMissing",
                    Named(id) + " is not created before " + Named(other)};
      }
    }
    return std::nullopt;
  }

  // Whether pods that are made now would mount this one, and go on with it.
  [[nodiscard]] bool IsOurs(const ChildId& id) const {
    const auto found = seen_.children.find(id);
    return found != seen_.children.end() && !found->second.deleting &&
           found->second.owner_uid == inputs_.cluster->meta.uid;
  }

  void SayNotBuilt(const ChildId& id) {
    AddProblem(plan_, {.aspect = Aspect::kSpec,
                       .reason = "InvalidSpec",
                       .message = desired_.Get(id).problem + "; what runs is left as it is",
                       .needs_person = true});
  }

  void Append(const ChildId& id, Step step) {
    plan_.steps.push_back(std::move(step));
    steps_[id] = plan_.steps.size() - 1;
  }

  [[nodiscard]] std::optional<std::size_t> StepOf(const ChildId& id) const {
    const auto found = steps_.find(id);
    if (found == steps_.end()) return std::nullopt;
    return found->second;
  }

  const ChildInputs& inputs_;
  const std::string& cluster_;
  const observe::Observation& seen_;
  const Holds& holds_;
  Plan& plan_;
  Desired desired_;
  std::map<ChildId, std::size_t> steps_;
};

}  // namespace

Problem NameTaken(const ChildId& id, const std::string& by) {
  return {.aspect = Aspect::kChildren,
          .reason = "NameTaken",
          .message = Named(id) + " belongs to " + by +
                     ": delete or rename it, or give this cluster another name",
          .needs_person = true};
}

ChildrenPlanned PlanChildren(const ChildInputs& inputs, const observe::Observation& seen,
                             const Holds& holds, PlanMemo& memo, Plan& plan) {
  return ChildrenPlanner(inputs, seen, holds, memo, plan).Run(memo);
}

}  // namespace rabbit::plan
