#include <nlohmann/json.hpp>

#include "base/utf8.h"
#include "base/yaml.h"
#include "base/yaml_scalar.h"

namespace rabbit::base {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint32_t kReplacement = 0xFFFD;

// The character that the `length` bytes at the start of `text` are.
std::uint32_t Decode(std::string_view text, std::size_t length) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (length <= 1) return length == 0 ? kReplacement : byte(0);
  std::uint32_t code = byte(0) & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) code = (code << 6U) | (byte(i) & 0x3FU);
  return code;
}

// What a reader of YAML may take for a line's end or a byte order mark, or refuse, and what a
// terminal may obey.
bool IsUnsafe(std::uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029 ||
         code == 0xFEFF || code == 0xFFFE || code == 0xFFFF;
}

// `text` with such characters as \uXXXX.
std::string Escaped(std::string_view text, std::string_view also) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = Utf8Length(text);
    const std::uint32_t code = Decode(text, length);
    if (IsUnsafe(code) || length == 0) {
      out += "\\u";
      for (int shift = 12; shift >= 0; shift -= 4) out += kDigits[(code >> shift) & 0xFU];
    } else {
      if (length == 1 && also.find(text.front()) != std::string_view::npos) out += '\\';
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

constexpr bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool IsInner(char c) {
  return IsLetter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '/';
}

// Whether every reader takes it for this very text without quotes.
bool IsPlain(std::string_view text) {
  if (text.empty() || !(IsLetter(text.front()) || text.front() == '/')) return false;
  for (const char c : text) {
    if (!IsInner(c)) return false;
  }
  return std::holds_alternative<std::string>(ResolvePlainScalar(text));
}

std::string Text(const std::string& text) {
  return IsPlain(text) ? text : '"' + Escaped(text, "\"\\") + '"';
}

bool IsBlock(const Json& value) { return value.is_structured() && !value.empty(); }

std::string Scalar(const Json& value) {
  if (value.is_string()) return Text(value.get_ref<const std::string&>());
  return value.dump();  // numbers, words; "{}" and "[]"
}

// `begun`: the first line has its indentation already, behind a "- ".
void Write(const Json& value, std::size_t indent, bool begun, std::string& out) {
  const std::string margin(indent, ' ');
  const auto begin_line = [&] {
    if (!begun) out += margin;
    begun = false;
  };
  if (!IsBlock(value)) {
    begin_line();
    out += Scalar(value) + '\n';
    return;
  }
  if (value.is_array()) {
    for (const Json& item : value) {
      begin_line();
      out += "- ";
      Write(item, indent + 2, true, out);
    }
    return;
  }
  for (const auto& [key, member] : value.items()) {
    begin_line();
    out += Text(key) + ':';
    if (!IsBlock(member)) {
      out += ' ' + Scalar(member) + '\n';
      continue;
    }
    out += '\n';
    // As kubectl writes them: the items of a list stand below the first letter of its key.
    Write(member, member.is_array() ? indent : indent + 2, false, out);
  }
}

}  // namespace

std::string WriteYaml(const nlohmann::ordered_json& value, std::size_t indent) {
  std::string out;
  Write(value, indent, false, out);
  return out;
}

std::string OnOneLine(std::string_view text) { return Escaped(text, {}); }

}  // namespace rabbit::base
