// operator/commands/print_plan.h: a plan as text for people: what would be done, in order, and why.
// Pure. Never a secret: of each step only its description (plan::Describe) and its reason are
// printed.
#pragma once

#include <string>

#include "operator/api/types.h"
#include "operator/plan/plan.h"

namespace rabbit::commands {

// Several lines, the last one ended. Nothing but "nothing to do" when there is nothing to say.
[[nodiscard]] std::string PrintPlan(const api::RabbitCluster& cluster, const plan::Plan& plan);

}  // namespace rabbit::commands
