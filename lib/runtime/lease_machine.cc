#include "runtime/lease_machine.h"

#include <algorithm>
#include <utility>

namespace rabbit::runtime {

using enum LeaseMachine::State;
using enum LeaseCall::Kind;

base::Result<void> Validate(const LeaseTiming& timing) {
  const auto refuse = [](const char* rule) { return base::Fail(base::ErrorKind::kInvalid, rule); };
  if (timing.retry <= base::Duration::zero()) return refuse("the retry period must be positive");
  // Retries are jittered by up to a fifth; one at least must fit.
  if (timing.renew <= timing.retry + timing.retry / 5) {
    return refuse("the renew deadline must be longer than 1.2 times the retry period");
  }
  if (timing.lease <= timing.renew) {
    return refuse("the lease duration must be longer than the renew deadline");
  }
  if (timing.lease != std::chrono::floor<std::chrono::seconds>(timing.lease)) {
    return refuse("the lease duration must be in whole seconds");
  }
  return {};
}

LeaseMachine::LeaseMachine(std::string identity, LeaseTiming timing)
    : identity_(std::move(identity)), timing_(timing) {}

std::optional<LeaseCall> LeaseMachine::Next(base::TimePoint now, base::WallTime wall) {
  if (state_ == kLost || state_ == kReleased) return std::nullopt;
  if (state_ == kLeading && now >= leading_until_) {
    Lose("not renewed in time");
    return std::nullopt;
  }
  if (now < due_) return std::nullopt;
  LeaseCall call;
  call.kind = next_;
  // Half of the renew deadline, so that one hanging call leaves time for another.
  call.deadline = now + timing_.renew / 2;
  if (state_ == kLeading) call.deadline = std::min(call.deadline, leading_until_);
  if (call.kind != kRead) call.record = Ours(wall);
  return call;
}

LeaseRecord LeaseMachine::Ours(base::WallTime wall) const {
  LeaseRecord ours = record_;
  ours.renew_time = base::FormatMicroTime(wall);
  if (releasing_) {
    ours.holder.clear();
    ours.duration = std::chrono::seconds(1);
    return ours;
  }
  ours.holder = identity_;
  ours.duration = std::chrono::duration_cast<std::chrono::seconds>(timing_.lease);
  if (record_.holder != identity_) {
    ours.acquire_time = ours.renew_time;
    // A Lease that was just made has had no holder before.
    if (next_ == kReplace) ++ours.transitions;
  }
  return ours;
}

void LeaseMachine::OnOutcome(const LeaseCall& call, const base::Result<LeaseRecord>& outcome,
                             base::TimePoint sent, base::TimePoint now) {
  if (state_ == kLost || state_ == kReleased) return;
  if (call.kind == kRead) {
    OnRead(outcome, now);
  } else {
    OnWritten(outcome, sent, now);
  }
}

void LeaseMachine::OnRead(const base::Result<LeaseRecord>& outcome, base::TimePoint now) {
  due_ = now;
  if (!outcome && outcome.error().kind == base::ErrorKind::kNotFound) {
    if (state_ == kLeading) return Lose("the Lease was deleted");
    record_ = {};
    next_ = kCreate;
    return;
  }
  if (!outcome) {
    due_ = now + timing_.retry;
    return;
  }
  See(*outcome, now);
  if (state_ == kLeading && record_.holder != identity_) {
    return Lose("the Lease was taken by " + record_.holder);
  }
  if (IsFree(now)) {
    next_ = kReplace;
  } else {
    due_ = std::min(now + timing_.retry, RunsOut());
  }
}

void LeaseMachine::OnWritten(const base::Result<LeaseRecord>& outcome, base::TimePoint sent,
                             base::TimePoint now) {
  if (outcome) {
    See(*outcome, now);
    if (releasing_) {
      state_ = kReleased;
      leading_until_ = {};
      return;
    }
    state_ = kLeading;
    leading_until_ = sent + timing_.renew;
    next_ = kReplace;
    due_ = sent + timing_.retry;
    return;
  }
  const base::ErrorKind kind = outcome.error().kind;
  if (state_ == kFollowing) {
    next_ = kRead;
    due_ = now + timing_.retry;
  } else if (kind == base::ErrorKind::kNotFound) {
    // Whoever comes first makes a new one, and has to wait for nobody.
    Lose("the Lease was deleted");
  } else if (kind == base::ErrorKind::kConflict) {
    // Another leader, a Lease that was deleted, or our own write of before whose answer was lost:
    // the record tells.
    next_ = kRead;
    due_ = now;
  } else {
    due_ = now + timing_.retry;
  }
}

void LeaseMachine::See(const LeaseRecord& record, base::TimePoint now) {
  // A change of labels is none of the holder's, so the version does not count.
  LeaseRecord before = record_;
  before.resource_version = record.resource_version;
  const bool never_seen = record_.resource_version.empty();
  if (never_seen || before != record) changed_at_ = now;
  record_ = record;
}

bool LeaseMachine::IsFree(base::TimePoint now) const {
  if (record_.holder.empty() || record_.holder == identity_) return true;
  return now >= RunsOut();
}

base::TimePoint LeaseMachine::RunsOut() const {
  // A record without a duration comes from nobody that we know; ours is a careful guess.
  return changed_at_ + (record_.duration.count() > 0 ? record_.duration : timing_.lease);
}

void LeaseMachine::Release() {
  if (state_ == kFollowing) {
    state_ = kReleased;
  } else if (state_ == kLeading) {
    releasing_ = true;
    due_ = {};
  }
}

void LeaseMachine::Lose(std::string reason) {
  state_ = releasing_ ? kReleased : kLost;
  leading_until_ = {};
  reason_ = std::move(reason);
}

}  // namespace rabbit::runtime
