// operator/report/conditions.h: the conditions of a RabbitCluster: what each says, and when. Pure.
//
// Six say one thing each: Available, NodesReady, TopologySynced, QueuesReplicated,
// LoadBalancerSynced, FieldsInEffect. True means observed now, never that a write succeeded; what
// cannot be observed is Unknown, with the reason. Ready is all of them together and nothing left to
// do; by kstatus exactly one of Ready, Reconciling and Stalled is True, and Stalled is whatever
// needs a person.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "operator/api/status.h"
#include "operator/report/facts.h"

namespace rabbit::report {

// What one condition is judged to be; its type is said by who asks.
struct Verdict {
  api::ConditionStatus status = api::ConditionStatus::kUnknown;
  std::string reason;
  std::string message;
  bool needs_person = false;  // of a False one
};

[[nodiscard]] Verdict JudgeAvailable(const Facts& facts);
[[nodiscard]] Verdict JudgeNodes(const Facts& facts);
[[nodiscard]] Verdict JudgeTopology(const Facts& facts);
[[nodiscard]] Verdict JudgeQueues(const Facts& facts);
[[nodiscard]] Verdict JudgeLoadBalancer(const Facts& facts);
[[nodiscard]] Verdict JudgeFields(const Facts& facts);

// For what only a planner can judge, when nothing was planned: Unknown, and why.
[[nodiscard]] std::optional<Verdict> NotJudged(const Facts& facts);

// All conditions, of this generation, in their order. Times of those in the stored status whose
// status did not change are kept.
[[nodiscard]] std::vector<api::Condition> MakeConditions(const Facts& facts);

}  // namespace rabbit::report
