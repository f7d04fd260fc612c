// lib/base/clock.h: time as a parameter. Decision code takes a TimePoint `now`; I/O code takes a
// Clock&. Only RealClock reads the machine's clocks; a lint forbids now() elsewhere.
// Both clocks are thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <string>

namespace rabbit::base {

using TimePoint = std::chrono::steady_clock::time_point;  // monotonic: deadlines, back-off, ages
using WallTime = std::chrono::system_clock::time_point;   // for people and for the API's timestamps
using Duration = std::chrono::steady_clock::duration;

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual TimePoint Now() const = 0;
  [[nodiscard]] virtual WallTime WallNow() const = 0;
};

class RealClock final : public Clock {
 public:
  [[nodiscard]] TimePoint Now() const override;
  [[nodiscard]] WallTime WallNow() const override;
};

// For tests: stands still until Advance(). Starts at steady 1 h and 2026-01-01T00:00:00Z.
class ManualClock final : public Clock {
 public:
  [[nodiscard]] TimePoint Now() const override;
  [[nodiscard]] WallTime WallNow() const override;
  void Advance(Duration by);

 private:
  std::atomic<Duration::rep> elapsed_{0};
};

// RFC 3339 in UTC. Seconds: "2026-01-01T00:00:00Z" (metav1.Time); micros: "….000000Z" (MicroTime).
[[nodiscard]] std::string FormatTime(WallTime time);
[[nodiscard]] std::string FormatMicroTime(WallTime time);

}  // namespace rabbit::base
