// operator/commands/cluster_commands.h: what a person asks of one cluster, as `kubectl rabbit …`:
// status, events, pause, resume, manage. They need no more than the API server.
#pragma once

#include <functional>
#include <string>

#include "operator/commands/options.h"
#include "operator/commands/output.h"
#include "operator/commands/run.h"

namespace rabbit::commands {

// All but manage. An error is one line, with exit code 2.
[[nodiscard]] Output ClusterCommand(Command command, const ClusterOptions& options,
                                    const Environment& environment);

// Forwards a port of this machine to the management of a node that runs, through the API server,
// and tells `say` where and as whom to log in: the password only when it is asked for. Returns when
// `wait` does.
[[nodiscard]] Output Manage(const ClusterOptions& options, const Environment& environment,
                            const std::function<void(const std::string& text)>& say,
                            const std::function<void()>& wait);

// Until SIGINT or SIGTERM.
int ManageUntilSignal(const ClusterOptions& options, const Environment& environment);

}  // namespace rabbit::commands
