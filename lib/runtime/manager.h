// lib/runtime/manager.h: starts and stops the parts of the daemon, in order and each within a
// bound. Used by one thread, main's. The functions of a part run on threads of their own, so that
// one that hangs costs its bound and no more.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"

namespace rabbit::runtime {

struct Component {
  std::string name;  // in logs and errors: "cache of Pods"

  // Returns when the part works, or why it does not. Ends soon after `stop` was requested. May be
  // empty.
  std::function<base::Result<void>(std::stop_token stop)> start;
  base::Duration start_within = std::chrono::seconds(60);

  // Returns when the part is at rest. `deadline` is when the manager ceases to wait; a part that
  // can be stopped the hard way does so in time. May be empty. Called only if `start` succeeded.
  std::function<void(base::TimePoint deadline)> stop;
  base::Duration stop_within = std::chrono::seconds(10);
  // Of the time that Stop() has for all: no part that stops earlier may take this much of it.
  base::Duration stop_share = base::Duration::zero();

  // Parts of a lower stage stop earlier; within a stage the one started last stops first. (The
  // lease is released after the workers have stopped, and metrics are served to the end, though
  // both start early.)
  int stop_stage = 0;

  // Not stopped at all when an earlier one did not come to rest in time: a lease must not be
  // released while somebody may still write under it. Better that it runs out.
  bool stop_only_after_rest = false;
};

// How long Stop() may take, whatever the bounds of the parts add up to.
struct StopBounds {
  base::Duration together = std::chrono::hours(1);
  base::Duration each = std::chrono::hours(1);  // a lost lease leaves no time for grace
};

class Manager {
 public:
  // `clock` (a real one) and `logger` must outlive it.
  Manager(base::Clock& clock, base::Logger& logger) : clock_(clock), logger_(logger) {}
  ~Manager() = default;
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  // Parts start in the order in which they are added. Before Start().
  void Add(Component component);

  // Starts one part after the other. The first failure, or a requested `stop` (kCancelled), ends
  // it; Stop() then stops what was started. The error begins with the part's name.
  base::Result<void> Start(const std::stop_token& stop);

  // Stops what was started. True when every part came to rest in time. If not, a thread of it still
  // runs: leave by _exit, never by destructors.
  [[nodiscard]] bool Stop(const StopBounds& bounds);
  [[nodiscard]] bool Stop() { return Stop(StopBounds()); }

 private:
  // Runs `work` on a thread of its own; false when it has not ended by `deadline`.
  bool RunWithin(base::TimePoint deadline, std::function<void()> work);

  base::Clock& clock_;
  base::Logger& logger_;
  std::vector<Component> components_;
  std::vector<std::size_t> started_;  // indexes, in order
};

}  // namespace rabbit::runtime
