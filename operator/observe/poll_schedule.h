// operator/observe/poll_schedule.h: when each cluster's broker or proxies are looked at next.
// Decisions only: no thread, no clock, no I/O. Not thread-safe: PollLoop guards it.
//
// A look that succeeded is repeated after the key's interval, and not before four times what it
// took: no key has more than a fifth of a thread. One that failed opens the key's
// circuit breaker: the next ones come after `first_retry`, three times as long each time, up to
// `slowest`. When the intervals of all keys together ask for more looks than `looks_per_second`,
// all of them are stretched alike. Looks to come are due at whole multiples of kGrain, so that a
// thread that wakes up finds many.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/clock.h"
#include "kube/resource.h"

namespace rabbit::observe {

class PollSchedule {
 public:
  static constexpr std::chrono::milliseconds kGrain{100};
  struct Options {
    double looks_per_second = 20;  // budget over all keys
    base::Duration first_retry = std::chrono::seconds(1);
    base::Duration slowest = std::chrono::minutes(1);  // longest pause of an open breaker
  };
  explicit PollSchedule(const Options& options) : options_(options) {}

  // Looks at `key` each `interval` from now on; a new key, or one whose `fresh` is set (its target
  // changed), is due at once and its breaker is closed.
  void Want(const kube::ObjectKey& key, base::Duration interval, bool fresh, base::TimePoint now);
  // A look of it that is out has to end before a new life of the key is looked at.
  void Drop(const kube::ObjectKey& key);

  // The key that has been due longest, or nothing. It is out until Done().
  [[nodiscard]] std::optional<kube::ObjectKey> Take(base::TimePoint now);
  // Ends a look. `spread` in [0, 1) is a random number: the next look comes up to a tenth later.
  void Done(const kube::ObjectKey& key, bool succeeded, double spread, base::TimePoint now);

  [[nodiscard]] std::optional<base::TimePoint> NextDue() const;
  // By what all intervals are multiplied to stay within the budget: 1 or more.
  [[nodiscard]] double Stretch() const;
  [[nodiscard]] std::size_t size() const { return entries_.size() - dropped_; }

 private:
  struct Entry {
    base::Duration interval{};
    base::TimePoint due{};  // or since when it is out
    int failures = 0;       // in a row: more than none means that the breaker is open
    bool out = false;
    bool again = false;    // became due while it was out
    bool dropped = false;  // while it was out: forgotten with the end of that look
  };
  void Schedule(const kube::ObjectKey& key, Entry& entry, base::TimePoint due);
  void Unschedule(const kube::ObjectKey& key, const Entry& entry);

  Options options_;
  std::map<kube::ObjectKey, Entry> entries_;
  std::set<std::pair<base::TimePoint, kube::ObjectKey>> by_due_;  // of entries that are not out
  double wanted_per_second_ = 0;  // sum of 1/interval, of entries not dropped
  std::size_t dropped_ = 0;
};

}  // namespace rabbit::observe
