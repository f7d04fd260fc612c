#include "operator/report/attempts.h"

#include <algorithm>

#include "operator/plan/attempts.h"
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
    std::string trouble;
    bool refused = false;
    if (result.outcome == StepResult::Outcome::kFailed) {
      trouble = result.error ? plan::Shortened(result.error->message, kLongestTrouble) : "";
      if (trouble.empty()) trouble = "it failed";
      refused = result.error && result.error->kind == base::ErrorKind::kInvalid;
    }
    plan::RememberAttempt(step, trouble, now, attempts, refused);
  }
  for (const std::string& settled : plan.settled_attempts) attempts.erase(settled);
  std::erase_if(attempts, [&](const auto& one) {
    return !one.second.failed() && now - one.second.at > kForgottenAfter;
  });
}

}  // namespace rabbit::report
