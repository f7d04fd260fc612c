#include "kube/exec.h"

#include <memory>
#include <utility>
#include <variant>

#include "kube/request.h"

namespace rabbit::kube {
namespace {

// The error, for a command that may have started.
tl::unexpected<base::Error> Begun(base::Error error) {
  if (error.sent == base::Sent::kNo) error.sent = base::Sent::kMaybe;
  return tl::unexpected(std::move(error));
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

Exec::Exec(OpenFunction open, Credentials& credentials)
    : open_(std::move(open)), credentials_(credentials) {}

base::Result<ExecResult> Exec::Run(const Command& command, const http::CallOptions& options) {
  const auto failed = [&command](base::Error error) {
    return base::FailWrapped(std::move(error),
                             "exec " + (command.words.empty() ? "" : command.words.front()) +
                                 " in pod " + command.pod.ToString());
  };
  if (command.input.Reveal().size() > kMaxInput) {
    return failed({.kind = base::ErrorKind::kInvalid, .message = "the input is too long"});
  }
  auto socket =
      Upgrade(open_, credentials_,
              ExecTarget(command.pod, command.container, command.words, !command.input.empty()),
              kExecProtocol, "1.30", options);
  if (!socket) return failed(std::move(socket.error()));
  auto result = Converse(**socket, command, options);
  if (!result) return failed(std::move(result.error()));
  return result;
}

}  // namespace rabbit::kube
