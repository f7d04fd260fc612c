#include "base/error.h"

#include <utility>

namespace rabbit::base {

tl::unexpected<Error> Fail(ErrorKind kind, std::string message) {
  Error error;
  error.kind = kind;
  error.message = std::move(message);
  return tl::unexpected<Error>(std::move(error));
}

Error Wrap(Error error, std::string_view context) {
  error.message = std::string(context) + ": " + error.message;
  return error;
}

tl::unexpected<Error> FailWrapped(Error error, std::string_view context) {
  return tl::unexpected<Error>(Wrap(std::move(error), context));
}

std::string_view Name(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kRetry:
      return "Retry";
    case ErrorKind::kThrottled:
      return "Throttled";
    case ErrorKind::kConflict:
      return "Conflict";
    case ErrorKind::kExists:
      return "Exists";
    case ErrorKind::kGone:
      return "Gone";
    case ErrorKind::kNotFound:
      return "NotFound";
    case ErrorKind::kInvalid:
      return "Invalid";
    case ErrorKind::kDenied:
      return "Denied";
    case ErrorKind::kCancelled:
      return "Cancelled";
    case ErrorKind::kInternal:
      return "Internal";
  }
  return "Unknown";
}

}  // namespace rabbit::base
