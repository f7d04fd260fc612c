#include "http/websocket.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/hash.h"
#include "http/message_parser.h"
#include "http/stream.h"
#include "http/tls_context.h"
#include "http/websocket_frame.h"

namespace rabbit::http {
namespace {

using base::Error;
using base::ErrorKind;
using base::Fail;
using base::Result;
using base::Sent;

constexpr std::size_t kMaxRefusalBytes = 64 << 10;
constexpr std::size_t kReadBytes = 32 << 10;

class StreamWebSocket final : public WebSocket {
 public:
  StreamWebSocket(std::unique_ptr<Stream> stream, std::string name, std::string protocol,
                  std::string unread, std::size_t max_message_bytes)
      : stream_(std::move(stream)),
        name_(std::move(name)),
        protocol_(std::move(protocol)),
        unread_(std::move(unread)),
        assembler_(max_message_bytes) {}

  const std::string& protocol() const override { return protocol_; }

  Result<void> Send(std::string_view message, base::TimePoint deadline,
                    std::stop_token stop) override {
    return Write(Opcode::kBinary, message, {deadline, std::move(stop)});
  }

  Result<Event> Receive(base::TimePoint deadline, std::stop_token stop) override {
    Result<Event> event = ReceiveNext({deadline, std::move(stop)});
    if (!event) return base::FailWrapped(std::move(event).error(), name_);
    return event;
  }

  Result<void> Close(int code, base::TimePoint deadline) override {
    if (std::exchange(close_sent_, true)) return {};
    const std::string payload = {static_cast<char>(code >> 8 & 0xFF),
                                 static_cast<char>(code & 0xFF)};
    return Write(Opcode::kClose, payload, {deadline, {}});
  }

 private:
  Result<void> Write(Opcode opcode, std::string_view payload, const IoLimits& limits) {
    Mask mask{};
    RAND_bytes(mask.data(), static_cast<int>(mask.size()));
    Result<void> written = stream_->Write(EncodeFrame(opcode, payload, mask), limits);
    if (!written) return base::FailWrapped(std::move(written).error(), name_ + ": sending");
    return {};
  }

  Result<Event> ReceiveNext(const IoLimits& limits) {
    while (true) {
      Result<std::optional<Frame>> frame = TakeFrame(unread_, assembler_.room());
      if (!frame) return tl::unexpected(std::move(frame).error());
      if (!*frame) {
        Result<void> more = ReadMore(limits);
        if (!more) return tl::unexpected(std::move(more).error());
        continue;
      }
      switch ((*frame)->opcode) {
        case Opcode::kPing: {
          Result<void> answered = Write(Opcode::kPong, (*frame)->payload, limits);
          if (!answered) return tl::unexpected(std::move(answered).error());
          break;
        }
        case Opcode::kPong:
          break;
        case Opcode::kClose:
          return OnClose((*frame)->payload, limits);
        case Opcode::kContinuation:
        case Opcode::kText:
        case Opcode::kBinary: {
          Result<std::optional<std::string>> message = assembler_.Add(**frame);
          if (!message) return tl::unexpected(std::move(message).error());
          if (*message) return Event(Message{**std::move(message)});
        }
      }
    }
  }

  Result<void> ReadMore(const IoLimits& limits) {
    const std::size_t size = unread_.size();
    unread_.resize(size + kReadBytes);
    Result<std::size_t> got = stream_->Read(unread_.data() + size, kReadBytes, limits);
    unread_.resize(size + got.value_or(0));
    if (!got) return tl::unexpected(std::move(got).error());
    if (*got == 0) return Fail(ErrorKind::kRetry, "the connection ended without a close");
    return {};
  }

  Event OnClose(const std::string& payload, const IoLimits& limits) {
    Closed closed;
    if (payload.size() >= 2) {
      closed.code =
          static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]);
      closed.reason = payload.substr(2);
    }
    // Kubernetes closes the socket at once: that this answer is not taken is no failure.
    if (!std::exchange(close_sent_, true)) {
      (void)Write(Opcode::kClose, payload.substr(0, std::min<std::size_t>(payload.size(), 2)),
                  limits);
    }
    return closed;
  }

  const std::unique_ptr<Stream> stream_;
  const std::string name_;  // for messages
  const std::string protocol_;
  std::string unread_;
  MessageAssembler assembler_;
  bool close_sent_ = false;
};

