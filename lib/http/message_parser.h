// lib/http/message_parser.h: bytes to HTTP/1.x messages, as they come, within bounds. Internal to
// lib/http; pure (no I/O). The only users of Boost.Beast's parser, which is slow to compile.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/error.h"
#include "http/message.h"
#include "http/transport.h"

namespace rabbit::http {

// What our clients take of a response's head.
inline constexpr std::size_t kMaxHeaderBytes = 64 << 10;

// One request, whole.
class RequestParser {
 public:
  enum class State { kMore, kDone, kMalformed, kUnknownMethod, kHeaderTooLong, kBodyTooLong };

  // `max_header_bytes` bounds the line of each chunk, and the trailers, too.
  RequestParser(std::size_t max_header_bytes, std::size_t max_body_bytes);
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // Removes from the front of `bytes` what belongs to this request. Not after anything but kMore.
  [[nodiscard]] State Feed(std::string& bytes);

  // Whether the client waits for "100 Continue" before it sends the body. True once.
  [[nodiscard]] bool TakeExpectation();

  // After kDone.
  [[nodiscard]] Request TakeRequest();
  [[nodiscard]] bool keep_alive() const;
  [[nodiscard]] bool understands_chunks() const;  // HTTP/1.1

 private:
  struct Impl;
  const std::size_t max_header_bytes_;
  std::unique_ptr<Impl> impl_;
};

// One response, its body handed to a sink as it comes. Interim responses (1xx but 101) are skipped.
class ResponseParser {
 public:
  // `to_head`: the request was a HEAD, so no body follows. `sink` must outlive the parser.
  ResponseParser(std::size_t max_header_bytes, bool to_head, BodySink& sink);
  ~ResponseParser();
  ResponseParser(const ResponseParser&) = delete;
  ResponseParser& operator=(const ResponseParser&) = delete;

  // Removes what it used from the front of `bytes`. Errors: the sink's, or kRetry when it is not
  // HTTP.
  base::Result<void> Feed(std::string& bytes);
  // The connection has ended. kRetry when that cuts the response.
  base::Result<void> FeedEnd();
  [[nodiscard]] bool done() const;
  [[nodiscard]] bool head_done() const;
  // After done(): the server keeps the connection open for a next request.
  [[nodiscard]] bool keep_alive() const;

 private:
  struct Impl;
  const std::size_t max_header_bytes_;
  const bool to_head_;
  BodySink& sink_;
  std::unique_ptr<Impl> impl_;
};

// "Not Found" of 404; empty for numbers that nobody gave a meaning.
[[nodiscard]] std::string ReasonPhrase(int status);

}  // namespace rabbit::http
