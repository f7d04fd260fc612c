#include "operator/commands/options.h"

#include <arpa/inet.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "http/endpoint.h"
#include "operator/api/rules.h"

namespace rabbit::commands {
namespace {

// A check in our words: CLI11 puts the flag's name before them.
template <typename Holds>
CLI::Validator MustBe(std::string rule, Holds holds) {
  const auto check = [rule = std::move(rule), holds = std::move(holds)](std::string& text) {
    return holds(text) ? std::string() : "must be " + rule + ", is '" + text + "'";
  };
  return CLI::Validator(check, "");
}

std::string Shortest(double number) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%g", number);
  return text.data();
}

// Unlike CLI::Range it refuses what is no number at all ("nan").
CLI::Validator NumberFromTo(double low, double high) {
  const std::string range = Shortest(low) + " to " + Shortest(high);
  const auto check = [=](std::string& text) {
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    const bool good = error == std::errc() && stop == end && number >= low && number <= high;
    return good ? std::string() : "must be a number from " + range + ", is '" + text + "'";
  };
  return CLI::Validator(check, range);
}

bool IsDnsLabel(std::string_view text) {
  const auto is_letter_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  };
  return !text.empty() && text.size() <= 63 && is_letter_or_digit(text.front()) &&
         is_letter_or_digit(text.back()) &&
         std::ranges::all_of(text, [&](char c) { return c == '-' || is_letter_or_digit(c); });
}

bool IsClusterName(const std::string& text) {
  return IsDnsLabel(text) && text.size() <= 47 && text.front() >= 'a';
}

bool IsNamespace(const std::string& text) { return IsDnsLabel(text); }

bool IsDnsName(const std::string& text) {
  if (text.size() > 253) return false;
  std::string_view rest = text;
  for (std::size_t dot = rest.find('.'); dot != std::string_view::npos; dot = rest.find('.')) {
    if (!IsDnsLabel(rest.substr(0, dot))) return false;
    rest.remove_prefix(dot + 1);
  }
  return IsDnsLabel(rest);
}

bool IsIpAddress(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return inet_pton(AF_INET, text.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), address.data()) == 1;
}

bool IsGiven(const std::string& text) { return !text.empty(); }

// As of an image in a RabbitCluster.
CLI::Validator Image() {
  return MustBe(std::string(api::kImage.says) + " of at most " + std::to_string(*api::kImage.max) +
                    " characters",
                [](const std::string& text) {
                  api::Place place;
                  return !api::Violation(api::kImage, nlohmann::json(text), place);
                });
}

CLI::Validator Namespace() {
  return MustBe("a namespace: at most 63 lower-case letters, digits and, between them, '-'",
                IsNamespace);
}

CLI::Validator DnsName() {
  return MustBe("a DNS name: lower-case letters and digits, and between them '-' and '.'",
                IsDnsName);
}

double InSeconds(base::Duration time) { return std::chrono::duration<double>(time).count(); }

// Seconds, as flags give them. An hour is far beyond what a lease is good for, and far below what
// a Duration can hold.
CLI::Option* AddSeconds(CLI::App& app, const std::string& name, base::Duration& target,
                        const std::string& description) {
  return app
      .add_option_function<double>(
          name,
          [&target](const double& seconds) {
            target =
                std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(seconds));
          },
          description)
      ->check(NumberFromTo(0.1, 3600))
      ->default_str(Shortest(InSeconds(target)));
}

// One of a few words, which are the description too. Not CLI::CheckedTransformer: that takes the
// numbers of the values as well.
template <typename T>
CLI::Option* AddWord(CLI::App& app, const std::string& name, T& target,
                     const std::vector<std::pair<std::string, T>>& values,
                     const std::string& description) {
  return app
      .add_option_function<std::string>(
          name,
          [&target, values](const std::string& text) {
            for (const auto& [word, value] : values) {
              if (word == text) target = value;
            }
          },
          description)
      ->check(MustBe(description, [values](const std::string& text) {
        return std::ranges::any_of(values, [&](const auto& each) { return each.first == text; });
      }));
}

