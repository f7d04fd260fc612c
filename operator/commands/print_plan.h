// operator/commands/print_plan.h: plans as text for people and as JSON for programs: what would be
// done, in order, and why. Pure. Never a secret: of each step only its description
// (plan::Describe), its reason and its changes (changes.h) are printed.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "operator/api/types.h"
#include "operator/commands/changes.h"
#include "operator/plan/plan.h"

namespace rabbit::commands {

// One cluster, and all that there is to say of it.
struct ClusterPlan {
  api::RabbitCluster cluster;
  std::string file;                        // whose outcome it is; empty: as it stands
  bool is_new = false;                     // the file's: there is none of that name yet
  std::vector<base::Difference> declared;  // what the file changes in the RabbitCluster itself
  std::vector<std::string> notes;          // what the plan rests on
  std::string broker;                      // who answered; empty: nobody
  std::string broker_trouble;  // why the broker could not be looked at, although it serves
  plan::Plan plan;
  std::vector<StepChanges> steps, held;  // of plan.steps, plan.held
};

// As of `kubectl diff`.
inline constexpr int kNothingToDo = 0;
inline constexpr int kSomethingToDo = 1;
inline constexpr int kCannotTell = 2;
// kNothingToDo: all is as declared. kSomethingToDo: a step, an apply of the file, something to wait
// for or to mend. kCannotTell: nothing could be planned; or nothing is known to be to do, but the
// broker could not be looked at.
[[nodiscard]] int ExitCodeOf(const ClusterPlan& plan);

// Several lines, the last one ended.
[[nodiscard]] std::string PrintPlan(const ClusterPlan& plan, bool colours);
// One object with a list of clusters, indented, ended by a line break.
[[nodiscard]] std::string PrintJson(const std::vector<ClusterPlan>& plans);

}  // namespace rabbit::commands
