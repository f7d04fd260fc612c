// lib/http/stream.h: one TCP connection, plain or TLS, with blocking calls that a deadline and a
// stop token bound. Internal to lib/http. The one type that everything here does its I/O with. One
// thread at a time. After an error only destruction makes sense.
#pragma once

#include <cstddef>
#include <memory>
#include <stop_token>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "http/endpoint.h"
#include "http/tls_context.h"

namespace rabbit::http {

struct IoLimits {
  base::TimePoint deadline;
  std::stop_token stop;
};

// Lets the kernel notice within half a minute that the peer's machine is gone.
void EnableKeepAlive(int socket);

class Stream {
 public:
  // Connects, and does the TLS handshake when `tls` is not null. kRetry, kCancelled; sent is kNo.
  [[nodiscard]] static base::Result<std::unique_ptr<Stream>> Connect(
      const Endpoint& endpoint, const std::shared_ptr<TlsContext>& tls, const IoLimits& limits);
  // Takes over a connected, non-blocking socket.
  explicit Stream(int socket);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // At least one byte, or 0 when the peer has ended the stream in order. TLS that ends without
  // saying so is an error: it may be cut.
  base::Result<std::size_t> Read(char* data, std::size_t size, const IoLimits& limits);
  // All of `data`.
  base::Result<void> Write(std::string_view data, const IoLimits& limits);

  // Gives back what only a call needs: one descriptor less while the connection is kept.
  void Rest();

  [[nodiscard]] int socket() const { return socket_; }

 private:
  enum class Need { kRead, kWrite };
  base::Result<void> ConnectSocket(const Endpoint& endpoint, const IoLimits& limits);
  base::Result<void> Handshake(const IoLimits& limits);
  [[nodiscard]] base::Result<void> Check(const IoLimits& limits) const;
  base::Result<void> Wait(Need need, const IoLimits& limits);
  // After a TLS call that returned `result` <= 0: waits and asks to repeat, or says what is wrong.
  base::Result<void> WaitForTls(int result, const IoLimits& limits);

  const base::RealClock clock_;
  int socket_;
  int wake_ = -1;                    // eventfd for stop tokens; -1 until one is needed
  std::shared_ptr<TlsContext> tls_;  // null: plain
  ssl_st* ssl_ = nullptr;
};

}  // namespace rabbit::http