// What a plan depends on besides what is declared and seen.
void AddSettings(CLI::App& app, Settings& settings) {
  app.add_option("--default-image", settings.broker_image,
                 "RabbitMQ image of clusters that name none")
      ->check(Image())
      ->capture_default_str();
  app.add_option("--default-proxy-image", settings.proxy_image,
                 "HAProxy image of clusters that name none")
      ->check(Image())
      ->capture_default_str();
  app.add_option("--cluster-domain", settings.cluster_domain,
                 "DNS domain of the Kubernetes cluster")
      ->check(DnsName())
      ->capture_default_str();
}

void AddRunOptions(CLI::App& run, RunOptions& options) {
  CLI::Option* const kubeconfig =
      run.add_option("--kubeconfig", options.kubeconfig,
                     "kubeconfig file; without it the service account of the pod is used")
          ->check(MustBe("the name of a file", IsGiven));
  run.add_option("--context", options.context, "context of the kubeconfig, not its current one")
      ->check(MustBe("the name of a context", IsGiven))
      ->needs(kubeconfig);
  run.add_option("--namespace", options.ns, "the one namespace to watch, instead of all")
      ->check(Namespace());
  AddSettings(run, options.settings);
  run.add_option("--http-address", options.http_address,
                 "address of /healthz, /readyz and /metrics")
      ->check(MustBe("an IP address", IsIpAddress))
      ->capture_default_str();
  run.add_option("--http-port", options.http_port, "their port; 0: any free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  run.add_option("--workers", options.workers, "clusters that are reconciled at once")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  run.add_option("--pollers", options.pollers, "brokers that are looked at at once")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  run.add_option("--looks-per-second", options.looks_per_second,
                 "budget of looks at brokers and proxies; intervals are stretched to keep it")
      ->check(NumberFromTo(0.1, 10'000))
      ->capture_default_str();
  run.add_flag("--leader-election,!--no-leader-election", options.leader_election,
               "of several operators only the one that holds the lease works")
      ->default_str("true");
  run.add_option(
         "--lease-namespace", options.lease_namespace,
         "namespace of the lease, the same for all operators of the same clusters; in a pod "
         "that of the pod when not given, needed with --kubeconfig")
      ->check(Namespace());
  run.add_option("--lease-name", options.lease_name, "name of the lease")
      ->check(DnsName())
      ->capture_default_str();
  AddSeconds(run, "--lease-seconds", options.lease.lease,
             "others take over when a lease was not renewed for so long");
  AddSeconds(run, "--lease-renew-seconds", options.lease.renew,
             "without a renewal for so long this operator ceases to work");
  AddSeconds(run, "--lease-retry-seconds", options.lease.retry, "pause between renewals");
  AddWord<base::LogLevel>(run, "--log-level", options.log_level,
                          {{"debug", base::LogLevel::kDebug},
                           {"info", base::LogLevel::kInfo},
                           {"warn", base::LogLevel::kWarn},
                           {"error", base::LogLevel::kError}},
                          "debug, info, warn or error")
      ->default_str("info");
  AddWord<base::LogFormat>(run, "--log-format", options.log_format,
                           {{"text", base::LogFormat::kText}, {"json", base::LogFormat::kJson}},
                           "text or json")
      ->default_str("text");
}

// Of commands that a person runs: as kubectl's.
template <typename Options>
void AddUsersConfig(CLI::App& app, Options& options) {
  app.add_option("-n,--namespace", options.ns, "namespace; without it that of the context")
      ->check(Namespace());
  app.add_option("--kubeconfig", options.kubeconfig,
                 "kubeconfig file; without it those in $KUBECONFIG, ~/.kube/config, or in a pod "
                 "its service account")
      ->check(MustBe("the name of a file", IsGiven));
  app.add_option("--context", options.context, "context of the kubeconfig, not its current one")
      ->check(MustBe("the name of a context", IsGiven));
}

struct ClusterCommandOf {
  Command command;
  const char *name, *says;
};
constexpr ClusterCommandOf kClusterCommands[] = {
    {Command::kStatus, "status", "say how a cluster is: conditions, nodes, policies, addresses"},
    {Command::kEvents, "events", "print the events of a cluster and its pods, by their time"},
    {Command::kPause, "pause", "have the operator only look at a cluster (spec.paused)"},
    {Command::kResume, "resume", "have it keep the cluster as declared again"},
    {Command::kManage, "manage",
     "open the management of a cluster on this machine, through the API server"}};

void AddClusterCommand(CLI::App& app, const ClusterCommandOf& of, ClusterOptions& options) {
  CLI::App& command = *app.add_subcommand(of.name, of.says);
  command.add_option("NAME", options.name, "the RabbitCluster")
      ->required()
      ->check(MustBe("the name of a RabbitCluster", IsDnsName));
  AddUsersConfig(command, options);
  if (of.command == Command::kStatus) {
    AddWord<bool>(command, "-o,--output", options.json, {{"text", false}, {"json", true}},
                  "text or json")
        ->default_str("text");
  }
  if (of.command == Command::kManage) {
    command.add_flag("--show-password", options.show_password, "print the password, too");
    command.add_option("--port", options.port, "port of this machine; 0: any free one")
        ->check(CLI::Range(0, 65535))
        ->capture_default_str();
  }
}

void AddPlanOptions(CLI::App& plan, PlanOptions& options) {
  CLI::Option* const name = plan.add_option("NAME", options.name, "the RabbitCluster, as it stands")
                                ->check(MustBe("the name of a RabbitCluster", IsDnsName));
  plan.add_option(
          "-f,--filename", options.file,
          "YAML or JSON file of RabbitClusters and their Secrets; -: standard input. The plan "
          "is of what kubectl apply would leave, which the API server is asked for "
          "(dryRun=All)")
      ->check(MustBe("the name of a file", IsGiven))
      ->excludes(name);
  AddWord<bool>(plan, "-o,--output", options.json, {{"text", false}, {"json", true}},
                "text or json")
      ->default_str("text");
  AddUsersConfig(plan, options);
  AddSettings(plan, options.settings);
  plan.footer(
      "The default images and the domain must be the installed operator's.\n"
      "Exit code: 0 all is as declared, 1 something is to be done, 2 an error, or the broker could "
      "not be looked at.");
}

void AddImportOptions(CLI::App& import, ImportOptions& options) {
  import
      .add_option("--from", options.from,
                  "where the broker's management API is, as http://broker:15672")
      ->required()
      // Not said is what it was: it may hold a password.
      ->check(CLI::Validator(
          [](std::string& text) {
            const auto url = http::ParseUrl(text);
            return url ? std::string() : url.error().message;
          },
          ""));
  import
      .add_option("--username", options.username,
                  "a user with the tag administrator; else $RABBITMQ_USERNAME, else guest")
      ->check(MustBe("the name of a user", IsGiven));
  import
      .add_option("--password-file", options.password_file,
                  "file that holds the password; else it is $RABBITMQ_PASSWORD")
      ->check(MustBe("the name of a file", IsGiven));
  import
      .add_option("--ca-file", options.ca_file,
                  "certificates of the authorities that are trusted, PEM; for https")
      ->check(MustBe("the name of a file", IsGiven));
  import
      .add_option("--name", options.name,
                  "name of the RabbitCluster; else made of the broker's cluster name")
      ->check(
          MustBe("at most 47 lower-case letters, digits and '-', a letter first and no '-' last",
                 IsClusterName));
  import
      .add_option("-n,--namespace", options.ns, "namespace of the RabbitCluster; else none is said")
      ->check(Namespace());
}

// Each flag may be good by itself and the three not together.
std::string SayTimes(const runtime::LeaseTiming& lease) {
  return "--lease-seconds " + Shortest(InSeconds(lease.lease)) + ", --lease-renew-seconds " +
         Shortest(InSeconds(lease.renew)) + ", --lease-retry-seconds " +
         Shortest(InSeconds(lease.retry)) + ": ";
}

std::string OneLine(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

std::string ProgramName(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return name == "kubectl-rabbit" ? "kubectl rabbit" : "rabbit-operator";
}

CommandLine ParseCommandLine(const std::vector<std::string>& arguments,
                             const std::string& program) {
  CommandLine line;
  CLI::App app("Kubernetes operator for RabbitMQ clusters behind HAProxy", program);
  app.require_subcommand(1);
  CLI::App* run = app.add_subcommand("run", "watch RabbitClusters and keep them as declared");
  AddRunOptions(*run, line.run);
  CLI::App* plan = app.add_subcommand("plan", "say what the operator would do, and why");
  AddPlanOptions(*plan, line.plan);
  for (const ClusterCommandOf& of : kClusterCommands) AddClusterCommand(app, of, line.cluster);
  CLI::App* crd =
      app.add_subcommand("crd", "print the CustomResourceDefinition, for kubectl apply -f -");
  CLI::App* import =
      app.add_subcommand("import", "print the RabbitCluster that describes what a broker holds");
  AddImportOptions(*import, line.import);
  app.add_subcommand("version", "print the version");
  app.set_version_flag("--version", "", "print the version, too");
  const std::string first = arguments.empty() ? "" : arguments.front();
  if (first.starts_with('-') && first != "-h" && first != "--help" && first != "--version") {
    line.text = first.substr(0, first.find('=')) + ": the command must come first: see --help";
    line.exit_code = 2;
    return line;
  }
  if (!arguments.empty() && !arguments.front().starts_with('-') &&
      app.get_subcommands(
             [&](const CLI::App* each) { return each->get_name() == arguments.front(); })
          .empty()) {
    line.text = "there is no command '" + arguments.front() + "': see --help";
    line.exit_code = 2;
    return line;
  }
  for (const std::string& argument : arguments) {
    // CLI11 would take the argument behind it as its value.
    if (argument.starts_with("--") && argument.find('=') == argument.size() - 1) {
      line.text = argument.substr(0, argument.size() - 1) + ": must have a value after '='";
      line.exit_code = 2;
      return line;
    }
  }
  try {
    // CLI11 takes the arguments from the end.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    const auto parsed = app.get_subcommands();
    line.text = parsed.empty() ? app.help() : parsed.front()->help(app.get_name());
    return line;
  } catch (const CLI::CallForVersion&) {
    line.command = Command::kVersion;
    return line;
  } catch (const CLI::ParseError& error) {
    line.text = OneLine(error.what());
    line.exit_code = 2;
    return line;
  }
  line.command = run->parsed()      ? Command::kRun
                 : plan->parsed()   ? Command::kPlan
                 : import->parsed() ? Command::kImport
                 : crd->parsed()    ? Command::kCrd
                                    : Command::kVersion;
  for (const ClusterCommandOf& of : kClusterCommands) {
    if (app.got_subcommand(of.name)) line.command = of.command;
  }
  if (line.command == Command::kPlan && line.plan.name.empty() && line.plan.file.empty()) {
    line.text = "plan: the NAME of a RabbitCluster or --filename is needed";
    line.exit_code = 2;
  }
  if (line.command == Command::kRun) {
    if (auto valid = runtime::Validate(line.run.lease); !valid) {
      line.text = SayTimes(line.run.lease) + OneLine(valid.error().message);
      line.exit_code = 2;
    }
  }
  return line;
}

}  // namespace rabbit::commands
