#include "operator/api/duration.h"

#include <array>
#include <charconv>
#include <utility>

namespace rabbit::api {
namespace {

constexpr std::int64_t kLongestDurationMs = 100LL * 24 * 3600 * 1000;

// Takes digits off the front of `text`; -1 when there are none or more than `most`.
std::int64_t TakeNumber(std::string_view& text, std::size_t most) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const auto length = static_cast<std::size_t>(end - text.data());
  if (error != std::errc{} || value < 0 || text.front() == '-' || length > most) return -1;
  text.remove_prefix(length);
  return value;
}

bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

std::optional<Duration> ParseDuration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  while (!text.empty()) {
    const std::int64_t count = TakeNumber(text, 9);
    if (count < 0) return std::nullopt;
    std::int64_t unit = 0;
    if (TakePrefix(text, "ms")) {
      unit = 1;
    } else if (TakePrefix(text, "s")) {
      unit = 1000;
    } else if (TakePrefix(text, "m")) {
      unit = 60'000;
    } else if (TakePrefix(text, "h")) {
      unit = 3'600'000;
    } else {
      return std::nullopt;
    }
    total += count * unit;  // at most 10^9 * 3.6 * 10^6 a step, and stopped at once when beyond
    if (total > kLongestDurationMs) return std::nullopt;
  }
  return Duration(total);
}

std::string FormatDuration(Duration duration) {
  std::int64_t left = duration.count();
  if (left == 0) return "0s";
  std::string text;
  for (const auto& [unit, name] : {std::pair<std::int64_t, const char*>{3'600'000, "h"},
                                   {60'000, "m"},
                                   {1000, "s"},
                                   {1, "ms"}}) {
    if (left / unit > 0) text += std::to_string(left / unit) + name;
    left %= unit;
  }
  return text;
}

std::optional<base::WallTime> ParseTime(std::string_view text) {
  using namespace std::chrono;
  std::array<std::int64_t, 6> part{};
  constexpr std::string_view kSeparators = "--T::";
  for (std::size_t i = 0; i < part.size(); ++i) {
    const std::size_t digits = i == 0 ? 4 : 2;
    if (text.size() < digits) return std::nullopt;
    std::string_view number = text.substr(0, digits);
    part[i] = TakeNumber(number, digits);
    if (part[i] < 0 || !number.empty()) return std::nullopt;
    text.remove_prefix(digits);
    if (i < kSeparators.size() && !TakePrefix(text, kSeparators.substr(i, 1))) return std::nullopt;
  }
  if (TakePrefix(text, ".")) {
    const std::size_t end = text.find_first_not_of("0123456789");
    if (end == 0 || end == std::string_view::npos) return std::nullopt;
    text.remove_prefix(end);
  }
  const year_month_day day{year(static_cast<int>(part[0])), month(static_cast<unsigned>(part[1])),
                           std::chrono::day(static_cast<unsigned>(part[2]))};
  if (!day.ok() || part[3] > 23 || part[4] > 59 || part[5] > 60) return std::nullopt;
  seconds since =
      sys_days(day).time_since_epoch() + hours(part[3]) + minutes(part[4]) + seconds(part[5]);
  if (text == "Z" || text == "z") return base::WallTime(since);
  const bool ahead = TakePrefix(text, "+");
  if ((!ahead && !TakePrefix(text, "-")) || text.size() != 5 || text[2] != ':') return std::nullopt;
  std::string_view h = text.substr(0, 2), m = text.substr(3);
  const std::int64_t offset_hours = TakeNumber(h, 2), offset_minutes = TakeNumber(m, 2);
  if (offset_hours < 0 || offset_minutes < 0 || !h.empty() || !m.empty()) return std::nullopt;
  const seconds offset = hours(offset_hours) + minutes(offset_minutes);
  return base::WallTime(ahead ? since - offset : since + offset);
}

}  // namespace rabbit::api
