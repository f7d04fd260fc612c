#include "operator/observe/watched.h"

#include <gtest/gtest.h>

#include <future>
#include <string>
#include <vector>

namespace rabbit::observe {
namespace {

using std::chrono::seconds;

// Looks are answered by the test: whatever `world` says for a target. Waiting is for the pool's
// threads to come round, bounded by the futures' deadlines.
class WatchedTest : public testing::Test {
 protected:
  using TestWatched = Watched<std::string, std::string>;

  WatchedTest()
      : watched_(clock_, random_,
                 {.read = [this](const std::string& target, const std::string&,
                                 const std::stop_token&) -> TestWatched::Answer {
                    base::MutexLock lock(mutex_);
                    ++looks_;
                    changed_.NotifyAll();
                    return {.look = target + "=" + world_, .succeeded = world_ != "down"};
                  },
                  .compare = [](const std::string& a,
                                const std::string& b) { return a != b ? News::kNow : News::kNone; },
                  .on_news =
                      [this](const kube::ObjectKey& key, News) {
                        base::MutexLock lock(mutex_);
                        news_.push_back(key.name);
                        changed_.NotifyAll();
                      }},
                 {.looks_per_second = 1000}) {
    watched_.Start(2);
  }

  void Say(const std::string& world) {
    base::MutexLock lock(mutex_);
    world_ = world;
  }
  bool Until(const std::function<bool()>& holds) {
    const auto deadline = clock_.Now() + seconds(10);
    base::MutexLock lock(mutex_);
    while (!holds()) {
      if (clock_.Now() >= deadline) return false;
      changed_.WaitUntil(mutex_, deadline);
    }
    return true;
  }

  const kube::ObjectKey key_{"ns", "a"};
  base::RealClock clock_;
  base::SystemRandom random_;
  base::Mutex mutex_;
  base::CondVar changed_;
  std::string world_ = "up";
  int looks_ = 0;
  std::vector<std::string> news_;
  TestWatched watched_;
};

TEST_F(WatchedTest, TheFirstLookIsNews) {
  EXPECT_EQ(watched_.Latest(key_), "");
  watched_.Want(key_, "t", seconds(60));
  ASSERT_TRUE(Until([this] { return news_.size() == 1; }));
  EXPECT_EQ(watched_.Latest(key_), "t=up");
}

TEST_F(WatchedTest, ALookThatSaysTheSameIsNoNews) {
  watched_.Want(key_, "t", seconds(60));
  ASSERT_TRUE(Until([this] { return news_.size() == 1; }));
  watched_.LookNow(key_);
  ASSERT_TRUE(Until([this] { return looks_ == 2; }));
  Say("other");
  watched_.LookNow(key_);
  ASSERT_TRUE(Until([this] { return news_.size() == 2; }));
  EXPECT_EQ(looks_, 3);
}

TEST_F(WatchedTest, AnotherTargetIsLookedAtAtOnce) {
  watched_.Want(key_, "t", seconds(60));
  ASSERT_TRUE(Until([this] { return news_.size() == 1; }));
  watched_.Want(key_, "u", seconds(60));
  ASSERT_TRUE(Until([this] { return news_.size() == 2; }));
  EXPECT_EQ(watched_.Latest(key_), "u=up");
}

TEST_F(WatchedTest, ADroppedKeyHasNoLook) {
  watched_.Want(key_, "t", seconds(60));
  ASSERT_TRUE(Until([this] { return news_.size() == 1; }));
  watched_.Drop(key_);
  EXPECT_EQ(watched_.Latest(key_), "");
  watched_.LookNow(key_);  // nobody wants it: no effect
}

TEST_F(WatchedTest, StopEndsTheThreadsWithKeysWaiting) {
  watched_.Want(key_, "t", seconds(60));
  watched_.Stop();
  watched_.Want(key_, "u", seconds(60));  // remembered, never looked at
  EXPECT_NE(watched_.Latest(key_), "u=up");
  base::MutexLock lock(mutex_);
  EXPECT_LE(looks_, 1) << "of the first target, if a thread was quick";
}

}  // namespace
}  // namespace rabbit::observe
