#include "operator/plan/membership/guard.h"

#include <algorithm>

#include "operator/plan/broker_gate.h"
#include "operator/plan/declared.h"
#include "operator/plan/membership/members.h"
#include "operator/resources/guard.h"
#include "operator/resources/inventory.h"
#include "operator/resources/names.h"
#include "rabbitmq/version.h"

namespace rabbit::plan {
namespace {

// Whether a disk of this cluster may hold data although C-inventory is not there: it was deleted by
// hand, or the claims are those of an earlier cluster of this name.
bool HasHistory(const observe::Observation& seen) {
  const bool has_claims = std::ranges::any_of(
      seen.claims, [](const observe::VolumeClaim& claim) { return !claim.deleting; });
  return has_claims || seen.stateful_set.has_value();
}

// A declared node's pod that is there to stay.
struct Node {
  const observe::Pod* pod;
  int ordinal;
  std::string volume;  // empty: not known
};

class Guard {
 public:
  Guard(const api::RabbitCluster& cluster, const observe::Observation& seen, int declared,
        const std::string& broker_image, base::TimePoint now, Plan& plan)
      : cluster_(cluster),
        seen_(seen),
        declared_(declared),
        broker_image_(broker_image),
        now_(now),
        plan_(plan),
        storage_(StorageInEffect(cluster, seen)),
        members_(KnownMembers(seen)) {
    decision_.formed = seen.inventory ? seen.inventory->formed : HasHistory(seen);
    if (seen.inventory) {
      decision_.volumes = seen.inventory->volumes;
      decision_.reforming = seen.inventory->reforming;
    }
    for (const observe::Pod& pod : seen.nodes) {
      const auto ordinal = resources::OrdinalOf(cluster.meta.key.name, pod.name);
      if (!ordinal || *ordinal >= declared || pod.deleting) continue;
      nodes_.push_back({&pod, *ordinal, VolumeOf(storage_, pod)});
    }
  }

  GuardDecision Decide() {
    for (const Node& node : nodes_) {
      if (node.pod->ready && node.volume.empty()) SayClaimUnknown(node);
    }
    if (!decision_.formed) decision_.formed = AllAgree();
    if (!decision_.formed) return decision_;
    // Who answers has founded it; the others are new nodes like any.
    if (members_ != nullptr) decision_.reforming = false;
    if (members_ == nullptr && AllAreAtTheGuard()) {
      if (MayFormAnew()) {
        AdmitAll();
        return decision_;
      }
      if (std::ranges::all_of(nodes_, [this](const Node& node) { return IsLost(node); })) {
        SayAllLost();
        return decision_;
      }
    }
    const bool some_wait = OthersWaitForTheHeld();
    for (const Node& node : nodes_) Consider(node, some_wait);
    return decision_;
  }

 private:
  // All declared nodes, and no other, run in one cluster and serve: their volumes are then recorded
  // by the same write.
  [[nodiscard]] bool AllAgree() const {
    if (members_ == nullptr || members_->size() != static_cast<std::size_t>(declared_)) {
      return false;
    }
    for (int i = 0; i < declared_; ++i) {
      const rabbitmq::Node* member = rabbitmq::FindNode(*members_, NodeNameOf(cluster_, i));
      if (member == nullptr || !member->running) return false;
    }
    const auto serving = std::ranges::count_if(
        nodes_, [](const Node& node) { return node.pod->ready && !node.volume.empty(); });
    return serving == declared_;
  }

  [[nodiscard]] bool IsRecorded(const Node& node) const {
    return decision_.volumes.contains(node.ordinal);
  }
  [[nodiscard]] bool RecordDiffers(const Node& node) const {
    return IsRecorded(node) && decision_.volumes.at(node.ordinal) != node.volume;
  }
  [[nodiscard]] bool IsHeldForLong(const Node& node) const {
    return node.pod->preparing && now_ - node.pod->preparing_since > kLongHeld;
  }
  [[nodiscard]] bool IsLost(const Node& node) const {
    return RecordDiffers(node) || IsHeldForLong(node);
  }

