// lib/kube/upgrade.h: websockets of the API server: how one is opened, and with whose credentials.
// Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/resolve.h"
#include "http/transport.h"
#include "http/websocket.h"
#include "kube/config.h"
#include "kube/credentials.h"

namespace rabbit::kube {

// Opens a websocket to the API server, adding the path prefix of its URL.
using OpenFunction = std::function<base::Result<http::WebSocketAnswer>(
    const http::WebSocketRequest& request, const http::CallOptions& options)>;
// The one for `config`: reads the certificate files and resolves the host anew each time.
// `resolver` must outlive it.
[[nodiscard]] OpenFunction WebSocketsTo(ClusterConfig config, http::Resolver& resolver,
                                        ReadFileFunction read = ReadFile);

// Opens the websocket at `target` with the one sub-protocol `protocol`. A 401 is tried once more
// with a newer token. What else the server answers is an error, by its Status; one who refuses
// without a word may not know the protocol, which `known_since` says of Kubernetes.
[[nodiscard]] base::Result<std::unique_ptr<http::WebSocket>> Upgrade(
    const OpenFunction& open, Credentials& credentials, const std::string& target,
    std::string_view protocol, std::string_view known_since, const http::CallOptions& options);

}  // namespace rabbit::kube
