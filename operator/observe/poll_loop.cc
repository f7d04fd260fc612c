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
  if (schedule_.NextDue() != before) wake_.NotifyOne();
}

void PollLoop::Drop(const kube::ObjectKey& key) {
  base::MutexLock lock(mutex_);
  schedule_.Drop(key);
}

void PollLoop::Run(const std::stop_token& stop) {
  // Nothing due: look again then, in case a wake-up went to a thread that was busy.
  constexpr std::chrono::seconds kIdle(30);
  while (!stop.stop_requested()) {
    std::optional<kube::ObjectKey> key;
    {
      base::MutexLock lock(mutex_);
      key = schedule_.Take(clock_.Now());
      if (!key) {
        wake_.WaitUntil(mutex_, stop, schedule_.NextDue().value_or(clock_.Now() + kIdle));
        continue;
      }
      // A second one may be due already, and the wake-up that told of it was this thread's.
      if (schedule_.NextDue()) wake_.NotifyOne();
    }
    const bool succeeded = look_(*key, stop);
    const double spread =
        static_cast<double>(static_cast<unsigned char>(random_.Bytes(1)[0])) / 256.0;
    base::MutexLock lock(mutex_);
    schedule_.Done(*key, succeeded, spread, clock_.Now());
  }
}

}  // namespace rabbit::observe
