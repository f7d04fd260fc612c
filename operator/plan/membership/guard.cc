#include "operator/plan/membership/guard.h"

#include <algorithm>

#include "operator/plan/broker_gate.h"
#include "operator/plan/membership/members.h"
#include "operator/resources/guard.h"
#include "operator/resources/names.h"

namespace rabbit::plan {
namespace {

// Whether a disk of this cluster may hold data although C-inventory is not there: it was deleted by
// hand, or the claims are those of an earlier cluster of this name.
bool HasHistory(const observe::Observation& seen) {
  const bool has_claims = std::ranges::any_of(
      seen.claims, [](const observe::VolumeClaim& claim) { return !claim.deleting; });
  return has_claims || seen.stateful_set.has_value();
}

class Guard {
 public:
  Guard(const api::RabbitCluster& cluster, const observe::Observation& seen, int declared,
        base::TimePoint now, Plan& plan)
      : cluster_(cluster),
        seen_(seen),
        declared_(declared),
        now_(now),
        plan_(plan),
        members_(KnownMembers(seen)) {
    decision_.formed = seen.inventory ? seen.inventory->formed : HasHistory(seen);
    if (seen.inventory) decision_.volumes = seen.inventory->volumes;
  }

  GuardDecision Decide() {
    if (!decision_.formed) decision_.formed = AllAgree();
    if (!decision_.formed) return decision_;
    if (AllAreHeld()) {
      AdmitAll();
      return decision_;
    }
    for (const observe::Pod& pod : seen_.nodes) {
      const auto ordinal = resources::OrdinalOf(cluster_.meta.key.name, pod.name);
      if (ordinal && *ordinal < declared_ && !pod.deleting) Consider(pod, *ordinal);
    }
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
    const auto serving = std::ranges::count_if(seen_.nodes, [this](const observe::Pod& pod) {
      const auto ordinal = resources::OrdinalOf(cluster_.meta.key.name, pod.name);
      return ordinal && *ordinal < declared_ && pod.ready && !VolumeOf(cluster_, pod).empty();
    });
    return serving == declared_;
  }

  [[nodiscard]] bool RecordDiffers(int ordinal, const std::string& volume) const {
    const auto recorded = decision_.volumes.find(ordinal);
    return recorded != decision_.volumes.end() && recorded->second != volume;
  }

  // Every declared node stands at the guard and nobody answers. Other volumes than the recorded
  // ones are a loss that a person should know of, unless the declared storage is one that is lost
  // so.
  [[nodiscard]] bool AllAreHeld() const {
    if (members_ != nullptr) return false;
    int held = 0;
    for (const observe::Pod& pod : seen_.nodes) {
      const auto ordinal = resources::OrdinalOf(cluster_.meta.key.name, pod.name);
      if (!ordinal || *ordinal >= declared_) continue;
      const std::string volume = VolumeOf(cluster_, pod);
      if (!pod.preparing || pod.deleting || pod.ready || volume.empty()) return false;
      if (!cluster_.spec.storage.ephemeral && RecordDiffers(*ordinal, volume)) return false;
      ++held;
    }
    return held == declared_;
  }

  void AdmitAll() {
    decision_.ask_first = true;
    for (const observe::Pod& pod : seen_.nodes) {
      const auto ordinal = resources::OrdinalOf(cluster_.meta.key.name, pod.name);
      if (!ordinal || *ordinal >= declared_) continue;
      Admit(pod, *ordinal, "the disks of all nodes are blank: the cluster forms anew");
    }
  }

