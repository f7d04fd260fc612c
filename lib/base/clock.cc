#include "base/clock.h"

#include <array>
#include <cstdio>

namespace rabbit::base {
namespace {

constexpr std::chrono::hours kManualStart{1};
constexpr std::chrono::sys_days kManualWallStart{std::chrono::year{2026} / 1 / 1};

}  // namespace

TimePoint RealClock::Now() const { return std::chrono::steady_clock::now(); }
WallTime RealClock::WallNow() const { return std::chrono::system_clock::now(); }

TimePoint ManualClock::Now() const { return TimePoint(kManualStart + Duration(elapsed_.load())); }

WallTime ManualClock::WallNow() const {
  return kManualWallStart +
         std::chrono::duration_cast<WallTime::duration>(Duration(elapsed_.load()));
}

void ManualClock::Advance(Duration by) { elapsed_.fetch_add(by.count()); }

namespace {

// "2026-01-01T00:00:00", then a point and `digits` digits of the second if any, then "Z".
std::string Format(WallTime time, int digits) {
  const auto micros = std::chrono::floor<std::chrono::microseconds>(time);
  const auto day = std::chrono::floor<std::chrono::days>(micros);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(micros - day);
  std::array<char, 64> text{};
  int length = std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()));
  std::string result(text.data(), static_cast<std::size_t>(length));
  if (digits > 0) {
    length = std::snprintf(text.data(), text.size(), ".%06d",
                           static_cast<int>(clock.subseconds().count()));
    result.append(text.data(), static_cast<std::size_t>(length));
  }
  return result + "Z";
}

}  // namespace

std::string FormatTime(WallTime time) { return Format(time, 0); }
std::string FormatMicroTime(WallTime time) { return Format(time, 6); }

}  // namespace rabbit::base
