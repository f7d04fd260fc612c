// lib/base/due_wait.h: how threads that share a queue of work with due times wait for it. One of
// them, the timekeeper, sleeps until the earliest due time; the others sleep until they are needed.
// So a new due time wakes one thread, and not all.
// Guarded by the mutex of the queue, which every call needs held.
#pragma once

#include <algorithm>
#include <optional>
#include <stop_token>

#include "base/clock.h"
#include "base/mutex.h"

namespace rabbit::base {

class DueWait {
 public:
  // Nothing is due at `now`. Returns when something may be, at the latest after a minute, and at
  // once when a stop was requested: look again.
  void Wait(Mutex& mutex, const std::stop_token& stop, std::optional<TimePoint> next, TimePoint now)
      RABBIT_REQUIRES(mutex) {
    constexpr std::chrono::minutes kLongest{1};
    if (has_timekeeper_) {
      relief_.WaitUntil(mutex, stop, now + kLongest);
      return;
    }
    has_timekeeper_ = true;
    due_changed_.WaitUntil(mutex, stop, std::min(next.value_or(now + kLongest), now + kLongest));
    has_timekeeper_ = false;
  }

  // The earliest due time was `before` and is `next` now.
  void Changed(std::optional<TimePoint> before, std::optional<TimePoint> next) {
    if (!next || next == before) return;
    (has_timekeeper_ ? due_changed_ : relief_).NotifyOne();
  }

  // The caller took something and leaves to work on it; `next` is what is still to come.
  void Took(std::optional<TimePoint> next) {
    if (next && !has_timekeeper_) relief_.NotifyOne();
  }

  void WakeAll() {
    due_changed_.NotifyAll();
    relief_.NotifyAll();
  }

 private:
  bool has_timekeeper_ = false;
  CondVar due_changed_;  // the timekeeper waits here
  CondVar relief_;       // the others: until something is there for them, or the time is not kept
};

}  // namespace rabbit::base
