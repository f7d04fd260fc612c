#include "base/due_wait.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace rabbit::base {
namespace {

// Work with due times, done by threads that wait by DueWait. Due times are past or far off, so no
// test waits for a clock.
class Queue {
 public:
  explicit Queue(int threads) : running_(threads) {
    for (int i = 0; i < threads; ++i)
      threads_.emplace_back([this](const auto& stop) { Run(stop); });
  }
  ~Queue() { Stop(); }

  // Whether every thread came to its end within half a minute, which is before a wait ends by
  // itself (a minute).
  bool Stop() {
    for (std::jthread& thread : threads_) thread.request_stop();
    MutexLock lock(mutex_);
    const TimePoint until = clock_.Now() + std::chrono::seconds(30);
    while (running_ > 0 && clock_.Now() < until) ended_.WaitUntil(mutex_, until);
    return running_ == 0;
  }
  // Whether so many threads found nothing to take, and so wait, within half a minute.
  bool AwaitLooksInVain(int looks) {
    MutexLock lock(mutex_);
    const TimePoint until = clock_.Now() + std::chrono::seconds(30);
    while (in_vain_ < looks && clock_.Now() < until) took_.WaitUntil(mutex_, until);
    return in_vain_ >= looks;
  }

  void Add(int pieces, Duration in) {
    MutexLock lock(mutex_);
    for (int i = 0; i < pieces; ++i) {
      const auto before = Next();
      due_.push_back(clock_.Now() + in);
      std::sort(due_.begin(), due_.end());
      idle_.Changed(before, Next());
    }
  }

  // Whether so many pieces were taken within half a minute.
  bool Await(int pieces) {
    MutexLock lock(mutex_);
    const TimePoint until = clock_.Now() + std::chrono::seconds(30);
    while (taken_ < pieces && clock_.Now() < until) took_.WaitUntil(mutex_, until);
    return taken_ >= pieces;
  }
  // How many times threads found nothing to take.
  int looks_in_vain() {
    MutexLock lock(mutex_);
    return in_vain_;
  }

 private:
  std::optional<TimePoint> Next() const RABBIT_REQUIRES(mutex_) {
    return due_.empty() ? std::nullopt : std::optional(due_.front());
  }
  void Run(const std::stop_token& stop) {
    MutexLock lock(mutex_);
    while (!stop.stop_requested()) {
      const TimePoint now = clock_.Now();
      if (!due_.empty() && due_.front() <= now) {
        due_.erase(due_.begin());
        ++taken_;
        idle_.Took(Next());
        took_.NotifyAll();
        continue;
      }
      ++in_vain_;
      took_.NotifyAll();
      idle_.Wait(mutex_, stop, Next(), now);
    }
    --running_;
    ended_.NotifyAll();
  }

  RealClock clock_;
  Mutex mutex_;
  DueWait idle_ RABBIT_GUARDED_BY(mutex_);
  CondVar took_;
  CondVar ended_;
  std::vector<TimePoint> due_ RABBIT_GUARDED_BY(mutex_);  // sorted
  int taken_ RABBIT_GUARDED_BY(mutex_) = 0;
  int in_vain_ RABBIT_GUARDED_BY(mutex_) = 0;
  int running_ RABBIT_GUARDED_BY(mutex_);
  std::vector<std::jthread> threads_;  // last: they use the above
};

constexpr Duration kDue = -std::chrono::seconds(1);

TEST(DueWait, EveryPieceThatIsDueIsTakenWhoeverSleeps) {
  Queue queue(4);
  for (int i = 1; i <= 50; ++i) {
    queue.Add(1, kDue - std::chrono::milliseconds(i));
    ASSERT_TRUE(queue.Await(i));
  }
  queue.Add(100, kDue);
  EXPECT_TRUE(queue.Await(150));
}

TEST(DueWait, ANewEarliestTimeTakesThePlaceOfALaterOne) {
  Queue queue(4);
  queue.Add(1, std::chrono::hours(1));
  queue.Add(1, kDue);
  EXPECT_TRUE(queue.Await(1));
}

TEST(DueWait, APieceBecomesDueWhileNobodyAddsAnything) {
  Queue queue(4);
  queue.Add(1, std::chrono::milliseconds(1));
  EXPECT_TRUE(queue.Await(1));
}

TEST(DueWait, OnePieceWakesAboutOneThread) {
  Queue queue(16);
  for (int i = 1; i <= 100; ++i) {
    queue.Add(1, kDue - std::chrono::milliseconds(i));
    ASSERT_TRUE(queue.Await(i));
  }
  // Each thread once when it began, and about twice a piece; all of them each time would be 1600.
  EXPECT_LT(queue.looks_in_vain(), 600);
}

TEST(DueWait, AStopEndsEveryWait) {
  Queue queue(4);
  queue.Add(1, std::chrono::hours(1));
  ASSERT_TRUE(queue.AwaitLooksInVain(4));
  EXPECT_TRUE(queue.Stop());
}

}  // namespace
}  // namespace rabbit::base
