// operator/observe/poll_loop.h: a bounded pool of threads that looks at what no watch tells:
// brokers and proxies. A hung one costs its own look's deadline and, its breaker open, little more.
// Thread-safe. One key is never looked at twice at once.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/due_wait.h"
#include "base/mutex.h"
#include "base/random.h"
#include "kube/resource.h"
#include "operator/observe/poll_schedule.h"

namespace rabbit::observe {

class PollLoop {
 public:
  // Looks at `key` once; true when the other side answered. Must return soon after `stop`.
  using Look = std::function<bool(const kube::ObjectKey& key, std::stop_token stop)>;

  // `clock` and `random` are not owned and must outlive the loop.
  PollLoop(base::Clock& clock, base::Random& random, Look look,
           const PollSchedule::Options& options);
  ~PollLoop();  // Stop()
  PollLoop(const PollLoop&) = delete;
  PollLoop& operator=(const PollLoop&) = delete;

  void Start(int threads) RABBIT_EXCLUDES(mutex_);
  // Asks the looks under way to end and waits for the threads.
  void Stop() RABBIT_EXCLUDES(mutex_);

  void Want(const kube::ObjectKey& key, base::Duration interval, bool fresh)
      RABBIT_EXCLUDES(mutex_);
  void Drop(const kube::ObjectKey& key) RABBIT_EXCLUDES(mutex_);

 private:
  void Run(const std::stop_token& stop) RABBIT_EXCLUDES(mutex_);

  base::Clock& clock_;
  base::Random& random_;
  const Look look_;
  base::Mutex mutex_;
  base::DueWait idle_ RABBIT_GUARDED_BY(mutex_);
  PollSchedule schedule_ RABBIT_GUARDED_BY(mutex_);
  std::vector<std::jthread> threads_;
};

}  // namespace rabbit::observe
