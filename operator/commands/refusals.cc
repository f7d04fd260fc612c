#include "operator/commands/refusals.h"

#include "http/transport.h"

namespace rabbit::commands {

bool IsRefusal(const base::Error& error) {
  switch (error.kind) {
    case base::ErrorKind::kDenied:
    case base::ErrorKind::kInternal:  // no Status, no JSON, a redirect
      return true;
    case base::ErrorKind::kNotFound:  // a path that every API server has
    case base::ErrorKind::kInvalid:
      return error.http_status != 0;
    default:
      return error.reason == http::kReasonTls;
  }
}

bool Refusals::IsFinal(const base::Error& error, base::TimePoint now) {
  if (!IsRefusal(error)) {
    since_.reset();
    return false;
  }
  if (!since_) since_ = now;
  return now - *since_ >= final_after_;
}

}  // namespace rabbit::commands
