// lib/base/mutex.h: std::mutex and a condition variable that clang's -Wthread-safety can check.
// Use: Mutex mutex_; int n_ RABBIT_GUARDED_BY(mutex_); … MutexLock lock(mutex_);
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <utility>

#if defined(__clang__)
#define RABBIT_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define RABBIT_THREAD_ANNOTATION(x)
#endif
#define RABBIT_CAPABILITY(x) RABBIT_THREAD_ANNOTATION(capability(x))
#define RABBIT_SCOPED_CAPABILITY RABBIT_THREAD_ANNOTATION(scoped_lockable)
#define RABBIT_GUARDED_BY(x) RABBIT_THREAD_ANNOTATION(guarded_by(x))
#define RABBIT_REQUIRES(...) RABBIT_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define RABBIT_EXCLUDES(...) RABBIT_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define RABBIT_ACQUIRE(...) RABBIT_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define RABBIT_RELEASE(...) RABBIT_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define RABBIT_NO_THREAD_SAFETY_ANALYSIS RABBIT_THREAD_ANNOTATION(no_thread_safety_analysis)

namespace rabbit::base {

class RABBIT_CAPABILITY("mutex") Mutex {
 public:
  void lock() RABBIT_ACQUIRE() { mutex_.lock(); }
  void unlock() RABBIT_RELEASE() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class RABBIT_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) RABBIT_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() RABBIT_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Waits need the mutex held; every wait is bounded by a time, and a stop token ends it early.
// Wake-ups may be spurious: call it in a loop around the condition.
class CondVar {
 public:
  void NotifyOne() { cv_.notify_one(); }
  void NotifyAll() { cv_.notify_all(); }
  void WaitUntil(Mutex& mutex, std::chrono::steady_clock::time_point until) RABBIT_REQUIRES(mutex) {
    cv_.wait_until(mutex, until);
  }
  // Returns at once when a stop was requested.
  void WaitUntil(Mutex& mutex, std::stop_token stop, std::chrono::steady_clock::time_point until)
      RABBIT_REQUIRES(mutex) {
    bool once = false;  // one wake-up ends the wait: the caller loops
    cv_.wait_until(mutex, std::move(stop), until, [&once] { return std::exchange(once, true); });
  }

 private:
  std::condition_variable_any cv_;
};

}  // namespace rabbit::base
