#include "runtime/work_queue.h"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace rabbit::runtime {
namespace {

constexpr std::array kBounds{0.001, 0.01, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1000.0};

constexpr GaugeFamily kDepth{"workqueue_depth", "Keys that are due and wait for a worker."};
constexpr CounterFamily kAdds{"workqueue_adds_total", "Keys that were added, repeats left out."};
constexpr CounterFamily kRetries{"workqueue_retries_total",
                                 "Keys that were added after a failure."};
constexpr HistogramFamily kQueueSeconds{"workqueue_queue_duration_seconds",
                                        "How long keys were due before a worker took them.",
                                        kBounds};
constexpr HistogramFamily kWorkSeconds{"workqueue_work_duration_seconds",
                                       "How long the work on a key took.", kBounds};
constexpr GaugeFamily kUnfinished{"workqueue_unfinished_work_seconds",
                                  "Seconds of work under way, all workers together."};
constexpr GaugeFamily kLongest{"workqueue_longest_running_processor_seconds",
                               "How long the longest piece of work has been under way."};

double Seconds(base::Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

base::Duration DelayAfter(int failures, const Backoff& backoff) {
  base::Duration delay = backoff.first;
  // Compared before it is doubled, so that no count of failures overflows.
  for (int i = 1; i < failures; ++i) {
    if (delay >= backoff.cap / 2) return backoff.cap;
    delay *= 2;
  }
  return std::min(delay, backoff.cap);
}

WorkQueue::WorkQueue(std::string name, Metrics& metrics, Backoff backoff)
    : metrics_(metrics), labels_{{"name", std::move(name)}}, backoff_(backoff) {
  metrics_.Add(kAdds, labels_, 0);
  metrics_.Add(kRetries, labels_, 0);
  metrics_.Create(kQueueSeconds, labels_);
  metrics_.Create(kWorkSeconds, labels_);
  UpdateMetrics({});
}

void WorkQueue::Wait(const kube::ObjectKey& key, base::TimePoint due) {
  const auto [entry, fresh] = waiting_.try_emplace(key, due);
  if (!fresh) {
    if (entry->second <= due) return;
    by_due_.erase({entry->second, key});
    entry->second = due;
  }
  by_due_.emplace(due, key);
}

void WorkQueue::Add(const kube::ObjectKey& key, base::TimePoint due) {
  if (closed_) return;
  if (const auto work = working_.find(key); work != working_.end()) {
    std::optional<base::TimePoint>& again = work->second.again;
    if (!again) metrics_.Add(kAdds, labels_);
    again = again ? std::min(*again, due) : due;
    return;
  }
  if (!waiting_.contains(key)) metrics_.Add(kAdds, labels_);
  Wait(key, due);
}

void WorkQueue::AddAfterFailure(const kube::ObjectKey& key, base::TimePoint now,
                                base::Duration at_least) {
  if (closed_) return;
  int& failures = failures_[key];
  // More doublings than this change nothing.
  failures = std::min(failures + 1, 1000);
  metrics_.Add(kRetries, labels_);
  Add(key, now + std::max(DelayAfter(failures, backoff_), at_least));
}

void WorkQueue::Forget(const kube::ObjectKey& key) { failures_.erase(key); }

std::optional<kube::ObjectKey> WorkQueue::Take(base::TimePoint now) {
  if (by_due_.empty() || by_due_.begin()->first > now) return std::nullopt;
  auto [due, key] = *by_due_.begin();
  by_due_.erase(by_due_.begin());
  waiting_.erase(key);
  working_.emplace(key, Work{now, std::nullopt});
  metrics_.Observe(kQueueSeconds, labels_, Seconds(now - due));
  return key;
}

void WorkQueue::Done(const kube::ObjectKey& key, base::TimePoint now) {
  const auto work = working_.find(key);
  if (work == working_.end()) std::abort();
  const Work ended = work->second;
  working_.erase(work);
  metrics_.Observe(kWorkSeconds, labels_, Seconds(now - ended.since));
  if (ended.again && !closed_) Wait(key, *ended.again);
}

std::optional<base::TimePoint> WorkQueue::NextDue() const {
  if (by_due_.empty()) return std::nullopt;
  return by_due_.begin()->first;
}

void WorkQueue::Close() {
  closed_ = true;
  waiting_.clear();
  by_due_.clear();
}

int WorkQueue::failures(const kube::ObjectKey& key) const {
  const auto found = failures_.find(key);
  return found == failures_.end() ? 0 : found->second;
}

void WorkQueue::UpdateMetrics(base::TimePoint now) const {
  const auto due = static_cast<double>(std::count_if(
      by_due_.begin(), by_due_.end(), [now](const auto& entry) { return entry.first <= now; }));
  double unfinished = 0;
  double longest = 0;
  for (const auto& [key, work] : working_) {
    const double seconds = Seconds(now - work.since);
    unfinished += seconds;
    longest = std::max(longest, seconds);
  }
  metrics_.Set(kDepth, labels_, due);
  metrics_.Set(kUnfinished, labels_, unfinished);
  metrics_.Set(kLongest, labels_, longest);
}

}  // namespace rabbit::runtime
