// lib/http/websocket.h: a WebSocket client (RFC 6455), plain or TLS, blocking with deadlines; made
// for commands in pods (sub-protocol v5.channel.k8s.io) and for little else: no extensions, and
// text frames are handed out like binary ones, unchecked.
// A message always goes out as one frame: the Kubernetes API server takes each frame for a message.
// One thread at a time. TLS trust is as everywhere (http/tls_context.h).
#pragma once

#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "http/endpoint.h"
#include "http/message.h"

namespace rabbit::http {

struct WebSocketRequest {
  std::string target;                  // origin form, escaped
  Headers headers;                     // Authorization and the like
  std::vector<std::string> protocols;  // offered, the best first
  std::size_t max_message_bytes = 1 << 20;
};

class WebSocket {
 public:
  struct Message {
    std::string data;  // may be empty
  };
  struct Closed {
    int code = 1005;  // 1000: in order; 1005: the server gave none
    std::string reason;
  };
  using Event = std::variant<Message, Closed>;

  virtual ~WebSocket() = default;  // ends the TCP connection, without a word

  // The one that the server chose; empty: none.
  [[nodiscard]] virtual const std::string& protocol() const = 0;

  // Errors: kRetry (network, deadline), kCancelled. After one of Send()'s the socket is of no use.
  // A server that sends but is not read may take no more: bound what is sent in one go.
  virtual base::Result<void> Send(std::string_view message, base::TimePoint deadline,
                                  std::stop_token stop) = 0;

  // The next message, or the server's Close (which is answered). Pings are answered on the way.
  // kRetry with a deadline that passed, and kCancelled: may be called again. kRetry otherwise: the
  // connection ended without a Close. kInternal: the server breaks the protocol or the bound.
  virtual base::Result<Event> Receive(base::TimePoint deadline, std::stop_token stop) = 0;

  // Says goodbye; the server's answer, and what it still sends before, comes from Receive().
  virtual base::Result<void> Close(int code, base::TimePoint deadline) = 0;
};

struct WebSocketAnswer {
  std::unique_ptr<WebSocket> socket;  // null: refused
  Response refused;                   // then the server's answer, its body cut at 64 KiB
};

// Errors: kRetry (connect, TLS, deadline, not HTTP), kCancelled, kInvalid (request or settings),
// kInternal (an upgrade that breaks the protocol).
[[nodiscard]] base::Result<WebSocketAnswer> ConnectWebSocket(const Endpoint& endpoint,
                                                             const TlsSettings& tls,
                                                             const WebSocketRequest& request,
                                                             base::TimePoint deadline,
                                                             std::stop_token stop);

}  // namespace rabbit::http
