// lib/runtime/elector.h: the thread that gets and keeps the Lease, and moves the fence.
// Give it a kube::Client with a transport of its own: a pool that the watches have filled must not
// make us lose the lease.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/random.h"
#include "kube/client.h"
#include "kube/resource.h"
#include "runtime/fence.h"
#include "runtime/lease_machine.h"
#include "runtime/metrics.h"

namespace rabbit::runtime {

struct ElectorOptions {
  kube::ObjectKey lease;
  std::string identity;  // unique to this process: pod name and random digits
  LeaseTiming timing;
};

class Elector {
 public:
  // Called on the elector's thread, each at most once.
  struct Callbacks {
    std::function<void()> on_leading;
    // The fence is shut already. Leave the process soon: another one may lead.
    std::function<void(const std::string& reason)> on_lost;
  };

  // Nothing is owned; all must outlive the elector. `options.timing` is valid. `fence` is shut,
  // with lease - renew as its margin.
  Elector(kube::Client& client, Fence& fence, base::Clock& clock, base::Random& random,
          Metrics& metrics, base::Logger& logger, ElectorOptions options, Callbacks callbacks);
  ~Elector();  // Stop()
  Elector(const Elector&) = delete;
  Elector& operator=(const Elector&) = delete;

  void Start();

  // Ends the thread; a call under way ends early. The lease is kept, and runs out by itself.
  void Stop();

  // Stop(), shuts the fence, and writes an empty holder, trying until `deadline`. For when the
  // workers have stopped: the next leader begins at once. Success when we did not lead.
  base::Result<void> Release(base::TimePoint deadline);

  [[nodiscard]] bool leading() const { return leading_.load(); }
  // For /livez: a reason when we should lead, but the lease was not renewed for its whole duration.
  [[nodiscard]] std::optional<std::string> Unhealthy() const;
  // For /readyz: a reason when calls about the Lease have failed for the renew deadline, or since
  // the first one. That there is no Lease yet is no failure; that none can be made is.
  [[nodiscard]] std::optional<std::string> Trouble() const RABBIT_EXCLUDES(mutex_);
  // Whom the Lease named when it was last read or written.
  [[nodiscard]] std::string holder() const RABBIT_EXCLUDES(mutex_);

  // What the thread does, once: makes the call that is due, if any. Returns when to come again.
  // Only for the thread, and for tests that do without it.
  base::TimePoint Step(const std::stop_token& stop) RABBIT_EXCLUDES(mutex_);

 private:
  void Run(const std::stop_token& stop);
  base::Result<LeaseRecord> Call(const LeaseCall& call, const std::stop_token& stop);
  void Tell(LeaseMachine::State before);
  // Counts, logs and remembers what became of a call.
  void Note(const LeaseCall& call, const base::Result<LeaseRecord>& outcome)
      RABBIT_EXCLUDES(mutex_);

  kube::Client& client_;
  Fence& fence_;
  base::Clock& clock_;
  base::Random& random_;
  Metrics& metrics_;
  base::Logger& logger_;
  const ElectorOptions options_;
  const Callbacks callbacks_;
  LeaseMachine machine_;  // of the thread; after its end, of Release()
  std::string body_;      // the Lease as last read: labels and the like are kept when it is written
  std::atomic<bool> leading_ = false;
  std::atomic<base::Duration::rep> renewed_at_ = 0;  // since the clock's epoch
  mutable base::Mutex mutex_;
  base::CondVar wake_;  // by a stop token only
  std::string holder_ RABBIT_GUARDED_BY(mutex_);
  std::string failure_ RABBIT_GUARDED_BY(mutex_) =
      "not asked for the Lease yet";  // empty: it went well
  std::optional<base::TimePoint> went_well_at_ RABBIT_GUARDED_BY(mutex_);
  std::jthread thread_;
};

}  // namespace rabbit::runtime
