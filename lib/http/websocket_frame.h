// lib/http/websocket_frame.h: frames of RFC 6455 as values. Internal to lib/http. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace rabbit::http {

enum class Opcode : std::uint8_t {
  kContinuation = 0x0,
  kText = 0x1,
  kBinary = 0x2,
  kClose = 0x8,
  kPing = 0x9,
  kPong = 0xA,
};
[[nodiscard]] constexpr bool IsControl(Opcode opcode) {
  return static_cast<std::uint8_t>(opcode) >= 0x8;
}

struct Frame {
  Opcode opcode = Opcode::kBinary;
  bool final = true;
  std::string payload;

  bool operator==(const Frame&) const = default;
};

using Mask = std::array<std::uint8_t, 4>;

// A client's frame, whole and masked.
[[nodiscard]] std::string EncodeFrame(Opcode opcode, std::string_view payload, const Mask& mask);

// Takes the next frame of a server from the front of `bytes`; nothing when it is not there whole
// yet. kInternal: it breaks the protocol, or its payload is longer than `max_payload_bytes` (told
// from the header: no more than that is ever waited for).
[[nodiscard]] base::Result<std::optional<Frame>> TakeFrame(std::string& bytes,
                                                           std::size_t max_payload_bytes);

// Puts the frames of a message together.
class MessageAssembler {
 public:
  explicit MessageAssembler(std::size_t max_message_bytes) : max_bytes_(max_message_bytes) {}

  // A message when `frame`, which is no control frame, ends one.
  [[nodiscard]] base::Result<std::optional<std::string>> Add(const Frame& frame);
  // How long the next frame may be.
  [[nodiscard]] std::size_t room() const { return max_bytes_ - message_.size(); }

 private:
  std::size_t max_bytes_;
  bool started_ = false;
  std::string message_;
};

// What a server must answer to `key` in Sec-WebSocket-Accept.
[[nodiscard]] std::string AcceptFor(std::string_view key);

}  // namespace rabbit::http
