#include "runtime/controller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <stdexcept>
#include <thread>

namespace rabbit::runtime {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

const kube::ObjectKey kA{"ns", "a"};
const kube::ObjectKey kB{"ns", "b"};

base::Error Error(base::ErrorKind kind) { return {kind, "broken"}; }

// The policy, without threads.
class RequeueTest : public testing::Test {
 protected:
  Verdict After(const ReconcileResult& result) {
    queue_.Add(kA, now_);
    EXPECT_TRUE(queue_.Take(now_));
    const Verdict verdict = Requeue(queue_, kA, result, 0.1, random_, now_);
    queue_.Done(kA, now_);
    return verdict;
  }
  // Until the key comes again; nothing when it does not.
  std::optional<base::Duration> NextIn() const {
    if (!queue_.NextDue()) return std::nullopt;
    return *queue_.NextDue() - now_;
  }

  base::TimePoint now_{hours(1)};
  base::SequenceRandom random_;
  WorkQueue queue_{"test", NullMetrics()};
};

TEST_F(RequeueTest, ASuccessComesAgainOnlyWhenAdded) {
  EXPECT_EQ(After(ReconcileResult::Done()), Verdict::kSuccess);
  EXPECT_EQ(NextIn(), std::nullopt);
}

TEST_F(RequeueTest, ASuccessWithATimeComesAgainALittleLater) {
  EXPECT_EQ(After(ReconcileResult::After(seconds(10))), Verdict::kRequeueAfter);
  ASSERT_TRUE(NextIn());
  EXPECT_GE(*NextIn(), seconds(10));
  EXPECT_LT(*NextIn(), seconds(11));
}

TEST_F(RequeueTest, AnErrorBacksOffUntilASuccess) {
  EXPECT_EQ(After(ReconcileResult::Failed(Error(base::ErrorKind::kRetry))), Verdict::kRetry);
  EXPECT_EQ(NextIn(), milliseconds(5));
  After(ReconcileResult::Failed(Error(base::ErrorKind::kConflict)));
  EXPECT_EQ(NextIn(), milliseconds(10));
  EXPECT_EQ(queue_.failures(kA), 2);
  After(ReconcileResult::After(seconds(1)));
  EXPECT_EQ(queue_.failures(kA), 0);
}

TEST_F(RequeueTest, AThrottledOneWaitsAsLongAsTheServerAsked) {
  base::Error error = Error(base::ErrorKind::kThrottled);
  error.retry_after = seconds(7);
  EXPECT_EQ(After(ReconcileResult::Failed(error)), Verdict::kRetry);
  EXPECT_EQ(NextIn(), seconds(7));
}

TEST_F(RequeueTest, WhatIsGivenUpDoesNotComeAgainByItself) {
  EXPECT_EQ(After(ReconcileResult::GiveUp(Error(base::ErrorKind::kInvalid))), Verdict::kGaveUp);
  EXPECT_EQ(NextIn(), std::nullopt);
  EXPECT_EQ(queue_.failures(kA), 0);
}

TEST_F(RequeueTest, ACancelledOneComesAgainButDoesNotSpin) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(After(ReconcileResult::Failed(Error(base::ErrorKind::kCancelled))),
              Verdict::kCancelled);
  }
  EXPECT_GT(NextIn(), seconds(1));
}

// Reconciles as the test says, and lets it wait for what happens.
class FakeReconciler final : public Reconciler {
 public:
  using Behaviour = std::function<ReconcileResult(const ReconcileContext&)>;

  void Behave(const kube::ObjectKey& key, Behaviour behaviour) {
    base::MutexLock lock(mutex_);
    behaviours_[key] = std::move(behaviour);
  }
  ReconcileResult Reconcile(const kube::ObjectKey& key, const ReconcileContext& context) override {
    Behaviour behaviour;
    {
      base::MutexLock lock(mutex_);
      EXPECT_EQ(running_[key]++, 0) << "twice at once";
      ++calls_[key];
      behaviour = behaviours_[key];
      changed_.NotifyAll();
    }
    struct Leave {
      FakeReconciler& self;
      const kube::ObjectKey& key;
      ~Leave() {
        base::MutexLock lock(self.mutex_);
        --self.running_[key];
        self.changed_.NotifyAll();
      }
    } leave{*this, key};
    return behaviour ? behaviour(context) : ReconcileResult::Done();
  }
  // False when a minute passed first.
  bool WaitForCalls(const kube::ObjectKey& key, int calls) {
    return Wait([&]() RABBIT_REQUIRES(mutex_) { return calls_[key] >= calls; });
  }
  void Open() {
    base::MutexLock lock(mutex_);
    open_ = true;
    changed_.NotifyAll();
  }
  // For behaviours: blocks until Open(), or `stop`.
  void WaitForOpen(const std::stop_token& stop) {
    std::stop_callback wake(stop, [this] {
      base::MutexLock lock(mutex_);
      changed_.NotifyAll();
    });
    Wait([&]() RABBIT_REQUIRES(mutex_) { return open_ || stop.stop_requested(); });
  }
  int calls(const kube::ObjectKey& key) {
    base::MutexLock lock(mutex_);
    return calls_[key];
  }