  [[nodiscard]] bool AllAreAtTheGuard() const {
    return nodes_.size() == static_cast<std::size_t>(declared_) &&
           std::ranges::all_of(nodes_, [](const Node& node) {
             return node.pod->preparing && !node.pod->ready && !node.volume.empty();
           });
  }

  // REQUIRES: AllAreAtTheGuard(). Whether there was nothing on their disks that a person should
  // know the loss of: none had a record, or only that of being let in to form anew, or the storage
  // is one that is lost so.
  [[nodiscard]] bool MayFormAnew() const {
    return std::ranges::all_of(nodes_, [this](const Node& node) {
      if (storage_.ephemeral || !IsRecorded(node)) return true;
      return decision_.reforming && !RecordDiffers(node);
    });
  }

  void AdmitAll() {
    decision_.ask_first = true;
    decision_.reforming = true;
    for (const Node& node : nodes_) {
      Admit(node, "the disks of all nodes are blank: the cluster forms anew");
    }
  }

  // What the pod runs; where its image does not say, what is declared and goes by the same name.
  [[nodiscard]] std::optional<rabbitmq::Version> VersionOf(const observe::Pod& pod) const {
    const auto version = rabbitmq::VersionOfImage(pod.image);
    if (version || !rabbitmq::IsOfSeries(pod.image, broker_image_)) return version;
    return rabbitmq::VersionOfImage(broker_image_);
  }

  // Whether some were let in to form anew and wait for one of the others, who are still held: their
  // release failed, or the operator ended before it. Only where a blank broker is told to wait for
  // its peers; any other founds the cluster alone after a while, and answers.
  [[nodiscard]] bool OthersWaitForTheHeld() const {
    return decision_.reforming && nodes_.size() == static_cast<std::size_t>(declared_) &&
           std::ranges::all_of(nodes_, [this](const Node& node) {
             const auto version = VersionOf(*node.pod);
             return !node.volume.empty() && !RecordDiffers(node) && version &&
                    rabbitmq::CanRetryDiscovery(*version);
           });
  }

  void Consider(const Node& node, bool others_wait) {
    if (node.volume.empty()) return;  // not bound yet: the pod cannot have started
    const observe::Pod& pod = *node.pod;
    const rabbitmq::Node* member =
        members_ == nullptr ? nullptr
                            : rabbitmq::FindNode(*members_, NodeNameOf(cluster_, node.ordinal));
    if (pod.ready) {
      // A pod that serves has passed the guard with this volume, and the cluster knows it.
      if (member != nullptr && member->running) decision_.volumes[node.ordinal] = node.volume;
      return;
    }
    // Its pod's status is an old one, or the broker has not noticed yet that it is gone: to tell a
    // person to forget it, both must say so.
    if (member != nullptr && member->running) return;
    if (members_ != nullptr && member == nullptr) {
      if (pod.preparing) ConsiderNew(node);
    } else if (RecordDiffers(node)) {
      SayLost(node, " has come up with a new volume");
    } else if (pod.preparing && others_wait && IsRecorded(node)) {
      Admit(node, "the cluster forms anew: others wait for this node");
    } else if (member != nullptr && IsHeldForLong(node)) {
      SayLost(node, " is held with a blank disk, although its volume claim is that of before");
    } else if (pod.preparing && member == nullptr && (!IsRecorded(node) || IsHeldForLong(node))) {
      AddWait(plan_, {Aspect::kNodes, "NodeAtGuard",
                      pod.name + " is held until the broker says who its members are"});
    }
  }

  void ConsiderNew(const Node& node) {
    const std::string& name = node.pod->name;
    if (now_ - seen_.broker.at > kFreshView) {
      plan_.look_at_broker = true;
      AddWait(plan_, {Aspect::kNodes, "NodeAtGuard",
                      name + " is held until the broker was asked again for its members"});
      return;
    }
    if (!MajorityRuns(*members_)) {
      AddWait(plan_, {Aspect::kNodes, "NodeAtGuard",
                      name + " is held until a majority of the members runs"});
      return;
    }
    Admit(node, "is new: its disk is blank and it is no member");
  }

