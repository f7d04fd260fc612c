// operator/commands/options.h: what the command line says. Plain values, parsed by
// ParseCommandLine.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "operator/api/settings.h"
#include "runtime/lease_machine.h"

namespace rabbit::commands {

struct RunOptions {
  std::string kubeconfig;  // file; empty: $KUBECONFIG is not read, the pod's service account is
  std::string context;     // of the kubeconfig; empty: its current one
  std::string ns;          // the one namespace to watch; empty: all
  Settings settings;
  std::string http_address = "0.0.0.0";  // of health and metrics
  std::uint16_t http_port = 8080;        // 0: any free one
  std::size_t workers = 8;
  int pollers = 4;
  double looks_per_second = 20;
  bool leader_election = true;
  std::string lease_namespace;  // empty: that of the pod
  std::string lease_name = "rabbit-operator";
  runtime::LeaseTiming lease;
  // No flags: how long an API server that refuses may be one that is just starting, and for how
  // long copies are good that cannot be brought up to date.
  base::Duration refusal_final_after = std::chrono::seconds(5);
  base::Duration copies_good_for = std::chrono::seconds(10);
  base::LogLevel log_level = base::LogLevel::kInfo;
  base::LogFormat log_format = base::LogFormat::kText;
};

struct PlanOptions {
  std::string kubeconfig, context;  // as kubectl; empty: as it finds them (LoadUserConfig)
  std::string ns;                   // empty: the context's
  std::string name;                 // of the RabbitCluster; empty: those of the file
  std::string file;                 // "-": standard input; empty: the cluster as it stands
  bool json = false;
  Settings settings;  // must be the daemon's, or the plan is another's
};

struct ImportOptions {
  std::string from;           // URL of a management API
  std::string username;       // empty: see operator/commands/import.h
  std::string password_file;  // empty: likewise
  std::string ca_file;        // empty: for http only
  std::string name, ns;       // of the RabbitCluster; empty: made up, and none
};

// Of what is asked of one cluster: status, events, pause, resume, manage.
struct ClusterOptions {
  std::string kubeconfig, context;  // as kubectl; empty: as it finds them (LoadUserConfig)
  std::string ns;                   // empty: the context's
  std::string name;                 // of the RabbitCluster
  bool json = false;                // status
  bool show_password = false;       // manage
  std::uint16_t port = 0;           // manage; 0: any free one
};

enum class Command {
  kRun,
  kPlan,
  kStatus,
  kEvents,
  kPause,
  kResume,
  kManage,
  kImport,
  kCrd,
  kVersion
};

struct CommandLine {
  Command command = Command::kRun;
  RunOptions run;
  PlanOptions plan;
  ClusterOptions cluster;
  ImportOptions import;
  // Set when nothing is to be run: the text of --help, or why the command line is refused; one line
  // for a refusal.
  std::optional<std::string> text;
  int exit_code = 0;  // with `text`: 0 for help, 2 for a refusal
};

// `arguments` without the program's name, `program` as help is to say it.
[[nodiscard]] CommandLine ParseCommandLine(const std::vector<std::string>& arguments,
                                           const std::string& program = "rabbit-operator");

// What a person typed to run this: "kubectl rabbit" when it goes by the name under which kubectl
// finds it, kubectl-rabbit. `path`: of the program, or how it was called.
[[nodiscard]] std::string ProgramName(std::string_view path);

}  // namespace rabbit::commands
