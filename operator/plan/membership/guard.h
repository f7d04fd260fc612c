// operator/plan/membership/guard.h: who may join. Once the cluster has formed, the guard in each
// pod (operator/resources/prepare.sh) holds a blank disk; here is decided which of them are let in.
//
// - A new node, which is no member, is let in when a majority runs. Its volume is recorded first.
// - A node that is a member, but comes with another volume than its record says, or stays at the
//   guard with the one that it had, has lost its disk. It is held and told: let in, it would pass
//   for the member that had the data.
// - When every declared node is held, none answers and none had a record, there is nothing left to
//   protect: all are let in, after each was asked whether it is really held. That this was begun is
//   recorded before the first of them goes, because it waits for a second one, without an answer.
//
// Pure. Reads the view of the broker only while it is fresh: an old one may not know a member yet.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/plan/plan.h"

namespace rabbit::plan {

// How old the view of the broker may be for a node to be let in on it.
inline constexpr std::chrono::seconds kFreshView{30};
// A guard that has files to copy is done by then: who still runs it has a blank disk.
inline constexpr std::chrono::seconds kLongHeld{30};

struct Admission {
  std::string pod;
  std::string volume_uid;
  std::string reason;
  bool operator==(const Admission&) const = default;
};

struct GuardDecision {
  // What C-inventory is to record.
  bool formed = false;
  bool reforming = false;
  std::map<int, std::string> volumes;
  std::vector<Admission> admissions;
  bool ask_first = false;  // all or none: each must be held
};

// Adds problems and waits to `plan`, no steps. `members` is the declared count,
// `broker_image` the declared image.
[[nodiscard]] GuardDecision DecideGuard(const api::RabbitCluster& cluster,
                                        const observe::Observation& seen, int members,
                                        const std::string& broker_image, base::TimePoint now,
                                        Plan& plan);

// Appends the questions that must be answered well before C-inventory is written, one after the
// other behind step `after`. The last step that what follows has to wait for.
[[nodiscard]] std::optional<std::size_t> PlanQuestions(const GuardDecision& decision,
                                                       std::optional<std::size_t> after,
                                                       Plan& plan);

// Appends the releases. Step `after`, which records them, must have succeeded before.
void PlanAdmissions(const GuardDecision& decision, std::optional<std::size_t> after, Plan& plan);

}  // namespace rabbit::plan
