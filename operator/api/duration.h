// operator/api/duration.h: durations ("1h30m") and times by RFC 3339, from and to text.
// (Quantities: base/quantity.h.) Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "operator/api/common.h"

namespace rabbit::api {

// Nothing unless `text` is whole numbers with units ms, s, m or h, at most some 100 days.
[[nodiscard]] std::optional<Duration> ParseDuration(std::string_view text);
// The shortest form: "1h30m", "500ms", "0s".
[[nodiscard]] std::string FormatDuration(Duration duration);

// "2026-01-01T00:00:00Z", with or without a fraction (dropped) or an offset.
[[nodiscard]] std::optional<base::WallTime> ParseTime(std::string_view text);

}  // namespace rabbit::api
