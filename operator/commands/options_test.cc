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

// Each is refused by one line that names the flag, and exit code 2.
TEST(ParseCommandLine, ABadFlagIsNamedOnOneLine) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> table = {
      {{"run", "--bogus"}, "--bogus"},
      {{"run", "--workers", "0"}, "--workers"},
      {{"run", "--workers", "many"}, "--workers"},
      {{"run", "--log-level", "loud"}, "--log-level"},
      {{"run", "--lease-seconds", "-1"}, "--lease-seconds"},
      {{"run", "--lease-seconds", "5"}, "lease"},
      {{"walk"}, "walk"},
      {{}, "subcommand"},
  };
  for (const auto& [arguments, named] : table) {
    const CommandLine line = ParseCommandLine(arguments);
    ASSERT_TRUE(line.text) << named;
    EXPECT_EQ(line.exit_code, 2) << named;
    EXPECT_NE(line.text->find(named), std::string::npos) << *line.text;
    EXPECT_EQ(line.text->find('\n'), std::string::npos) << *line.text;
  }
}

TEST(ParseCommandLine, HelpIsNoError) {
  const CommandLine line = ParseCommandLine({"run", "--help"});
  EXPECT_EQ(line.exit_code, 0);
  ASSERT_TRUE(line.text);
  EXPECT_NE(line.text->find("--kubeconfig"), std::string::npos);
}

TEST(ParseCommandLine, OtherCommands) {
  EXPECT_EQ(ParseCommandLine({"crd"}).command, Command::kCrd);
  EXPECT_EQ(ParseCommandLine({"version"}).command, Command::kVersion);
}

}  // namespace
}  // namespace rabbit::commands
