#include "operator/observe/poll_loop.h"

#include <utility>

namespace rabbit::observe {

PollLoop::PollLoop(base::Clock& clock, base::Random& random, Look look,
                   const PollSchedule::Options& options)
    : clock_(clock), random_(random), look_(std::move(look)), schedule_(options) {}

PollLoop::~PollLoop() { Stop(); }

void PollLoop::Start(int threads) {
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { Run(stop); });
  }
}

void PollLoop::Stop() {
  for (std::jthread& thread : threads_) thread.request_stop();
  threads_.clear();
}

void PollLoop::Want(const kube::ObjectKey& key, base::Duration interval, bool fresh) {
  base::MutexLock lock(mutex_);
  const auto before = schedule_.NextDue();
  schedule_.Want(key, interval, fresh, clock_.Now());
  idle_.Changed(before, schedule_.NextDue());
}

void PollLoop::Drop(const kube::ObjectKey& key) {
  base::MutexLock lock(mutex_);
  schedule_.Drop(key);
}

void PollLoop::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::optional<kube::ObjectKey> key;
    {
      base::MutexLock lock(mutex_);
      const base::TimePoint now = clock_.Now();
      key = schedule_.Take(now);
      if (!key) {
        idle_.Wait(mutex_, stop, schedule_.NextDue(), now);
        continue;
      }
      idle_.Took(schedule_.NextDue());
    }
    const bool succeeded = look_(*key, stop);
    const double spread =
        static_cast<double>(static_cast<unsigned char>(random_.Bytes(1)[0])) / 256.0;
    base::MutexLock lock(mutex_);
    const auto before = schedule_.NextDue();
    schedule_.Done(*key, succeeded, spread, clock_.Now());
    idle_.Changed(before, schedule_.NextDue());
  }
}

}  // namespace rabbit::observe
