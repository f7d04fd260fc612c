// operator/commands/denials.h: whether a denial of the API server is to be believed at our start.
// One that is just starting itself denies what it will grant a moment later, because its rules and
// accounts are not read in yet; so only a denial that lasts is final.
#pragma once

#include <chrono>
#include <optional>

#include "base/clock.h"
#include "base/error.h"

namespace rabbit::commands {

// Not thread-safe.
class Denials {
 public:
  static constexpr std::chrono::seconds kFinalAfter{5};

  // What an attempt came to. True: a denial, and so was each one since kFinalAfter ago.
  [[nodiscard]] bool IsFinal(const base::Error& error, base::TimePoint now);

 private:
  std::optional<base::TimePoint> since_;
};

}  // namespace rabbit::commands
