#include "operator/commands/refusals.h"

#include "http/transport.h"

namespace rabbit::commands {

bool IsRefusal(const base::Error& error) {
  using base::ErrorKind;
  // A path that every API server has is not found, or takes no such request.
  const bool no_api_server = (error.kind == ErrorKind::kNotFound ||
                              error.kind == ErrorKind::kInvalid) &&
                             error.http_status != 0;
  return error.kind == ErrorKind::kDenied || no_api_server ||
         error.reason == http::kReasonUntrusted;
}

bool Refusals::IsFinal(const base::Error& error, base::TimePoint now) {
  if (!IsRefusal(error)) {
    since_.reset();
    return false;
  }
  if (!since_) since_ = now;
  return now - *since_ >= kFinalAfter;
}

}  // namespace rabbit::commands
