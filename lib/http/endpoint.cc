#include "http/endpoint.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "http/message.h"

namespace rabbit::http {
namespace {

using base::ErrorKind;
using base::Fail;

bool IsHostCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

base::Result<std::uint16_t> ParsePort(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value == 0 || value > 65535) {
    return Fail(ErrorKind::kInvalid, "the port of a URL must be a number from 1 to 65535");
  }
  return static_cast<std::uint16_t>(value);
}

}  // namespace

bool IsIpv4Literal(std::string_view text) {
  in_addr ignored{};
  return inet_pton(AF_INET, std::string(text).c_str(), &ignored) == 1;
}

std::string HostHeader(const Endpoint& endpoint) {
  if (!endpoint.host_header.empty()) return endpoint.host_header;
  return endpoint.address + ":" + std::to_string(endpoint.port);
}

std::string ServerName(const Endpoint& endpoint, const TlsSettings& tls) {
  std::string name = tls.server_name;
  if (name.empty()) name = endpoint.host_header.substr(0, endpoint.host_header.find(':'));
  if (name.empty()) name = endpoint.address;
  if (name.ends_with('.'))
    name.pop_back();  // a fully qualified name: certificates leave the dot out
  return name;
}

// Texts of errors never repeat the URL: it may hold a password where none belongs.
base::Result<ParsedUrl> ParseUrl(std::string_view url) {
  ParsedUrl parsed;
  const std::size_t colon = url.find("://");
  if (colon == std::string_view::npos) {
    return Fail(ErrorKind::kInvalid, "a URL must start with https:// or http://");
  }
  if (EqualsIgnoringCase(url.substr(0, colon), "https")) {
    parsed.tls = true;
  } else if (!EqualsIgnoringCase(url.substr(0, colon), "http")) {
    return Fail(ErrorKind::kInvalid, "a URL must start with https:// or http://");
  }
  std::string_view rest = url.substr(colon + 3);
  if (rest.find_first_of("?#") != std::string_view::npos) {
    return Fail(ErrorKind::kInvalid, "a server's URL has no query and no fragment");
  }
  const std::size_t slash = rest.find('/');
  std::string_view authority = rest.substr(0, slash);
  std::string_view path = slash == std::string_view::npos ? std::string_view() : rest.substr(slash);
  if (authority.find('@') != std::string_view::npos) {
    return Fail(ErrorKind::kInvalid, "a server's URL must not hold user information");
  }
  if (authority.starts_with('[')) {
    return Fail(ErrorKind::kInvalid, "IPv6 literals in URLs are not supported; use a name or IPv4");
  }
  parsed.port = parsed.tls ? 443 : 80;
  if (const std::size_t at = authority.find(':'); at != std::string_view::npos) {
    base::Result<std::uint16_t> port = ParsePort(authority.substr(at + 1));
    if (!port) return tl::unexpected(std::move(port).error());
    parsed.port = *port;
    authority = authority.substr(0, at);
  }
  if (authority.empty() || authority.size() > 253 ||
      !std::ranges::all_of(authority, IsHostCharacter)) {
    return Fail(ErrorKind::kInvalid, "the host of a URL must be a DNS name or an IPv4 address");
  }
  if (std::ranges::any_of(path, [](char c) {
        return static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) >= 0x7f;
      })) {
    return Fail(ErrorKind::kInvalid, "the path of a URL holds a blank or a control character");
  }
  while (path.ends_with('/')) path.remove_suffix(1);
  parsed.host = authority;
  parsed.path_prefix = path;
  return parsed;
}

}  // namespace rabbit::http
