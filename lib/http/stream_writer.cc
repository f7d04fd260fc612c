#include "http/stream_writer.h"

#include <array>
#include <charconv>
#include <string>
#include <utility>

#include "http/message_parser.h"

namespace rabbit::http {
namespace {

using base::ErrorKind;
using base::Fail;
using base::Result;

bool HasNoBody(int status) { return status == 204 || status == 304 || status < 200; }

}  // namespace

std::string FormatHead(const ResponseHead& head, std::string_view framing, bool keep_alive) {
  std::string text = "HTTP/1.1 " + std::to_string(head.status) + " " + ReasonPhrase(head.status);
  text += "\r\n";
  for (const auto& [name, value] : head.headers) {
    if (name.empty() || name.find_first_of(": \r\n") != std::string::npos ||
        value.find_first_of("\r\n") != std::string::npos) {
      return {};
    }
    text.append(name).append(": ").append(value).append("\r\n");
  }
  text += framing;
  if (!keep_alive) text += "Connection: close\r\n";
  return text += "\r\n";
}

Result<void> StreamWriter::Send(const Response& response) {
  if (state_ != State::kNothing) return Fail(ErrorKind::kInternal, "a second response");
  std::string framing;
  if (!HasNoBody(response.status)) {
    framing = "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
  }
  std::string text = FormatHead({response.status, response.headers}, framing, about_.keep_alive);
  if (text.empty()) return Fail(ErrorKind::kInternal, "a response header holds a line break");
  state_ = State::kDone;
  if (!about_.to_head && !HasNoBody(response.status)) text += response.body;
  return WriteBytes(text);
}

Result<void> StreamWriter::Start(const ResponseHead& head) {
  if (state_ != State::kNothing) return Fail(ErrorKind::kInternal, "a second response");
  if (!about_.chunks) about_.keep_alive = false;  // the end of the connection is the body's
  const std::string text =
      FormatHead(head, about_.chunks ? "Transfer-Encoding: chunked\r\n" : "", about_.keep_alive);
  if (text.empty()) return Fail(ErrorKind::kInternal, "a response header holds a line break");
  state_ = State::kStreaming;
  return WriteBytes(text);
}

Result<void> StreamWriter::Write(std::string_view data) {
  if (state_ != State::kStreaming) return Fail(ErrorKind::kRetry, "the response has ended");
  if (data.empty() || about_.to_head) return {};
  if (!about_.chunks) return WriteBytes(data);
  std::array<char, 16> size{};
  const auto end = std::to_chars(size.data(), size.data() + size.size(), data.size(), 16).ptr;
  std::string chunk(size.data(), end);
  chunk.reserve(chunk.size() + data.size() + 4);
  chunk.append("\r\n").append(data).append("\r\n");
  return WriteBytes(chunk);
}

bool StreamWriter::Finish() {
  if (state_ == State::kNothing) {
    (void)Send({500, {{"Content-Type", "text/plain"}}, "no answer\n"});
  } else if (state_ == State::kStreaming) {
    if (about_.chunks && !about_.to_head) (void)WriteBytes("0\r\n\r\n");
    if (state_ != State::kCut) state_ = State::kDone;
  }
  return state_ == State::kDone && about_.keep_alive;
}

Result<void> StreamWriter::WriteBytes(std::string_view bytes) {
  Result<void> written = stream_.Write(bytes, {clock_.Now() + timeout_, {}});
  if (!written) state_ = State::kCut;
  return written;
}

}  // namespace rabbit::http
