// operator/report/events.h: what is told once, when it happens. Pure.
//
// - What was done: children created (one Event for all), changed and removed; the broker written
// to;
//   each repair of what somebody else changed, with what was found (a warning).
// - What went wrong, with its cause: when a condition first says it. What a condition said before
// is
//   no news, so an operator that starts anew repeats nothing.
// A success that repeats is no Event. Nothing secret is in any of them.
#pragma once

#include <vector>

#include "operator/api/status.h"
#include "operator/report/facts.h"

namespace rabbit::report {

// At most this many of one kind; the rest is counted.
inline constexpr std::size_t kMostEvents = 5;

// `status` is what will be stored after this reconcile.
[[nodiscard]] std::vector<Event> MakeEvents(const Facts& facts, const api::Status& status);

}  // namespace rabbit::report
