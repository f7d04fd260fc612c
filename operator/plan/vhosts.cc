#include "operator/plan/vhosts.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "operator/plan/broker_gate.h"
#include "operator/plan/definitions.h"
#include "operator/plan/limits.h"
#include "operator/plan/words.h"
#include "rabbitmq/version.h"

namespace rabbit::plan {
namespace {

constexpr std::string_view kDefaultVhost = "/";

using Names = std::set<std::string_view>;

// Of the vhosts that the spec declares properly. There may be a thousand, recorded and declared.
Names ListedVhosts(const api::RabbitCluster& cluster) {
  Names names;
  for (const api::Vhost& vhost : cluster.spec.vhosts) names.insert(vhost.name);
  return names;
}

struct QueueTypeWord {
  api::QueueType type;
  std::string_view word;
};
constexpr QueueTypeWord kQueueTypes[] = {{api::QueueType::kClassic, "classic"},
                                         {api::QueueType::kQuorum, "quorum"},
                                         {api::QueueType::kStream, "stream"}};

// The broker's word; empty: not declared.
std::string QueueTypeOf(const api::Vhost& vhost) {
  for (const auto& [type, word] : kQueueTypes) {
    if (vhost.default_queue_type == type) return std::string(word);
  }
  return {};
}

// A type that came from the node's configuration may be called by its module.
std::string_view ShortQueueType(std::string_view type) {
  constexpr std::string_view kPrefix = "rabbit_";
  constexpr std::string_view kSuffix = "_queue";
  if (!type.starts_with(kPrefix) || !type.ends_with(kSuffix)) return type;
  type.remove_prefix(kPrefix.size());
  type.remove_suffix(kSuffix.size());
  return type;
}

void Add(std::string& list, std::string_view what, const std::string& actual,
         const std::string& declared) {
  if (!list.empty()) list += "; ";
  list.append(what).append(actual).append(", declared is ").append(declared);
}

class VhostPlanner {
 public:
  VhostPlanner(const api::RabbitCluster& cluster, const observe::Observation& seen,
               std::optional<std::size_t> after, Plan& plan)
      : cluster_(cluster),
        seen_(seen),
        view_(*seen.broker.view),
        after_(after),
        plan_(plan),
        was_in_effect_(TopologyWasInEffect(cluster, plan)),
        listed_(ListedVhosts(cluster)) {
    if (view_.version) version_ = rabbitmq::ParseVersion(*view_.version);
  }

  void Run() {
    if (!listed_.contains(kDefaultVhost)) {
      api::Vhost vhost;
      vhost.name = kDefaultVhost;
      PlanOne(vhost);
    }
    for (const api::Vhost& vhost : cluster_.spec.vhosts) PlanOne(vhost);
    Say(without_type_, "defaultQueueType", "has no default queue type of vhosts (from 3.10.8 on)",
        "leave it out");
    Say(with_fixed_type_, "defaultQueueType",
        "takes it only when a vhost is made (later too from 3.11.17 on)",
        "declare the one that the vhost has");
    Say(fixed_, "description and tags",
        "takes them only when a vhost is made (later too from 3.9.5 on)",
        "declare those that the vhost has");
    if (seen_.inventory) PlanRemovals();
  }

 private:
  void Say(const std::vector<std::string>& vhosts, std::string_view field, std::string_view what,
           std::string_view advice) {
    SayUnsupported(field, "vhost", vhosts, view_, what, advice, plan_);
  }

  void PlanOne(const api::Vhost& vhost) {
    const rabbitmq::Vhost* actual = rabbitmq::FindVhost(*view_.vhosts, vhost.name);
    std::optional<std::size_t> made;
    if (actual == nullptr) {
      PlanCreation(vhost);
      made = plan_.steps.size() - 1;
    } else {
      PlanRepair(vhost, *actual);
    }
    PlanVhostLimits(cluster_, seen_, vhost, made, after_, plan_);
  }

  void PlanCreation(const api::Vhost& vhost) {
    PutVhost put{.name = vhost.name,
                 .description = vhost.description,
                 .tags = SortedTags(vhost.tags),
                 .default_queue_type = QueueTypeOf(vhost)};
    // While the version is not known it is said anyhow: a broker that has none ignores it.
    if (!put.default_queue_type.empty() && version_ && !HasDefaultQueueType(*version_)) {
      without_type_.push_back(vhost.name);
      put.default_queue_type.clear();
    }
    plan_.steps.push_back(
        {.action = std::move(put),
         .reason = was_in_effect_ ? "was removed at the broker" : "does not exist",
         .after = after_,
         .repairs_drift = was_in_effect_});
  }

