// lib/http/beast_transport.h: a Transport without cpprestsdk, plain or TLS. Nothing runs but the
// caller's thread, which does its own I/O. (The parser is Boost.Beast's.)
// Two uses: small programs (the proxy agent, the health command) take a connection for each call;
// the daemon's API calls keep connections, because a call then costs a third of what it costs
// through cpprestsdk, whose I/O thread has to be woken and has to wake the caller.
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
