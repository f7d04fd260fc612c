#include "kube/exec.h"

#include "kube/request.h"
#include "kube/status.h"

namespace rabbit::kube {
namespace {

// The error, for a command that may have started.
tl::unexpected<base::Error> Begun(base::Error error) {
  if (error.sent == base::Sent::kNo) error.sent = base::Sent::kMaybe;
  return tl::unexpected(std::move(error));
}

base::Result<void> SendInput(MessageStream& stream, const base::Secret& input,
                             const http::CallOptions& options) {
  for (std::size_t offset = 0; offset < input.Reveal().size();) {
    const auto next = ExecMachine::NextInput(input.Reveal(), offset);
    const base::Secret message(next->message);  // wiped after use, like the input itself
    if (auto sent = stream.Send(message.Reveal(), options); !sent) return sent;
    offset += next->data;
  }
  return stream.Send(ExecMachine::EndOfInput(), options);
}

base::Result<ExecResult> Converse(MessageStream& stream, const Command& command,
                                  const http::CallOptions& options) {
  if (!command.input.empty()) {
    if (auto sent = SendInput(stream, command.input, options); !sent) {
      return Begun(std::move(sent.error()));
    }
  }
  ExecMachine machine(command.max_output_bytes);
  while (!machine.ended()) {
    auto message = stream.Receive(options);
    if (!message) return Begun(std::move(message.error()));
    if (!*message) {
      return Begun({.kind = base::ErrorKind::kRetry,
                    .message = "the connection ended before the command did"});
    }
    machine.OnMessage(**message);
  }
  return *machine.ended();
}

}  // namespace

Exec::Exec(OpenFunction open, Credentials& credentials)
    : open_(std::move(open)), credentials_(credentials) {}

base::Result<std::unique_ptr<MessageStream>> Exec::Open(const Command& command,
                                                        const http::CallOptions& options) {
  http::Request request;
  request.target =
      ExecTarget(command.pod, command.container, command.words, !command.input.empty());
  for (bool again = true;; again = false) {
    auto token = credentials_.Current();
    if (!token) return tl::unexpected(std::move(token.error()));
    request.headers = {{"User-Agent", std::string(kFieldManager)}};
    if (!token->value.empty()) {
      request.headers.emplace_back("Authorization", "Bearer " + std::string(token->value.Reveal()));
    }
    auto upgrade = open_(request, kExecProtocol, options);
    if (!upgrade) return tl::unexpected(std::move(upgrade.error()));
    if (upgrade->stream) return std::move(upgrade->stream);
    if (upgrade->refusal.status == 401) {
      credentials_.Reject(token->serial);
      if (again) continue;
    }
    if (upgrade->refusal.status == 403 && upgrade->refusal.body.empty()) {
      // What a server says that does not know the protocol; one that denies the right has a text.
      return base::Fail(base::ErrorKind::kInvalid,
                        "the server does not know " + std::string(kExecProtocol) +
                            " (Kubernetes 1.30 or newer does), or denies it without a word");
    }
    if (upgrade->refusal.status < 300) {
      return base::Fail(base::ErrorKind::kInternal,
                        "no websocket, but status " + std::to_string(upgrade->refusal.status));
    }
    return tl::unexpected(
        ErrorFromAnswer(upgrade->refusal.status, upgrade->refusal.headers, upgrade->refusal.body));
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
  auto stream = Open(command, options);
  if (!stream) return failed(std::move(stream.error()));
  auto result = Converse(**stream, command, options);
  if (!result) return failed(std::move(result.error()));
  return result;
}

}  // namespace rabbit::kube
