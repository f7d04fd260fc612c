// operator/report/quiet.h: which differences of a status are worth a write, and when. Pure.
//
// An idle cluster's status is never written, a moving one's seldom: counts of queues and the like
// at most once a minute; progress (nodes ready, reasons and messages of what is not True yet) at
// most each few seconds, in a large fleet more seldom; at once a condition that becomes True or
// ceases to be, and what the spec led to. When something is written, all of it is. status.countedAt
// is the time of the last write, so that nothing needs to be remembered.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "operator/api/status.h"

namespace rabbit::report {

inline constexpr std::chrono::seconds kCountsPause(60);
inline constexpr std::chrono::seconds kProgressPause(5);
// A fleet that is on its way writes its progress no more than ten times a second, all together.
[[nodiscard]] base::Duration ProgressPause(std::size_t clusters);

enum class Difference { kNone, kCounts, kProgress, kNews };
// The greatest kind of difference between two statuses; countedAt does not count.
[[nodiscard]] Difference Compare(const api::Status& stored, const api::Status& fresh);

struct Settled {
  api::Status status;  // `fresh` with its time, or exactly `stored`
  // How long until what is now left out may be written; nothing is left out: empty.
  std::optional<base::Duration> wait;
};
[[nodiscard]] Settled Settle(const api::Status& stored, api::Status fresh, base::WallTime now,
                             base::Duration progress_pause = kProgressPause);

// "3 of 12 nodes" and "4 of 12 nodes" are the same "# of # nodes".
[[nodiscard]] std::string WithoutNumbers(std::string_view text);

}  // namespace rabbit::report
