// lib/http/message.h: requests and responses as plain values. Building one is not sending it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rabbit::http {

enum class Method { kGet, kHead, kPost, kPut, kPatch, kDelete };
[[nodiscard]] std::string_view Name(Method method);
// Whether a second time changes nothing more (RFC 9110): all but POST and PATCH.
[[nodiscard]] bool IsIdempotent(Method method);

// In order; names compare without regard to case.
using Headers = std::vector<std::pair<std::string, std::string>>;
// The first value of `name`, or empty.
[[nodiscard]] std::string_view FindHeader(const Headers& headers, std::string_view name);
[[nodiscard]] bool EqualsIgnoringCase(std::string_view a, std::string_view b);  // ASCII only

struct Request {
  Method method = Method::kGet;
  std::string target = "/";  // origin form, already escaped: "/api/v1/pods?limit=100"
  Headers headers;           // without Host, Content-Length and Connection: the transport's
  std::string body;

  bool operator==(const Request&) const = default;
};

// Whether target and headers can stand in a request without becoming another one: no line breaks,
// no blanks in the target, header names made of token characters. Transports refuse the rest.
[[nodiscard]] bool IsSendable(const Request& request);

// What goes over the wire before the body, the empty line included. `keep`: the connection is kept.
[[nodiscard]] std::string RequestHead(const Request& request, std::string_view host, bool keep);

struct ResponseHead {
  int status = 0;
  Headers headers;
};

struct Response {
  int status = 0;
  Headers headers;
  std::string body;
};

// Percent-encodes all but RFC 3986's unreserved characters: one path segment or query value.
[[nodiscard]] std::string Escape(std::string_view text);

// Appends ?name=value or &name=value, the value escaped.
void AddQuery(std::string& target, std::string_view name, std::string_view value);

}  // namespace rabbit::http
