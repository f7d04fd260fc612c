// That docs/reference/conditions.md lists the reasons which the code can give, and no other. Read
// off the sources: a reason is a literal of one CamelCase word where conditions and events are
// made.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace rabbit::report {
namespace {

namespace fs = std::filesystem;

std::string Read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

void AddMatches(const std::string& text, const std::string& pattern, std::set<std::string>& found) {
  const std::regex regex(pattern);
  for (std::sregex_iterator match(text.begin(), text.end(), regex), end; match != end; ++match) {
    found.insert((*match)[1]);
  }
}

std::set<std::string> ReasonsInCode() {
  const fs::path root(RABBIT_SOURCE_DIR);
  std::set<fs::path> sources = {root / "lib" / "rabbitmq" / "policy_check.cc"};
  for (const char* part : {"plan", "report"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / "operator" / part)) {
      const std::string name = entry.path().filename().string();
      if (!name.ends_with(".cc") || name.ends_with("_test.cc")) continue;
      if (!name.starts_with("fake_")) sources.insert(entry.path());  // that is for tests, too
    }
  }
  std::set<std::string> reasons;
  for (const fs::path& source : sources) {
    const std::string code = std::regex_replace(Read(source), std::regex("//[^\n]*"), "");
    AddMatches(code, "\"([A-Z][a-z]+([A-Z]?[a-z]+)*)\"", reasons);
  }
  return reasons;
}

TEST(ReasonsTest, ThePageListsThoseThatTheCodeCanGiveAndNoOther) {
  const std::string page =
      Read(fs::path(RABBIT_SOURCE_DIR) / "docs" / "reference" / "conditions.md");
  // The types of conditions have a table of their own; a row's first cell names its reasons.
  const std::size_t types = page.find("| Condition |");
  const std::size_t reasons = page.find("\n## Reasons");
  ASSERT_LT(types, reasons);
  ASSERT_NE(reasons, std::string::npos);
  std::set<std::string> listed;
  std::istringstream lines(page.substr(reasons));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| ")) continue;
    AddMatches(line.substr(0, line.find(" |")), "`([A-Za-z]+)`", listed);
  }
  std::set<std::string> in_code = ReasonsInCode();
  ASSERT_GT(in_code.size(), 50U);
  // What else is one such word: types of conditions, and the actions of events.
  std::set<std::string> others;
  AddMatches(page.substr(types, reasons - types), "\n\\| `([A-Za-z]+)`", others);
  AddMatches(page.substr(page.find("Their actions are")), "`([A-Z][a-z]+)`", others);
  for (const std::string& word : others) {
    if (!listed.contains(word)) in_code.erase(word);
  }
  EXPECT_EQ(listed, in_code);
}

}  // namespace
}  // namespace rabbit::report
