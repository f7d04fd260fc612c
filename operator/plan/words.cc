#include "operator/plan/words.h"

#include <algorithm>

namespace rabbit::plan {

std::string Shortened(std::string_view text, std::size_t most) {
  std::size_t end = std::min(text.size(), most);
  // Back to the start of a character: continuation bytes are 10xxxxxx.
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  std::string shortened;
  for (const char c : text.substr(0, end)) {
    const auto byte = static_cast<unsigned char>(c);
    shortened += byte < 0x20 || byte == 0x7F ? '?' : c;
  }
  if (end < text.size()) shortened += "…";
  return shortened;
}

std::string Quoted(std::string_view text, std::size_t most) {
  return '"' + Shortened(text, most) + '"';
}

std::string SayFieldsWithoutEffect(std::span<const std::string> fields) {
  constexpr std::size_t kMostNamed = 20;
  return "this version of the operator does not act on " + Listed(fields, kMostNamed) +
         ": leave out what is not needed";
}

std::string Listed(std::span<const std::string> names, std::size_t most) {
  std::string list;
  // One more than `most` is written out: "and 1 more" is no shorter than a name.
  const std::size_t shown = names.size() <= most + 1 ? names.size() : most;
  for (std::size_t i = 0; i < shown; ++i) {
    if (i > 0) list += i + 1 == names.size() ? " and " : ", ";
    list += names[i];
  }
  if (shown < names.size()) list += " and " + std::to_string(names.size() - shown) + " more";
  return list;
}

std::string Counted(std::size_t count, std::string_view noun) {
  std::string counted = std::to_string(count);
  counted.append(" ").append(noun);
  if (count != 1) {
    if (counted.ends_with('y')) {  // policy, proxy
      counted.replace(counted.size() - 1, 1, "ies");
    } else {
      counted += 's';
    }
  }
  return counted;
}

}  // namespace rabbit::plan
