// Whether cluster name, vhosts, users and policies are as declared, and queues replicated.
#include "operator/plan/words.h"
#include "operator/report/conditions.h"

namespace rabbit::report {
namespace {

using api::ConditionStatus;
using plan::Counted;

constexpr std::size_t kMostTold = 4;

}  // namespace

Verdict JudgeTopology(const Facts& facts) {
  if (auto verdict = NotJudged(facts)) return *verdict;
  Verdict verdict;
  std::size_t told = 0;
  std::size_t more = 0;
  const bool answers = facts.broker != nullptr;
  for (const Finding& finding : facts.findings) {
    if (finding.aspect != plan::Aspect::kTopology) continue;
    // What is waited for while nobody answers is the answer.
    if (!answers && finding.weight >= Finding::Weight::kWait) continue;
    if (told == 0) {
      verdict.reason = finding.reason;
      verdict.status = ConditionStatus::kFalse;
      verdict.needs_person = finding.weight == Finding::Weight::kPerson;
    }
    if (told == kMostTold) {
      ++more;
      continue;
    }
    if (told++ > 0) verdict.message += "; ";
    verdict.message += finding.message;
  }
  if (more > 0) verdict.message += "; and " + std::to_string(more) + " more";
  if (told > 0) return verdict;
  if (!answers) return {ConditionStatus::kUnknown, facts.broker_reason, facts.broker_message};

  const api::Spec& spec = facts.cluster.spec;
  std::string message = "as declared: cluster name, " + Counted(spec.vhosts.size(), "vhost") +
                        ", " + Counted(spec.users.size(), "user") + ", " +
                        Counted(spec.policies.size(), "policy");
  if (!spec.operator_policies.empty()) {
    message += ", " + Counted(spec.operator_policies.size(), "operator policy");
  }
  return {ConditionStatus::kTrue, "InEffect", std::move(message)};
}

Verdict JudgeQueues(const Facts& facts) {
  if (facts.broker == nullptr) {
    return {ConditionStatus::kUnknown, facts.broker_reason, facts.broker_message};
  }
  if (!facts.broker->queues) {
    return {ConditionStatus::kUnknown, "QueuesUnknown", facts.broker->queues.why()};
  }
  const rabbitmq::QueueSummary& queues = *facts.broker->queues;
  const rabbitmq::QueueCounts& all = queues.all;
  if (all.under_replicated == 0 && all.down == 0) {
    return {ConditionStatus::kTrue, "AllReplicated",
            std::to_string(all.mirrors_in_sync) + " of " + Counted(all.mirrored, "mirrored queue") +
                " in sync, " + Counted(all.quorum, "quorum queue")};
  }
  std::string message = std::to_string(all.under_replicated) + " of " +
                        Counted(all.total, "queue") + " without all their copies";
  if (all.down > 0) message += ", " + std::to_string(all.down) + " out of service";
  if (!queues.examples.empty()) message += ": " + plan::Listed(queues.examples, 3);
  return {ConditionStatus::kFalse, "UnderReplicated", message};
}

}  // namespace rabbit::report
