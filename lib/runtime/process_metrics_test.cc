#include "runtime/process_metrics.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace rabbit::runtime {
namespace {

// A folder that looks like /proc, as far as it is read.
class ProcTest : public testing::Test {
 protected:
  ProcTest()
      : root_(std::filesystem::temp_directory_path() /
              ("process_metrics_test." + std::to_string(getpid()))) {
    std::filesystem::create_directories(root_ / "self/fd");
  }
  ~ProcTest() override { std::filesystem::remove_all(root_); }
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(root_ / name) << text;
  }
  std::filesystem::path root_;
};

TEST_F(ProcTest, IsReadByItsManual) {
  // The command's name may hold what separates fields.
  Write("self/stat",
        "42 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 150 50 13 14 15 16 7 18 3000 4096000 25 99\n");
  Write("stat", "cpu 1 2 3\nbtime 1700000000\n");
  Write("self/limits",
        "Limit  Soft Limit  Hard Limit\nMax open files            1024     4096 files\n");
  for (const char* fd : {"0", "1", "2"}) Write(std::string("self/fd/") + fd, "");
  const auto usage = ReadProcessUsage(root_.string());
  ASSERT_TRUE(usage);
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  EXPECT_EQ(usage->resident_bytes, 25U * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)));
  EXPECT_EQ(usage->virtual_bytes, 4096000U);
  EXPECT_DOUBLE_EQ(usage->cpu_seconds, 200 / ticks);
  EXPECT_DOUBLE_EQ(usage->start_seconds, 1700000000 + 3000 / ticks);
  EXPECT_EQ(usage->threads, 7U);
  EXPECT_EQ(usage->open_fds, 3U);
  EXPECT_EQ(usage->max_fds, 1024U);
}

TEST_F(ProcTest, GivesNothingWhenItIsNotUnderstood) {
  EXPECT_EQ(ReadProcessUsage(root_.string()), std::nullopt);
  Write("self/stat", "42 (a) S 1 2");
  Write("stat", "btime 1\n");
  EXPECT_EQ(ReadProcessUsage(root_.string()), std::nullopt);
}

TEST(ProcessMetrics, TellsAboutThisProcess) {
  Registry registry;
  ProcessMetrics metrics(registry);
  metrics.Update();
  const auto usage = ReadProcessUsage("/proc");
  ASSERT_TRUE(usage);
  EXPECT_GT(usage->resident_bytes, 1U << 20);
  EXPECT_GE(usage->open_fds, 3U);
  const std::string text = registry.Text();
  for (const char* name : {"process_resident_memory_bytes ", "process_cpu_seconds_total ",
                           "process_open_fds ", "process_start_time_seconds "}) {
    EXPECT_NE(text.find(std::string("\n") + name), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace rabbit::runtime
