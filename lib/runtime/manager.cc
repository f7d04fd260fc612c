#include "runtime/manager.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "base/mutex.h"

namespace rabbit::runtime {
namespace {

// Outlives the one who waits: a thread that hangs still holds it.
class Completion {
 public:
  void Set() {
    base::MutexLock lock(mutex_);
    done_ = true;
    changed_.NotifyAll();
  }
  bool Wait(base::Clock& clock, base::TimePoint until) {
    base::MutexLock lock(mutex_);
    while (!done_ && clock.Now() < until) changed_.WaitUntil(mutex_, until);
    return done_;
  }

 private:
  base::Mutex mutex_;
  base::CondVar changed_;
  bool done_ RABBIT_GUARDED_BY(mutex_) = false;
};

std::int64_t Millis(base::Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

}  // namespace

void Manager::Add(Component component) { components_.push_back(std::move(component)); }

bool Manager::RunWithin(base::TimePoint deadline, std::function<void()> work) {
  auto completion = std::make_shared<Completion>();
  std::thread thread([completion, work = std::move(work)] {
    work();
    completion->Set();
  });
  if (completion->Wait(clock_, deadline)) {
    thread.join();
    return true;
  }
  thread.detach();
  return false;
}

base::Result<void> Manager::Start(const std::stop_token& stop) {
  for (std::size_t i = 0; i < components_.size(); ++i) {
    const Component& component = components_[i];
    if (stop.stop_requested()) return base::Fail(base::ErrorKind::kCancelled, "stop requested");
    const base::TimePoint began = clock_.Now();
    if (component.start) {
      // Shared with the thread, which may outlive this call; so is the way to stop it.
      auto result = std::make_shared<std::optional<base::Result<void>>>();
      std::stop_source abort;
      std::stop_callback forward(stop, [&abort] { abort.request_stop(); });
      const bool ended = RunWithin(
          began + component.start_within,
          [start = component.start, result, token = abort.get_token()] { *result = start(token); });
      if (!ended) {
        abort.request_stop();
        return base::Fail(base::ErrorKind::kRetry,
                          component.name + ": not started within " +
                              std::to_string(Millis(component.start_within)) + " ms");
      }
      if (!**result) return base::FailWrapped((*result)->error(), component.name);
    }
    started_.push_back(i);
    logger_.Debug("started", {{"part", component.name}, {"ms", Millis(clock_.Now() - began)}});
  }
  return {};
}

bool Manager::Stop(const StopBounds& bounds) {
  std::reverse(started_.begin(), started_.end());
  std::stable_sort(started_.begin(), started_.end(), [this](std::size_t a, std::size_t b) {
    return components_[a].stop_stage < components_[b].stop_stage;
  });
  // What is kept for the parts that are yet to be stopped comes off its end.
  base::TimePoint end = clock_.Now() + bounds.together;
  for (const std::size_t i : started_) end -= components_[i].stop_share;
  bool all = true;
  for (const std::size_t i : std::exchange(started_, {})) {
    const Component& component = components_[i];
    end += component.stop_share;
    if (!component.stop) continue;
    if (component.stop_only_after_rest && !all) {
      logger_.Warn("left as it is, because another part still runs", {{"part", component.name}});
      continue;
    }
    const base::TimePoint began = clock_.Now();
    const base::TimePoint deadline =
        std::min(began + std::min(component.stop_within, bounds.each), end);
    if (RunWithin(deadline, [stop = component.stop, deadline] { stop(deadline); })) {
      logger_.Debug("stopped", {{"part", component.name}, {"ms", Millis(clock_.Now() - began)}});
    } else {
      logger_.Warn("not stopped in time", {{"part", component.name}});
      all = false;
    }
  }
  return all;
}

}  // namespace rabbit::runtime