 private:
  template <typename Condition>
  bool Wait(const Condition& condition) {
    const base::TimePoint until = clock_.Now() + std::chrono::minutes(1);
    base::MutexLock lock(mutex_);
    while (!condition() && clock_.Now() < until) changed_.WaitUntil(mutex_, until);
    return condition();
  }
  base::RealClock clock_;
  base::Mutex mutex_;
  base::CondVar changed_;
  bool open_ RABBIT_GUARDED_BY(mutex_) = false;
  std::map<kube::ObjectKey, Behaviour> behaviours_ RABBIT_GUARDED_BY(mutex_);
  std::map<kube::ObjectKey, int> calls_ RABBIT_GUARDED_BY(mutex_);
  std::map<kube::ObjectKey, int> running_ RABBIT_GUARDED_BY(mutex_);
};

class ControllerTest : public testing::Test {
 protected:
  bool MetricsSay(const std::string& line) {
    return registry_.Text().find(line + "\n") != std::string::npos;
  }
  // Metrics are counted after the key is done, by another thread.
  bool MetricsComeToSay(const std::string& line) {
    const base::TimePoint until = clock_.Now() + std::chrono::minutes(1);
    while (!MetricsSay(line) && clock_.Now() < until) std::this_thread::yield();
    return MetricsSay(line);
  }
  base::RealClock clock_;
  base::SequenceRandom random_;
  Registry registry_;
  FakeReconciler reconciler_;
  Controller controller_{
      reconciler_,
      clock_,
      random_,
      registry_,
      base::NullLogger(),
      {.name = "c", .workers = 4, .backoff = {milliseconds(1), milliseconds(2)}}};
};

TEST_F(ControllerTest, WorksOnWhatWasAddedBeforeAndAfterTheStart) {
  controller_.Add(kA);
  EXPECT_EQ(reconciler_.calls(kA), 0);
  controller_.Start();
  EXPECT_TRUE(reconciler_.WaitForCalls(kA, 1));
  controller_.Add(kB);
  EXPECT_TRUE(reconciler_.WaitForCalls(kB, 1));
}

TEST_F(ControllerTest, AChangeDuringAReconcileLeadsToAnother) {
  reconciler_.Behave(kA, [this](const ReconcileContext& context) {
    reconciler_.WaitForOpen(context.stop);
    return ReconcileResult::Done();
  });
  controller_.Start();
  controller_.Add(kA);
  ASSERT_TRUE(reconciler_.WaitForCalls(kA, 1));
  for (int i = 0; i < 10; ++i) controller_.Add(kA);
  reconciler_.Open();
  EXPECT_TRUE(reconciler_.WaitForCalls(kA, 2));
  EXPECT_TRUE(controller_.Stop(std::chrono::minutes(1)));
  EXPECT_EQ(reconciler_.calls(kA), 2) << "ten changes, one more reconcile";
}

TEST_F(ControllerTest, AKeyThatHangsHoldsBackNoOther) {
  reconciler_.Behave(kA, [this](const ReconcileContext& context) {
    reconciler_.WaitForOpen(context.stop);
    return ReconcileResult::Done();
  });
  controller_.Start();
  controller_.Add(kA);
  ASSERT_TRUE(reconciler_.WaitForCalls(kA, 1));
  controller_.Add(kB);
  EXPECT_TRUE(reconciler_.WaitForCalls(kB, 1));
  reconciler_.Open();
}

TEST_F(ControllerTest, AnErrorIsTriedAgain) {
  reconciler_.Behave(kA, [this](const ReconcileContext&) {
    return reconciler_.calls(kA) < 3 ? ReconcileResult::Failed(Error(base::ErrorKind::kRetry))
                                     : ReconcileResult::Done();
  });
  controller_.Start();
  controller_.Add(kA);
  EXPECT_TRUE(reconciler_.WaitForCalls(kA, 3));
  EXPECT_TRUE(MetricsComeToSay(
      "controller_runtime_reconcile_total{controller=\"c\",result=\"success\"} 1"));
  EXPECT_TRUE(MetricsSay("controller_runtime_reconcile_errors_total{controller=\"c\"} 2"));
}

TEST_F(ControllerTest, AnExceptionIsAFailureOfItsKeyAlone) {
  reconciler_.Behave(kA, [this](const ReconcileContext&) -> ReconcileResult {
    if (reconciler_.calls(kA) == 1) throw std::out_of_range("a bug");
    if (reconciler_.calls(kA) == 2) throw 42;
    return ReconcileResult::Done();
  });
  controller_.Start();
  controller_.Add(kA);
  EXPECT_TRUE(reconciler_.WaitForCalls(kA, 3));
  EXPECT_TRUE(MetricsSay("controller_runtime_reconcile_panics_total{controller=\"c\"} 2"));
}

