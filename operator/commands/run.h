// operator/commands/run.h: `rabbit-operator run`: puts all parts together, starts them in order,
// and stops them in order when a signal comes or the lease is lost.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "operator/commands/options.h"

namespace rabbit::commands {

// Why a wrong set-up ends the process: bad flags, kubeconfig, rights.
inline constexpr int kExitUsage = 2;
// The lease was lost, or something could not be stopped in time: to be started again.
inline constexpr int kExitAgain = 1;

// Reads one environment variable.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// Runs until SIGTERM or SIGINT, or until the lease is lost. The exit code. To be called on the main
// thread, before any other thread was started: it blocks the signals that it waits for.
int Run(const RunOptions& options, const Environment& environment);

}  // namespace rabbit::commands
