// lib/runtime/process_metrics.h: what this process uses, by the names of Prometheus' client
// libraries: process_resident_memory_bytes, process_cpu_seconds_total, …
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/mutex.h"
#include "runtime/metrics.h"

namespace rabbit::runtime {

struct ProcessUsage {
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  double cpu_seconds = 0;    // user and system, all threads
  double start_seconds = 0;  // since 1970
  std::uint64_t open_fds = 0;
  std::uint64_t max_fds = 0;  // the soft limit
  std::uint64_t threads = 0;

  bool operator==(const ProcessUsage&) const = default;
};

// Reads `proc` ("/proc", or a test's copy); nothing when it cannot be read or understood.
[[nodiscard]] std::optional<ProcessUsage> ReadProcessUsage(const std::string& proc);

// Thread-safe.
class ProcessMetrics {
 public:
  // `metrics` is not owned and must outlive it.
  explicit ProcessMetrics(Metrics& metrics, std::string proc = "/proc");
  // Reads and sets; before each scrape. Leaves the last values when nothing can be read.
  void Update() RABBIT_EXCLUDES(mutex_);

 private:
  Metrics& metrics_;
  const std::string proc_;
  base::Mutex mutex_;
  double cpu_seconds_ RABBIT_GUARDED_BY(mutex_) = 0;  // counted so far
};

}  // namespace rabbit::runtime
