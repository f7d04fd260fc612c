#include "base/mutex.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/clock.h"

namespace rabbit::base {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

class Box {
 public:
  void Put() {
    MutexLock lock(mutex_);
    full_ = true;
    changed_.NotifyAll();
  }
  bool WaitFull(std::stop_token stop, TimePoint until) {
    RealClock clock;
    MutexLock lock(mutex_);
    while (!full_ && !stop.stop_requested() && clock.Now() < until) {
      changed_.WaitUntil(mutex_, stop, until);
    }
    return full_;
  }
  bool WaitFull(TimePoint until) {
    RealClock clock;
    MutexLock lock(mutex_);
    while (!full_ && clock.Now() < until) changed_.WaitUntil(mutex_, until);
    return full_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool full_ RABBIT_GUARDED_BY(mutex_) = false;
};

TEST(CondVar, WakesUpWhenItIsNotified) {
  for (const bool with_token : {false, true}) {
    Box box;
    std::stop_source stop;
    const TimePoint until = RealClock().Now() + minutes(1);
    std::jthread putter([&box] { box.Put(); });
    EXPECT_TRUE(with_token ? box.WaitFull(stop.get_token(), until) : box.WaitFull(until));
  }
}

TEST(CondVar, AStopEndsTheWait) {
  Box box;
  std::stop_source stop;
  std::jthread stopper([&stop] { stop.request_stop(); });
  EXPECT_FALSE(box.WaitFull(stop.get_token(), RealClock().Now() + minutes(1)));
}

TEST(CondVar, TimeEndsTheWait) {
  Box box;
  EXPECT_FALSE(box.WaitFull(RealClock().Now() + milliseconds(2)));
  EXPECT_FALSE(box.WaitFull(std::stop_token(), RealClock().Now() + milliseconds(2)));
}

}  // namespace
}  // namespace rabbit::base
