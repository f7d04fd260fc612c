// The command `rabbit-operator`. What reads the environment and the command line is here;
// everything else gets it handed down.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "operator/api/crd_text.h"
#include "operator/commands/cluster_commands.h"
#include "operator/commands/import.h"
#include "operator/commands/options.h"
#include "operator/commands/plan.h"
#include "operator/commands/run.h"
#include "operator/version.h"

namespace {

std::optional<std::string> Lookup(const std::string& name) {
  const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): nobody sets any
  if (value == nullptr) return std::nullopt;
  return value;
}

int Print(std::string_view text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  using rabbit::commands::Command;
  const rabbit::commands::CommandLine line =
      rabbit::commands::ParseCommandLine(std::vector<std::string>(argv + 1, argv + argc),
                                         rabbit::commands::ProgramName(argc > 0 ? argv[0] : ""));
  if (line.text) {
    if (line.exit_code == 0) return Print(*line.text);
    std::fprintf(stderr, "rabbit-operator: %s\n", line.text->c_str());
    return line.exit_code;
  }
  switch (line.command) {
    case Command::kCrd:
      return Print(rabbit::api::CrdText());
    case Command::kVersion:
      return Print("rabbit-operator " + std::string(rabbit::Version()) + "\n");
    case Command::kPlan: {
      std::signal(SIGPIPE, SIG_IGN);
      const rabbit::commands::Output output =
          rabbit::commands::Plan(line.plan, Lookup, isatty(STDOUT_FILENO) == 1, stdin);
      std::fputs(output.error.c_str(), stderr);
      return Print(output.out) == 0 ? output.exit_code : rabbit::commands::kExitUsage;
    }
    case Command::kStatus:
    case Command::kEvents:
    case Command::kPause:
    case Command::kResume: {
      std::signal(SIGPIPE, SIG_IGN);
      const rabbit::commands::Output output =
          rabbit::commands::ClusterCommand(line.command, line.cluster, Lookup);
      std::fputs(output.error.c_str(), stderr);
      return Print(output.out) == 0 ? output.exit_code : rabbit::commands::kExitUsage;
    }
    case Command::kManage:
      return rabbit::commands::ManageUntilSignal(line.cluster, Lookup);
    case Command::kImport:
      return rabbit::commands::Import(line.import, Lookup);
    case Command::kRun:
      return rabbit::commands::Run(line.run, Lookup);
  }
  return rabbit::commands::kExitUsage;
}
