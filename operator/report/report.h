// operator/report/report.h: from what was seen, planned and done to what people are told. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/plan/plan.h"
#include "operator/report/quiet.h"

namespace rabbit::report {

// What became of the step with the same index in the plan.
struct StepResult {
  enum class Outcome {
    kDone,
    kFailed,
    kSkipped
  };  // kSkipped: its `after` failed, the broker is silent, or not leader any more
  Outcome outcome = Outcome::kDone;
  std::optional<base::Error> error;  // of kFailed
};
// Whether the step failed so that repeating it can only fail again, until a person has changed
// something: the spec, a right, what the server or the broker admits.
[[nodiscard]] bool IsRefused(const StepResult& result);

struct Event {
  bool warning = false;
  std::string reason;  // CamelCase: "Created", "DriftRepaired", "NameTaken"
  std::string action;  // "Create", "Repair", …
  std::string message;
};

struct Report {
  api::Status status;         // equal to the stored one when there is nothing new to say
  std::vector<Event> events;  // only of what changed: a success that repeats is no event
  // What is waited for that no watch and no poller tells, by its reason, since when: goes into the
  // next Observation (waiting_since).
  std::map<std::string, base::TimePoint> waiting;
  // When to look again although nothing changed; the reconciler adds jitter.
  base::Duration look_again{};
  // Some step failed, and was not refused: retry with back-off, whatever look_again says.
  bool failed = false;
  // Nothing is on its way, or has been for so long that it is not worth a closer look.
  bool settled = false;
};

// `progress_pause`: see quiet.h.
[[nodiscard]] Report MakeReport(const api::RabbitCluster& cluster, const observe::Observation& seen,
                                const plan::Plan& plan, const std::vector<StepResult>& results,
                                base::TimePoint now, base::WallTime wall_now,
                                base::Duration progress_pause = kProgressPause);

}  // namespace rabbit::report
