#include "http/websocket_frame.h"

#include <openssl/evp.h>

#include <algorithm>
#include <utility>

#include "base/hash.h"

namespace rabbit::http {
namespace {

using base::ErrorKind;
using base::Fail;

constexpr std::uint8_t kFinal = 0x80;
constexpr std::uint8_t kReserved = 0x70;
constexpr std::uint8_t kMasked = 0x80;
constexpr std::size_t kMaxControlPayload = 125;

std::uint8_t ByteAt(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}

bool IsKnown(std::uint8_t opcode) { return opcode <= 0x2 || (opcode >= 0x8 && opcode <= 0xA); }

}  // namespace

std::string EncodeFrame(Opcode opcode, std::string_view payload, const Mask& mask) {
  std::string frame;
  frame.reserve(payload.size() + 14);
  frame += static_cast<char>(kFinal | static_cast<std::uint8_t>(opcode));
  int length_bytes = 0;
  if (payload.size() <= 125) {
    frame += static_cast<char>(kMasked | payload.size());
  } else if (payload.size() <= 0xFFFF) {
    frame += static_cast<char>(kMasked | 126U);
    length_bytes = 2;
  } else {
    frame += static_cast<char>(kMasked | 127U);
    length_bytes = 8;
  }
  for (int i = length_bytes - 1; i >= 0; --i) {
    frame += static_cast<char>(static_cast<std::uint64_t>(payload.size()) >> (8 * i) & 0xFFU);
  }
  for (const std::uint8_t byte : mask) frame += static_cast<char>(byte);
  const std::size_t start = frame.size();
  frame += payload;
  for (std::size_t i = 0; i < payload.size(); ++i) {
    frame[start + i] = static_cast<char>(frame[start + i] ^ static_cast<char>(mask[i % 4]));
  }
  return frame;
}

base::Result<std::optional<Frame>> TakeFrame(std::string& bytes, std::size_t max_payload_bytes) {
  if (bytes.size() < 2) return std::nullopt;
  const std::uint8_t first = ByteAt(bytes, 0);
  const std::uint8_t second = ByteAt(bytes, 1);
  const std::uint8_t opcode = first & 0x0FU;
  if ((first & kReserved) != 0 || !IsKnown(opcode)) {
    return Fail(ErrorKind::kInternal, "a frame with unknown bits or opcode");
  }
  if ((second & kMasked) != 0) return Fail(ErrorKind::kInternal, "a masked frame from the server");
  Frame frame;
  frame.opcode = static_cast<Opcode>(opcode);
  frame.final = (first & kFinal) != 0;

  std::uint64_t length = second & 0x7FU;
  const std::size_t length_bytes = length == 126 ? 2 : length == 127 ? 8 : 0;
  if (IsControl(frame.opcode) && (!frame.final || length > kMaxControlPayload)) {
    return Fail(ErrorKind::kInternal, "a control frame that is long or in pieces");
  }
  if (bytes.size() < 2 + length_bytes) return std::nullopt;
  if (length_bytes > 0) {
    length = 0;
    for (std::size_t i = 0; i < length_bytes; ++i) length = length << 8U | ByteAt(bytes, 2 + i);
  }
  if (!IsControl(frame.opcode) && length > max_payload_bytes) {
    return Fail(ErrorKind::kInternal, "a message that is too long");
  }
  const std::size_t start = 2 + length_bytes;
  if (bytes.size() - start < length) return std::nullopt;
  frame.payload = bytes.substr(start, static_cast<std::size_t>(length));
  bytes.erase(0, start + static_cast<std::size_t>(length));
  return frame;
}

base::Result<std::optional<std::string>> MessageAssembler::Add(const Frame& frame) {
  if ((frame.opcode == Opcode::kContinuation) != started_) {
    return Fail(ErrorKind::kInternal, "pieces of messages out of order");
  }
  if (frame.payload.size() > room())
    return Fail(ErrorKind::kInternal, "a message that is too long");
  started_ = !frame.final;
  message_ += frame.payload;
  if (!frame.final) return std::nullopt;
  return std::exchange(message_, {});
}

std::string AcceptFor(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  return base::Base64Encode({reinterpret_cast<const char*>(digest.data()), size});
}

}  // namespace rabbit::http
