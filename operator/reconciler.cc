#include "operator/reconciler.h"

#include <algorithm>
#include <utility>

#include "operator/api/status_json.h"
#include "operator/observe/targets.h"
#include "operator/report/attempts.h"
#include "operator/report/report.h"

namespace rabbit {
namespace {

// While something is still to come, brokers and proxies are looked at that often.
constexpr std::chrono::seconds kUnsettledInterval(2);
// What is kept back of a reconcile's time, so that its outcome can be told.
constexpr std::chrono::seconds kForTheStatus(15);

}  // namespace

ClusterReconciler::ClusterReconciler(const Parts& parts, Settings settings)
    : parts_(parts), settings_(std::move(settings)) {}

runtime::ReconcileResult ClusterReconciler::Reconcile(const kube::ObjectKey& key,
                                                      const runtime::ReconcileContext& context) {
  const std::shared_ptr<const api::RabbitCluster> declared = parts_.caches.Cluster(key);
  if (declared == nullptr || declared->meta.deleting) {
    Forget(key);  // the children follow by their owner references
    return runtime::ReconcileResult::Done();
  }
  if (MemoryOf(key).uid != declared->meta.uid) Forget(key);  // deleted and made anew meanwhile
  Memory& memory = MemoryOf(key);
  memory.uid = declared->meta.uid;
  api::RabbitCluster cluster = *declared;
  if (const auto written = WrittenStatus(memory, cluster.meta.resource_version)) {
    cluster.status = *written;
  }

  const observe::Observation seen =
      parts_.observer.Observe(cluster, memory.observed,
                              {.deadline = context.deadline - kForTheStatus, .stop = context.stop});
  const plan::Plan plan =
      plan::MakePlan(cluster, seen, settings_, memory.children, parts_.clock.Now());
  act::Executed done = Execute(cluster, plan, seen, memory, context);
  const report::Report report =
      report::MakeReport(cluster, seen, plan, done.results, parts_.clock.Now(),
                         parts_.clock.WallNow(), report::ProgressPause(parts_.caches.clusters()));
  const bool look_again = done.broker_written || plan.look_at_broker;
  Remember(plan, done, seen, memory);
  if (look_again) parts_.brokers.LookNow(key);
  return Tell(cluster, seen, report, memory, context);
}

act::Executed ClusterReconciler::Execute(const api::RabbitCluster& cluster, const plan::Plan& plan,
                                         const observe::Observation& seen, Memory& memory,
                                         const runtime::ReconcileContext& context) {
  act::Executed done;
  if (!plan.steps.empty()) {
    done =
        parts_.executor.Execute(cluster.meta.key, cluster.meta.uid, plan,
                                observe::BrokerToWriteTo(cluster, seen, settings_.cluster_domain),
                                context.deadline - kForTheStatus, context.stop);
  }
  Log(cluster, plan, done.results, memory);
  return done;
}

void ClusterReconciler::Log(const api::RabbitCluster& cluster, const plan::Plan& plan,
                            const std::vector<report::StepResult>& results, Memory& memory) {
  const std::set<std::size_t> before = std::exchange(memory.refused, {});
  for (std::size_t i = 0; i < results.size(); ++i) {
    const report::StepResult& result = results[i];
    if (report::IsRefused(result)) {
      const std::size_t hash = std::hash<std::string>()(result.error->message);
      memory.refused.insert(hash);
      if (before.contains(hash)) continue;
    }
    if (result.error) {
      parts_.logger.Warn("step failed", {{"cluster", cluster.meta.key.ToString()},
                                         {"step", plan::Describe(plan.steps[i])},
                                         {"error", result.error->message}});
    } else if (result.outcome == report::StepResult::Outcome::kDone) {
      parts_.logger.Info("step done", {{"cluster", cluster.meta.key.ToString()},
                                       {"step", plan::Describe(plan.steps[i])},
                                       {"reason", plan.steps[i].reason}});
    }
  }
}

void ClusterReconciler::Remember(const plan::Plan& plan, const act::Executed& done,
                                 const observe::Observation& seen, Memory& memory) {
  const base::TimePoint now = parts_.clock.Now();
  observe::ClusterMemory& observed = memory.observed;
  observed.written.reserve(observed.written.size() + done.written.size());
  for (const auto& [id, verified] : plan.verified) observed.verified.Add(id, verified);
  for (const observe::CachedChild& child : done.written) {
    observed.verified.Add(child.id, {.desired_hash = child.child.applied_hash,
                                     .content_hash = child.child.content_hash});
    const auto before = std::find_if(
        observed.written.begin(), observed.written.end(),
        [&](const observe::ClusterMemory::Written& w) { return w.child.Unpack().id == child.id; });
    if (before != observed.written.end()) {
      // `seen` already held it: what the cache itself shows is what it replaced, and still is.
      before->child = observe::Packed(child);
      before->at = now;
      continue;
    }
    const auto cached = seen.children.find(child.id);
    observed.written.push_back(
        {.child = observe::Packed(child),
         .replaced_version = cached == seen.children.end() ? "" : cached->second.resource_version,
         .at = now});
  }
  if (done.broker_written) observed.broker_written_at = now;
  report::RememberAttempts(plan, done.results, now, observed.attempts);
  for (const auto& [id, who] : done.strangers)
    observed.strangers[id] = {.who = who, .seen_at = now};
  for (const auto& [name, view] : done.secrets) observed.secrets.Learn(name, view, now);
}

runtime::ReconcileResult ClusterReconciler::Tell(const api::RabbitCluster& cluster,
                                                 const observe::Observation& seen,
                                                 const report::Report& report, Memory& memory,
                                                 const runtime::ReconcileContext& context) {
  for (const report::Event& event : report.events) {
    parts_.events.Record({.regarding = {.api_version = api::kRabbitClusters.ApiVersion(),
                                        .kind = std::string(api::kRabbitClusters.kind()),
                                        .key = cluster.meta.key,
                                        .uid = cluster.meta.uid},
                          .warning = event.warning,
                          .reason = event.reason,
                          .action = event.action,
                          .note = event.message});
  }
  memory.settled = report.settled;
  memory.observed.waiting = report.waiting;
  parts_.observer.Follow(
      cluster, seen,
      memory.settled ? base::Duration(cluster.spec.drift_interval)
                     : std::min<base::Duration>(cluster.spec.drift_interval, kUnsettledInterval));
  if (report.status != cluster.status && parts_.fence.MayWrite(parts_.clock.Now())) {
    const auto written = parts_.client.ApplyStatus(
        api::kRabbitClusters, cluster.meta.key, api::StatusApplyBody(cluster.meta, report.status),
        {.deadline = std::min(context.deadline, parts_.fence.WritesEndBy()), .stop = context.stop});
    if (!written && written.error().kind != base::ErrorKind::kNotFound) {
      return runtime::ReconcileResult::Failed(base::Wrap(written.error(), "write the status"));
    }
    RememberStatus(cluster, report.status, memory);
  }
  if (report.failed) {
    return runtime::ReconcileResult::Failed(
        {.kind = base::ErrorKind::kRetry, .message = "some steps failed; they are tried again"});
  }
  return runtime::ReconcileResult::After(report.look_again);
}

std::shared_ptr<const api::Status> ClusterReconciler::WrittenStatus(Memory& memory,
                                                                    const std::string& cached) {
  base::MutexLock lock(mutex_);
  if (memory.written_over != cached) memory.written_status.reset();
  return memory.written_status;
}

void ClusterReconciler::RememberStatus(const api::RabbitCluster& cluster, const api::Status& status,
                                       Memory& memory) {
  const std::shared_ptr<const api::RabbitCluster> cached = parts_.caches.Cluster(cluster.meta.key);
  // The watch was quicker than the answer.
  const bool seen =
      cached == nullptr || cached->meta.resource_version != cluster.meta.resource_version;
  base::MutexLock lock(mutex_);
  memory.written_status = seen ? nullptr : std::make_shared<const api::Status>(status);
  memory.written_over = cluster.meta.resource_version;
}

void ClusterReconciler::StatusIsSeen(const kube::ObjectKey& key) {
  const std::shared_ptr<const api::RabbitCluster> cached = parts_.caches.Cluster(key);
  base::MutexLock lock(mutex_);
  const auto memory = memories_.find(key);
  if (cached == nullptr || memory == memories_.end()) return;
  if (memory->second->written_over != cached->meta.resource_version) {
    memory->second->written_status.reset();
  }
}

ClusterReconciler::Memory& ClusterReconciler::MemoryOf(const kube::ObjectKey& key) {
  base::MutexLock lock(mutex_);
  std::unique_ptr<Memory>& memory = memories_[key];
  if (memory == nullptr) memory = std::make_unique<Memory>();
  return *memory;
}

void ClusterReconciler::Forget(const kube::ObjectKey& key) {
  parts_.observer.Forget(key);
  base::MutexLock lock(mutex_);
  memories_.erase(key);
}

}  // namespace rabbit
