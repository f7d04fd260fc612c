#include "kube/exec.h"

#include <atomic>
#include <memory>
#include <utility>
#include <variant>

#include "kube/request.h"
#include "kube/status.h"

namespace rabbit::kube {
namespace {

// The error, for a command that may have started.
tl::unexpected<base::Error> Begun(base::Error error) {
  if (error.sent == base::Sent::kNo) error.sent = base::Sent::kMaybe;
  return tl::unexpected(std::move(error));
}

// The error for an answer that is no upgrade.
base::Error Refused(const http::Response& answer) {
  if (answer.status == 403 && answer.body.empty()) {
    // What a server says that does not know the protocol; one that denies the right has a text.
    return {.kind = base::ErrorKind::kInvalid,
            .message = "the server does not know " + std::string(kExecProtocol) +
                       " (Kubernetes 1.30 and newer do), or denies it without a word",
            .http_status = answer.status};
  }
  return ErrorFromAnswer(answer.status, answer.headers, answer.body);
}

base::Result<void> SendInput(http::WebSocket& socket, const base::Secret& input,
                             const http::CallOptions& options) {
  for (std::size_t offset = 0; offset < input.Reveal().size();) {
    const auto next = ExecMachine::NextInput(input.Reveal(), offset);
    const base::Secret message(next->message);  // wiped after use, like the input itself
    if (auto sent = socket.Send(message.Reveal(), options.deadline, options.stop); !sent)
      return sent;
    offset += next->data;
  }
  return socket.Send(ExecMachine::EndOfInput(), options.deadline, options.stop);
}

base::Result<ExecResult> Converse(http::WebSocket& socket, const Command& command,
                                  const http::CallOptions& options) {
  if (!command.input.empty()) {
    if (auto sent = SendInput(socket, command.input, options); !sent) {
      return Begun(std::move(sent.error()));
    }
  }
  ExecMachine machine(command.max_output_bytes);
  while (!machine.ended()) {
    auto event = socket.Receive(options.deadline, options.stop);
    if (!event) return Begun(std::move(event.error()));
    const auto* message = std::get_if<http::WebSocket::Message>(&*event);
    if (message == nullptr) {
      return Begun({.kind = base::ErrorKind::kRetry,
                    .message = "the connection ended before the command did"});
    }
    machine.OnMessage(message->data);
  }
  return *machine.ended();
}

}  // namespace

OpenFunction WebSocketsTo(ClusterConfig config, http::Resolver& resolver, ReadFileFunction read) {
  // Shared by the calls: after one that could not connect the next begins at another address.
  auto turn = std::make_shared<std::atomic<std::size_t>>(0);
  return [config = std::move(config), &resolver, read = std::move(read), turn](
             const http::WebSocketRequest& request,
             const http::CallOptions& options) -> base::Result<http::WebSocketAnswer> {
    auto tls = LoadTls(config, read);
    if (!tls) return tl::unexpected(std::move(tls.error()));
    auto addresses = resolver.ResolveIpv4(config.server.host, options.deadline, options.stop);
    if (!addresses) return tl::unexpected(std::move(addresses.error()));
    http::WebSocketRequest prefixed = request;
    prefixed.target.insert(0, config.server.path_prefix);
    const std::size_t index = *turn;
    const base::TimePoint began = base::RealClock().Now();
    auto answer =
        http::ConnectWebSocket(EndpointAt(config, (*addresses)[index % addresses->size()]), *tls,
                               prefixed, options.deadline, options.stop);
    if (!answer && SaysUnreachable(answer.error(), began, options.deadline)) *turn = index + 1;
    return answer;
  };
}

Exec::Exec(OpenFunction open, Credentials& credentials)
    : open_(std::move(open)), credentials_(credentials) {}

base::Result<std::unique_ptr<http::WebSocket>> Exec::Open(const Command& command,
                                                          const http::CallOptions& options) {
  http::WebSocketRequest request;
  request.target =
      ExecTarget(command.pod, command.container, command.words, !command.input.empty());
  request.protocols = {std::string(kExecProtocol)};
  for (bool again = true;; again = false) {
    auto token = credentials_.Current();
    if (!token) return tl::unexpected(std::move(token.error()));
    request.headers = {{"User-Agent", std::string(kFieldManager)}};
    if (!token->value.empty()) {
      request.headers.emplace_back("Authorization", "Bearer " + std::string(token->value.Reveal()));
    }
    auto answer = open_(request, options);
    if (!answer) return tl::unexpected(std::move(answer.error()));
    if (answer->socket) {
      if (answer->socket->protocol() == kExecProtocol) return std::move(answer->socket);
      return base::Fail(base::ErrorKind::kInternal,
                        "the server chose protocol '" + answer->socket->protocol() + "'");
    }
    if (answer->refused.status == 401) {
      credentials_.Reject(token->serial);
      if (again) continue;
    }
    return tl::unexpected(Refused(answer->refused));
  }
}

base::Result<ExecResult> Exec::Run(const Command& command, const http::CallOptions& options) {
  const auto failed = [&command](base::Error error) {
    return base::FailWrapped(std::move(error),
                             "exec " + (command.words.empty() ? "" : command.words.front()) +
                                 " in pod " + command.pod.ToString());
  };
  if (command.input.Reveal().size() > kMaxInput) {
    return failed({.kind = base::ErrorKind::kInvalid, .message = "the input is too long"});
  }
  auto socket = Open(command, options);
  if (!socket) return failed(std::move(socket.error()));
  auto result = Converse(**socket, command, options);
  if (!result) return failed(std::move(result.error()));
  return result;
}

}  // namespace rabbit::kube
