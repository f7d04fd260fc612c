#include "operator/plan/attempts.h"

#include <algorithm>

namespace rabbit::plan {

const observe::Attempt* FindAttempt(const observe::Observation& seen, std::string_view what,
                                    std::string_view digest) {
  const auto found = seen.attempts.find(std::string(what));
  return found == seen.attempts.end() || found->second.digest != digest ? nullptr : &found->second;
}

base::TimePoint TriedAgainAt(const observe::Attempt& failed) {
  constexpr std::chrono::seconds kFirst(10);
  constexpr std::chrono::minutes kLongest(10);
  std::chrono::seconds pause = kFirst;
  for (int i = 1; i < failed.failures && pause < kLongest; ++i) pause *= 3;
  return failed.at + std::min<base::Duration>(pause, kLongest);
}

}  // namespace rabbit::plan
