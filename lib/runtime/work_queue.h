// lib/runtime/work_queue.h: the keys that wait to be worked on, each at most once, and how long one
// that fails has to wait.
// Holds decisions only: no thread, no clock, no I/O; time is an argument.
// Not thread-safe: Controller (runtime/controller.h) guards it.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/clock.h"
#include "kube/resource.h"
#include "runtime/metrics.h"

namespace rabbit::runtime {

struct Backoff {
  base::Duration first = std::chrono::milliseconds(5);  // after the first failure; then doubled
  base::Duration cap = std::chrono::seconds(1000);      // the longest
};
// The wait after the `failures`th failure in a row (from 1 on); never above the cap.
[[nodiscard]] base::Duration DelayAfter(int failures, const Backoff& backoff);

class WorkQueue {
 public:
  // `metrics` is not owned and must outlive the queue; `name` is the label of workqueue_*.
  WorkQueue(std::string name, Metrics& metrics, Backoff backoff = {});

  // Makes `key` due at `due`; of two times for one key the earlier wins. A key that is out with a
  // Take() is remembered, and waits for that time from its Done() on. Dropped after Close().
  void Add(const kube::ObjectKey& key, base::TimePoint due);

  // Add() at `now` plus the key's back-off, which this call lengthens, or plus `at_least` when that
  // is longer.
  void AddAfterFailure(const kube::ObjectKey& key, base::TimePoint now,
                       base::Duration at_least = {});

  // Resets the back-off of `key`: after each success.
  void Forget(const kube::ObjectKey& key);

  // The key that has been due longest; nothing when none is due at `now`. Until its Done() no other
  // call returns the same key.
  [[nodiscard]] std::optional<kube::ObjectKey> Take(base::TimePoint now);

  // Ends the work on `key`; aborts unless a Take() handed it out.
  void Done(const kube::ObjectKey& key, base::TimePoint now);

  // When Take() can next succeed; nothing when no key waits.
  [[nodiscard]] std::optional<base::TimePoint> NextDue() const;

  // Drops what waits, and whatever is added from now on. Keys that are out stay out.
  void Close();

  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
  [[nodiscard]] std::size_t working() const { return working_.size(); }
  // Of the key since its last Forget().
  [[nodiscard]] int failures(const kube::ObjectKey& key) const;

  // Sets the gauges that are a matter of time: depth, unfinished work, the longest runner. For
  // each scrape.
  void UpdateMetrics(base::TimePoint now) const;

 private:
  struct Work {
    base::TimePoint since;
    std::optional<base::TimePoint> again;  // added meanwhile
  };
  void Wait(const kube::ObjectKey& key, base::TimePoint due);

  Metrics& metrics_;
  const Labels labels_;
  const Backoff backoff_;
  bool closed_ = false;
  std::map<kube::ObjectKey, base::TimePoint> waiting_;
  std::set<std::pair<base::TimePoint, kube::ObjectKey>> by_due_;  // waiting_, the earliest first
  std::map<kube::ObjectKey, Work> working_;
  std::map<kube::ObjectKey, int> failures_;  // since the last Forget()
};

}  // namespace rabbit::runtime
