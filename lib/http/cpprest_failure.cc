#include "http/cpprest_failure.h"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "http/tls_context.h"

namespace rabbit::http {
namespace {

constexpr std::string_view kHandshake = "TLS handshake";
constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kPhases = {{
    {"Error in SSL handshake", kHandshake},
    {"Failed to connect", "connecting"},
    {"Error resolving", "connecting"},
    {"Failed to resolve", "connecting"},
    {"Failed to write", "sending the request"},
    {"cannot rewind", "sending the request on a kept-alive connection"},
    {"Failed to read HTTP status line", "waiting for the response"},
    {"Invalid HTTP status line", "reading the response's header"},
    {"Failed to read response body", "reading the body"},
    {"Failed to read chunked", "reading the body"},
    {"Retrieving message chunk", "reading the body"},
    {"Invalid chunked response", "reading the body"},
}};

unsigned long Packed(int code) { return static_cast<unsigned>(code); }

std::string Cause(int code, bool in_handshake, std::string_view tls_problem) {
  const unsigned long packed = Packed(code);
  if (ERR_GET_LIB(packed) != 0) {
    std::string reason = TlsReason(packed);
    if (in_handshake && !tls_problem.empty()) reason.append(": ").append(tls_problem);
    return reason;
  }
  switch (code) {
    case 0:
      return "malformed";
    case 1:             // asio's TLS stream_truncated
    case 2:             // asio's end of file
    case ECONNABORTED:  // what cpprestsdk makes of the latter
      return "the server closed the connection";
    case ETIMEDOUT:
      return "nothing came for too long";
    case EHOSTUNREACH:  // cpprestsdk makes it of ECONNREFUSED too
      return "refused, or the host cannot be reached";
    default:
      return std::generic_category().message(code);
  }
}

}  // namespace

std::string Describe(const Failure& failure, std::string_view tls_problem) {
  if (failure.stale) return failure.what;
  const auto* const phase = std::ranges::find_if(
      kPhases, [&](const auto& entry) { return failure.what.starts_with(entry.first); });
  if (phase == kPhases.end()) return failure.what;
  return std::string(phase->second) + ": " +
         Cause(failure.code, phase->second == kHandshake, tls_problem);
}

bool IsTlsRefusal(const Failure& failure) { return IsTlsRefusal(Packed(failure.code)); }

bool IsDeadConnection(const Failure& failure) {
  return failure.stale || failure.what.starts_with("Failed to write") ||
         failure.what.starts_with("cannot rewind");
}

}  // namespace rabbit::http
