#include "operator/observe/poll_schedule.h"

#include <algorithm>

namespace rabbit::observe {
namespace {

constexpr int kPausePerLook = 4;

double PerSecond(base::Duration interval) {
  return 1.0 / std::max(std::chrono::duration<double>(interval).count(), 0.001);
}

base::Duration Times(base::Duration duration, double factor) {
  return std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(duration) *
                                                    factor);
}

base::TimePoint Rounded(base::TimePoint due) {
  const base::Duration since = due.time_since_epoch() + PollSchedule::kGrain - base::Duration(1);
  return base::TimePoint(since - since % PollSchedule::kGrain);
}

}  // namespace

void PollSchedule::Want(const kube::ObjectKey& key, base::Duration interval, bool fresh,
                        base::TimePoint now) {
  auto [it, is_new] = entries_.try_emplace(key);
  Entry& entry = it->second;
  if (entry.dropped) {
    // The look that is out is of an earlier life: the first one of this life follows it.
    entry = {.interval = interval, .due = {}, .failures = 0, .out = true, .again = true};
    --dropped_;
    wanted_per_second_ += PerSecond(interval);
    return;
  }
  if (!is_new) wanted_per_second_ -= PerSecond(entry.interval);
  wanted_per_second_ += PerSecond(interval);
  const bool sooner = !is_new && interval < entry.interval;
  entry.interval = interval;
  if (is_new) {
    Schedule(key, entry, now);
  } else if (fresh) {
    entry.failures = 0;
    if (entry.out) {
      entry.again = true;
    } else {
      Unschedule(key, entry);
      Schedule(key, entry, now);
    }
  } else if (sooner && !entry.out && entry.failures == 0 && entry.due > now + interval) {
    Unschedule(key, entry);
    Schedule(key, entry, now + interval);
  }
}

void PollSchedule::Drop(const kube::ObjectKey& key) {
  const auto it = entries_.find(key);
  if (it == entries_.end() || it->second.dropped) return;
  wanted_per_second_ -= PerSecond(it->second.interval);
  if (it->second.out) {
    it->second.dropped = true;
    ++dropped_;
    return;
  }
  Unschedule(key, it->second);
  entries_.erase(it);
}

std::optional<kube::ObjectKey> PollSchedule::Take(base::TimePoint now) {
  if (by_due_.empty() || by_due_.begin()->first > now) return std::nullopt;
  kube::ObjectKey key = by_due_.begin()->second;
  by_due_.erase(by_due_.begin());
  Entry& entry = entries_.at(key);
  entry.out = true;
  entry.due = now;
  return key;
}

void PollSchedule::Done(const kube::ObjectKey& key, bool succeeded, double spread,
                        base::TimePoint now) {
  const auto it = entries_.find(key);
  if (it == entries_.end() || !it->second.out) return;
  Entry& entry = it->second;
  if (entry.dropped) {
    entries_.erase(it);
    --dropped_;
    return;
  }
  entry.out = false;
  if (std::exchange(entry.again, false)) {
    Schedule(key, entry, now);
    return;
  }
  base::Duration pause = Times(entry.interval, Stretch());
  if (succeeded) {
    pause = std::max(pause, kPausePerLook * (now - entry.due));
    entry.failures = 0;
  } else {
    pause = options_.first_retry;
    for (int i = 0; i < entry.failures && pause < options_.slowest; ++i) pause *= 3;
    pause = std::min(pause, options_.slowest);
    ++entry.failures;
  }
  Schedule(key, entry, Rounded(now + Times(pause, 1 + spread / 10)));
}

std::optional<base::TimePoint> PollSchedule::NextDue() const {
  if (by_due_.empty()) return std::nullopt;
  return by_due_.begin()->first;
}

double PollSchedule::Stretch() const {
  return std::max(1.0, wanted_per_second_ / options_.looks_per_second);
}

void PollSchedule::Schedule(const kube::ObjectKey& key, Entry& entry, base::TimePoint due) {
  entry.due = due;
  by_due_.emplace(due, key);
}

void PollSchedule::Unschedule(const kube::ObjectKey& key, const Entry& entry) {
  by_due_.erase({entry.due, key});
}

}  // namespace rabbit::observe
