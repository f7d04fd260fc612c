#include "base/hash.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace rabbit::base {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64Digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string Hex(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kHexDigits[byte >> 4];
    text += kHexDigits[byte & 15];
  }
  return text;
}

}  // namespace

std::string Sha256(std::string_view bytes) {
  std::array<unsigned char, 32> digest{};
  unsigned int size = 0;
  // Fails only when the library has no SHA-256 at all: nothing a caller could do about it.
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1 ||
      size != digest.size()) {
    std::abort();
  }
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string Sha256Hex(std::string_view bytes) { return Hex(Sha256(bytes)); }

std::uint64_t Hash64(std::string_view bytes) {
  const std::string digest = Sha256(bytes);
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) {
    value = value << 8 | static_cast<unsigned char>(digest[static_cast<std::size_t>(i)]);
  }
  return value;
}

std::string ShortHash(std::string_view bytes) { return Hex(Sha256(bytes).substr(0, 7)); }

std::string Base64Encode(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < have ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      text += j <= have ? kBase64Digits[group >> (18 - 6 * j) & 63] : '=';
    }
  }
  return text;
}

Result<std::string> Base64Decode(std::string_view text) {
  // The text may be a secret, so the message names a position only.
  const auto bad = [](std::size_t position) {
    return Fail(ErrorKind::kInvalid, "not base64 at byte " + std::to_string(position));
  };
  if (text.size() % 4 != 0) return bad(text.size());
  std::size_t digits = text.size();
  while (digits > 0 && text.size() - digits < 2 && text[digits - 1] == '=') --digits;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t group = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    const std::size_t value = kBase64Digits.find(text[i]);
    if (value == std::string_view::npos) return bad(i);
    group = group << 6 | static_cast<std::uint32_t>(value);
    // After 2, 3 and 4 digits of a group another byte is whole.
    if (i % 4 != 0) bytes += static_cast<char>(group >> (6 - 2 * (i % 4)) & 255);
  }
  // Bits that no byte holds must be zero: one value has one text.
  const std::uint32_t left_over = digits % 4 == 2 ? group & 15 : digits % 4 == 3 ? group & 3 : 0;
  if (left_over != 0) return bad(digits - 1);
  return bytes;
}

}  // namespace rabbit::base
