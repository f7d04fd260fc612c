#include "http/call.h"

#include <algorithm>
#include <utility>

namespace rabbit::http {

using base::MutexLock;
using base::Sent;

void Call::OnUpload() {
  // Nobody is woken: whoever waits for the connection looks here when its time is up.
  const MutexLock lock(mutex_);
  uploading_ = true;
}

void Call::OnHead(ResponseHead head) {
  const MutexLock lock(mutex_);
  head_ = std::move(head);
  if (WorthWaking()) changed_.NotifyAll();
}

bool Call::OnData(std::string_view data, std::function<void(bool)> taken) {
  {
    const MutexLock lock(mutex_);
    if (!given_up_) {
      const bool fits = buffered_.size() + data.size() <= kMaxBuffered;
      if (fits) {
        buffered_ += data;
      } else {
        held_ = HeldData{data, std::move(taken)};
      }
      if (WorthWaking()) changed_.NotifyAll();
      return fits;
    }
  }
  taken(false);
  return false;
}

void Call::OnEnd(std::optional<Failure> failure) {
  const MutexLock lock(mutex_);
  ended_ = true;
  failure_ = std::move(failure);
  changed_.NotifyAll();
}

void Call::ReleaseHeldData() {
  std::optional<HeldData> held;
  {
    const MutexLock lock(mutex_);
    held = std::exchange(held_, std::nullopt);
  }
  if (held) held->taken(false);
}

Call::Event Call::Wait(const CallOptions& options, base::TimePoint connect_deadline) {
  const MutexLock lock(mutex_);
  while (true) {
    if (options.stop.stop_requested()) return Event::kStopped;
    const base::TimePoint now = clock_.Now();
    if (now >= options.deadline) return Event::kDeadline;
    if (head_ && WorthWaking()) return Event::kHead;
    if (head_taken_ && (!buffered_.empty() || held_) && WorthWaking()) return Event::kData;
    if (ended_) return Event::kEnd;
    base::TimePoint until = options.deadline;
    if (!uploading_) {
      if (now >= connect_deadline) return Event::kConnectDeadline;
      until = std::min(until, connect_deadline);
    }
    changed_.WaitUntil(mutex_, options.stop, until);
  }
}

ResponseHead Call::TakeHead() {
  const MutexLock lock(mutex_);
  head_taken_ = true;
  return std::exchange(head_, std::nullopt).value_or(ResponseHead{});
}

base::Result<void> Call::GiveData(BodySink& sink) {
  std::string data;
  std::optional<HeldData> whole;   // given to the sink from where it lies
  std::optional<HeldData> copied;  // fits into the emptied buffer: reading goes on at once
  {
    const MutexLock lock(mutex_);
    std::swap(data, buffered_);
    if (held_ && !data.empty() && held_->data.size() <= kMaxBuffered) {
      buffered_ = held_->data;
      copied = std::exchange(held_, std::nullopt);
    } else if (data.empty()) {
      whole = std::exchange(held_, std::nullopt);
    }
  }
  if (copied) copied->taken(true);
  if (!whole) return data.empty() ? base::Result<void>() : sink.OnData(data);
  base::Result<void> given = sink.OnData(whole->data);
  whole->taken(given.has_value());
  return given;
}

bool Call::GiveUp() {
  const MutexLock lock(mutex_);
  given_up_ = true;
  return !ended_;
}

void Call::WaitForEnd(base::Duration at_most) {
  const base::TimePoint until = clock_.Now() + at_most;
  const MutexLock lock(mutex_);
  while (!ended_ && clock_.Now() < until) changed_.WaitUntil(mutex_, until);
}

Sent Call::sent() {
  const MutexLock lock(mutex_);
  if (head_ || head_taken_) return Sent::kYes;
  return uploading_ || (given_up_ && !ended_) ? Sent::kMaybe : Sent::kNo;
}

std::optional<Failure> Call::failure() {
  const MutexLock lock(mutex_);
  return failure_;
}

}  // namespace rabbit::http
