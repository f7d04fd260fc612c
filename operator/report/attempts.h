// operator/report/attempts.h: what is remembered of steps that are not to be repeated at each look
// (Step::attempt). Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "operator/observe/observation.h"
#include "operator/plan/plan.h"
#include "operator/report/report.h"

namespace rabbit::report {

// Adds those of the plan that were begun, and forgets what the plan says is settled, and what was
// done an hour ago, if nobody looks for its effect any more. What failed stays known (there are no
// more than nodes, flags and the like). A step that was skipped was no attempt.
void RememberAttempts(const plan::Plan& plan, const std::vector<StepResult>& results,
                      base::TimePoint now, std::map<std::string, observe::Attempt>& attempts);

}  // namespace rabbit::report
