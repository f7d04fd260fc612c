// lib/base/quantity.h: Kubernetes quantities: "500m", "1Gi", "2", "1e3".
// Pure functions, thread-safe. Exact down to 10^-9, up to some 10^20; beyond that a text is no
// quantity to us.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rabbit::base {

// In whole units (bytes, cores), rounded up as Kubernetes does; nothing when `text` is no quantity
// or does not fit.
[[nodiscard]] std::optional<std::int64_t> QuantityValue(std::string_view text);

// The same value in other words: "1000m" and "1". False when one of them is no quantity.
[[nodiscard]] bool SameQuantity(std::string_view a, std::string_view b);

// One text for all that say the same value, to compare by; itself when it is no quantity.
[[nodiscard]] std::string PlainQuantity(std::string_view text);

// Whether `a` is less than `b`. False when one of them is no quantity.
[[nodiscard]] bool LessQuantity(std::string_view a, std::string_view b);

}  // namespace rabbit::base
