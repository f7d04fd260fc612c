#include "kube/upgrade.h"

#include <atomic>
#include <utility>

#include "kube/request.h"
#include "kube/status.h"

namespace rabbit::kube {
namespace {

// The error for an answer that is no upgrade.
base::Error Refused(const http::Response& answer, std::string_view protocol,
                    std::string_view known_since) {
  if (answer.status == 403 && answer.body.empty()) {
    // What a server says that does not know the protocol; one that denies the right has a text.
    return {.kind = base::ErrorKind::kInvalid,
            .message = "the server does not know " + std::string(protocol) + " (Kubernetes " +
                       std::string(known_since) + " and newer do), or denies it without a word",
            .http_status = answer.status};
  }
  return ErrorFromAnswer(answer.status, answer.headers, answer.body);
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

base::Result<std::unique_ptr<http::WebSocket>> Upgrade(
    const OpenFunction& open, Credentials& credentials, const std::string& target,
    std::string_view protocol, std::string_view known_since, const http::CallOptions& options) {
  http::WebSocketRequest request;
  request.target = target;
  request.protocols = {std::string(protocol)};
  for (bool again = true;; again = false) {
    auto token = credentials.Current();
    if (!token) return tl::unexpected(std::move(token.error()));
    request.headers = {{"User-Agent", std::string(kFieldManager)}};
    if (!token->value.empty()) {
      request.headers.emplace_back("Authorization", "Bearer " + std::string(token->value.Reveal()));
    }
    auto answer = open(request, options);
    if (!answer) return tl::unexpected(std::move(answer.error()));
    if (answer->socket) {
      if (answer->socket->protocol() == protocol) return std::move(answer->socket);
      return base::Fail(base::ErrorKind::kInternal,
                        "the server chose protocol '" + answer->socket->protocol() + "'");
    }
    if (answer->refused.status == 401) {
      credentials.Reject(token->serial);
      if (again) continue;
    }
    return tl::unexpected(Refused(answer->refused, protocol, known_since));
  }
}

}  // namespace rabbit::kube
