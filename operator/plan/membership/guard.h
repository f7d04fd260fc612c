// operator/plan/membership/guard.h: who may join. Once the cluster has formed, the guard in each
// pod (operator/resources/prepare.sh) holds a blank disk; here is decided which of them are let in.
//
// - A new node, which is no member, is let in when a majority runs. Its volume is recorded first.
// - A node that is a member, but comes with another volume than its record says, has lost its disk.
//   It is held and told: let in, it would pass for the member that had the data.
// - When every declared node is held and none answers, all disks are blank and there is nothing
// left
//   to protect: all are let in, after each was asked whether it is really held.
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

struct Admission {
  std::string pod;
  std::string volume_uid;
  std::string reason;
  bool operator==(const Admission&) const = default;
};

struct GuardDecision {
  // What C-inventory is to record.
  bool formed = false;
  std::map<int, std::string> volumes;
  std::vector<Admission> admissions;
  bool ask_first = false;  // all or none: each must be held
};

// Adds problems and waits to `plan`, no steps. `members` is the declared count.
[[nodiscard]] GuardDecision DecideGuard(const api::RabbitCluster& cluster,
                                        const observe::Observation& seen, int members,
                                        base::TimePoint now, Plan& plan);

// Appends the steps. `inventory_step` must have succeeded before anybody is let in.
void PlanAdmissions(const GuardDecision& decision, std::optional<std::size_t> inventory_step,
                    Plan& plan);

}  // namespace rabbit::plan
