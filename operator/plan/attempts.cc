#include "operator/plan/attempts.h"

#include <algorithm>

namespace rabbit::plan {

const observe::Attempt* FindAttempt(const observe::Observation& seen, std::string_view what,
                                    std::string_view digest) {
  const auto found = seen.attempts.find(std::string(what));
  return found == seen.attempts.end() || found->second.digest != digest ? nullptr : &found->second;
}

base::TimePoint TriedAgainAt(const observe::Attempt& attempt) {
  constexpr std::chrono::seconds kFirst(10);
  constexpr std::chrono::minutes kLongest(10);
  std::chrono::seconds pause = kFirst;
  for (int i = 1; i < attempt.tries && pause < kLongest; ++i) pause *= 3;
  return attempt.at + std::min<base::Duration>(pause, kLongest);
}

void SettleAttempt(const observe::Observation& seen, const std::string& what, Plan& plan) {
  constexpr std::chrono::minutes kLasting(5);
  const auto found = seen.attempts.find(what);
  if (found == seen.attempts.end() || seen.broker.view == nullptr) return;
  if (seen.broker.at - found->second.at > kLasting) plan.settled_attempts.push_back(what);
}

void RememberAttempt(const Step& step, const std::string& trouble, base::TimePoint now,
                     std::map<std::string, observe::Attempt>& attempts, bool refused) {
  if (step.attempt.empty()) return;
  observe::Attempt& attempt = attempts[step.attempt];
  const bool same = attempt.digest == step.attempt_digest;
  attempt = {.digest = step.attempt_digest,
             .at = now,
             .tries = same ? attempt.tries + 1 : 1,
             .trouble = trouble,
             .refusals = !refused ? 0
                         : same   ? attempt.refusals + 1
                                  : 1};
}

}  // namespace rabbit::plan
