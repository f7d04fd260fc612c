// lib/http/stream_writer.h: writes a server's response to a connection. Internal to lib/http.
#pragma once

#include <chrono>
#include <stop_token>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "http/server.h"
#include "http/stream.h"

namespace rabbit::http {

class StreamWriter final : public ResponseWriter {
 public:
  struct About {           // the request that is answered
    bool to_head = false;  // no body
    bool chunks = false;   // the client understands them
    bool keep_alive = false;
  };
  // `stream` must outlive the writer.
  StreamWriter(Stream& stream, About about, std::chrono::milliseconds timeout, std::stop_token stop)
      : stream_(stream), about_(about), timeout_(timeout), stop_(std::move(stop)) {}

  base::Result<void> Send(const Response& response) override;
  base::Result<void> Start(const ResponseHead& head) override;
  base::Result<void> Write(std::string_view data) override;
  void Cut() override { state_ = State::kCut; }
  [[nodiscard]] std::stop_token stop() const override { return stop_; }

  [[nodiscard]] bool started() const { return state_ != State::kNothing; }
  // After the handler: ends the response, or answers 500 when there is none. Returns whether the
  // connection can take another request.
  [[nodiscard]] bool Finish();

 private:
  enum class State { kNothing, kStreaming, kDone, kCut };
  base::Result<void> WriteBytes(std::string_view bytes);

  Stream& stream_;
  About about_;
  std::chrono::milliseconds timeout_;
  std::stop_token stop_;
  const base::RealClock clock_;
  State state_ = State::kNothing;
};

// Status line and headers with the blank line, or empty when a header would break out of its line.
[[nodiscard]] std::string FormatHead(const ResponseHead& head, std::string_view framing,
                                     bool keep_alive);

}  // namespace rabbit::http
