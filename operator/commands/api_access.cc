#include "operator/commands/api_access.h"

#include <utility>

#include "http/cpprest_transport.h"
#include "http/websocket.h"

namespace rabbit::commands {
namespace {

using std::chrono::seconds;

// A watch is silent for as long as nothing changes; the server ends it after ten minutes at most.
constexpr seconds kWatchSilence(630);

// A websocket of lib/http as lib/kube wants it.
class Messages final : public kube::MessageStream {
 public:
  explicit Messages(std::unique_ptr<http::WebSocket> socket) : socket_(std::move(socket)) {}
  base::Result<void> Send(std::string_view message, const http::CallOptions& options) override {
    return socket_->Send(message, options.deadline, options.stop);
  }
  base::Result<std::optional<std::string>> Receive(const http::CallOptions& options) override {
    return socket_->Receive(options.deadline, options.stop);
  }

 private:
  std::unique_ptr<http::WebSocket> socket_;
};

}  // namespace

base::Result<kube::ClusterConfig> LoadConfig(const RunOptions& options,
                                             const Environment& environment) {
  if (!options.kubeconfig.empty()) return kube::LoadKubeconfig(options.kubeconfig, options.context);
  auto config = kube::LoadInCluster("/", environment);
  if (!config && config.error().kind == base::ErrorKind::kNotFound) {
    return base::Fail(base::ErrorKind::kInvalid,
                      "this is no pod (KUBERNETES_SERVICE_HOST is not set): name a kubeconfig "
                      "with --kubeconfig");
  }
  return config;
}

ApiAccess::ApiAccess(kube::ClusterConfig config, base::Clock& clock, base::Logger& logger,
                     kube::RequestObserver* observer)
    : config_(std::move(config)),
      credentials_(kube::MakeCredentials(config_, clock)),
      call_transport_(config_, clock, logger, ConnectWith(seconds(5), seconds(30))),
      watch_transport_(config_, clock, logger, ConnectWith(seconds(5), kWatchSilence)),
      lease_transport_(config_, clock, logger, ConnectWith(seconds(3), seconds(5))),
      calls_(call_transport_, *credentials_, observer),
      watches_(watch_transport_, *credentials_, observer),
      lease_(lease_transport_, *credentials_, observer),
      exec_(
          [this](const http::Request& request, std::string_view protocol,
                 const http::CallOptions& options) {
            return OpenWebSocket(request, protocol, options);
          },
          *credentials_) {}

kube::ReloadingTransport::Connect ApiAccess::ConnectWith(std::chrono::milliseconds connect_timeout,
                                                         std::chrono::milliseconds idle_timeout) {
  return [this, connect_timeout, idle_timeout](
             const kube::ClusterConfig& config, const http::TlsSettings& tls,
             const http::CallOptions& options) -> base::Result<std::unique_ptr<http::Transport>> {
    auto addresses =
        resolver_.ResolveIpv4(config.server.host, options.deadline, options.stop);
    if (!addresses) return tl::unexpected(addresses.error());
    return http::MakeCpprestTransport(
        kube::EndpointAt(config, addresses->front()), tls,
        {.connect_timeout = connect_timeout, .idle_timeout = idle_timeout});
  };
}

base::Result<kube::Upgrade> ApiAccess::OpenWebSocket(const http::Request& request,
                                                     std::string_view protocol,
                                                     const http::CallOptions& options) {
  auto tls = kube::LoadTls(config_);
  if (!tls) return tl::unexpected(tls.error());
  auto addresses = resolver_.ResolveIpv4(config_.server.host, options.deadline, options.stop);
  if (!addresses) return tl::unexpected(addresses.error());
  http::Request prefixed = request;
  prefixed.target = config_.server.path_prefix + request.target;
  auto opened = http::OpenWebSocket(kube::EndpointAt(config_, addresses->front()), *tls, prefixed,
                                    protocol, options);
  if (!opened) return tl::unexpected(opened.error());
  kube::Upgrade upgrade;
  upgrade.refusal = std::move(opened->refusal);
  if (opened->socket) upgrade.stream = std::make_unique<Messages>(std::move(opened->socket));
  return upgrade;
}

}  // namespace rabbit::commands
