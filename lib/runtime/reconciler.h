// lib/runtime/reconciler.h: the contract between a controller and what it runs. Plain values.
#pragma once

#include <optional>
#include <stop_token>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "kube/resource.h"

namespace rabbit::runtime {

struct ReconcileContext {
  std::stop_token stop;      // requested: leave soon; kCancelled is the answer
  base::TimePoint deadline;  // of the whole reconcile; every call in it ends by then
};

// What became of a reconcile, and so when the key comes again. A change that a watch tells of
// brings it back sooner in every case.
struct ReconcileResult {
  std::optional<base::Error> error;             // empty: all went well
  std::optional<base::Duration> requeue_after;  // after a success; the controller adds jitter
  bool give_up = false;  // an error that only a change can cure: not retried by itself

  [[nodiscard]] static ReconcileResult Done() { return {}; }
  [[nodiscard]] static ReconcileResult After(base::Duration delay) { return {{}, delay, false}; }
  // Retried with back-off; after a kThrottled not before the server's retry_after.
  [[nodiscard]] static ReconcileResult Failed(base::Error error) {
    return {std::move(error), {}, false};
  }
  [[nodiscard]] static ReconcileResult GiveUp(base::Error error) {
    return {std::move(error), {}, true};
  }

  bool operator==(const ReconcileResult&) const = default;
};

class Reconciler {
 public:
  virtual ~Reconciler() = default;

  // Makes the world match what `key`'s object says, as far as can be done now. Level-based: called
  // for any reason, or none, and any number of times; also for an object that is gone, so that what
  // is kept for the key can be dropped. Never called for one key twice at once, for different keys
  // on several threads. May block up to the deadline. An exception counts as a failure.
  virtual ReconcileResult Reconcile(const kube::ObjectKey& key,
                                    const ReconcileContext& context) = 0;
};

}  // namespace rabbit::runtime
