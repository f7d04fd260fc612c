#include "runtime/manager.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

#include "base/mutex.h"

namespace rabbit::runtime {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

// What happened, in order. Shared with parts that hang and outlive their test.
class Diary {
 public:
  void Write(const std::string& line) {
    base::MutexLock lock(mutex_);
    text_ += (text_.empty() ? "" : " ") + line;
  }
  std::string Read() {
    base::MutexLock lock(mutex_);
    return std::exchange(text_, "");
  }

 private:
  base::Mutex mutex_;
  std::string text_ RABBIT_GUARDED_BY(mutex_);
};

class ManagerTest : public testing::Test {
 protected:
  Component Part(const std::string& name, int stop_stage = 0) {
    Component part;
    part.name = name;
    part.start = [diary = diary_, name](const std::stop_token&) {
      diary->Write("+" + name);
      return base::Result<void>();
    };
    part.stop = [diary = diary_, name](base::TimePoint) { diary->Write("-" + name); };
    part.stop_stage = stop_stage;
    return part;
  }
  // Blocks its thread for as long as the test needs.
  void Hang(const std::stop_token& stop = {}) {
    base::MutexLock lock(gate_->mutex);
    const base::TimePoint until = clock_.Now() + minutes(1);
    while (!gate_->open && !stop.stop_requested() && clock_.Now() < until) {
      gate_->changed.WaitUntil(gate_->mutex, stop, until);
    }
  }
  struct Gate {
    base::Mutex mutex;
    base::CondVar changed;
    bool open RABBIT_GUARDED_BY(mutex) = false;
    int inside RABBIT_GUARDED_BY(mutex) = 0;
  };
  void TearDown() override {
    base::MutexLock lock(gate_->mutex);
    gate_->open = true;
    gate_->changed.NotifyAll();
    // Threads that hang use this object.
    while (gate_->inside > 0) gate_->changed.WaitUntil(gate_->mutex, clock_.Now() + minutes(1));
  }
  void Enter() {
    base::MutexLock lock(gate_->mutex);
    ++gate_->inside;
  }
  static void Leave(const std::shared_ptr<Gate>& gate) {
    base::MutexLock lock(gate->mutex);
    --gate->inside;
    gate->changed.NotifyAll();
  }

  base::RealClock clock_;
  std::shared_ptr<Diary> diary_ = std::make_shared<Diary>();
  std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
  Manager manager_{clock_, base::NullLogger()};
};

TEST_F(ManagerTest, StopsInTheOppositeOrderWithinAStage) {
  for (const char* name : {"a", "b", "c"}) manager_.Add(Part(name));
  EXPECT_TRUE(manager_.Start({}));
  EXPECT_TRUE(manager_.Stop());
  EXPECT_EQ(diary_->Read(), "+a +b +c -c -b -a");
}

TEST_F(ManagerTest, StagesDecideWhoStopsFirst) {
  manager_.Add(Part("http", 9));
  manager_.Add(Part("caches"));
  manager_.Add(Part("lease", 8));
  manager_.Add(Part("controller"));
  EXPECT_TRUE(manager_.Start({}));
  EXPECT_TRUE(manager_.Stop());
  EXPECT_EQ(diary_->Read(), "+http +caches +lease +controller -controller -caches -lease -http");
}

TEST_F(ManagerTest, AFailureEndsTheStartAndStopUndoesTheRest) {
  manager_.Add(Part("a"));
  Component broken = Part("b");
  broken.start = [](const std::stop_token&) { return base::Fail(base::ErrorKind::kDenied, "403"); };
  manager_.Add(broken);
  manager_.Add(Part("c"));
  const auto started = manager_.Start({});
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().message, "b: 403");
  EXPECT_EQ(started.error().kind, base::ErrorKind::kDenied);
  EXPECT_TRUE(manager_.Stop());
  EXPECT_EQ(diary_->Read(), "+a -a");
  EXPECT_TRUE(manager_.Stop());
  EXPECT_EQ(diary_->Read(), "") << "stopped once";
}

TEST_F(ManagerTest, AStopDuringTheStartReachesThePart) {
  std::stop_source stop;
  Component slow = Part("slow");
  slow.start = [this](const std::stop_token& token) -> base::Result<void> {
    Hang(token);
    return base::Fail(base::ErrorKind::kCancelled, "stopped");
  };
  manager_.Add(slow);
  std::jthread stopper([&stop] { stop.request_stop(); });
  EXPECT_EQ(manager_.Start(stop.get_token()).error().kind, base::ErrorKind::kCancelled);
}

