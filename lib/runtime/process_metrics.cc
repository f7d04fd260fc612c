#include "runtime/process_metrics.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace rabbit::runtime {
namespace {

constexpr GaugeFamily kResident{"process_resident_memory_bytes", "Resident memory in bytes."};
constexpr GaugeFamily kVirtual{"process_virtual_memory_bytes", "Virtual memory in bytes."};
constexpr CounterFamily kCpu{"process_cpu_seconds_total", "User and system CPU time in seconds."};
constexpr GaugeFamily kStart{"process_start_time_seconds", "Start, in seconds since 1970."};
constexpr GaugeFamily kOpenFds{"process_open_fds", "Open file descriptors."};
constexpr GaugeFamily kMaxFds{"process_max_fds", "Most file descriptors that may be open."};
constexpr GaugeFamily kThreads{"process_threads", "Threads of the process."};

// The number behind `name` at the start of a line of `path`.
std::optional<std::uint64_t> ReadField(const std::string& path, std::string_view name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(name)) continue;
    std::istringstream rest(line.substr(name.size()));
    std::uint64_t value = 0;
    if (rest >> value) return value;
    return std::nullopt;  // "unlimited"
  }
  return std::nullopt;
}

// The fields of stat behind the command's name, which may hold spaces and parentheses; [0] is the
// state, field 3 in proc(5).
std::vector<std::string> ReadStat(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  const std::size_t end = line.rfind(')');
  if (end == std::string::npos) return {};
  std::istringstream rest(line.substr(end + 1));
  std::vector<std::string> fields;
  for (std::string field; rest >> field;) fields.push_back(std::move(field));
  return fields;
}

double ToDouble(const std::string& text) {
  double value = 0;
  std::istringstream(text) >> value;
  return value;
}

std::uint64_t CountEntries(const std::string& folder) {
  std::error_code error;
  std::uint64_t count = 0;
  for (auto it = std::filesystem::directory_iterator(folder, error);
       !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    ++count;
  }
  return count;
}

}  // namespace

std::optional<ProcessUsage> ReadProcessUsage(const std::string& proc) {
  constexpr std::size_t kUserTicks = 11;  // fields of proc(5), less 3
  constexpr std::size_t kSystemTicks = 12;
  constexpr std::size_t kThreadCount = 17;
  constexpr std::size_t kStartTicks = 19;
  constexpr std::size_t kVirtualBytes = 20;
  constexpr std::size_t kResidentPages = 21;
  const std::vector<std::string> stat = ReadStat(proc + "/self/stat");
  const auto boot = ReadField(proc + "/stat", "btime ");
  if (stat.size() <= kResidentPages || !boot) return std::nullopt;
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  ProcessUsage usage;
  usage.resident_bytes = static_cast<std::uint64_t>(ToDouble(stat[kResidentPages]) * page);
  usage.virtual_bytes = static_cast<std::uint64_t>(ToDouble(stat[kVirtualBytes]));
  usage.cpu_seconds = (ToDouble(stat[kUserTicks]) + ToDouble(stat[kSystemTicks])) / ticks;
  usage.start_seconds = static_cast<double>(*boot) + ToDouble(stat[kStartTicks]) / ticks;
  usage.threads = static_cast<std::uint64_t>(ToDouble(stat[kThreadCount]));
  usage.open_fds = CountEntries(proc + "/self/fd");
  usage.max_fds = ReadField(proc + "/self/limits", "Max open files ").value_or(0);
  return usage;
}

ProcessMetrics::ProcessMetrics(Metrics& metrics, std::string proc)
    : metrics_(metrics), proc_(std::move(proc)) {
  metrics_.Add(kCpu, {}, 0);
  Update();
}

void ProcessMetrics::Update() {
  const std::optional<ProcessUsage> usage = ReadProcessUsage(proc_);
  if (!usage) return;
  base::MutexLock lock(mutex_);
  metrics_.Set(kResident, {}, static_cast<double>(usage->resident_bytes));
  metrics_.Set(kVirtual, {}, static_cast<double>(usage->virtual_bytes));
  metrics_.Set(kStart, {}, usage->start_seconds);
  metrics_.Set(kOpenFds, {}, static_cast<double>(usage->open_fds));
  metrics_.Set(kMaxFds, {}, static_cast<double>(usage->max_fds));
  metrics_.Set(kThreads, {}, static_cast<double>(usage->threads));
  metrics_.Add(kCpu, {}, std::max(0.0, usage->cpu_seconds - cpu_seconds_));
  cpu_seconds_ = std::max(cpu_seconds_, usage->cpu_seconds);
}

}  // namespace rabbit::runtime
