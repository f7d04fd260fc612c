// lib/http/transport.h: one server, reached by blocking calls with a deadline each.
// Implementations: BeastTransport (a TCP or TLS connection), TunnelTransport (bytes that travel
// inside something else), and test doubles. All are thread-safe: any number of calls at once. A
// transport is a resource: not copyable, passed by reference, outlives its users.
#pragma once

#include <cstddef>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "http/message.h"

namespace rabbit::http {

// Error::reason when the two sides will never agree in TLS: a certificate is refused, or what
// answers there speaks no TLS that we do. A connection that is cut is not that, nor is any other
// alert: balancers send some while the server behind them is away.
inline constexpr std::string_view kReasonTls = "TlsRefused";

struct CallOptions {
  base::TimePoint deadline;               // of the whole call, connect and last byte included
  std::stop_token stop;                   // a requested stop ends the call with kCancelled
  std::size_t max_body_bytes = 16 << 20;  // a longer response ends the call with kInternal
};

// Takes a streamed body on the thread that called Stream(). While it works no more is read than a
// bounded buffer holds: back-pressure reaches the server.
class BodySink {
 public:
  virtual ~BodySink() = default;
  // Once, before any data. An error ends the call with that error.
  virtual base::Result<void> OnHead(const ResponseHead& head) = 0;
  // Any cut of the body, not empty.
  virtual base::Result<void> OnData(std::string_view data) = 0;
};

class Transport {
 public:
  virtual ~Transport() = default;

  // Any status is a Response; errors are of the network, the deadline, the stop or the bound:
  //   kRetry     connect refused, reset, deadline, TLS (message says which); `sent` tells how far
  //   kCancelled stop requested
  //   kInternal  body longer than max_body_bytes
  // A call whose stop was requested, or whose deadline has passed, before it began sends nothing.
  // Redirects are not followed. When a kept-alive connection turns out to be dead the request is
  // repeated once if it is idempotent or surely did not arrive; others fail, and report `sent`.
  virtual base::Result<Response> Send(const Request& request, const CallOptions& options) = 0;

  // The same with the body given to `sink` as it comes; max_body_bytes does not count. Returns when
  // the body ended (also when it was cut by the server: a chunked body without its end is kRetry).
  virtual base::Result<void> Stream(const Request& request, const CallOptions& options,
                                    BodySink& sink) = 0;

  // SHA-256 (hex) of the certificate that the server showed in the last handshake that came about.
  // Empty: there was none yet, or the transport has no TLS of its own (a tunnel never has).
  [[nodiscard]] virtual std::string PeerCertificate() const { return {}; }
};

}  // namespace rabbit::http
