// operator/plan/attempts.h: when what failed, or cannot be seen at once, is tried again. What was
// tried is remembered by Observation::attempts. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "operator/observe/observation.h"

namespace rabbit::plan {

// The last attempt at this, or nullptr when there was none, or it was at something else.
[[nodiscard]] const observe::Attempt* FindAttempt(const observe::Observation& seen,
                                                  std::string_view what, std::string_view digest);

// When one that failed is tried again: after 10 s, three times as long each time, 10 minutes at
// most.
[[nodiscard]] base::TimePoint TriedAgainAt(const observe::Attempt& failed);

}  // namespace rabbit::plan
