#include "operator/commands/options.h"

#include <gtest/gtest.h>

namespace rabbit::commands {
namespace {

TEST(ParseCommandLine, RunHasADefaultForEverything) {
  const CommandLine line = ParseCommandLine({"run"});
  EXPECT_EQ(line.text, std::nullopt);
  EXPECT_EQ(line.command, Command::kRun);
  EXPECT_EQ(line.run.workers, 8U);
  EXPECT_TRUE(line.run.leader_election);
}

TEST(ParseCommandLine, FlagsAreTaken) {
  const CommandLine line =
      ParseCommandLine({"run", "--kubeconfig", "k", "--namespace=n", "--workers", "4",
                        "--no-leader-election", "--log-format", "json", "--log-level=debug",
                        "--lease-seconds", "30", "--default-image", "rabbitmq:4"});
  ASSERT_EQ(line.text, std::nullopt);
  EXPECT_EQ(line.run.kubeconfig, "k");
  EXPECT_EQ(line.run.ns, "n");
  EXPECT_EQ(line.run.workers, 4U);
  EXPECT_FALSE(line.run.leader_election);
  EXPECT_EQ(line.run.log_format, base::LogFormat::kJson);
  EXPECT_EQ(line.run.log_level, base::LogLevel::kDebug);
  EXPECT_EQ(line.run.lease.lease, std::chrono::seconds(30));
  EXPECT_EQ(line.run.settings.broker_image, "rabbitmq:4");
}

TEST(ParseCommandLine, APlanIsOfANameOrAFile) {
  const CommandLine named = ParseCommandLine({"plan", "c", "-n", "ns", "-o", "json"});
  ASSERT_EQ(named.text, std::nullopt);
  EXPECT_EQ(named.command, Command::kPlan);
  EXPECT_EQ(named.plan.name, "c");
  EXPECT_EQ(named.plan.ns, "ns");
  EXPECT_TRUE(named.plan.json);
  const CommandLine file = ParseCommandLine(
      {"plan", "-f", "-", "--kubeconfig", "k", "--context", "x", "--default-image", "rabbitmq:4"});
  ASSERT_EQ(file.text, std::nullopt);
  EXPECT_EQ(file.plan.file, "-");
  EXPECT_EQ(file.plan.kubeconfig, "k");
  EXPECT_EQ(file.plan.context, "x");
  EXPECT_EQ(file.plan.settings.broker_image, "rabbitmq:4");
  EXPECT_FALSE(file.plan.json);
  EXPECT_EQ(ParseCommandLine({"plan", "--context", "x", "c"}).text, std::nullopt);
  const CommandLine help = ParseCommandLine({"plan", "--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_NE(help.text->find("Exit code: 0"), std::string::npos);
}

TEST(ParseCommandLine, WhatIsAskedOfOneClusterTakesItsName) {
  constexpr std::pair<const char*, Command> kAll[] = {{"status", Command::kStatus},
                                                      {"events", Command::kEvents},
                                                      {"pause", Command::kPause},
                                                      {"resume", Command::kResume},
                                                      {"manage", Command::kManage}};
  for (const auto& [name, command] : kAll) {
    const CommandLine line =
        ParseCommandLine({name, "c", "-n", "ns", "--context", "x", "--kubeconfig=k"});
    ASSERT_EQ(line.text, std::nullopt) << *line.text;
    EXPECT_EQ(line.command, command);
    EXPECT_EQ(line.cluster.name, "c");
    EXPECT_EQ(line.cluster.ns, "ns");
    EXPECT_EQ(line.cluster.context, "x");
    EXPECT_EQ(line.cluster.kubeconfig, "k");
    EXPECT_EQ(ParseCommandLine({name}).exit_code, 2);
    EXPECT_EQ(ParseCommandLine({name, "c", "--colour"}).exit_code, 2);
    const CommandLine help = ParseCommandLine({name, "--help"}, "kubectl rabbit");
    EXPECT_EQ(help.exit_code, 0);
    EXPECT_NE(help.text.value_or("").find(std::string("kubectl rabbit ") + name), std::string::npos)
        << *help.text;
  }
  EXPECT_TRUE(ParseCommandLine({"status", "c", "-o", "json"}).cluster.json);
  EXPECT_EQ(ParseCommandLine({"pause", "c", "-o", "json"}).exit_code, 2);
  const CommandLine manage = ParseCommandLine({"manage", "c", "--show-password", "--port", "81"});
  EXPECT_TRUE(manage.cluster.show_password);
  EXPECT_EQ(manage.cluster.port, 81);
  EXPECT_EQ(ParseCommandLine({"manage", "c", "--port", "65536"}).exit_code, 2);
}

TEST(ProgramName, IsWhatAPersonTyped) {
  EXPECT_EQ(ProgramName("/usr/local/bin/kubectl-rabbit"), "kubectl rabbit");
  EXPECT_EQ(ProgramName("kubectl-rabbit"), "kubectl rabbit");
  EXPECT_EQ(ProgramName("build/rabbit-operator"), "rabbit-operator");
  EXPECT_EQ(ProgramName(""), "rabbit-operator");
}

TEST(ParseCommandLine, ImportTakesItsFlags) {
  const CommandLine line =
      ParseCommandLine({"import", "--from", "https://b:15671/x", "--username=u", "--password-file",
                        "p", "--ca-file", "c", "--name", "a-1", "-n", "ns"});
  ASSERT_EQ(line.text, std::nullopt);
  EXPECT_EQ(line.command, Command::kImport);
  EXPECT_EQ(line.import.from, "https://b:15671/x");
  EXPECT_EQ(line.import.username, "u");
  EXPECT_EQ(line.import.password_file, "p");
  EXPECT_EQ(line.import.ca_file, "c");
  EXPECT_EQ(line.import.name, "a-1");
  EXPECT_EQ(line.import.ns, "ns");
}

TEST(ParseCommandLine, AUrlThatMayHoldAPasswordIsNotRepeated) {
  const CommandLine line = ParseCommandLine({"import", "--from", "http://u:hidden@b"});
  EXPECT_EQ(line.exit_code, 2);
  EXPECT_EQ(line.text->find("hidden"), std::string::npos);
}

// Each is refused by one line that names the flag and the rule, and exit code 2.
TEST(ParseCommandLine, ABadFlagIsNamedOnOneLineWithItsRule) {
  struct Row {
    std::vector<std::string> arguments;
    std::string flag, rule;
  };
  const std::vector<Row> table = {
      {{"run", "--bogus"}, "--bogus", "not expected"},
      {{"plan"}, "--filename", "is needed"},
      {{"plan", "c", "-f", "x"}, "--filename", "excludes"},
      {{"plan", "c", "d"}, "d", "not expected"},
      {{"plan", "C_"}, "NAME", "must be the name of a RabbitCluster"},
      {{"plan", "c", "-o", "yaml"}, "--output", "must be text or json, is 'yaml'"},
      {{"plan", "c", "-n", "N"}, "--namespace", "must be a namespace"},
      {{"run", "--workers", "0"}, "--workers", "1 to 256"},
      {{"run", "--workers", "many"}, "--workers", "1 to 256"},
      {{"run", "--http-port", "99999"}, "--http-port", "0 to 65535"},
      {{"run", "--http-address", "nonsense"}, "--http-address", "IP address"},
      {{"run", "--looks-per-second", "nan"}, "--looks-per-second", "0.1 to 10000"},
      {{"run", "--looks-per-second", "2x"}, "--looks-per-second", "0.1 to 10000"},
      {{"run", "--looks-per-second", "1e9"}, "--looks-per-second", "0.1 to 10000"},
      {{"run", "--log-level", "loud"}, "--log-level", "must be debug, info, warn or error, is"},
      {{"run", "--log-level", "0"}, "--log-level", "must be debug, info, warn or error, is"},
      {{"run", "--log-level", ""}, "--log-level", "must be debug, info, warn or error, is"},
      {{"run", "--log-format", "1"}, "--log-format", "must be text or json, is '1'"},
      {{"run", "--default-image", "a b"}, "--default-image", "an image reference"},
      {{"run", "--default-image", ""}, "--default-image", "an image reference"},
      {{"run", "--default-image=", "--no-leader-election"}, "--default-image", "after '='"},
      {{"run", "--default-image", "a\nb"}, "--default-image", "an image reference"},
      {{"run", "--default-proxy-image", "a b"}, "--default-proxy-image", "an image reference"},
      {{"run", "--default-proxy-image", ""}, "--default-proxy-image", "at most 512 characters"},
      {{"run", "--kubeconfig", ""}, "--kubeconfig", "must be the name of a file"},
      {{"run", "--kubeconfig="}, "--kubeconfig", "after '='"},
      {{"run", "--context", "dev"}, "--context", "requires --kubeconfig"},
      {{"run", "--kubeconfig", "k", "--context", ""}, "--context", "the name of a context"},
      {{"run", "--namespace", "Bad_NS"}, "--namespace", "lower-case"},
      {{"run", "--namespace", ""}, "--namespace", "lower-case"},
      {{"run", "--namespace", "a.b"}, "--namespace", "lower-case"},
      {{"run", "--lease-namespace", "-n"}, "--lease-namespace", ""},
      {{"run", "--lease-namespace", "n-"}, "--lease-namespace", "lower-case"},
      {{"run", "--lease-name", "Mine"}, "--lease-name", "lower-case"},
      {{"run", "--cluster-domain", "bad domain!"}, "--cluster-domain", "DNS name"},
      {{"run", "--cluster-domain", "cluster..local"}, "--cluster-domain", "DNS name"},
      {{"run", "--cluster-domain", std::string(254, 'a')}, "--cluster-domain", "DNS name"},
      {{"run", "--lease-seconds", "-1"}, "--lease-seconds", "0.1 to 3600"},
      {{"run", "--lease-seconds", "0"}, "--lease-seconds", "0.1 to 3600"},
      {{"run", "--lease-seconds", "1e30"}, "--lease-seconds", "0.1 to 3600"},
      {{"run", "--lease-renew-seconds", "inf"}, "--lease-renew-seconds", "0.1 to 3600"},
      {{"run", "--lease-seconds", "3"},
       "--lease-seconds 3, --lease-renew-seconds 10",
       "must be longer than the renew deadline"},
      {{"run", "--lease-seconds", "20.5"}, "--lease-seconds 20.5", "whole seconds"},
      {{"run", "--lease-retry-seconds", "9.5"}, "--lease-retry-seconds 9.5", "1.2 times"},
      {{"import"}, "--from", "required"},
      {{"import", "--from", "broker:15672"}, "--from", "must start with https:// or http://"},
      {{"import", "--from", "http://b", "--name", "Old"}, "--name", "a letter first"},
      {{"import", "--from", "http://b", "--name", "1a"}, "--name", "a letter first"},
      {{"import", "--from", "http://b", "-n", "a.b"}, "--namespace", "lower-case"},
      {{"import", "--from", "http://b", "--password-file", ""}, "--password-file", "a file"},
      {{"walk"}, "walk", "no command"},
      {{}, "subcommand", "required"},
      {{"--bogus"}, "--bogus", "command must come first"},
      {{"--bogus", "run"}, "--bogus", "command must come first"},
      {{"--kubeconfig", "k"}, "--kubeconfig", "command must come first"},
      {{"--kubeconfig=k"}, "--kubeconfig:", "command must come first"},
  };
  for (const auto& [arguments, flag, rule] : table) {
    const std::string which = arguments.empty() ? "nothing" : arguments.back();
    const CommandLine line = ParseCommandLine(arguments);
    ASSERT_TRUE(line.text) << which;
    EXPECT_EQ(line.exit_code, 2) << which;
    EXPECT_NE(line.text->find(flag), std::string::npos) << *line.text;
    EXPECT_NE(line.text->find(rule), std::string::npos) << *line.text;
    EXPECT_EQ(line.text->find('\n'), std::string::npos) << *line.text;
    EXPECT_LT(line.text->size(), 400U) << *line.text;
  }
}

TEST(ParseCommandLine, TakesWhatIsJustGoodEnough) {
  const CommandLine line = ParseCommandLine({"run",
                                             "--kubeconfig",
                                             "k",
                                             "--context",
                                             "dev",
                                             "--log-level",
                                             "warn",
                                             "--default-image",
                                             "registry.test:5000/a/b:1@sha256:0f",
                                             "--http-address",
                                             "::",
                                             "--http-port",
                                             "65535",
                                             "--namespace",
                                             std::string(63, 'n'),
                                             "--cluster-domain",
                                             "k8s.example-1.org",
                                             "--lease-name",
                                             "operator.example",
                                             "--lease-seconds",
                                             "3600",
                                             "--lease-renew-seconds",
                                             "0.5",
                                             "--lease-retry-seconds",
                                             "0.1",
                                             "--looks-per-second",
                                             "0.1"});
  ASSERT_EQ(line.text, std::nullopt);
  EXPECT_EQ(line.run.context, "dev");
  EXPECT_EQ(line.run.log_level, base::LogLevel::kWarn);
  EXPECT_EQ(line.run.http_port, 65535);
  EXPECT_EQ(line.run.lease.retry, std::chrono::milliseconds(100));
}

TEST(ParseCommandLine, HelpIsNoError) {
  const CommandLine line = ParseCommandLine({"run", "--help"});
  EXPECT_EQ(line.exit_code, 0);
  ASSERT_TRUE(line.text);
  EXPECT_NE(line.text->find("--kubeconfig"), std::string::npos);
}

TEST(ParseCommandLine, OtherCommands) {
  EXPECT_EQ(ParseCommandLine({"crd"}).command, Command::kCrd);
  for (const char* const each : {"version", "--version"}) {
    const CommandLine line = ParseCommandLine({each});
    EXPECT_EQ(line.command, Command::kVersion) << each;
    EXPECT_EQ(line.text, std::nullopt) << each;
  }
}

}  // namespace
}  // namespace rabbit::commands
