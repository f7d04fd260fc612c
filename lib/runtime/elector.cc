#include "runtime/elector.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "http/transport.h"
#include "runtime/lease_json.h"

namespace rabbit::runtime {
namespace {

constexpr GaugeFamily kMaster{"leader_election_master_status",
                              "1 while this process leads, 0 while it does not."};
constexpr CounterFamily kFailures{"rabbit_operator_leader_election_errors_total",
                                  "Calls about the Lease that failed."};

// A Lease is some 500 bytes.
constexpr std::size_t kMaxBody = 256 << 10;
// Between two tries to release; there are ten seconds or so in all.
constexpr std::chrono::milliseconds kReleaseRetry{500};

}  // namespace

Elector::Elector(kube::Client& client, Fence& fence, base::Clock& clock, base::Random& random,
                 Metrics& metrics, base::Logger& logger, ElectorOptions options,
                 Callbacks callbacks)
    : client_(client),
      fence_(fence),
      clock_(clock),
      random_(random),
      metrics_(metrics),
      logger_(logger),
      options_(std::move(options)),
      callbacks_(std::move(callbacks)),
      machine_(options_.identity, options_.timing) {
  if (!Validate(options_.timing)) std::abort();
  metrics_.Set(kMaster, {{"name", options_.lease.name}}, 0);
  metrics_.Add(kFailures, {}, 0);
}

Elector::~Elector() { Stop(); }

void Elector::Start() {
  if (thread_.joinable()) return;
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void Elector::Stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void Elector::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const base::TimePoint next = Step(stop);
    const auto state = machine_.state();
    if (state == LeaseMachine::State::kLost || state == LeaseMachine::State::kReleased) return;
    base::MutexLock lock(mutex_);
    while (!stop.stop_requested() && clock_.Now() < next) wake_.WaitUntil(mutex_, stop, next);
  }
}

base::TimePoint Elector::Step(const std::stop_token& stop) {
  const LeaseMachine::State before = machine_.state();
  if (const auto call = machine_.Next(clock_.Now(), clock_.WallNow())) {
    const base::TimePoint sent = clock_.Now();
    const base::Result<LeaseRecord> outcome = Call(*call, stop);
    if (!outcome && stop.stop_requested()) return clock_.Now();  // the thread leaves
    machine_.OnOutcome(*call, outcome, sent, clock_.Now());
    Note(*call, outcome);
    if (outcome && call->kind != LeaseCall::Kind::kRead) {
      renewed_at_.store(sent.time_since_epoch().count());
    }
  }
  Tell(before);
  switch (machine_.state()) {
    case LeaseMachine::State::kLeading:
      return std::min(machine_.due(), machine_.leading_until());
    case LeaseMachine::State::kFollowing: {
      // Candidates that started together must not stay in step.
      const base::TimePoint now = clock_.Now();
      const base::Duration wait = machine_.due() - now;
      return wait <= base::Duration::zero() ? now : now + base::Jitter(random_, wait, 0.2);
    }
    case LeaseMachine::State::kLost:
    case LeaseMachine::State::kReleased:
      break;
  }
  return base::TimePoint::max();
}

void Elector::Note(const LeaseCall& call, const base::Result<LeaseRecord>& outcome) {
  const auto failed_by = [&outcome](base::ErrorKind kind) {
    return !outcome && outcome.error().kind == kind;
  };
  // No Lease yet, and two who want the same: both are everyday. To whom would make a Lease 404 says
  // that its namespace is missing.
  if (failed_by(base::ErrorKind::kNotFound) && call.kind == LeaseCall::Kind::kRead) return;
  const bool went_well = outcome.has_value() || failed_by(base::ErrorKind::kConflict) ||
                         failed_by(base::ErrorKind::kExists);
  if (!went_well) {
    metrics_.Add(kFailures, {});
    logger_.Warn("lease call failed",
                 {{"lease", options_.lease.ToString()}, {"error", outcome.error().message}});
  }
  base::MutexLock lock(mutex_);
  failure_ = went_well ? "" : outcome.error().message;
  if (went_well) went_well_at_ = clock_.Now();
}

