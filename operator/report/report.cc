#include "operator/report/report.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "operator/api/conditions.h"
#include "operator/plan/membership/guard.h"
#include "operator/plan/nodes.h"
#include "operator/report/conditions.h"
#include "operator/report/events.h"
#include "operator/report/facts.h"
#include "operator/report/quiet.h"
#include "operator/report/status.h"

namespace rabbit::report {
namespace {

constexpr std::chrono::seconds kSoonest(1);
constexpr std::chrono::minutes kLongestForAPerson(1);

bool Failed(const std::vector<StepResult>& results) {
  return std::ranges::any_of(results, [](const StepResult& result) {
    return result.outcome == StepResult::Outcome::kFailed && !IsRefused(result) &&
           !(result.error && result.error->kind == base::ErrorKind::kCancelled);
  });
}

// How long brokers and proxies are looked at more often than each drift interval, after the cluster
// ceased to be ready.
constexpr std::chrono::minutes kLongestUnsettled(3);

bool IsSettled(const api::Status& status, base::WallTime now) {
  const api::Condition* ready = api::FindCondition(status.conditions, api::kReady);
  return ready->status == api::ConditionStatus::kTrue ||
         now - ready->last_transition_time > kLongestUnsettled;
}

constexpr std::string_view kTakingEffect = "Applying";

// What no watch and no poller tells, by one name for one wait: that a Secret has come or gone, that
// a person has mended what only a look shows, that a step at the broker took effect. Empty: the
// finding is none of them.
std::string_view UntoldIn(const Finding& finding) {
  // Of the children all but Secrets are watched, and of objects none but the children.
  constexpr std::string_view kSeenByALook[] = {
      "SecretUnknown",    "ChildLeaving",    "ChildUnknown",       "SecretMissing",
      "SecretKeyMissing", "SecretLost",      "NameTaken",          "BrokerDenied",
      "PluginsChanging",  "PluginsStarting", "DefinitionsInvalid", "DefinitionsUnknown",
      "SecretInvalid"};
  if (const auto* known = std::ranges::find(kSeenByALook, finding.reason);
      known != std::ranges::end(kSeenByALook)) {
    return *known;
  }
  // What the API server refuses is mended elsewhere: a right, a quota, a webhook. What the broker
  // refuses is mended in the spec, which is watched.
  if (finding.reason == "StepRefused" && finding.aspect != plan::Aspect::kTopology) {
    return "StepRefused";
  }
  if (finding.aspect == plan::Aspect::kTopology &&
      (finding.reason == "Applying" || finding.reason == "LookingAgain")) {
    return kTakingEffect;
  }
  return {};
}

// Not by the age of a condition: that may be False for long for something else.
std::map<std::string, base::TimePoint> WaitingSince(const Facts& facts, base::TimePoint now) {
  std::map<std::string, base::TimePoint> waiting;
  for (const Finding& finding : facts.findings) {
    const std::string name(UntoldIn(finding));
    if (name.empty()) continue;
    const auto before = facts.seen.waiting_since.find(name);
    waiting[name] = before == facts.seen.waiting_since.end() ? now : before->second;
  }
  return waiting;
}

// Soon at first, then less and less often: a quarter of the time that it has been waited for, up to
// the drift interval. Who has mended something waits for a minute at most.
base::Duration LookAgain(const Facts& facts, const Report& report, base::TimePoint now) {
  const base::Duration interval = facts.cluster.spec.drift_interval;
  // The look is being taken, and is no news to the pollers when it shows what was seen before. By
  // the next drift interval its view may be too old once more.
  if (facts.plan.look_at_broker) return kSoonest;
  base::Duration pause = interval;
  for (const auto& [what, since] : report.waiting) {
    base::Duration after = std::max<base::Duration>((now - since) / 4, kSoonest);
    if (what != kTakingEffect) after = std::min<base::Duration>(after, kLongestForAPerson);
    pause = std::min(pause, after);
  }
  // That a guard has lasted for too long, or that no pod comes, is told by time alone.
  if (facts.seen.pods_missing_since ||
      std::ranges::any_of(facts.seen.nodes, &observe::Pod::preparing)) {
    pause = std::min<base::Duration>(
        pause, std::max<base::Duration>(plan::kLongHeld, plan::kLongMissing) + kSoonest);
  }
  return pause;
}

}  // namespace

bool IsRefused(const StepResult& result) {
  return result.outcome == StepResult::Outcome::kFailed && result.error &&
         (result.error->kind == base::ErrorKind::kInvalid ||
          result.error->kind == base::ErrorKind::kDenied);
}

Report MakeReport(const api::RabbitCluster& cluster, const observe::Observation& seen,
                  const plan::Plan& plan, const std::vector<StepResult>& results,
                  base::TimePoint now, base::WallTime wall_now, base::Duration progress_pause) {
  const Facts facts = GatherFacts(cluster, seen, plan, results, now, wall_now);
  api::Status fresh = MakeStatus(facts);
  fresh.conditions = MakeConditions(facts);

  Report report;
  report.waiting = WaitingSince(facts, now);
  report.look_again = LookAgain(facts, report, now);
  report.failed = Failed(results);
  report.settled = !report.failed && IsSettled(fresh, wall_now);
  Settled settled = Settle(cluster.status, std::move(fresh), wall_now, progress_pause);
  if (settled.wait) report.look_again = std::min(report.look_again, *settled.wait);
  report.status = std::move(settled.status);
  report.events = MakeEvents(facts, report.status);
  return report;
}

}  // namespace rabbit::report
