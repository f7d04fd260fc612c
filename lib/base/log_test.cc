#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/secret.h"

namespace rabbit::base {
namespace {

using testing::MatchesRegex;

static_assert(!std::is_constructible_v<LogField, std::string_view, Secret>);

std::string Written(LogFormat format, std::string_view message, Logger::Fields fields) {
  testing::internal::CaptureStderr();
  MakeLogger(LogLevel::kInfo, format)->Info(message, fields);
  return testing::internal::GetCapturedStderr();
}

constexpr const char* kTime = "[0-9-]+T[0-9:]+\\.[0-9][0-9][0-9]Z";

TEST(Logger, WritesTextForPeople) {
  EXPECT_THAT(Written(LogFormat::kText, "status written",
                      {{"cluster", "ns/rabbit"}, {"generation", 3}, {"ok", true}}),
              MatchesRegex(std::string(kTime) +
                           " info status written cluster=ns/rabbit generation=3 ok=true\n"));
}

TEST(Logger, WritesJsonForMachines) {
  EXPECT_THAT(Written(LogFormat::kJson, "status written",
                      {{"cluster", "ns/rabbit"}, {"generation", 3}, {"ok", false}}),
              MatchesRegex("\\{\"time\":\"" + std::string(kTime) +
                           "\",\"level\":\"info\",\"message\":\"status written\","
                           "\"cluster\":\"ns/rabbit\",\"generation\":3,\"ok\":false\\}\n"));
}

TEST(Logger, AValueCannotForgeALine) {
  const std::string value = "a\n2026 info forged \x1b[31m\"x\" \\ \xff";
  for (const LogFormat format : {LogFormat::kText, LogFormat::kJson}) {
    const std::string line = Written(format, "m", {{"error", value}});
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
  }
}

TEST(Logger, EveryJsonLineParses) {
  const std::string line = Written(LogFormat::kJson, "m \"q\" {} %s",
                                   {{"e", "tab\t nul\x01 \xff \xC3\xA9 \xED\xA0\x80"}});
  EXPECT_TRUE(ParseJson(line)) << line;
  EXPECT_NE(line.find("\xC3\xA9"), std::string::npos);
}

TEST(Logger, TextQuotesWhatWouldReadAsSomethingElse) {
  const std::string line =
      Written(LogFormat::kText, "m", {{"a", "two words"}, {"b", ""}, {"c", "x=y"}});
  EXPECT_THAT(line, testing::HasSubstr(" a=\"two words\" b=\"\" c=\"x=y\"\n"));
}

TEST(Logger, DropsWhatIsBelowItsLevel) {
  testing::internal::CaptureStderr();
  const auto logger = MakeLogger(LogLevel::kWarn, LogFormat::kText);
  logger->Debug("no");
  logger->Info("no");
  logger->Warn("yes");
  logger->Error("yes");
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_THAT(text,
              testing::AllOf(testing::HasSubstr("warning yes"), testing::HasSubstr("error yes"),
                             testing::Not(testing::HasSubstr("no"))));
}

TEST(NullLogger, WritesNothing) {
  testing::internal::CaptureStderr();
  NullLogger().Error("x");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace rabbit::base
