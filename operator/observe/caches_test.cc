#include "operator/observe/caches.h"

#include <gtest/gtest.h>

#include "base/mutex.h"
#include "kube/credentials.h"

namespace rabbit::observe {
namespace {

// A server whose calls end only once all that are open were asked to end, or after a minute.
class EndsTogether final : public http::Transport {
 public:
  base::Result<http::Response> Send(const http::Request&, const http::CallOptions&) override {
    return base::Fail(base::ErrorKind::kInternal, "not needed");
  }
  base::Result<void> Stream(const http::Request&, const http::CallOptions& call,
                            http::BodySink&) override {
    const base::MutexLock lock(mutex_);
    ++open_;
    changed_.NotifyAll();
    while (!call.stop.stop_requested()) changed_.WaitUntil(mutex_, call.stop, call.deadline);
    ++asked_;
    changed_.NotifyAll();
    const base::TimePoint until = clock_.Now() + std::chrono::minutes(1);
    while (asked_ < open_ && clock_.Now() < until) changed_.WaitUntil(mutex_, until);
    together_ = together_ && asked_ == open_;
    return base::Fail(base::ErrorKind::kCancelled, "stopped");
  }
  void AwaitOpen(int count) {
    const base::TimePoint until = clock_.Now() + std::chrono::minutes(1);
    const base::MutexLock lock(mutex_);
    while (open_ < count && clock_.Now() < until) changed_.WaitUntil(mutex_, until);
    EXPECT_EQ(open_, count);
  }
  bool together() {
    const base::MutexLock lock(mutex_);
    return together_;
  }

 private:
  const base::RealClock clock_;
  base::Mutex mutex_;
  base::CondVar changed_;
  int open_ RABBIT_GUARDED_BY(mutex_) = 0;
  int asked_ RABBIT_GUARDED_BY(mutex_) = 0;
  bool together_ RABBIT_GUARDED_BY(mutex_) = true;
};

TEST(Caches, StopEndsAllWatchersAtOnce) {
  EndsTogether server;
  base::RealClock clock;
  base::SystemRandom random;
  kube::StaticCredentials credentials;
  kube::Client client(server, credentials, nullptr);
  Caches caches(client, clock, random, base::NullLogger(), nullptr, {},
                [](const kube::ObjectKey&, Cause) {});
  caches.Start();
  server.AwaitOpen(9);
  caches.Stop();
  EXPECT_TRUE(server.together());
}

}  // namespace
}  // namespace rabbit::observe
