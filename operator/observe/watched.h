// operator/observe/watched.h: the latest look at each cluster's brokers or proxies, kept fresh by a
// PollLoop, and told on when it changed. Reconcilers read what is here and never wait for a look.
// Thread-safe. Target: whom to ask and how (compared with ==). Look: what was seen, a value.
#pragma once

#include <functional>
#include <map>
#include <stop_token>
#include <utility>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/random.h"
#include "kube/resource.h"
#include "operator/observe/poll_loop.h"

namespace rabbit::observe {

// Whether a look says something that the one before did not, and whether that is worth a reconcile
// at once: nobody has answered so far and nobody does now, which may wait for company.
enum class News { kNone, kLater, kNow };

template <typename Target, typename Look>
class Watched {
 public:
  struct Answer {
    Look look;
    bool succeeded = false;  // false opens the circuit breaker of this cluster
  };
  struct Functions {
    // Looks once, with deadlines of its own. `before` is the look before, to build upon.
    std::function<Answer(const Target& target, const Look& before, std::stop_token stop)> read;
    // What the second look says beyond the first.
    std::function<News(const Look&, const Look&)> compare;
    // Called without a lock held, after Latest() gives the new look. Never with kNone.
    std::function<void(const kube::ObjectKey&, News)> on_news;
  };

  Watched(base::Clock& clock, base::Random& random, Functions functions,
          const PollSchedule::Options& options)
      : functions_(std::move(functions)),
        loop_(
            clock, random,
            [this](const kube::ObjectKey& key, std::stop_token stop) {
              return LookAt(key, std::move(stop));
            },
            options) {}

  void Start(int threads) { loop_.Start(threads); }
  void Stop() { loop_.Stop(); }

  // Looks at `key` each `interval`; at once when it is new or its target is another than before.
  void Want(const kube::ObjectKey& key, const Target& target, base::Duration interval)
      RABBIT_EXCLUDES(mutex_) {
    bool fresh = false;
    {
      base::MutexLock lock(mutex_);
      const auto [it, is_new] = slots_.try_emplace(key);
      fresh = is_new || !(it->second.target == target);
      if (fresh) it->second.target = target;
      it->second.interval = interval;
    }
    loop_.Want(key, interval, fresh);
  }

  // Looks at once, for example after a change was written. Nothing for a key that nobody wants.
  void LookNow(const kube::ObjectKey& key) RABBIT_EXCLUDES(mutex_) {
    base::Duration interval{};
    {
      base::MutexLock lock(mutex_);
      const auto it = slots_.find(key);
      if (it == slots_.end()) return;
      interval = it->second.interval;
    }
    loop_.Want(key, interval, /*fresh=*/true);
  }

  void Drop(const kube::ObjectKey& key) RABBIT_EXCLUDES(mutex_) {
    loop_.Drop(key);
    base::MutexLock lock(mutex_);
    slots_.erase(key);
  }

  // Empty when there was no look yet.
  [[nodiscard]] Look Latest(const kube::ObjectKey& key) const RABBIT_EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    const auto it = slots_.find(key);
    return it == slots_.end() ? Look{} : it->second.look;
  }

 private:
  struct Slot {
    Target target;
    base::Duration interval{};
    Look look;
  };

  bool LookAt(const kube::ObjectKey& key, std::stop_token stop) RABBIT_EXCLUDES(mutex_) {
    Target target;
    Look before;
    {
      base::MutexLock lock(mutex_);
      const auto it = slots_.find(key);
      if (it == slots_.end()) return true;
      target = it->second.target;
      before = it->second.look;
    }
    Answer answer = functions_.read(target, before, std::move(stop));
    News news = News::kNone;
    {
      base::MutexLock lock(mutex_);
      const auto it = slots_.find(key);
      // Dropped, or pointed elsewhere meanwhile: this look is of a world that is gone.
      if (it == slots_.end() || !(it->second.target == target)) return true;
      news = functions_.compare(it->second.look, answer.look);
      it->second.look = std::move(answer.look);
    }
    if (news != News::kNone) functions_.on_news(key, news);
    return answer.succeeded;
  }

  const Functions functions_;
  mutable base::Mutex mutex_;
  std::map<kube::ObjectKey, Slot> slots_ RABBIT_GUARDED_BY(mutex_);
  PollLoop loop_;  // last: its threads use the members above
};

}  // namespace rabbit::observe
