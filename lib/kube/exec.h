// lib/kube/exec.h: runs a command in a container of a pod, over a websocket of the API server.
// Blocking, bounded by a deadline and a stop token. Thread-safe: each run has its own connection.
// A command is not undone when we leave: the server may let it run on. So an Error says in `sent`
// whether it may have run, and callers judge by what they observe, never by the exit code alone.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/secret.h"
#include "http/resolve.h"
#include "http/transport.h"
#include "http/websocket.h"
#include "kube/config.h"
#include "kube/credentials.h"
#include "kube/exec_machine.h"
#include "kube/resource.h"
#include "kube/upgrade.h"

namespace rabbit::kube {

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
  const OpenFunction open_;
  Credentials& credentials_;
};

}  // namespace rabbit::kube
