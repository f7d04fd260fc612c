#include "http/message.h"

#include <algorithm>

namespace rabbit::http {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool IsUnreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

}  // namespace

std::string_view Name(Method method) {
  switch (method) {
    case Method::kGet:
      return "GET";
    case Method::kHead:
      return "HEAD";
    case Method::kPost:
      return "POST";
    case Method::kPut:
      return "PUT";
    case Method::kPatch:
      return "PATCH";
    case Method::kDelete:
      return "DELETE";
  }
  return "GET";
}

bool IsIdempotent(Method method) { return method != Method::kPost && method != Method::kPatch; }

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, Lower, Lower);
}

std::string_view FindHeader(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (EqualsIgnoringCase(key, name)) return value;
  }
  return {};
}

bool IsSendable(const Request& request) {
  const auto is_clean = [](std::string_view text) {
    return std::ranges::none_of(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
  };
  // "//host/path" would name another host.
  if (!request.target.starts_with('/') || request.target.starts_with("//")) return false;
  if (std::ranges::any_of(request.target, [](char c) {
        return static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) >= 0x7f;
      })) {
    return false;
  }
  return std::ranges::all_of(request.headers, [&](const auto& header) {
    return !header.first.empty() && is_clean(header.second) &&
           std::ranges::all_of(header.first, [](char c) {
             return IsUnreserved(c) || std::string_view("!#$%&'*+^`|").find(c) != std::string::npos;
           });
  });
}

std::string Escape(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    if (IsUnreserved(c)) {
      escaped += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      escaped += '%';
      escaped += kHex[byte >> 4U];
      escaped += kHex[byte & 0xFU];
    }
  }
  return escaped;
}

void AddQuery(std::string& target, std::string_view name, std::string_view value) {
  target += target.find('?') == std::string::npos ? '?' : '&';
  target += name;
  target += '=';
  target += Escape(value);
}

std::string RequestHead(const Request& request, std::string_view host, bool keep) {
  std::string text(Name(request.method));
  text.append(" ").append(request.target).append(" HTTP/1.1\r\nHost: ").append(host);
  text.append(keep ? "\r\n" : "\r\nConnection: close\r\n");
  for (const auto& [name, value] : request.headers) {
    text.append(name).append(": ").append(value).append("\r\n");
  }
  if (!request.body.empty() || request.method == Method::kPost || request.method == Method::kPut) {
    text.append("Content-Length: ").append(std::to_string(request.body.size())).append("\r\n");
  }
  return text += "\r\n";
}

}  // namespace rabbit::http
