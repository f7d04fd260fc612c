#include "base/yaml_scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

namespace rabbit::base {
namespace {

template <std::size_t N>
bool IsOneOf(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

constexpr std::array<std::string_view, 11> kTrue{"y",    "Y",    "yes", "Yes", "YES", "true",
                                                 "True", "TRUE", "on",  "On",  "ON"};
constexpr std::array<std::string_view, 11> kFalse{"n",     "N",     "no",  "No",  "NO", "false",
                                                  "False", "FALSE", "off", "Off", "OFF"};
constexpr std::array<std::string_view, 5> kNull{"", "~", "null", "Null", "NULL"};
constexpr std::array<std::string_view, 12> kNotNumbers{".nan",  ".NaN",  ".NAN",  ".inf",
                                                       ".Inf",  ".INF",  "+.inf", "+.Inf",
                                                       "+.INF", "-.inf", "-.Inf", "-.INF"};

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// An integer with a prefix that says its base, without underscores.
std::optional<YamlScalar> ParseInteger(std::string_view text) {
  const bool negative = text[0] == '-';
  const bool sign = negative || text[0] == '+';
  std::string_view digits = text.substr(sign ? 1 : 0);
  int base = 10;
  if (digits.size() > 1 && digits[0] == '0') {
    const char letter = digits[1];
    base = letter == 'x' || letter == 'X' ? 16 : letter == 'b' || letter == 'B' ? 2 : 8;
    digits.remove_prefix(base != 8 || letter == 'o' || letter == 'O' ? 2 : 1);
  }
  std::uint64_t value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
    return std::nullopt;
  }
  constexpr std::uint64_t kMin = std::uint64_t{1} << 63;
  if (negative) {
    if (value > kMin) return std::nullopt;
    return static_cast<std::int64_t>(~value + 1);
  }
  if (value < kMin) return static_cast<std::int64_t>(value);
  // Beyond the signed range a sign makes it a float.
  return sign ? std::nullopt : std::optional<YamlScalar>(value);
}

// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool LooksLikeFloat(std::string_view text) {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t from = i;
    while (i < text.size() && IsDigit(text[i])) ++i;
    return i > from;
  };
  const auto one_of = [&](std::string_view chars) {
    const bool is = i < text.size() && chars.find(text[i]) != std::string_view::npos;
    i += is ? 1 : 0;
    return is;
  };
  one_of("+-");
  if (one_of(".")) {
    if (!digits()) return false;
  } else {
    if (!digits()) return false;
    if (one_of(".")) digits();
  }
  if (one_of("eE")) {
    one_of("+-");
    if (!digits()) return false;
  }
  return i == text.size();
}

std::optional<YamlScalar> ParseFloat(std::string_view text) {
  if (!LooksLikeFloat(text)) return std::nullopt;
  if (text[0] == '+') text.remove_prefix(1);  // unknown to from_chars
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;  // out of range: a string then
  // Go writes a whole float without its point, so that 1e3 and 08 pass for integers.
  if (std::abs(value) < 0x1p63 && value == std::trunc(value)) {
    return static_cast<std::int64_t>(value);
  }
  return value;
}

}  // namespace

YamlScalar ResolvePlainScalar(std::string_view text) {
  if (IsOneOf(text, kNull)) return nullptr;
  if (IsOneOf(text, kTrue)) return true;
  if (IsOneOf(text, kFalse)) return false;
  if (IsOneOf(text, kNotNumbers)) return NotANumber{};
  const char first = text[0];
  if (IsDigit(first) || first == '+' || first == '-' || first == '.') {
    std::string plain(text);
    std::erase(plain, '_');
    if (first != '.') {
      if (const auto integer = ParseInteger(plain)) return *integer;
    }
    if (const auto number = ParseFloat(plain)) return *number;
  }
  return std::string(text);
}

}  // namespace rabbit::base
