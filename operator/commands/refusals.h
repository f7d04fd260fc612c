// operator/commands/refusals.h: whether what the API server answers at our start is to be believed.
// One that is just starting itself denies what it will grant a moment later, because its rules and
// accounts are not read in yet, and a proxy before it may answer in its place; so only a refusal
// that lasts is final. One that does not answer is none: it is waited for.
#pragma once

#include <optional>

#include "base/clock.h"
#include "base/error.h"

namespace rabbit::commands {

// Not thread-safe.
class Refusals {
 public:
  explicit Refusals(base::Duration final_after) : final_after_(final_after) {}

  // What an attempt came to. True: it was refused, and so was each one since `final_after` ago.
  [[nodiscard]] bool IsFinal(const base::Error& error, base::TimePoint now);

 private:
  const base::Duration final_after_;
  std::optional<base::TimePoint> since_;
};

// Credentials or rights that it does not accept, TLS that does not come about, or the answers of
// something that is no API server: a person must change the configuration.
[[nodiscard]] bool IsRefusal(const base::Error& error);

}  // namespace rabbit::commands
