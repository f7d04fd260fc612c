// operator/plan/attempts.h: when what was tried in vain is tried again: because it failed, or
// because it was done and the world does not show it, or did not for long. What was tried is
// remembered by Observation::attempts. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "operator/observe/observation.h"
#include "operator/plan/plan.h"

namespace rabbit::plan {

// The last attempt at this, or nullptr when there was none, or it was at something else.
[[nodiscard]] const observe::Attempt* FindAttempt(const observe::Observation& seen,
                                                  std::string_view what, std::string_view digest);

// When it is tried again, where its effect is not seen: after 10 s, three times as long each time,
// 10 minutes at most.
[[nodiscard]] base::TimePoint TriedAgainAt(const observe::Attempt& attempt);

// The effect of `what`, whoever brought it about, was seen by the latest look at the broker. Once
// that was five minutes after the last attempt, it is forgotten: what is undone again and again is
// done less and less often.
// Not of imports of definitions: those are forgotten with the first look that shows their effect.
// What is kept is what was declared to be put back within spec.drift.interval, however often it
// changes; its pace is that of the looks, and whoever else writes it is told by drift Events.
void SettleAttempt(const observe::Observation& seen, const std::string& what, Plan& plan);

// Adds that this step was tried just now; `trouble` is empty when it was done, and `refused` says
// that it will be the same another time: how often in a row is counted, apart from the tries.
// Nothing of a step that is not to be remembered (Step::attempt).
void RememberAttempt(const Step& step, const std::string& trouble, base::TimePoint now,
                     std::map<std::string, observe::Attempt>& attempts, bool refused = false);

}  // namespace rabbit::plan
