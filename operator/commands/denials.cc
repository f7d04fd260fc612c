#include "operator/commands/denials.h"

namespace rabbit::commands {

bool Denials::IsFinal(const base::Error& error, base::TimePoint now) {
  if (error.kind != base::ErrorKind::kDenied) {
    since_.reset();
    return false;
  }
  if (!since_) since_ = now;
  return now - *since_ >= kFinalAfter;
}

}  // namespace rabbit::commands
