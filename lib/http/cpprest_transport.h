// lib/http/cpprest_transport.h: the Transport to brokers and proxies: cpprestsdk behind an
// interface.
// HTTP/1.1 with kept-alive connections, plain or TLS, to one literal IPv4 address. All I/O of all
// transports runs on one thread of cpprestsdk's; calls block the thread that makes them, and sinks
// run there too. A new certificate or address means a new transport.
// After a call has ended by its deadline or a stop nothing of it touches the caller's memory, even
// if the I/O thread is late; a process that must leave then ends with _exit.
// Limits that cpprestsdk sets: one chunk of a chunked body, and the header of a response, are held
// in memory whole, so point it only at servers that are trusted that far.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/error.h"
#include "http/endpoint.h"
#include "http/transport.h"

namespace rabbit::http {

struct CpprestOptions {
  // From the start of a call until the connection, TLS included, takes the request.
  std::chrono::milliseconds connect_timeout{5'000};
  // The longest silence of the server within a call, and of a sink while it holds the body up.
  // A watch needs more than the seconds that it asks the server for. At least 1 s.
  std::chrono::milliseconds idle_timeout{30'000};
  std::string user_agent = "rabbit-operator";  // unless a request has its own
  // While the server has not been reached a bare connect, closed at once, goes before each call.
  // A refusal then costs microseconds; cpprestsdk's costs a lookup on its resolver's thread, a
  // connection's buffers and an exception, 1 ms together. For servers that are often away.
  bool connect_first = false;
};

// Starts cpprestsdk's one I/O thread. Call it first in main, before other threads; making a
// transport does it otherwise. More calls do nothing.
void InitializeCpprest();

// kInvalid: the address is no IPv4 literal, or the TLS settings cannot be used. Connects later.
[[nodiscard]] base::Result<std::unique_ptr<Transport>> MakeCpprestTransport(
    const Endpoint& endpoint, const TlsSettings& tls, const CpprestOptions& options = {});

}  // namespace rabbit::http
