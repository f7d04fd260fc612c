// operator/reconciler.h: the spine: Observe, MakePlan, Execute, Report, for one RabbitCluster.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "operator/act/executor.h"
#include "operator/api/settings.h"
#include "operator/observe/observer.h"
#include "operator/plan/make_plan.h"
#include "operator/report/report.h"
#include "runtime/events.h"
#include "runtime/fence.h"
#include "runtime/reconciler.h"

namespace rabbit {

class ClusterReconciler final : public runtime::Reconciler {
 public:
  struct Parts {  // nothing is owned; all must outlive the reconciler
    kube::Client& client;
    observe::Caches& caches;
    observe::Observer& observer;
    observe::BrokerWatch& brokers;
    act::Executor& executor;
    runtime::EventSink& events;
    const runtime::Fence& fence;
    base::Clock& clock;
    base::Logger& logger;
  };
  ClusterReconciler(const Parts& parts, Settings settings);

  runtime::ReconcileResult Reconcile(const kube::ObjectKey& key,
                                     const runtime::ReconcileContext& context) override;

  // The cache shows another status than before: what is remembered for the time until then can go.
  // Any thread.
  void StatusIsSeen(const kube::ObjectKey& key) RABBIT_EXCLUDES(mutex_);

 private:
  // What is kept of a cluster between its reconciles. Only the one reconcile of its key uses it.
  struct Memory {
    std::string uid;  // of the cluster that it is about
    observe::ClusterMemory observed;
    plan::PlanMemo children;
    // Hashes of what was refused at the last reconcile: it is logged once, however often it is
    // tried.
    std::set<std::size_t> refused;
    bool settled =
        false;  // the last report had nothing to wait for: look at the drift interval only
    // The status as last written, while the cache still shows the version before. Guarded by
    // mutex_: StatusIsSeen() comes at any time.
    std::shared_ptr<const api::Status> written_status;
    std::string written_over;  // that version
  };
  Memory& MemoryOf(const kube::ObjectKey& key) RABBIT_EXCLUDES(mutex_);
  // What was written over the version that the cache shows, or null.
  std::shared_ptr<const api::Status> WrittenStatus(Memory& memory, const std::string& cached)
      RABBIT_EXCLUDES(mutex_);
  void RememberStatus(const api::RabbitCluster& cluster, const api::Status& status, Memory& memory)
      RABBIT_EXCLUDES(mutex_);
  void Forget(const kube::ObjectKey& key) RABBIT_EXCLUDES(mutex_);
  act::Executed Execute(const api::RabbitCluster& cluster, const plan::Plan& plan,
                        const observe::Observation& seen, Memory& memory,
                        const runtime::ReconcileContext& context);
  void Log(const api::RabbitCluster& cluster, const plan::Plan& plan,
           const std::vector<report::StepResult>& results, Memory& memory);
  void Remember(const plan::Plan& plan, const act::Executed& done, const observe::Observation& seen,
                Memory& memory);
  // Events, status, how often to look, and when to come again.
  runtime::ReconcileResult Tell(const api::RabbitCluster& cluster, const observe::Observation& seen,
                                const report::Report& report, Memory& memory,
                                const runtime::ReconcileContext& context);

  Parts parts_;
  const Settings settings_;
  base::Mutex mutex_;
  std::map<kube::ObjectKey, std::unique_ptr<Memory>> memories_ RABBIT_GUARDED_BY(mutex_);
};

}  // namespace rabbit
