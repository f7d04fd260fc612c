// operator/commands/changes.h: what a step would change: old and new values, field by field for an
// object of Kubernetes, key by key at the broker. Pure. Never a secret: of passwords only that they
// change.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/plan/plan.h"

namespace rabbit::commands {

enum class Kind { kCreate, kChange, kDelete, kRun };

struct StepChanges {
  Kind kind = Kind::kChange;
  // "before" is what was seen. Of an object that is created or deleted nothing is listed, and
  // nothing of one whose text was not read.
  std::vector<base::Difference> changes;
};
[[nodiscard]] StepChanges ChangesOf(const plan::Step& step, const api::RabbitCluster& cluster,
                                    const observe::Observation& seen);

// What somebody declares in a RabbitCluster: labels, annotations (but kubectl's own note) and spec.
// Both are JSON texts of the whole object.
[[nodiscard]] std::vector<base::Difference> DeclaredDifferences(std::string_view before,
                                                                std::string_view after);

}  // namespace rabbit::commands
