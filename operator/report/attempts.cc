#include "operator/report/attempts.h"

#include <algorithm>

#include "operator/plan/words.h"

namespace rabbit::report {
namespace {

constexpr std::chrono::hours kForgottenAfter(1);
constexpr std::size_t kLongestTrouble = 5'000;  // plugins that are missing, with their names

}  // namespace

void RememberAttempts(const plan::Plan& plan, const std::vector<StepResult>& results,
                      base::TimePoint now, std::map<std::string, observe::Attempt>& attempts) {
  for (std::size_t i = 0; i < std::min(plan.steps.size(), results.size()); ++i) {
    const plan::Step& step = plan.steps[i];
    const StepResult& result = results[i];
    if (step.attempt.empty() || result.outcome == StepResult::Outcome::kSkipped) continue;
    observe::Attempt& attempt = attempts[step.attempt];
    const bool failed = result.outcome == StepResult::Outcome::kFailed;
    const int before = attempt.digest == step.attempt_digest ? attempt.failures : 0;
    attempt = {
        .digest = step.attempt_digest,
        .at = now,
        .failures = failed ? before + 1 : 0,
        .trouble = {},
        .refused = failed && result.error && result.error->kind == base::ErrorKind::kInvalid};
    if (failed) {
      attempt.trouble = result.error ? plan::Shortened(result.error->message, kLongestTrouble)
                                     : std::string("it failed");
    }
  }
  for (const std::string& settled : plan.settled_attempts) attempts.erase(settled);
  std::erase_if(attempts, [&](const auto& one) {
    return one.second.failures == 0 && now - one.second.at > kForgottenAfter;
  });
}

}  // namespace rabbit::report
