// Whether this version of the operator acts on all that is declared.
#include "operator/plan/words.h"
#include "operator/report/conditions.h"

namespace rabbit::report {

using api::ConditionStatus;

Verdict JudgeFields(const Facts& facts) {
  if (auto verdict = NotJudged(facts)) return *verdict;
  const std::vector<std::string>& idle = facts.plan.fields_without_effect;
  if (idle.empty()) {
    return {ConditionStatus::kTrue, "AllInEffect", "the operator acts on all declared fields"};
  }
  return {.status = ConditionStatus::kFalse,
          .reason = "FieldsWithoutEffect",
          .message = plan::SayFieldsWithoutEffect(idle),
          .needs_person = true};
}

}  // namespace rabbit::report
