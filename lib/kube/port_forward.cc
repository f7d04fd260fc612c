#include "kube/port_forward.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "http/tunnel.h"
#include "kube/request.h"

namespace rabbit::kube {
namespace {

constexpr std::size_t kMaxFailure = 1'000;

class ForwardedPort final : public http::Tunnel {
 public:
  explicit ForwardedPort(std::unique_ptr<http::WebSocket> socket) : socket_(std::move(socket)) {}

  base::Result<void> Read(std::string& bytes, const http::CallOptions& options) override {
    while (true) {
      auto event = socket_->Receive(options.deadline, options.stop);
      if (!event) return tl::unexpected(std::move(event.error()));
      const auto* message = std::get_if<http::WebSocket::Message>(&*event);
      if (message == nullptr) return {};
      const std::string_view data = machine_.OnMessage(message->data);
      if (!machine_.failure().empty()) {
        return base::Fail(base::ErrorKind::kRetry, machine_.failure());
      }
      bytes.append(data);
      if (!data.empty()) return {};
    }
  }

  base::Result<void> Write(std::string_view data, const http::CallOptions& options) override {
    for (const std::string& message : PortForwardMachine::MessagesOf(data)) {
      auto sent = socket_->Send(message, options.deadline, options.stop);
      if (!sent) return sent;
    }
    return {};
  }

 private:
  const std::unique_ptr<http::WebSocket> socket_;
  PortForwardMachine machine_;
};

}  // namespace

std::vector<std::string> PortForwardMachine::MessagesOf(std::string_view data) {
  std::vector<std::string> messages;
  while (!data.empty()) {
    const std::string_view part = data.substr(0, kMaxMessage - 1);
    messages.push_back(std::string(1, '\0').append(part));
    data.remove_prefix(part.size());
  }
  return messages;
}

std::string_view PortForwardMachine::OnMessage(std::string_view message) {
  if (message.empty()) return {};
  const auto channel = static_cast<unsigned char>(message.front());
  if (channel >= port_bytes_.size()) return {};
  std::string_view data = message.substr(1);
  std::size_t& left = port_bytes_.at(channel);
  const std::size_t cut = std::min(left, data.size());
  left -= cut;
  data.remove_prefix(cut);
  if (channel == 0) return data;
  failure_.append(data.substr(0, kMaxFailure - std::min(kMaxFailure, failure_.size())));
  return {};
}

std::unique_ptr<http::Transport> MakePortForwardTransport(OpenFunction open,
                                                          Credentials& credentials, ObjectKey pod,
                                                          std::uint16_t port) {
  auto connect =
      [open = std::move(open), &credentials, pod = std::move(pod),
       port](const http::CallOptions& options) -> base::Result<std::unique_ptr<http::Tunnel>> {
    auto socket = Upgrade(open, credentials, PortForwardTarget(pod, port), kPortForwardProtocol,
                          "1.6", options);
    if (!socket) {
      // It is the way there that is refused, not the request.
      base::Error error = std::move(socket.error());
      if (error.kind != base::ErrorKind::kCancelled) error.kind = base::ErrorKind::kRetry;
      error.http_status = 0;
      error.sent = base::Sent::kNo;
      return base::FailWrapped(std::move(error), "port-forward to pod " + pod.ToString());
    }
    return std::make_unique<ForwardedPort>(std::move(*socket));
  };
  return http::MakeTunnelTransport(std::move(connect), "localhost:" + std::to_string(port));
}

}  // namespace rabbit::kube
