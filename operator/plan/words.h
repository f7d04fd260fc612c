// operator/plan/words.h: putting names and values of the world into reasons and messages.
// What somebody wrote at a broker may be long and hold anything; what reaches log, Event and
// condition is short and printable. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace rabbit::plan {

// At most `most` bytes of `text` (then "…"), whole UTF-8 characters, control characters as '?'.
[[nodiscard]] std::string Shortened(std::string_view text, std::size_t most = 80);
// The same in double quotes.
[[nodiscard]] std::string Quoted(std::string_view text, std::size_t most = 80);

// "a, b and 3 more": at most `most` of them.
[[nodiscard]] std::string Listed(std::span<const std::string> names, std::size_t most = 5);

// That this version of the operator does not act on these fields: the message of FieldsInEffect.
[[nodiscard]] std::string SayFieldsWithoutEffect(std::span<const std::string> fields);

// "1 object", "3 objects".
[[nodiscard]] std::string Counted(std::size_t count, std::string_view noun);

}  // namespace rabbit::plan
