// lib/http/beast_transport.h: the Transport to API server, brokers and proxies: HTTP/1.1, plain or
// TLS, to one literal IPv4 address. Nothing runs but the caller's thread, which does its own I/O
// and runs the sink. (The parser is Boost.Beast's.) A body reaches the sink as it comes, and the
// head of a response and the line of a chunk are held to a bound: no server can make a caller hold
// more. A new certificate or address means a new transport.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/error.h"
#include "http/endpoint.h"
#include "http/transport.h"

namespace rabbit::http {

struct BeastOptions {
  // As many idle connections are kept for calls to come; 0: a connection for each call.
  std::size_t keep = 0;
  // From the start of a call until the connection stands, TLS included.
  std::chrono::milliseconds connect_timeout{5'000};
  // The longest silence of the server within a call.
  std::chrono::milliseconds idle_timeout{30'000};
};

// kInvalid: the address is no IPv4 literal, or the TLS settings cannot be used. Connects later.
[[nodiscard]] base::Result<std::unique_ptr<Transport>> MakeBeastTransport(
    const Endpoint& endpoint, const TlsSettings& tls = {}, const BeastOptions& options = {});

}  // namespace rabbit::http