base::Result<LeaseRecord> Elector::Call(const LeaseCall& call, const std::stop_token& stop) {
  const http::CallOptions options{call.deadline, stop, kMaxBody};
  const auto make = [&]() -> base::Result<std::string> {
    switch (call.kind) {
      case LeaseCall::Kind::kRead:
        return client_.Get(kube::kLeases, options_.lease, options);
      case LeaseCall::Kind::kCreate:
        return client_.Create(kube::kLeases, options_.lease.ns,
                              NewLease(options_.lease, call.record), options);
      case LeaseCall::Kind::kReplace: {
        auto body = ChangedLease(body_, call.record);
        if (!body) return body;
        return client_.Replace(kube::kLeases, options_.lease, *body, options);
      }
    }
    return base::Fail(base::ErrorKind::kInternal, "unknown call");
  };
  auto body = make();
  if (!body) return tl::unexpected(std::move(body.error()));
  auto record = ParseLease(*body);
  if (record) body_ = std::move(*body);
  return record;
}

void Elector::Tell(LeaseMachine::State before) {
  const LeaseMachine::State now = machine_.state();
  const bool leads = now == LeaseMachine::State::kLeading;
  // The fence first: whoever hears of the loss finds it shut.
  if (leads) {
    fence_.OpenUntil(machine_.leading_until());
  } else if (before == LeaseMachine::State::kLeading) {
    fence_.Shut();
  }
  leading_.store(leads);
  metrics_.Set(kMaster, {{"name", options_.lease.name}}, leads ? 1 : 0);
  std::string holder;
  {
    base::MutexLock lock(mutex_);
    holder = std::exchange(holder_, machine_.holder());
  }
  if (holder != machine_.holder()) {
    logger_.Info("leader changed", {{"lease", options_.lease.ToString()},
                                    {"leader", machine_.holder()},
                                    {"self", machine_.holder() == options_.identity}});
  }
  if (now == before) return;
  if (leads && callbacks_.on_leading) callbacks_.on_leading();
  if (now == LeaseMachine::State::kLost) {
    logger_.Error("leadership lost",
                  {{"lease", options_.lease.ToString()}, {"reason", machine_.reason()}});
    if (callbacks_.on_lost) callbacks_.on_lost(machine_.reason());
  }
}

base::Result<void> Elector::Release(base::TimePoint deadline) {
  Stop();
  fence_.Shut();
  machine_.Release();
  base::Error last{base::ErrorKind::kRetry, "no time left"};
  while (machine_.state() == LeaseMachine::State::kLeading && clock_.Now() < deadline) {
    auto call = machine_.Next(clock_.Now(), clock_.WallNow());
    if (!call) {
      if (machine_.state() != LeaseMachine::State::kLeading) break;
      base::MutexLock lock(mutex_);
      wake_.WaitUntil(mutex_, std::min(clock_.Now() + kReleaseRetry, deadline));
      continue;
    }
    call->deadline = std::min(call->deadline, deadline);
    const base::TimePoint sent = clock_.Now();
    const auto outcome = Call(*call, {});
    if (!outcome) last = outcome.error();
    machine_.OnOutcome(*call, outcome, sent, clock_.Now());
  }
  leading_.store(false);
  metrics_.Set(kMaster, {{"name", options_.lease.name}}, 0);
  if (machine_.state() != LeaseMachine::State::kLeading) return {};
  return base::FailWrapped(std::move(last), "release Lease " + options_.lease.ToString());
}

std::optional<std::string> Elector::Unhealthy() const {
  if (!leading_.load()) return std::nullopt;
  const base::TimePoint renewed{base::Duration(renewed_at_.load())};
  if (clock_.Now() - renewed <= options_.timing.lease) return std::nullopt;
  return "the Lease was not renewed for its whole duration";
}

std::optional<std::string> Elector::Trouble() const {
  base::MutexLock lock(mutex_);
  if (failure_.empty()) return std::nullopt;
  if (went_well_at_ && clock_.Now() - *went_well_at_ <= options_.timing.renew) return std::nullopt;
  return failure_;
}

std::string Elector::holder() const {
  base::MutexLock lock(mutex_);
  return holder_;
}

}  // namespace rabbit::runtime
