// operator/commands/read_only.h: a Transport that lets nothing through which could change anything:
// what `plan` talks through, so that no mistake elsewhere can make it write. Thread-safe.
#pragma once

#include "http/transport.h"

namespace rabbit::commands {

// GET, HEAD, and what asks the API server for a dry run (dryRun=All), which it keeps nothing of.
[[nodiscard]] bool ChangesNothing(const http::Request& request);

class ReadOnlyTransport final : public http::Transport {
 public:
  // `transport` is not owned and must outlive it.
  explicit ReadOnlyTransport(http::Transport& transport) : transport_(transport) {}
  // kInternal for anything else, and nothing is sent.
  base::Result<http::Response> Send(const http::Request& request,
                                    const http::CallOptions& options) override;
  base::Result<void> Stream(const http::Request& request, const http::CallOptions& options,
                            http::BodySink& sink) override;

 private:
  http::Transport& transport_;
};

}  // namespace rabbit::commands
