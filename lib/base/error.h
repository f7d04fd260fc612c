// lib/base/error.h: errors as values. Result<T> is what every fallible function returns.
// The kind names the reaction, not the cause; each layer adds what it was doing with Wrap().
// Values: copyable, no thread affinity. Texts never hold a secret (see base/secret.h).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace rabbit::base {

enum class ErrorKind {
  kRetry,      // the network, a deadline, a 5xx: try again later, with back-off
  kThrottled,  // 429, or 503 with Retry-After: wait for retry_after first
  kConflict,   // 409 Conflict: our view is stale; read again, then decide again
  kExists,     // 409 AlreadyExists: somebody was there first
  kGone,       // 410: a resourceVersion is too old; list again
  kNotFound,   // 404: the object, the resource or the vhost is not there
  kInvalid,  // 400, 405, 415, 422: the same request fails for ever; a person or a change must help
  kDenied,   // 401, 403: credentials or rights are missing
  kCancelled,  // a stop was requested: not a failure, leave quietly
  kInternal,   // an answer that makes no sense, or a bug of ours
};

// Whether the request that failed may have had an effect. kMaybe and kYes forbid blind repetition
// of what is not idempotent.
enum class Sent { kNo, kMaybe, kYes };

struct Error {
  ErrorKind kind = ErrorKind::kInternal;
  std::string message;  // "context: context: what happened"
  int http_status = 0;  // 0: no HTTP answer
  std::string reason;   // the Status reason of Kubernetes ("Expired"), or the broker's
  std::optional<std::chrono::seconds> retry_after;  // as the server asked
  Sent sent = Sent::kNo;

  bool operator==(const Error&) const = default;
};

template <typename T>
using Result = tl::expected<T, Error>;

[[nodiscard]] tl::unexpected<Error> Fail(ErrorKind kind, std::string message);

// The error with "`context`: " in front of its message.
[[nodiscard]] Error Wrap(Error error, std::string_view context);
[[nodiscard]] tl::unexpected<Error> FailWrapped(Error error, std::string_view context);

// "Retry", "NotFound" …: for logs and metrics labels.
[[nodiscard]] std::string_view Name(ErrorKind kind);

}  // namespace rabbit::base
