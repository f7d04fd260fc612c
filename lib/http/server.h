// lib/http/server.h: the HTTP/1.1 server of everything that we serve: metrics, health, status page,
// the agent's API, the embedded API server. Plain TCP.
// One thread waits for requests on all connections and reads them whole; a few others run the
// handler. So a slow client costs memory within its bounds but never a thread, until it is
// answered.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "http/message.h"
#include "http/transport.h"

namespace rabbit::http {

// Answers one request: either Send() once, or Start() and any number of Write().
// On the handler's thread only. Errors (kRetry) mean that the client has gone or is too slow:
// return.
class ResponseWriter {
 public:
  virtual ~ResponseWriter() = default;

  // Content-Length and Connection are the server's own; leave them out.
  virtual base::Result<void> Send(const Response& response) = 0;

  // A body of unknown length. Each Write() reaches the client at once, or blocks within the write
  // timeout. The body ends when the handler returns.
  virtual base::Result<void> Start(const ResponseHead& head) = 0;
  virtual base::Result<void> Write(std::string_view data) = 0;
  // Instead of ending the body: cuts the connection, so that the client sees a failure.
  virtual void Cut() = 0;

  // Requested when the client hangs up and when the server stops. Handlers that wait must heed it.
  [[nodiscard]] virtual std::stop_token stop() const = 0;
};

// Called on several threads at once. Without an answer from it the client gets status 500.
using Handler = std::function<void(const Request& request, ResponseWriter& writer)>;

struct ServerOptions {
  std::string address = "0.0.0.0";  // literal; "::" listens on IPv4 too
  std::uint16_t port = 0;           // 0: any free one, see Server::port()
  // One more takes the place of the connection that has been silent longest, if one has been for
  // `spared`; else it waits in the kernel's queue. Those that are being answered are never closed.
  std::size_t max_connections = 64;
  std::size_t max_threads = 4;  // handlers at once; started when first needed
  std::size_t max_header_bytes = 16 << 10;
  std::size_t max_body_bytes = 64 << 10;
  std::chrono::milliseconds idle_timeout{60'000};   // between requests
  std::chrono::milliseconds read_timeout{10'000};   // from a request's first byte to its last
  std::chrono::milliseconds write_timeout{10'000};  // of each Send() or Write()
  std::chrono::milliseconds spared{200};            // the next request may be on its way
};

class Server {
 public:
  // Listens from here on. kInvalid: the address or port cannot be used (the message says which and
  // why).
  [[nodiscard]] static base::Result<std::unique_ptr<Server>> Start(const ServerOptions& options,
                                                                   Handler handler);
  ~Server();  // Stop(1 s), and aborts if a handler still runs
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] std::uint16_t port() const;

  // Takes no more requests, requests the stop of running handlers, lets them finish within `grace`,
  // then cuts their connections and waits as long again. False: some handler does not return; then
  // only _exit is safe.
  [[nodiscard]] bool Stop(base::Duration grace);

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace rabbit::http