TEST_F(ControllerTest, EachReconcileGetsADeadline) {
  base::Mutex mutex;
  base::Duration left{};
  reconciler_.Behave(kA, [&](const ReconcileContext& context) {
    base::MutexLock lock(mutex);
    left = context.deadline - clock_.Now();
    return ReconcileResult::Done();
  });
  controller_.Start();
  controller_.Add(kA);
  ASSERT_TRUE(reconciler_.WaitForCalls(kA, 1));
  ASSERT_TRUE(controller_.Stop(std::chrono::minutes(1)));
  base::MutexLock lock(mutex);
  EXPECT_GT(left, seconds(60));
  EXPECT_LE(left, std::chrono::minutes(2));
}

TEST_F(ControllerTest, StopDropsTheQueueAndFinishesWhatRuns) {
  reconciler_.Behave(kA, [this](const ReconcileContext& context) {
    reconciler_.WaitForOpen(context.stop);
    EXPECT_FALSE(context.stop.stop_requested()) << "there was grace";
    return ReconcileResult::Done();
  });
  controller_.Start();
  controller_.Add(kA);
  ASSERT_TRUE(reconciler_.WaitForCalls(kA, 1));
  controller_.AddAfter(kB, milliseconds(20));
  std::jthread opener([this] { reconciler_.Open(); });
  EXPECT_TRUE(controller_.Stop(std::chrono::minutes(1)));
  controller_.Add(kB);
  EXPECT_EQ(reconciler_.calls(kB), 0);
}

TEST_F(ControllerTest, StopWithoutGraceCancelsWhatRuns) {
  reconciler_.Behave(kA, [this](const ReconcileContext& context) {
    reconciler_.WaitForOpen(context.stop);
    return ReconcileResult::Failed(Error(base::ErrorKind::kCancelled));
  });
  controller_.Start();
  controller_.Add(kA);
  ASSERT_TRUE(reconciler_.WaitForCalls(kA, 1));
  EXPECT_TRUE(controller_.Stop({}));
  EXPECT_EQ(reconciler_.calls(kA), 1);
  EXPECT_TRUE(MetricsComeToSay(
      "controller_runtime_reconcile_total{controller=\"c\",result=\"cancelled\"} 1"));
  EXPECT_TRUE(MetricsSay("controller_runtime_reconcile_errors_total{controller=\"c\"} 0"));
}

TEST_F(ControllerTest, StopSaysWhenAReconcileWouldNotEnd) {
  reconciler_.Behave(kA, [this](const ReconcileContext&) {
    reconciler_.WaitForOpen({});
    return ReconcileResult::Done();
  });
  controller_.Start();
  controller_.Add(kA);
  ASSERT_TRUE(reconciler_.WaitForCalls(kA, 1));
  EXPECT_FALSE(controller_.Stop(milliseconds(1), milliseconds(1)));
  reconciler_.Open();
  EXPECT_TRUE(controller_.Stop(std::chrono::minutes(1)));
}

TEST_F(ControllerTest, StopsThoughItNeverStarted) {
  controller_.Add(kA);
  EXPECT_TRUE(controller_.Stop(seconds(1)));
  controller_.Start();
  EXPECT_EQ(reconciler_.calls(kA), 0);
}

TEST_F(ControllerTest, MetricsArePresentBeforeAnythingHappened) {
  for (const char* result : {"success", "error", "requeue_after", "cancelled"}) {
    EXPECT_TRUE(MetricsSay("controller_runtime_reconcile_total{controller=\"c\",result=\"" +
                           std::string(result) + "\"} 0"));
  }
  EXPECT_TRUE(MetricsSay("controller_runtime_reconcile_time_seconds_count{controller=\"c\"} 0"));
  EXPECT_TRUE(MetricsSay("controller_runtime_max_concurrent_reconciles{controller=\"c\"} 4"));
  EXPECT_TRUE(MetricsSay("controller_runtime_active_workers{controller=\"c\"} 0"));
}

TEST_F(ControllerTest, MetricsTellWhatRuns) {
  reconciler_.Behave(kA, [this](const ReconcileContext& context) {
    reconciler_.WaitForOpen(context.stop);
    return ReconcileResult::Done();
  });
  controller_.Start();
  controller_.Add(kA);
  ASSERT_TRUE(reconciler_.WaitForCalls(kA, 1));
  controller_.UpdateMetrics();
  EXPECT_TRUE(MetricsSay("controller_runtime_active_workers{controller=\"c\"} 1"));
  reconciler_.Open();
}

}  // namespace
}  // namespace rabbit::runtime
