#include "base/quantity.h"

#include <array>
#include <limits>

namespace rabbit::base {
namespace {

// Whole 10^-9 parts. 64 bits would end at 9 Gi.
__extension__ using Nanos = __int128;

constexpr Nanos kNanosPerUnit = 1'000'000'000;
// Far below the type's end, so that a multiplication by ten or by 1024 cannot overflow.
constexpr Nanos kLimit = kNanosPerUnit * 1'000'000'000 * 1'000'000'000 * 1000;

struct Suffix {
  std::string_view text;
  int power;  // of 10 (decimal) or of 1024 (binary)
  bool binary;
};
constexpr std::array<Suffix, 16> kSuffixes{{{"", 0, false},
                                            {"n", -9, false},
                                            {"u", -6, false},
                                            {"m", -3, false},
                                            {"k", 3, false},
                                            {"M", 6, false},
                                            {"G", 9, false},
                                            {"T", 12, false},
                                            {"P", 15, false},
                                            {"E", 18, false},
                                            {"Ki", 1, true},
                                            {"Mi", 2, true},
                                            {"Gi", 3, true},
                                            {"Ti", 4, true},
                                            {"Pi", 5, true},
                                            {"Ei", 6, true}}};

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// "e3", "E-6": the decimal power.
std::optional<int> ParseExponent(std::string_view text) {
  if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return std::nullopt;
  text.remove_prefix(1);
  const bool negative = text[0] == '-';
  if (text[0] == '-' || text[0] == '+') text.remove_prefix(1);
  if (text.empty() || text.size() > 2) return std::nullopt;
  int value = 0;
  for (const char c : text) {
    if (!IsDigit(c)) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return negative ? -value : value;
}

std::optional<Nanos> Parse(std::string_view text) {
  const bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  Nanos value = 0;
  int decimals = 0;
  bool point = false;
  bool digits = false;
  std::size_t i = 0;
  for (; i < text.size() && (IsDigit(text[i]) || (text[i] == '.' && !point)); ++i) {
    if (text[i] == '.') {
      point = true;
      continue;
    }
    digits = true;
    decimals += point ? 1 : 0;
    value = value * 10 + (text[i] - '0');
    if (value > kLimit) return std::nullopt;
  }
  if (!digits) return std::nullopt;
  const std::string_view rest = text.substr(i);

  int power = 9 - decimals;  // of ten, from the digits to 10^-9 parts
  int binary = 0;
  bool known = false;
  for (const Suffix& suffix : kSuffixes) {
    if (suffix.text != rest) continue;
    known = true;
    (suffix.binary ? binary : power) += suffix.power;
  }
  if (!known) {
    const std::optional<int> exponent = ParseExponent(rest);
    if (!exponent) return std::nullopt;
    power += *exponent;
  }
  for (; binary > 0; --binary) {
    value *= 1024;
    if (value > kLimit) return std::nullopt;
  }
  for (; power > 0 && value != 0; --power) {
    value *= 10;
    if (value > kLimit) return std::nullopt;
  }
  for (; power < 0; ++power) {
    if (value % 10 != 0) return std::nullopt;  // finer than 10^-9
    value /= 10;
  }
  return negative ? -value : value;
}

}  // namespace

std::optional<std::int64_t> QuantityValue(std::string_view text) {
  const std::optional<Nanos> nanos = Parse(text);
  if (!nanos) return std::nullopt;
  Nanos units = *nanos / kNanosPerUnit;
  if (*nanos > 0 && *nanos % kNanosPerUnit != 0) ++units;
  if (units > std::numeric_limits<std::int64_t>::max() ||
      units < std::numeric_limits<std::int64_t>::min()) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(units);
}

std::string PlainQuantity(std::string_view text) {
  const std::optional<Nanos> nanos = Parse(text);
  if (!nanos) return std::string(text);
  const Nanos size = *nanos < 0 ? -*nanos : *nanos;
  std::string digits;  // of 10^-9 parts: the library prints no 128 bits
  for (Nanos left = size; left > 0 || digits.empty(); left /= 10) {
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(left % 10)));
  }
  return (*nanos < 0 ? "-" : "") + digits + "n";
}

bool SameQuantity(std::string_view a, std::string_view b) {
  const std::optional<Nanos> left = Parse(a);
  return left && left == Parse(b);
}

bool LessQuantity(std::string_view a, std::string_view b) {
  const std::optional<Nanos> left = Parse(a), right = Parse(b);
  return left && right && *left < *right;
}

}  // namespace rabbit::base
