// lib/runtime/fence.h: may we write now? Asked before every write to the API server and to brokers.
// Known from the local monotonic clock alone, so that the answer holds although the API server
// cannot be reached. Lock-free, thread-safe.
#pragma once

#include <atomic>

#include "base/clock.h"

namespace rabbit::runtime {

class Fence {
 public:
  // Shut until the elector opens it. Writes that began before it shuts may take `margin` more: the
  // time between the end of our renewing and the earliest moment of another leader.
  explicit Fence(base::Duration margin) : margin_(margin) {}
  // Open for ever: for commands that run without election.
  Fence() : until_(base::TimePoint::max().time_since_epoch().count()) {}
  Fence(const Fence&) = delete;
  Fence& operator=(const Fence&) = delete;

  [[nodiscard]] bool MayWrite(base::TimePoint now) const { return now < Until(); }

  // A write's deadline is at most this.
  [[nodiscard]] base::TimePoint WritesEndBy() const {
    const base::TimePoint until = Until();
    return until == base::TimePoint::max() ? until : until + margin_;
  }

  // The elector's.
  void OpenUntil(base::TimePoint until) { until_.store(until.time_since_epoch().count()); }
  void Shut() { OpenUntil(base::TimePoint{}); }

 private:
  [[nodiscard]] base::TimePoint Until() const {
    return base::TimePoint(base::Duration(until_.load()));
  }

  const base::Duration margin_{};
  std::atomic<base::Duration::rep> until_{0};
};

}  // namespace rabbit::runtime
