// lib/runtime/lease_machine.h: who leads, decided. Leader election on a Lease by the rules that
// client-go follows, so that it can share a Lease with any other candidate.
// Pure: no thread, no I/O; time is an argument. Elector (runtime/elector.h) makes the calls.
//
// Only the local clock counts: a holder is taken for dead when its record has not changed for the
// record's duration since *we* first saw it; the times within it are for people. We lead from the
// moment at which a write was *sent* that the server accepted, for the renew deadline; it is
// shorter than the lease, so that we cease before anybody may begin.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"

namespace rabbit::runtime {

struct LeaseTiming {
  base::Duration lease = std::chrono::seconds(15);  // how long others wait for us
  base::Duration renew = std::chrono::seconds(10);  // without a renewal we cease to lead
  base::Duration retry = std::chrono::seconds(2);   // between two tries
};
// kInvalid unless lease > renew > 1.2 x retry > 0, and lease is in whole seconds.
[[nodiscard]] base::Result<void> Validate(const LeaseTiming& timing);

// spec of a Lease, and its version.
struct LeaseRecord {
  std::string holder;  // empty: free
  std::chrono::seconds duration{0};
  std::string acquire_time, renew_time;  // RFC 3339
  int transitions = 0;
  std::string resource_version;

  bool operator==(const LeaseRecord&) const = default;
};

struct LeaseCall {
  enum class Kind { kRead, kCreate, kReplace };
  Kind kind = Kind::kRead;
  LeaseRecord record;        // to write
  base::TimePoint deadline;  // of the call

  bool operator==(const LeaseCall&) const = default;
};

class LeaseMachine {
 public:
  // kLost and kReleased are final.
  enum class State { kFollowing, kLeading, kLost, kReleased };

  // `identity` is unique to this process. `timing` is valid.
  LeaseMachine(std::string identity, LeaseTiming timing);

  // The call to make now; its outcome goes to OnOutcome() before the next call of Next(). Nothing:
  // ask again at due().
  [[nodiscard]] std::optional<LeaseCall> Next(base::TimePoint now, base::WallTime wall);

  // What became of `call`, sent at `sent`: the record as the server now has it. kNotFound of a read
  // means that there is no Lease.
  void OnOutcome(const LeaseCall& call, const base::Result<LeaseRecord>& outcome,
                 base::TimePoint sent, base::TimePoint now);

  // From now on gives up leadership: Next() writes an empty holder, so that the next leader need
  // not wait. To be called when nothing of ours writes any more.
  void Release();

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] base::TimePoint due() const { return due_; }
  // Leading: writes may begin before this.
  [[nodiscard]] base::TimePoint leading_until() const { return leading_until_; }
  [[nodiscard]] const std::string& holder() const { return record_.holder; }  // as last seen
  [[nodiscard]] const std::string& reason() const { return reason_; }         // of kLost

 private:
  void OnRead(const base::Result<LeaseRecord>& outcome, base::TimePoint now);
  void OnWritten(const base::Result<LeaseRecord>& outcome, base::TimePoint sent,
                 base::TimePoint now);
  void See(const LeaseRecord& record, base::TimePoint now);
  void Lose(std::string reason);
  [[nodiscard]] bool IsFree(base::TimePoint now) const;
  [[nodiscard]] base::TimePoint RunsOut() const;  // of a record that does not change
  [[nodiscard]] LeaseRecord Ours(base::WallTime wall) const;

  const std::string identity_;
  const LeaseTiming timing_;
  State state_ = State::kFollowing;
  bool releasing_ = false;
  LeaseCall::Kind next_ = LeaseCall::Kind::kRead;
  base::TimePoint due_{};         // of next_
  LeaseRecord record_;            // as last seen
  base::TimePoint changed_at_{};  // when record_ was first seen so
  base::TimePoint leading_until_{};
  std::string reason_;
};

}  // namespace rabbit::runtime
