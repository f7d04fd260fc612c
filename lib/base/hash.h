// lib/base/hash.h: digests and encodings. Pure functions, thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace rabbit::base {

[[nodiscard]] std::string Sha256(std::string_view bytes);     // 32 raw bytes
[[nodiscard]] std::string Sha256Hex(std::string_view bytes);  // 64 lower-case hex digits
// 64 bits that differ for different texts as far as chance goes; stable across runs and machines.
[[nodiscard]] std::uint64_t Hash64(std::string_view bytes);
// 14 lower-case hex digits: annotation values, name suffixes. As long as a std::string holds
// without memory of its own, since a few dozen are kept for each cluster.
[[nodiscard]] std::string ShortHash(std::string_view bytes);

[[nodiscard]] std::string Base64Encode(std::string_view bytes);
[[nodiscard]] Result<std::string> Base64Decode(std::string_view text);  // kInvalid on bad input

}  // namespace rabbit::base
