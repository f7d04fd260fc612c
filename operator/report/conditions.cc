#include "operator/report/conditions.h"

#include <algorithm>
#include <array>
#include <utility>

#include "operator/api/conditions.h"

namespace rabbit::report {
namespace {

using api::ConditionStatus;
using Weight = Finding::Weight;

const std::vector<std::string_view> kOrder = {
    api::kReady,         api::kReconciling,    api::kStalled,          api::kAvailable,
    api::kNodesReady,    api::kTopologySynced, api::kQueuesReplicated, api::kLoadBalancerSynced,
    api::kFieldsInEffect};

// Warnings follow in the same message, and must not be cut off by it.
constexpr std::size_t kLongestSummary = 600;

// Reasons whose message tells the last of many causes ("c-node-0: refused", "c-node-1: timed out"):
// the first cause stays, or a cluster that does not answer would be written at each look.
bool KeepsItsFirstMessage(std::string_view reason) {
  return reason == "BrokerNotAnswering" || reason == "ProxyNotAnswering" ||
         reason == "ProxiesNotAnswering";
}

// What is told of everything at once.
struct Summary {
  std::string reason;
  std::string message;

  void Add(std::string_view why, const std::string& what) {
    if (reason.empty()) reason = why;
    if (message.size() + what.size() > kLongestSummary) {
      if (!message.empty()) return;
      message = what.substr(0, kLongestSummary);  // SetCondition() keeps characters whole
      return;
    }
    if (message.find(what) != std::string::npos) return;
    if (!message.empty()) message += "; ";
    message += what;
  }
  [[nodiscard]] bool empty() const { return reason.empty(); }
};

class Builder {
 public:
  explicit Builder(const Facts& facts)
      : facts_(facts), conditions_(facts.cluster.status.conditions) {}

  void Set(std::string_view type, const Verdict& verdict) {
    api::Condition condition{.type = std::string(type),
                             .status = verdict.status,
                             .reason = verdict.reason,
                             .message = verdict.message,
                             .observed_generation = facts_.cluster.meta.generation,
                             .last_transition_time = {}};
    const api::Condition* before = api::FindCondition(conditions_, type);
    if (before != nullptr && before->status == condition.status &&
        before->reason == condition.reason && KeepsItsFirstMessage(condition.reason)) {
      condition.message = before->message;
    }
    api::SetCondition(conditions_, std::move(condition), facts_.wall_now);
  }

  // Judges one of the six; what is not True holds Ready back.
  void Judge(std::string_view type, const Verdict& verdict) {
    Set(type, verdict);
    if (verdict.status == ConditionStatus::kTrue) return;
    // Of queues only the word: their counts move, and would move Ready with them.
    const std::string& message = api::FindCondition(conditions_, type)->message;
    const std::string what = type == api::kQueuesReplicated ? "queues lack copies" : message;
    if (verdict.needs_person) stalled_.Add(verdict.reason, what);
    held_back_.Add(verdict.reason, what);
  }

  // What belongs to none of the six: the spec as a whole, and children.
  void AddFindings() {
    for (const Finding& finding : facts_.findings) {
      const bool of_no_condition =
          finding.aspect == plan::Aspect::kSpec || finding.aspect == plan::Aspect::kChildren;
      if (!of_no_condition || finding.weight == Weight::kPending) continue;
      if (finding.weight == Weight::kPerson) stalled_.Add(finding.reason, finding.message);
      held_back_.Add(finding.reason, finding.message);
    }
  }

  // Children that were written a moment ago are worth a word only when nothing else is: the next
  // look, which comes at once, would take it back.
  void AddPending() {
    for (const Finding& finding : facts_.findings) {
      if (held_back_.empty() && finding.weight == Weight::kPending) {
        held_back_.Add(finding.reason, finding.message);
      }
    }
  }

  std::vector<api::Condition> Finish() {
    const bool ready = held_back_.empty();
    const bool stalled = !stalled_.empty();
    const Summary& told = stalled ? stalled_ : held_back_;
    std::string warnings;
    for (const plan::Warning& warning : facts_.warnings) {
      warnings += "; warning: " + warning.message;
    }
    if (ready) {
      Set(api::kReady,
          {ConditionStatus::kTrue, "InEffect", "all that is declared is in effect" + warnings});
    } else {
      Set(api::kReady, {ConditionStatus::kFalse, told.reason, told.message + warnings});
    }
    if (ready || stalled) {
      Set(api::kReconciling, {ConditionStatus::kFalse, ready ? "Settled" : "Stalled",
                              ready ? "nothing is left to do" : "a person must act first"});
    } else {
      Set(api::kReconciling, {ConditionStatus::kTrue, told.reason, told.message});
    }
    if (stalled) {
      Set(api::kStalled, {ConditionStatus::kTrue, stalled_.reason, stalled_.message});
    } else {
      Set(api::kStalled, {ConditionStatus::kFalse, "NotStalled", "nothing needs a person"});
    }
    api::SortConditions(conditions_, kOrder);
    return std::move(conditions_);
  }

 private:
  const Facts& facts_;
  std::vector<api::Condition> conditions_;
  Summary stalled_;
  Summary held_back_;
};

}  // namespace

std::optional<Verdict> NotJudged(const Facts& facts) {
  const std::optional<plan::Unplanned>& unplanned = facts.plan.unplanned;
  if (!unplanned) return std::nullopt;
  return Verdict{.status = api::ConditionStatus::kUnknown,
                 .reason = unplanned->reason,
                 .message = "not judged: " + unplanned->because};
}

std::vector<api::Condition> MakeConditions(const Facts& facts) {
  Builder builder(facts);
  builder.AddFindings();
  builder.Judge(api::kNodesReady, JudgeNodes(facts));
  builder.Judge(api::kAvailable, JudgeAvailable(facts));
  builder.Judge(api::kTopologySynced, JudgeTopology(facts));
  builder.Judge(api::kLoadBalancerSynced, JudgeLoadBalancer(facts));
  builder.Judge(api::kQueuesReplicated, JudgeQueues(facts));
  builder.Judge(api::kFieldsInEffect, JudgeFields(facts));
  builder.AddPending();
  return builder.Finish();
}

}  // namespace rabbit::report
