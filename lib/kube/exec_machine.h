// lib/kube/exec_machine.h: the protocol of a command in a container, over the messages of an open
// websocket. Decisions only: no I/O, no time (kube/exec.h does those). Not thread-safe.
// Each message is one channel byte and data: 0 input, 1 output, 2 errors, 3 the end as a Status,
// 255 (of v5.channel.k8s.io) "no more on this channel". The server takes every websocket frame for
// a message of its own, so messages must be sent unfragmented: hence the 32 KiB. Fact:
// k8s.io/apimachinery/pkg/util/remotecommand.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace rabbit::kube {

inline constexpr std::string_view kExecProtocol = "v5.channel.k8s.io";

struct ExecResult {
  int exit_code = 0;
  std::string output;      // standard output and standard error: the first bytes of each, up to the
  std::string errors;      // bound; what came after is dropped
  bool truncated = false;  // something was dropped
};

class ExecMachine {
 public:
  static constexpr std::size_t kMaxMessage = 32 << 10;

  explicit ExecMachine(std::size_t max_output_bytes) : max_(max_output_bytes) {}

  // The message that carries input[offset…]; nothing when all of it is sent. Advance by
  // `data` of what came back.
  struct Input {
    std::string message;
    std::size_t data = 0;  // bytes of the input in it
  };
  [[nodiscard]] static std::optional<Input> NextInput(std::string_view input, std::size_t offset);
  // The message that ends the input: the command reads end-of-file.
  [[nodiscard]] static std::string EndOfInput();

  // A message came. Unknown channels, empty messages and whatever comes after the end are ignored.
  void OnMessage(std::string_view message);

  // Set once the server has told how it ended: what OnMessage() got on channel 3.
  //   a result   the command ran and ended, with any exit code
  //   kRetry     it could not be started, or the node lost it; the message says why; sent is kMaybe
  [[nodiscard]] const std::optional<base::Result<ExecResult>>& ended() const { return ended_; }

 private:
  void Append(std::string& to, std::string_view data);
  void OnStatus(std::string_view status);

  const std::size_t max_;
  ExecResult result_;
  std::optional<base::Result<ExecResult>> ended_;
};

}  // namespace rabbit::kube
