#include "kube/json_text.h"

#include <cstdint>

namespace rabbit::kube {
namespace {

constexpr std::size_t kBad = std::string_view::npos;

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::size_t SkipSpace(std::string_view text, std::size_t pos) {
  while (pos < text.size() && IsSpace(text[pos])) ++pos;
  return pos;
}

// `pos` is at the opening quote; returns the offset after the closing one.
std::size_t SkipString(std::string_view text, std::size_t pos) {
  for (++pos; pos < text.size(); ++pos) {
    if (text[pos] == '\\') {
      ++pos;
    } else if (text[pos] == '"') {
      return pos + 1;
    }
  }
  return kBad;
}

std::size_t SkipContainer(std::string_view text, std::size_t pos) {
  std::size_t depth = 0;
  while (pos < text.size()) {
    switch (text[pos]) {
      case '"':
        pos = SkipString(text, pos);
        if (pos == kBad) return kBad;
        continue;
      case '{':
      case '[':
        ++depth;
        break;
      case '}':
      case ']':
        if (--depth == 0) return pos + 1;
        break;
      default:
        break;
    }
    ++pos;
  }
  return kBad;
}

std::size_t SkipScalar(std::string_view text, std::size_t pos) {
  const std::size_t start = pos;
  while (pos < text.size() && !IsSpace(text[pos]) && text[pos] != ',' && text[pos] != '}' &&
         text[pos] != ']') {
    ++pos;
  }
  return pos == start ? kBad : pos;
}

std::size_t SkipValue(std::string_view text, std::size_t pos) {
  if (pos >= text.size()) return kBad;
  if (text[pos] == '"') return SkipString(text, pos);
  if (text[pos] == '{' || text[pos] == '[') return SkipContainer(text, pos);
  return SkipScalar(text, pos);
}

void AppendUtf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

// The four hex digits at `pos`.
std::optional<std::uint32_t> Hex4(std::string_view text, std::size_t pos) {
  if (pos + 4 > text.size()) return std::nullopt;
  std::uint32_t value = 0;
  for (std::size_t i = pos; i < pos + 4; ++i) {
    const char c = text[i];
    std::uint32_t digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<std::uint32_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<std::uint32_t>(c - 'a' + 10);
    } else if (c >= 'A' && c <= 'F') {
      digit = static_cast<std::uint32_t>(c - 'A' + 10);
    } else {
      return std::nullopt;
    }
    value = value * 16 + digit;
  }
  return value;
}

// Appends the character that the escape at `pos` (its 'u') stands for; returns the offset after it.
std::size_t AppendUnicodeEscape(std::string_view text, std::size_t pos, std::string& out) {
  const auto high = Hex4(text, pos + 1);
  if (!high) return kBad;
  pos += 5;
  if (*high < 0xD800 || *high > 0xDFFF) {
    AppendUtf8(out, *high);
    return pos;
  }
  if (*high < 0xDC00 && text.substr(pos, 2) == "\\u") {
    const auto low = Hex4(text, pos + 2);
    if (low && *low >= 0xDC00 && *low <= 0xDFFF) {
      AppendUtf8(out, 0x10000 + ((*high - 0xD800) << 10) + (*low - 0xDC00));
      return pos + 6;
    }
  }
  AppendUtf8(out, 0xFFFD);  // half of a surrogate pair
  return pos;
}

}  // namespace

Members::Members(std::string_view object) : text_(object) {
  pos_ = SkipSpace(text_, 0);
  if (pos_ >= text_.size() || text_[pos_] != '{') {
    malformed_ = true;
  } else {
    ++pos_;
  }
}

bool Members::Malformed() {
  malformed_ = true;
  return false;
}

bool Members::Next() {
  if (malformed_) return false;
  std::size_t pos = SkipSpace(text_, pos_);
  if (pos >= text_.size()) return Malformed();
  if (text_[pos] == '}') return false;
  if (!first_) {
    if (text_[pos] != ',') return Malformed();
    pos = SkipSpace(text_, pos + 1);
  }
  first_ = false;
  if (pos >= text_.size() || text_[pos] != '"') return Malformed();
  key_start_ = pos;
  pos = SkipString(text_, pos);
  if (pos == kBad) return Malformed();
  key_ = text_.substr(key_start_ + 1, pos - key_start_ - 2);
  pos = SkipSpace(text_, pos);
  if (pos >= text_.size() || text_[pos] != ':') return Malformed();
  pos = SkipSpace(text_, pos + 1);
  const std::size_t end = SkipValue(text_, pos);
  if (end == kBad) return Malformed();
  value_ = text_.substr(pos, end - pos);
  pos_ = end;
  return true;
}

std::optional<std::string_view> FindMember(std::string_view object, std::string_view key) {
  Members members(object);
  while (members.Next()) {
    if (members.key() == key) return members.value();
  }
  return std::nullopt;
}

std::optional<std::string> Unquote(std::string_view json) {
  if (json.size() < 2 || json.front() != '"' || json.back() != '"') return std::nullopt;
  json = json.substr(1, json.size() - 2);
  if (json.find('\\') == std::string_view::npos) return std::string(json);
  std::string out;
  out.reserve(json.size());
  for (std::size_t pos = 0; pos < json.size();) {
    if (json[pos] != '\\') {
      out += json[pos++];
      continue;
    }
    if (++pos >= json.size()) return std::nullopt;
    switch (json[pos]) {
      case 'b':
        out += '\b';
        break;
      case 'f':
        out += '\f';
        break;
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 't':
        out += '\t';
        break;
      case 'u':
        pos = AppendUnicodeEscape(json, pos, out);
        if (pos == kBad) return std::nullopt;
        continue;
      case '"':
      case '\\':
      case '/':
        out += json[pos];
        break;
      default:
        return std::nullopt;
    }
    ++pos;
  }
  return out;
}

std::string Quote(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out += '"';
}

base::Result<Item> ReadItem(std::string_view text) {
  const auto metadata = FindMember(text, "metadata");
  if (!metadata) return base::Fail(base::ErrorKind::kInternal, "an object without metadata");
  Item item;
  // What to cut out: from the end of the member before managedFields to the end of it, so that the
  // comma between them goes too; when it is the first member, up to the start of the next one.
  std::size_t cut_from = 0, cut_to = 0, before_end = 0;
  bool cut_first = false;
  const auto offset = static_cast<std::size_t>(metadata->data() - text.data());
  Members members(*metadata);
  while (members.Next()) {
    if (cut_first) {
      cut_to = members.key_start();
      cut_first = false;
    }
    if (members.key() == "name") {
      item.key.name = Unquote(members.value()).value_or("");
    } else if (members.key() == "namespace") {
      item.key.ns = Unquote(members.value()).value_or("");
    } else if (members.key() == "resourceVersion") {
      item.resource_version = Unquote(members.value()).value_or("");
    } else if (members.key() == "managedFields") {
      cut_first = before_end == 0;
      cut_from = cut_first ? members.key_start() : before_end;
      cut_to = members.value_end();
    }
    before_end = members.value_end();
  }
  if (members.malformed() || item.key.name.empty()) {
    return base::Fail(base::ErrorKind::kInternal, "an object without a name");
  }
  item.text.reserve(text.size() - (cut_to - cut_from));
  item.text.append(text.substr(0, offset + cut_from)).append(text.substr(offset + cut_to));
  return item;
}

}  // namespace rabbit::kube
