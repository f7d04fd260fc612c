#include "operator/commands/memory.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace rabbit::commands {
namespace {

// Resident pages of files, in KiB.
long ResidentFiles() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    long kilobytes = 0;
    if (word == "RssFile:" && status >> kilobytes) return kilobytes;
  }
  return 0;
}

TEST(DropStartupPages, GivesBackWhatIsNotUsedAndLosesNothing) {
  const long before = ResidentFiles();
  DropStartupPages();
  const long after = ResidentFiles();
  EXPECT_LT(after, before);
  // Relocated tables and initialised variables are as they were: streams, locales, exceptions.
  EXPECT_THROW(std::stoi("no number"), std::invalid_argument);
  EXPECT_EQ(std::to_string(1.5), "1.500000");
}

}  // namespace
}  // namespace rabbit::commands
