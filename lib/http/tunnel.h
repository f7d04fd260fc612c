// lib/http/tunnel.h: HTTP over bytes that travel inside something else, as through the API server
// to a port of a pod. A Transport like the others; only the way there is another one.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/transport.h"

namespace rabbit::http {

// Bytes both ways. One thread at a time; of no use after an error.
class Tunnel {
 public:
  virtual ~Tunnel() = default;  // ends it, without a word
  // Waits until deadline or stop and appends what came to `bytes`; nothing appended: the other side
  // has ended. An error of the way there says so in words: nobody listens on that port.
  virtual base::Result<void> Read(std::string& bytes, const CallOptions& options) = 0;
  // All of `data`.
  virtual base::Result<void> Write(std::string_view data, const CallOptions& options) = 0;
};

using OpenTunnel = std::function<base::Result<std::unique_ptr<Tunnel>>(const CallOptions& options)>;

// `host` is what stands in the Host header. One tunnel is kept for calls to come; calls at once
// have one each.
[[nodiscard]] std::unique_ptr<Transport> MakeTunnelTransport(OpenTunnel open, std::string host);

}  // namespace rabbit::http
