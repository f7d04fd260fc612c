// lib/base/utf8.h: well-formed UTF-8. Pure, thread-safe.
#pragma once

#include <cstddef>
#include <string_view>

namespace rabbit::base {

// How many bytes at the start of `text` (not empty) are one well-formed character; 0 for none.
// Surrogates and overlong forms are not well-formed.
[[nodiscard]] std::size_t Utf8Length(std::string_view text);

}  // namespace rabbit::base
