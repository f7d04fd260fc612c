#include "operator/report/events.h"

#include <algorithm>
#include <utility>

#include "operator/api/conditions.h"
#include "operator/plan/tls.h"
#include "operator/plan/words.h"
#include "operator/report/quiet.h"

namespace rabbit::report {
namespace {

using Outcome = StepResult::Outcome;

enum class Kind { kCreate, kUpdate, kDelete, kBroker, kExec };

Kind KindOf(const plan::Action& action) {
  if (std::holds_alternative<plan::CreateObject>(action)) return Kind::kCreate;
  if (std::holds_alternative<plan::CreateSecretOnce>(action)) return Kind::kCreate;
  if (std::holds_alternative<plan::ChangeSecret>(action)) return Kind::kUpdate;
  if (std::holds_alternative<plan::ApplyObject>(action)) return Kind::kUpdate;
  if (std::holds_alternative<plan::DeleteObject>(action)) return Kind::kDelete;
  if (std::holds_alternative<plan::ExecInPod>(action)) return Kind::kExec;
  if (std::holds_alternative<plan::ResetOwnUser>(action)) return Kind::kExec;
  return Kind::kBroker;
}

// The count of nodes that is written into a spec which leaves it out changes nothing.
bool IsTold(const plan::Action& action) {
  const auto* apply = std::get_if<plan::ApplyObject>(&action);
  return apply == nullptr || apply->type != api::kRabbitClusters;
}

struct Words {
  Kind kind;
  const char* reason;
  const char* action;
};
// In the order in which they are told.
constexpr Words kWords[] = {{Kind::kCreate, "Created", "Create"},
                            {Kind::kUpdate, "Updated", "Update"},
                            {Kind::kDelete, "Deleted", "Delete"},
                            {Kind::kBroker, "TopologyWritten", "Write"},
                            {Kind::kExec, "CommandRun", "Run"}};

// "create StatefulSet c-node (does not exist)": what creates says enough by itself.
std::string Text(const plan::Step& step, Kind kind) {
  std::string text = plan::Describe(step);
  if (kind != Kind::kCreate && !step.reason.empty()) text += " (" + step.reason + ")";
  return text;
}

void AddDone(const Facts& facts, std::vector<Event>& events) {
  std::vector<std::string> repairs;
  for (std::size_t i = 0; i < facts.plan.steps.size(); ++i) {
    const plan::Step& step = facts.plan.steps[i];
    if (!step.repairs_drift || ResultOf(facts, i).outcome != Outcome::kDone) continue;
    repairs.push_back(plan::Describe(step) + ": " + step.reason);
  }
  for (std::size_t i = 0; i < repairs.size(); ++i) {
    std::string message = repairs[i];
    const bool last = i + 1 == kMostEvents && repairs.size() > kMostEvents;
    if (last) message += "; and " + std::to_string(repairs.size() - kMostEvents) + " more";
    events.push_back({true, "DriftRepaired", "Repair", std::move(message)});
    if (last) break;
  }
  for (const Words& words : kWords) {
    std::vector<std::string> done;
    for (std::size_t i = 0; i < facts.plan.steps.size(); ++i) {
      const plan::Step& step = facts.plan.steps[i];
      if (step.repairs_drift || KindOf(step.action) != words.kind) continue;
      if (!IsTold(step.action)) continue;
      if (ResultOf(facts, i).outcome == Outcome::kDone) done.push_back(Text(step, words.kind));
    }
    if (done.empty()) continue;
    events.push_back({false, words.reason, words.action,
                      (done.size() == 1 ? "" : plan::Counted(done.size(), "step") + ": ") +
                          plan::Listed(done, kMostEvents)});
  }
}

// Whether some condition says `text`, numbers aside.
bool Says(const std::vector<api::Condition>& conditions, const std::string& text) {
  const std::string wanted = WithoutNumbers(text);
  return std::ranges::any_of(conditions, [&](const api::Condition& condition) {
    return WithoutNumbers(condition.message).find(wanted) != std::string::npos;
  });
}

void AddWentWrong(const Facts& facts, const api::Status& status, std::vector<Event>& events) {
  const auto& before = facts.cluster.status.conditions;
  const auto& after = status.conditions;
  std::size_t told = 0;
  // Told is what a condition says now and none said before: what is cut off there would otherwise
  // be told again each time.
  const auto tell = [&](const std::string& reason, const char* action, const std::string& message) {
    if (told == kMostEvents || !Says(after, message) || Says(before, message)) return;
    events.push_back({true, reason, action, message});
    ++told;
  };
  for (const Finding& finding : facts.findings) {
    if (finding.weight > Finding::Weight::kTrouble) break;
    if (finding.reason == "Paused") continue;  // what a person did, the person knows
    tell(finding.reason, "Reconcile", finding.message);
  }
  for (const plan::Warning& warning : facts.warnings) {
    tell(warning.reason, "Validate", warning.message);
  }
  // The warning that it was not was told before, so this is news, also after a restart of ours; and
  // told with the write that takes the warning back, which may have to wait.
  if (!facts.plan.certificate_live.empty() && Says(before, plan::kRotating) &&
      !Says(after, plan::kRotating)) {
    events.push_back({false, "CertificateLive", "Observe", facts.plan.certificate_live});
  }
  const api::Condition* available = api::FindCondition(after, api::kAvailable);
  if (available != nullptr && available->status != api::ConditionStatus::kTrue &&
      api::IsTrue(before, api::kAvailable)) {
    events.push_back(
        {true, available->reason, "Observe", "no longer available: " + available->message});
  }
}

}  // namespace

std::vector<Event> MakeEvents(const Facts& facts, const api::Status& status) {
  std::vector<Event> events;
  AddDone(facts, events);
  AddWentWrong(facts, status, events);
  return events;
}

}  // namespace rabbit::report