  // PUT replaces description and tags whatever it says of them: what is not declared goes back as
  // it is.
  void PlanRepair(const api::Vhost& vhost, const rabbitmq::Vhost& actual) {
    const std::string type = QueueTypeOf(vhost);
    std::string reason;
    PutVhost put{.name = vhost.name,
                 .description = actual.description,
                 .tags = SortedTags(actual.tags),
                 .default_queue_type = actual.default_queue_type};
    if (!vhost.description.empty() && vhost.description != actual.description) {
      Add(reason, "description is ", Quoted(actual.description), Quoted(vhost.description));
      put.description = vhost.description;
    }
    if (auto tags = SortedTags(vhost.tags); !tags.empty() && tags != put.tags) {
      Add(reason, "tags are ", TagList(put.tags), TagList(tags));
      put.tags = std::move(tags);
    }
    const bool other_type = !type.empty() && type != ShortQueueType(actual.default_queue_type);
    if (reason.empty() && !other_type) return;
    if (!version_) {
      AddWait(plan_, {Aspect::kTopology, "VersionUnknown",
                      "waiting for the broker's version, which decides what vhosts may hold: " +
                          view_.version.why()});
      return;
    }
    if (!reason.empty() && !CanUpdateVhost(*version_)) {
      fixed_.push_back(vhost.name);
      reason.clear();
    }
    if (other_type && !HasDefaultQueueType(*version_)) {
      without_type_.push_back(vhost.name);
    } else if (other_type && !CanUpdateDefaultQueueType(*version_)) {
      with_fixed_type_.push_back(vhost.name);
    } else if (other_type) {
      const std::string& has = actual.default_queue_type;
      Add(reason, "defaultQueueType is ", has.empty() ? "none" : Shortened(has), type);
      put.default_queue_type = type;
    }
    if (reason.empty()) return;
    if (was_in_effect_) reason.insert(0, "was changed at the broker: ");
    plan_.steps.push_back({std::move(put), std::move(reason), after_, was_in_effect_});
  }

  void PlanRemovals() {
    for (const auto& [name, on_remove] : seen_.inventory->vhosts) {
      if (on_remove == api::OnRemove::kRetain || name == kDefaultVhost) continue;
      if (listed_.contains(name)) continue;
      if (cluster_.findings.Broken("vhosts", "", name)) continue;  // declared, if badly
      if (rabbitmq::FindVhost(*view_.vhosts, name) == nullptr) continue;
      if (MayBeDefined(cluster_, seen_, rabbitmq::VhostDefinition(name))) continue;
      const bool if_empty = on_remove == api::OnRemove::kDeleteIfEmpty;
      if (if_empty && !IsEmpty(name)) continue;
      plan_.steps.push_back({.action = DeleteVhost{name, if_empty},
                             .reason = if_empty ? "is no longer declared, and has no queue"
                                                : "is no longer declared, and onRemove was Delete",
                             .after = after_,
                             .repairs_drift = false});
    }
  }

  // Whether the vhost has no queue. Otherwise the plan says what is waited for, or what to do.
  bool IsEmpty(const std::string& name) {
    const auto found = view_.vhost_queues.find(name);
    const rabbitmq::Part<std::size_t> unasked;
    const auto& count = found == view_.vhost_queues.end() ? unasked : found->second;
    if (!count) {
      AddWait(plan_, {Aspect::kTopology, "QueuesUnknown",
                      "waiting for the count of queues in vhost " + name +
                          ", which is no longer declared: " + count.why()});
      return false;
    }
    if (*count == 0) return true;
    AddProblem(plan_,
               {.aspect = Aspect::kTopology,
                .reason = "VhostNotEmpty",
                .message = "vhost " + name + " is no longer declared, and stays because it has " +
                           Counted(*count, "queue") +
                           ": delete them; or declare the vhost again, with onRemove Retain to "
                           "keep it or Delete to lose its queues, and then take it out",
                .needs_person = true});
    return false;
  }

  const api::RabbitCluster& cluster_;
  const observe::Observation& seen_;
  const rabbitmq::BrokerView& view_;
  const std::optional<std::size_t> after_;
  Plan& plan_;
  const bool was_in_effect_;
  const Names listed_;
  std::optional<rabbitmq::Version> version_;
  // Names of vhosts that declare what the broker cannot hold, or cannot change.
  std::vector<std::string> without_type_, with_fixed_type_, fixed_;
};

}  // namespace

void PlanVhosts(const api::RabbitCluster& cluster, const observe::Observation& seen, int members,
                std::optional<std::size_t> after, Plan& plan) {
  SayBrokenEntries(cluster, "vhosts", plan);
  if (!BrokerMayBeWritten(cluster, seen, members, plan)) return;
  if (!seen.broker.view->vhosts) {
    AddWait(plan, {Aspect::kTopology, "VhostsUnknown",
                   "waiting for the list of vhosts: " + seen.broker.view->vhosts.why()});
    return;
  }
  VhostPlanner(cluster, seen, after, plan).Run();
}

std::optional<api::QueueType> QueueTypeOfBroker(std::string_view word) {
  const std::string_view short_word = ShortQueueType(word);
  for (const auto& [type, known] : kQueueTypes) {
    if (short_word == known) return type;
  }
  return std::nullopt;
}

std::map<std::string, api::OnRemove> VhostsForInventory(const api::RabbitCluster& cluster,
                                                        const observe::Observation& seen) {
  std::map<std::string, api::OnRemove> vhosts;
  for (const api::Vhost& vhost : cluster.spec.vhosts) {
    if (vhost.name != kDefaultVhost) vhosts[vhost.name] = vhost.on_remove;
  }
  if (!seen.inventory) return vhosts;
  const observe::BrokerLook& look = seen.broker;
  const bool known = IsOfNow(look) && look.view->vhosts;
  for (const auto& [name, on_remove] : seen.inventory->vhosts) {
    if (vhosts.contains(name)) continue;
    // An entry that is in error says nothing new of it.
    if (cluster.findings.Broken("vhosts", "", name)) {
      vhosts.emplace(name, on_remove);
      continue;
    }
    if (on_remove == api::OnRemove::kRetain) continue;
    if (IsHandedToDefinitions(cluster, seen, rabbitmq::VhostDefinition(name))) continue;
    // Forgotten only once the broker was seen without it.
    if (!known || rabbitmq::FindVhost(*look.view->vhosts, name) != nullptr) {
      vhosts.emplace(name, on_remove);
    }
  }
  return vhosts;
}

}  // namespace rabbit::plan
