// lib/kube/exec.h: runs a command in a container of a pod, over a websocket of the API server.
// Blocking, bounded by a deadline and a stop token. Thread-safe: each run has its own connection.
// A command is not undone when we leave: the server may let it run on. So an Error says in `sent`
// whether it may have run, and callers judge by what they observe, never by the exit code alone.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/secret.h"
#include "http/transport.h"
#include "kube/credentials.h"
#include "kube/exec_machine.h"
#include "kube/resource.h"

namespace rabbit::kube {

// An open websocket; the destructor closes it. One thread at a time.
class MessageStream {
 public:
  virtual ~MessageStream() = default;
  // One binary message, in one frame.
  virtual base::Result<void> Send(std::string_view message, const http::CallOptions& options) = 0;
  // The next message; nothing when the server has closed.
  virtual base::Result<std::optional<std::string>> Receive(const http::CallOptions& options) = 0;
};

// What came of asking for a websocket: a stream, or the answer of a server that refused.
struct Upgrade {
  std::unique_ptr<MessageStream> stream;
  http::Response refusal;
};
// Opens a websocket: a GET of `request` with the upgrade headers added, offering `protocol` alone.
using OpenFunction = std::function<base::Result<Upgrade>(
    const http::Request& request, std::string_view protocol, const http::CallOptions& options)>;

struct Command {
  ObjectKey pod;
  std::string container;
  std::vector<std::string> words;
  base::Secret input;                       // standard input; empty: none is attached
  std::size_t max_output_bytes = 64 << 10;  // of standard output, and of standard error
};

class Exec {
 public:
  // At most this much input: it is sent before any output is read, and must fit into the buffers on
  // the way in case that the command writes first.
  static constexpr std::size_t kMaxInput = 64 << 10;

  // `credentials` must outlive it.
  Exec(OpenFunction open, Credentials& credentials);

  // Any exit code is a result. Errors:
  //   kNotFound, kInvalid, kDenied …   the server refused: no such pod, no such container, no right
  //   kRetry      the network, the deadline, or a command that could not be started
  //   kCancelled  stop requested
  base::Result<ExecResult> Run(const Command& command, const http::CallOptions& options);

 private:
  base::Result<std::unique_ptr<MessageStream>> Open(const Command& command,
                                                    const http::CallOptions& options);

  const OpenFunction open_;
  Credentials& credentials_;
};

}  // namespace rabbit::kube