  void Admit(const Node& node, std::string reason) {
    decision_.volumes[node.ordinal] = node.volume;
    decision_.admissions.push_back({node.pod->name, node.volume, std::move(reason)});
  }

  void SayLost(const Node& node, const std::string& how) {
    AddProblem(plan_, {.aspect = Aspect::kNodes,
                       .reason = "LostDisk",
                       .message = node.pod->name + how + ": the data of " +
                                  NodeNameOf(cluster_, node.ordinal) +
                                  " is gone. It is held, and this version of the operator does not "
                                  "bring it back by itself: forget the node (rabbitmqctl "
                                  "forget_cluster_node), then it is let in as a new one; give "
                                  "quorum queues their replica there again (rabbitmq-queues grow)",
                       .needs_person = true});
  }

  void SayAllLost() {
    AddProblem(
        plan_,
        {.aspect = Aspect::kNodes,
         .reason = "AllDisksLost",
         .message =
             (declared_ == 1 ? std::string("the only node is")
                             : "all " + std::to_string(declared_) + " nodes are") +
             " held with blank disks, and no node is left that has the data. Bring the volumes "
             "back if you can. If they are gone, delete ConfigMap " +
             resources::InventoryName(cluster_.meta.key.name) +
             ": the cluster then forms anew as declared, without the messages and without "
             "whatever was made at the broker only",
         .needs_person = true});
  }

  void SayClaimUnknown(const Node& node) {
    const std::string claim = resources::ClaimName(cluster_.meta.key.name, node.ordinal);
    const auto label = [](std::string_view key, std::string_view value) {
      return " " + std::string(key) + "=" + std::string(value);
    };
    AddProblem(plan_,
               {.aspect = Aspect::kNodes,
                .reason = "ClaimUnknown",
                .message = node.pod->name + " is ready, but its PersistentVolumeClaim " + claim +
                           " is not seen, so the loss of its disk would not be noticed: label it "
                           "(kubectl label pvc " +
                           claim + label(resources::kManagedByLabel, resources::kFieldManager) +
                           label(resources::kInstanceLabel, cluster_.meta.key.name) + ")",
                .needs_person = true});
  }

  const api::RabbitCluster& cluster_;
  const observe::Observation& seen_;
  const int declared_;
  const std::string& broker_image_;
  const base::TimePoint now_;
  Plan& plan_;
  const observe::StorageRecord storage_;
  const std::vector<rabbitmq::Node>* members_;  // null: not known
  std::vector<Node> nodes_;
  GuardDecision decision_;
};

Step InGuard(const Admission& admission, std::vector<std::string> command, std::string reason,
             std::optional<std::size_t> after) {
  return {.action = ExecInPod{.pod = admission.pod,
                              .container = std::string(resources::kGuardContainer),
                              .command = std::move(command),
                              .input = {}},
          .reason = std::move(reason),
          .after = after,
          .repairs_drift = false};
}

}  // namespace

GuardDecision DecideGuard(const api::RabbitCluster& cluster, const observe::Observation& seen,
                          int members, const std::string& broker_image, base::TimePoint now,
                          Plan& plan) {
  return Guard(cluster, seen, members, broker_image, now, plan).Decide();
}

std::optional<std::size_t> PlanQuestions(const GuardDecision& decision,
                                         std::optional<std::size_t> after, Plan& plan) {
  if (!decision.ask_first) return after;
  for (const Admission& admission : decision.admissions) {
    plan.steps.push_back(
        InGuard(admission, resources::IsHeldCommand(), "must be held like all others", after));
    after = plan.steps.size() - 1;
  }
  return after;
}

void PlanAdmissions(const GuardDecision& decision, std::optional<std::size_t> after, Plan& plan) {
  for (const Admission& admission : decision.admissions) {
    plan.steps.push_back(InGuard(admission, resources::ReleaseCommand(admission.volume_uid),
                                 admission.reason, after));
  }
}

}  // namespace rabbit::plan
