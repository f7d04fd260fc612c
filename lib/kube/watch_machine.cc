#include "kube/watch_machine.h"

#include <algorithm>
#include <string_view>

#include "kube/status.h"

namespace rabbit::kube {
namespace {

using base::Error;
using base::ErrorKind;

constexpr std::chrono::seconds kShort{1};
constexpr std::chrono::minutes kLongestRetryAfter{5};

bool IsTooLargeVersion(const Error& error) {
  // Servers before 1.17 have no cause for it.
  return error.reason == kReasonTooLargeResourceVersion ||
         error.message.find("Too large resource version") != std::string::npos;
}

// No answer at all: refused, reset, a deadline.
bool IsNetwork(const Error& error) {
  return error.kind == ErrorKind::kRetry && error.http_status == 0;
}

}  // namespace

WatchMachine::WatchMachine(const WatchSettings& settings, base::Random& random)
    : settings_(settings), random_(random), backoff_(settings.first_backoff) {}

WatchCall WatchMachine::Next(base::TimePoint now) {
  if (wait_until_ && now < *wait_until_) {
    return {.kind = WatchCall::Kind::kWait, .until = *wait_until_};
  }
  wait_until_.reset();
  if (state_ == State::kWatching) {
    if (!timeout_) {
      // At random, so that not all watches of a restarted server come back at the same time.
      timeout_ = std::chrono::duration_cast<std::chrono::seconds>(
          base::Jitter(random_, settings_.watch_timeout, 1.0));
    }
    return {.kind = WatchCall::Kind::kWatch, .resource_version = version_, .timeout = *timeout_};
  }
  WatchCall call{
      .kind = WatchCall::Kind::kList, .continue_token = continue_, .limit = settings_.page_size};
  if (!continue_.empty()) return call;
  if (latest_) return call;
  if (version_.empty()) {
    // Any state will do: the server answers from its cache. The watch brings us up to date.
    call.resource_version.assign(1, '0');  // a literal trips g++ 12's -Wrestrict
  } else {
    call.resource_version = version_;
    // With a limit, older servers answer such a list from etcd instead of their cache.
    if (!paged_) call.limit = 0;
  }
  return call;
}

bool WatchMachine::OnPage(std::string resource_version, std::string continue_token,
                          base::TimePoint now) {
  if (resource_version.empty()) {
    OnListFailed({.kind = ErrorKind::kInternal, .message = "a list without resourceVersion"}, now);
    return false;
  }
  if (!continue_token.empty()) {
    paged_ = true;
    continue_ = std::move(continue_token);
    return false;
  }
  version_ = std::move(resource_version);
  latest_ = tried_latest_ = false;
  continue_.clear();
  timeout_.reset();
  failures_500_ = 0;
  state_ = State::kWatching;
  return true;
}

void WatchMachine::OnListFailed(const Error& error, base::TimePoint now) {
  if (error.kind == ErrorKind::kCancelled) return;
  continue_.clear();
  if (error.kind == ErrorKind::kGone || IsTooLargeVersion(error)) {
    // The server has compacted what we ask for (or what the page before came from), or it has lost
    // its newest state. The latest state is always there, so ask for that at once; but once only,
    // or a server that always says so would be asked without a pause.
    latest_ = true;
    if (!tried_latest_) {
      tried_latest_ = true;
      return;
    }
  }
  tried_latest_ = false;
  BackOff(error, now);
}

void WatchMachine::OnOpened(base::TimePoint now) {
  opened_at_ = now;
  events_ = 0;
}

void WatchMachine::OnEvent(std::string resource_version) {
  ++events_;
  failures_500_ = 0;
  if (!resource_version.empty()) version_ = std::move(resource_version);
}

void WatchMachine::OnStreamEnd(const base::Result<void>& result, base::TimePoint now) {
  const bool opened = opened_at_.has_value();
  const base::Duration lasted = opened ? now - *opened_at_ : base::Duration::zero();
  opened_at_.reset();
  if (!result && result.error().kind == ErrorKind::kCancelled) return;
  const std::chrono::seconds timeout = timeout_.value_or(settings_.watch_timeout);
  timeout_.reset();

  // The way most watches end: the server's time is up, or the connection broke. Nothing is lost:
  // go on after the last version seen.
  if (opened && (result || IsNetwork(result.error()))) {
    if (events_ == 0 && lasted < kShort) {
      return RelistAfterBackoff(
          {.kind = ErrorKind::kRetry, .message = "the watch ended at once without an event"}, now);
    }
    failures_500_ = 0;
    if (events_ == 0 && lasted * 10 >= timeout * 9) {
      // Not in client-go: a server that was restored from a backup accepts a watch after a version
      // that it has not reached yet, and is silent until it has. Bookmarks come once a minute, so
      // silence over the whole time is suspicious; a list at that version tells (504) or is cheap.
      state_ = State::kListing;
    }
    return;
  }
  if (result) return;  // no head, no error: cannot be; watch again
  const Error& error = result.error();
  switch (error.kind) {
    case ErrorKind::kThrottled:
      // The server is busy: a list would make it worse, and the version is still good.
      return BackOff(error, now);
    case ErrorKind::kRetry:
      if (IsNetwork(error)) return BackOff(error, now);
      if (++failures_500_ <= settings_.retries_of_500) return BackOff(error, now);
      return RelistAfterBackoff(error, now);
    default:
      // kGone is here too. The list asks for at least the version that the watch could not start
      // from, so the copy never goes back in time.
      return RelistAfterBackoff(error, now);
  }
}

void WatchMachine::RelistAfterBackoff(const Error& error, base::TimePoint now) {
  state_ = State::kListing;
  failures_500_ = 0;
  BackOff(error, now);
}

void WatchMachine::BackOff(const Error& error, base::TimePoint now) {
  if (backed_off_at_ && now - *backed_off_at_ > settings_.quiet) {
    backoff_ = settings_.first_backoff;
  }
  base::Duration delay = base::Jitter(random_, backoff_, 1.0);
  if (error.retry_after) {
    delay = std::max<base::Duration>(
        delay, std::min<base::Duration>(*error.retry_after, kLongestRetryAfter));
  }
  backoff_ = std::min(backoff_ * 2, settings_.longest_backoff);
  backed_off_at_ = now;
  wait_until_ = now + delay;
}

}  // namespace rabbit::kube