std::string NewKey() {
  std::array<unsigned char, 16> bytes{};
  RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
  return base::Base64Encode({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::string HeaderOf(const WebSocketRequest& request, const std::string& host,
                     const std::string& key) {
  std::string text = "GET " + request.target + " HTTP/1.1\r\nHost: " + host +
                     "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13"
                     "\r\nSec-WebSocket-Key: " +
                     key + "\r\n";
  std::string offered;
  for (const std::string& protocol : request.protocols) {
    offered += (offered.empty() ? "" : ", ") + protocol;
  }
  if (!offered.empty()) text += "Sec-WebSocket-Protocol: " + offered + "\r\n";
  for (const auto& [name, value] : request.headers) {
    text.append(name).append(": ").append(value).append("\r\n");
  }
  return text + "\r\n";
}

// The server's answer, with as much of a body as we want to see.
class AnswerSink final : public BodySink {
 public:
  Result<void> OnHead(const ResponseHead& head) override {
    answer = {head.status, head.headers, {}};
    return {};
  }
  Result<void> OnData(std::string_view data) override {
    answer.body += data.substr(0, kMaxRefusalBytes - answer.body.size());
    return {};
  }
  [[nodiscard]] bool full() const { return answer.body.size() >= kMaxRefusalBytes; }
  Response answer;
};

bool HasToken(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    std::string_view entry = list.substr(0, comma);
    while (entry.starts_with(' ')) entry.remove_prefix(1);
    while (entry.ends_with(' ')) entry.remove_suffix(1);
    if (EqualsIgnoringCase(entry, token)) return true;
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  }
  return false;
}

// Empty, or what is wrong with an answer of status 101.
std::string_view ProblemWith(const Response& answer, const std::string& key,
                             const WebSocketRequest& request) {
  if (!HasToken(FindHeader(answer.headers, "Upgrade"), "websocket") ||
      !HasToken(FindHeader(answer.headers, "Connection"), "upgrade")) {
    return "an upgrade to something else";
  }
  if (FindHeader(answer.headers, "Sec-WebSocket-Accept") != AcceptFor(key)) {
    return "an upgrade with a wrong Sec-WebSocket-Accept";
  }
  if (!FindHeader(answer.headers, "Sec-WebSocket-Extensions").empty()) {
    return "an upgrade with extensions that were not offered";
  }
  const std::string_view protocol = FindHeader(answer.headers, "Sec-WebSocket-Protocol");
  if (!protocol.empty() &&
      std::ranges::find(request.protocols, protocol) == request.protocols.end()) {
    return "an upgrade to a sub-protocol that was not offered";
  }
  return {};
}

}  // namespace

Result<WebSocketAnswer> ConnectWebSocket(const Endpoint& endpoint, const TlsSettings& tls,
                                         const WebSocketRequest& request, base::TimePoint deadline,
                                         std::stop_token stop) {
  const std::string name = endpoint.address + ":" + std::to_string(endpoint.port);
  if (!IsSendable({.target = request.target, .headers = request.headers})) {
    return Fail(ErrorKind::kInvalid, name + ": target or header is malformed");
  }
  Result<std::shared_ptr<TlsContext>> context = TlsContext::For(endpoint, tls);
  if (!context) return tl::unexpected(std::move(context).error());
  const IoLimits limits{deadline, std::move(stop)};
  Result<std::unique_ptr<Stream>> stream = Stream::Connect(endpoint, *context, limits);
  if (!stream) return base::FailWrapped(std::move(stream).error(), name);

  const auto fail = [&](Error error) {
    error.sent = Sent::kMaybe;
    return base::FailWrapped(base::Wrap(std::move(error), "upgrading to a WebSocket"), name);
  };
  const std::string key = NewKey();
  Result<void> sent = (*stream)->Write(HeaderOf(request, HostHeader(endpoint), key), limits);
  if (!sent) return fail(std::move(sent).error());

  AnswerSink sink;
  ResponseParser parser(kMaxHeaderBytes, false, sink);
  std::string unread;
  std::array<char, 4096> bytes{};
  while (!parser.done() && !sink.full()) {
    Result<std::size_t> got = (*stream)->Read(bytes.data(), bytes.size(), limits);
    Result<void> fed;
    if (got) {
      unread.append(bytes.data(), *got);
      fed = *got == 0 ? parser.FeedEnd() : parser.Feed(unread);
    } else {
      fed = tl::unexpected(std::move(got).error());
    }
    if (fed) continue;
    // Half of a refusal's body is better than none.
    if (sink.answer.status != 0 && sink.answer.status != 101 &&
        fed.error().kind != ErrorKind::kCancelled)
      break;
    return fail(std::move(fed).error());
  }
  WebSocketAnswer answer;
  if (sink.answer.status != 101) {
    answer.refused = std::move(sink.answer);
    return answer;
  }
  if (const std::string_view problem = ProblemWith(sink.answer, key, request); !problem.empty()) {
    Error error;
    error.message = problem;
    return fail(std::move(error));
  }
  answer.socket = std::make_unique<StreamWebSocket>(
      *std::move(stream), name,
      std::string(FindHeader(sink.answer.headers, "Sec-WebSocket-Protocol")), std::move(unread),
      request.max_message_bytes);
  return answer;
}

}  // namespace rabbit::http
