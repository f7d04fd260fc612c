// operator/commands/plan.h: `rabbit-operator plan`: what the operator would do, and why. The
// daemon's own Observe and MakePlan, once, with Execute left out: it talks through a transport that
// lets nothing through but GET and dry runs.
#pragma once

#include <cstdio>
#include <string>

#include "operator/commands/options.h"
#include "operator/commands/output.h"
#include "operator/commands/run.h"

namespace rabbit::commands {

// The exit code: print_plan.h. `terminal`: standard output is one. Colours are used there unless
// NO_COLOR is set, or TERM is "dumb". `input` is standard input, read when the file is "-".
[[nodiscard]] Output Plan(const PlanOptions& options, const Environment& environment, bool terminal,
                          std::FILE* input);

}  // namespace rabbit::commands
