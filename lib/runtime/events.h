// lib/runtime/events.h: Events for `kubectl describe`, written without ever holding anybody up.
// Record() puts an event into a bounded queue; one thread writes them as events.k8s.io/v1. Repeats
// become a count on the first one, and an object that is noisy is cut short
// (runtime/event_series.h). What does not fit, or cannot be written, is dropped and counted. So is
// what we may not write any more: the fence is asked before each try.
#pragma once

#include <deque>
#include <stop_token>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "kube/client.h"
#include "runtime/event_series.h"
#include "runtime/fence.h"
#include "runtime/metrics.h"

namespace rabbit::runtime {

class EventSink {
 public:
  virtual ~EventSink() = default;
  // Never blocks and never fails. Thread-safe.
  virtual void Record(Event event) = 0;
};

struct EventRecorderOptions {
  std::string controller = "rabbitcluster.dev/operator";   // a qualified name
  std::string instance;                                    // pod name
  std::size_t queue = 1000;                                // events that wait to be written
  base::Duration between_tries = std::chrono::seconds(1);  // when the server names no time
};

class EventRecorder final : public EventSink {
 public:
  // Nothing is owned; all must outlive the recorder.
  EventRecorder(kube::Client& client, const Fence& fence, base::Clock& clock, Metrics& metrics,
                base::Logger& logger, EventRecorderOptions options);
  ~EventRecorder() override;  // Stop() without time to flush
  EventRecorder(const EventRecorder&) = delete;
  EventRecorder& operator=(const EventRecorder&) = delete;

  void Record(Event event) override RABBIT_EXCLUDES(mutex_);

  void Start();
  // Writes what is queued until `deadline`, then ends the thread. True when all was written.
  bool Stop(base::TimePoint deadline) RABBIT_EXCLUDES(mutex_);

 private:
  struct Queued {
    Event event;
    base::WallTime at;
  };
  void Run(const std::stop_token& stop) RABBIT_EXCLUDES(mutex_);
  void Write(const Queued& queued, const std::stop_token& stop);
  base::Result<void> Send(const Queued& queued, const EventWrite& write,
                          const std::stop_token& stop);
  void Count(std::string_view result);

  kube::Client& client_;
  const Fence& fence_;
  base::Clock& clock_;
  Metrics& metrics_;
  base::Logger& logger_;
  const EventRecorderOptions options_;
  EventSeries series_;  // the thread's
  base::Mutex mutex_;
  base::CondVar changed_;
  std::deque<Queued> queue_ RABBIT_GUARDED_BY(mutex_);
  bool busy_ RABBIT_GUARDED_BY(mutex_) = false;      // one is being written
  bool stopping_ RABBIT_GUARDED_BY(mutex_) = false;  // leave when the queue is empty
  std::jthread thread_;
};

}  // namespace rabbit::runtime