  void Consider(const observe::Pod& pod, int ordinal) {
    const std::string volume = VolumeOf(cluster_, pod);
    if (volume.empty()) return;  // not bound yet: the pod cannot have started
    const rabbitmq::Node* member =
        members_ == nullptr ? nullptr
                            : rabbitmq::FindNode(*members_, NodeNameOf(cluster_, ordinal));
    if (pod.ready) {
      // A pod that serves has passed the guard with this volume, and the cluster knows it.
      if (member != nullptr && member->running) decision_.volumes[ordinal] = volume;
      return;
    }
    if (members_ != nullptr && member == nullptr) {
      if (pod.preparing) ConsiderNew(pod, ordinal);
      return;
    }
    if (RecordDiffers(ordinal, volume)) {
      SayLost(pod, ordinal);
    } else if (pod.preparing && !decision_.volumes.contains(ordinal)) {
      AddWait(plan_, {Aspect::kNodes, "NodeAtGuard",
                      member == nullptr
                          ? pod.name + " is held until the broker says who its members are"
                          : pod.name + " is being prepared; if it stays so, its disk is blank "
                                       "although the cluster has it as a member: forget the "
                                       "node then (rabbitmqctl forget_cluster_node)"});
    }
  }

  void ConsiderNew(const observe::Pod& pod, int ordinal) {
    if (now_ - seen_.broker.at > kFreshView) {
      plan_.look_at_broker = true;
      AddWait(plan_, {Aspect::kNodes, "NodeAtGuard",
                      pod.name + " is held until the broker was asked again for its members"});
      return;
    }
    if (!MajorityRuns(*members_)) {
      AddWait(plan_, {Aspect::kNodes, "NodeAtGuard",
                      pod.name + " is held until a majority of the members runs"});
      return;
    }
    Admit(pod, ordinal, "is new: its disk is blank and it is no member");
  }

  void Admit(const observe::Pod& pod, int ordinal, std::string reason) {
    const std::string volume = VolumeOf(cluster_, pod);
    decision_.volumes[ordinal] = volume;
    decision_.admissions.push_back({pod.name, volume, std::move(reason)});
  }

  void SayLost(const observe::Pod& pod, int ordinal) {
    AddProblem(plan_, {.aspect = Aspect::kNodes,
                       .reason = "LostDisk",
                       .message = pod.name + " has come up with a new volume: the data of " +
                                  NodeNameOf(cluster_, ordinal) +
                                  " is gone. It is held, and this version of the operator does not "
                                  "bring it back by itself: forget the node (rabbitmqctl "
                                  "forget_cluster_node), then it is let in as a new one; give "
                                  "quorum queues their replica there again (rabbitmq-queues grow)",
                       .needs_person = true});
  }

  const api::RabbitCluster& cluster_;
  const observe::Observation& seen_;
  const int declared_;
  const base::TimePoint now_;
  Plan& plan_;
  const std::vector<rabbitmq::Node>* members_;  // null: not known
  GuardDecision decision_;
};

}  // namespace

GuardDecision DecideGuard(const api::RabbitCluster& cluster, const observe::Observation& seen,
                          int members, base::TimePoint now, Plan& plan) {
  return Guard(cluster, seen, members, now, plan).Decide();
}

void PlanAdmissions(const GuardDecision& decision, std::optional<std::size_t> inventory_step,
                    Plan& plan) {
  const auto exec = [&](const Admission& admission, std::vector<std::string> command,
                        const std::string& reason, std::optional<std::size_t> after) {
    plan.steps.push_back({.action = ExecInPod{.pod = admission.pod,
                                              .container = std::string(resources::kGuardContainer),
                                              .command = std::move(command),
                                              .input = {}},
                          .reason = reason,
                          .after = after,
                          .repairs_drift = false});
    return plan.steps.size() - 1;
  };
  std::optional<std::size_t> after = inventory_step;
  if (decision.ask_first) {
    for (const Admission& admission : decision.admissions) {
      after = exec(admission, resources::IsHeldCommand(), "must be held like all others", after);
    }
  }
  for (const Admission& admission : decision.admissions) {
    exec(admission, resources::ReleaseCommand(admission.volume_uid), admission.reason, after);
  }
}

}  // namespace rabbit::plan
