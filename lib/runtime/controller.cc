#include "runtime/controller.h"

#include <array>
#include <exception>
#include <utility>

namespace rabbit::runtime {
namespace {

constexpr std::array kBounds{0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0};

constexpr CounterFamily kTotal{"controller_runtime_reconcile_total",
                               "Reconciles by controller and result."};
constexpr CounterFamily kErrors{"controller_runtime_reconcile_errors_total",
                                "Reconciles that failed."};
constexpr CounterFamily kTerminalErrors{"controller_runtime_terminal_reconcile_errors_total",
                                        "Reconciles that failed and are not retried."};
constexpr CounterFamily kPanics{"controller_runtime_reconcile_panics_total",
                                "Reconciles that ended with an exception."};
constexpr CounterFamily kTimeouts{"controller_runtime_reconcile_timeouts_total",
                                  "Reconciles that took longer than they may."};
constexpr HistogramFamily kSeconds{"controller_runtime_reconcile_time_seconds",
                                   "How long reconciles take.", kBounds};
constexpr GaugeFamily kMaxWorkers{"controller_runtime_max_concurrent_reconciles",
                                  "How many reconciles may run at once."};
constexpr GaugeFamily kActiveWorkers{"controller_runtime_active_workers",
                                     "How many reconciles run now."};

constexpr std::string_view ResultLabel(Verdict verdict) {
  switch (verdict) {
    case Verdict::kSuccess:
      return "success";
    case Verdict::kRequeueAfter:
      return "requeue_after";
    case Verdict::kRetry:
    case Verdict::kGaveUp:
      return "error";
    case Verdict::kCancelled:
      return "cancelled";
  }
  return "error";
}

constexpr std::array kVerdicts{Verdict::kSuccess, Verdict::kRequeueAfter, Verdict::kRetry,
                               Verdict::kCancelled};

base::Error CaughtException(std::string_view what) {
  constexpr std::size_t kLongest = 200;
  return {base::ErrorKind::kInternal, "exception: " + std::string(what.substr(0, kLongest))};
}

}  // namespace

Verdict Requeue(WorkQueue& queue, const kube::ObjectKey& key, const ReconcileResult& result,
                double jitter, base::Random& random, base::TimePoint now) {
  const auto verdict = [&] {
    if (!result.error) return result.requeue_after ? Verdict::kRequeueAfter : Verdict::kSuccess;
    if (result.error->kind == base::ErrorKind::kCancelled) return Verdict::kCancelled;
    return result.give_up ? Verdict::kGaveUp : Verdict::kRetry;
  }();
  switch (verdict) {
    case Verdict::kSuccess:
      queue.Forget(key);
      break;
    case Verdict::kRequeueAfter:
      queue.Forget(key);
      queue.Add(key, now + base::Jitter(random, *result.requeue_after, jitter));
      break;
    case Verdict::kRetry:
      queue.AddAfterFailure(key, now, result.error->retry_after.value_or(std::chrono::seconds(0)));
      break;
    case Verdict::kGaveUp:
      queue.Forget(key);
      break;
    case Verdict::kCancelled:
      // Dropped when the controller stops, which is what cancels. Without a back-off a reconciler
      // that cancels itself would spin.
      queue.AddAfterFailure(key, now);
      break;
  }
  return verdict;
}

Controller::Controller(Reconciler& reconciler, base::Clock& clock, base::Random& random,
                       Metrics& metrics, base::Logger& logger, ControllerOptions options)
    : reconciler_(reconciler),
      clock_(clock),
      random_(random),
      metrics_(metrics),
      logger_(logger),
      options_(std::move(options)),
      queue_(options_.name, metrics, options_.backoff) {
  const Labels labels{{"controller", options_.name}};
  for (const Verdict verdict : kVerdicts) {
    metrics_.Add(kTotal,
                 {{"controller", options_.name}, {"result", std::string(ResultLabel(verdict))}}, 0);
  }
  for (const auto& family : {kErrors, kTerminalErrors, kPanics, kTimeouts}) {
    metrics_.Add(family, labels, 0);
  }
  metrics_.Create(kSeconds, labels);
  metrics_.Set(kMaxWorkers, labels, static_cast<double>(options_.workers));
  metrics_.Set(kActiveWorkers, labels, 0);
}

Controller::~Controller() {
  Stop({}, {});
  workers_.clear();  // joins
}

void Controller::Start() {
  base::MutexLock lock(mutex_);
  if (stopping_ || !workers_.empty()) return;
  for (std::size_t i = 0; i < options_.workers; ++i) workers_.emplace_back([this] { Work(); });
}

void Controller::Add(const kube::ObjectKey& key) { AddAfter(key, {}); }

void Controller::AddAfter(const kube::ObjectKey& key, base::Duration delay) {
  base::MutexLock lock(mutex_);
  const auto before = queue_.NextDue();
  queue_.Add(key, clock_.Now() + delay);
  idle_.Changed(before, queue_.NextDue());
}

std::optional<kube::ObjectKey> Controller::TakeNext() {
  base::MutexLock lock(mutex_);
  while (!stopping_) {
    const base::TimePoint now = clock_.Now();
    if (auto key = queue_.Take(now)) {
      idle_.Took(queue_.NextDue());
      return key;
    }
    idle_.Wait(mutex_, {}, queue_.NextDue(), now);
  }
  return std::nullopt;
}

void Controller::Work() {
  for (;;) {
    const std::optional<kube::ObjectKey> key = TakeNext();
    if (!key) return;
    const base::TimePoint began = clock_.Now();
    const ReconcileResult result = RunOne(*key);
    const base::TimePoint now = clock_.Now();
    metrics_.Observe(kSeconds, {{"controller", options_.name}},
                     std::chrono::duration<double>(now - began).count());
    if (now - began > options_.timeout) metrics_.Add(kTimeouts, {{"controller", options_.name}});
    Verdict verdict;
    int failures = 0;
    {
      base::MutexLock lock(mutex_);
      const auto before = queue_.NextDue();
      verdict = Requeue(queue_, *key, result, options_.jitter, random_, now);
      failures = queue_.failures(*key);
      queue_.Done(*key, now);
      idle_.Changed(before, queue_.NextDue());
      if (stopping_) ended_.NotifyAll();
    }
    Count(verdict);
    Log(*key, result, verdict, failures);
  }
}

ReconcileResult Controller::RunOne(const kube::ObjectKey& key) {
  const ReconcileContext context{stop_.get_token(), clock_.Now() + options_.timeout};
  // A bug in the work on one cluster must not end the work on all.
  try {
    return reconciler_.Reconcile(key, context);
  } catch (const std::exception& exception) {
    metrics_.Add(kPanics, {{"controller", options_.name}});
    return ReconcileResult::Failed(CaughtException(exception.what()));
  } catch (...) {
    metrics_.Add(kPanics, {{"controller", options_.name}});
    return ReconcileResult::Failed(CaughtException("of an unknown type"));
  }
}

void Controller::Count(Verdict verdict) {
  const Labels labels{{"controller", options_.name}};
  metrics_.Add(kTotal,
               {{"controller", options_.name}, {"result", std::string(ResultLabel(verdict))}});
  if (verdict == Verdict::kRetry || verdict == Verdict::kGaveUp) metrics_.Add(kErrors, labels);
  if (verdict == Verdict::kGaveUp) metrics_.Add(kTerminalErrors, labels);
}

void Controller::Log(const kube::ObjectKey& key, const ReconcileResult& result, Verdict verdict,
                     int failures) {
  if (verdict == Verdict::kRetry) {
    logger_.Warn("reconcile failed", {{"cluster", key.ToString()},
                                      {"error", result.error->message},
                                      {"kind", base::Name(result.error->kind)},
                                      {"failures", failures}});
  } else if (verdict == Verdict::kGaveUp) {
    logger_.Error("reconcile failed for good", {{"cluster", key.ToString()},
                                                {"error", result.error->message},
                                                {"kind", base::Name(result.error->kind)}});
  }
}

bool Controller::WaitIdle(base::TimePoint until) {
  base::MutexLock lock(mutex_);
  while (queue_.working() > 0 && clock_.Now() < until) ended_.WaitUntil(mutex_, until);
  return queue_.working() == 0;
}

bool Controller::Stop(base::Duration grace, base::Duration after_cancel) {
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
    queue_.Close();
    idle_.WakeAll();
  }
  if (grace > base::Duration::zero() && WaitIdle(clock_.Now() + grace)) return true;
  stop_.request_stop();
  return WaitIdle(clock_.Now() + after_cancel);
}

void Controller::UpdateMetrics() {
  base::MutexLock lock(mutex_);
  queue_.UpdateMetrics(clock_.Now());
  metrics_.Set(kActiveWorkers, {{"controller", options_.name}},
               static_cast<double>(queue_.working()));
}

}  // namespace rabbit::runtime