TEST_F(ManagerTest, APartThatDoesNotStartInTimeIsAFailure) {
  Component hung = Part("hung");
  hung.start_within = milliseconds(5);
  Enter();
  hung.start = [this, gate = gate_](const std::stop_token&) {
    Hang();
    Leave(gate);
    return base::Result<void>();
  };
  manager_.Add(hung);
  EXPECT_EQ(manager_.Start({}).error().message, "hung: not started within 5 ms");
}

TEST_F(ManagerTest, APartThatDoesNotStopInTimeHoldsUpNobody) {
  manager_.Add(Part("a"));
  Component hung = Part("hung");
  hung.stop_within = milliseconds(5);  // its own bound: others may need longer on a busy machine
  Enter();
  hung.stop = [this, gate = gate_](base::TimePoint) {
    Hang();
    Leave(gate);
  };
  manager_.Add(hung);
  ASSERT_TRUE(manager_.Start({}));
  EXPECT_FALSE(manager_.Stop());
  EXPECT_EQ(diary_->Read(), "+a +hung -a");
}

TEST_F(ManagerTest, ALeaseIsNotReleasedUnderAWorkerThatHangs) {
  Component lease = Part("lease", 1);
  lease.stop_only_after_rest = true;
  manager_.Add(lease);
  Component hung = Part("workers");
  Enter();
  hung.stop = [this, gate = gate_](base::TimePoint) {
    Hang();
    Leave(gate);
  };
  manager_.Add(hung);
  ASSERT_TRUE(manager_.Start({}));
  EXPECT_FALSE(manager_.Stop({.each = milliseconds(5)}));
  EXPECT_EQ(diary_->Read(), "+lease +workers");
}

TEST_F(ManagerTest, AllPartsTogetherStopInTimeHoweverManyHang) {
  for (const char* name : {"a", "b", "c"}) {
    Component hung = Part(name);
    hung.stop_within = minutes(1);
    Enter();
    hung.stop = [this, gate = gate_](base::TimePoint) {
      Hang();
      Leave(gate);
    };
    manager_.Add(hung);
  }
  ASSERT_TRUE(manager_.Start({}));
  const base::TimePoint began = clock_.Now();
  EXPECT_FALSE(manager_.Stop({.together = milliseconds(20)}));
  EXPECT_LT(clock_.Now() - began, minutes(1));
}

TEST_F(ManagerTest, APartsShareIsLeftToItByThoseThatStopEarlier) {
  struct Deadlines {
    base::TimePoint began, workers, lease, server;
  };
  const auto seen = std::make_shared<Deadlines>();
  const auto add = [&](const char* name, int stage, base::TimePoint Deadlines::*which,
                       milliseconds within, milliseconds share) {
    Component part = Part(name, stage);
    part.stop = [seen, which](base::TimePoint deadline) { (*seen).*which = deadline; };
    part.stop_within = within;
    part.stop_share = share;
    manager_.Add(part);
  };
  add("server", 2, &Deadlines::server, milliseconds(60'000), milliseconds(10'000));
  add("lease", 1, &Deadlines::lease, milliseconds(120'000), milliseconds(20'000));
  add("workers", 0, &Deadlines::workers, milliseconds(120'000), milliseconds(0));
  ASSERT_TRUE(manager_.Start({}));
  seen->began = clock_.Now();
  EXPECT_TRUE(manager_.Stop({.together = milliseconds(100'000)}));
  // The end of all is a moment after `began`.
  const base::TimePoint end = seen->lease + milliseconds(10'000);
  EXPECT_GE(end, seen->began + milliseconds(100'000));
  EXPECT_LT(end, seen->began + milliseconds(160'000));
  EXPECT_EQ(seen->workers, end - milliseconds(30'000));
  EXPECT_LT(seen->server, end) << "its own bound holds too";
}

TEST_F(ManagerTest, APartMayHaveNothingToDo) {
  manager_.Add({.name = "empty"});
  EXPECT_TRUE(manager_.Start({}));
  EXPECT_TRUE(manager_.Stop());
}

}  // namespace
}  // namespace rabbit::runtime
