// lib/runtime/controller.h: worker threads that take keys from a queue and reconcile them.
// Guarantees: a key is worked on by one thread at a time; whatever was added after a reconcile
// began is followed by another one; a key that fails holds back no other. Thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/due_wait.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/random.h"
#include "runtime/metrics.h"
#include "runtime/reconciler.h"
#include "runtime/work_queue.h"

namespace rabbit::runtime {

struct ControllerOptions {
  std::string name = "rabbitcluster";  // label of the metrics
  std::size_t workers = 16;
  base::Duration timeout = std::chrono::minutes(2);  // of one reconcile: its context's deadline
  double jitter = 0.1;  // requeue_after is lengthened by up to this part
  Backoff backoff;
};

// What a result means for the queue: the whole policy. `key` is out with a Take(), and its Done()
// follows.
enum class Verdict { kSuccess, kRequeueAfter, kRetry, kGaveUp, kCancelled };
Verdict Requeue(WorkQueue& queue, const kube::ObjectKey& key, const ReconcileResult& result,
                double jitter, base::Random& random, base::TimePoint now);

class Controller {
 public:
  // Nothing is owned; all must outlive the controller. `clock` tells real time: workers sleep by
  // it.
  Controller(Reconciler& reconciler, base::Clock& clock, base::Random& random, Metrics& metrics,
             base::Logger& logger, ControllerOptions options);
  // Blocks until no reconcile is under way; after a Stop() that returned false that may be long,
  // and the process had better leave by _exit.
  ~Controller();
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  // Starts the workers, once. What was added before is worked on then. Call it when the caches have
  // synced: a reconcile on half a view would take the other half for gone.
  void Start() RABBIT_EXCLUDES(mutex_);

  void Add(const kube::ObjectKey& key) RABBIT_EXCLUDES(mutex_);
  void AddAfter(const kube::ObjectKey& key, base::Duration delay) RABBIT_EXCLUDES(mutex_);

  // Drops what is queued and waits for what is under way: first for `grace`, then with its stop
  // token requested for `after_cancel`. True when nothing is under way any more. Adds are dropped
  // from now on. A zero `grace` is for a lost lease.
  bool Stop(base::Duration grace, base::Duration after_cancel = std::chrono::seconds(5))
      RABBIT_EXCLUDES(mutex_);

  // Keys under way and the oldest's age make the gauges; call it before each scrape.
  void UpdateMetrics() RABBIT_EXCLUDES(mutex_);

 private:
  void Work() RABBIT_EXCLUDES(mutex_);
  ReconcileResult RunOne(const kube::ObjectKey& key);
  void Count(Verdict verdict);
  void Log(const kube::ObjectKey& key, const ReconcileResult& result, Verdict verdict,
           int failures);
  bool WaitIdle(base::TimePoint until) RABBIT_EXCLUDES(mutex_);
  // Waits for a key that is due; nothing when the controller stops.
  std::optional<kube::ObjectKey> TakeNext() RABBIT_EXCLUDES(mutex_);

  Reconciler& reconciler_;
  base::Clock& clock_;
  base::Random& random_;
  Metrics& metrics_;
  base::Logger& logger_;
  const ControllerOptions options_;
  std::stop_source stop_;  // of the reconciles
  base::Mutex mutex_;
  base::DueWait idle_ RABBIT_GUARDED_BY(mutex_);
  base::CondVar ended_;  // of those who wait for the end of what is under way
  WorkQueue queue_ RABBIT_GUARDED_BY(mutex_);
  bool stopping_ RABBIT_GUARDED_BY(mutex_) = false;
  std::vector<std::jthread> workers_;
};

}  // namespace rabbit::runtime
