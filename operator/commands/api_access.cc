#include "operator/commands/api_access.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "http/beast_transport.h"

namespace rabbit::commands {
namespace {

using std::chrono::seconds;

// A watch is silent for as long as nothing changes; the server ends it after ten minutes at most.
constexpr seconds kWatchSilence(630);

// Idle connections of a role: there are not more watches than that. Calls are made by workers, of
// which there may be more, and by a few others.
constexpr std::size_t kKeptConnections = 16;

}  // namespace

base::Result<kube::ClusterConfig> LoadConfig(const RunOptions& options,
                                             const Environment& environment) {
  auto config = options.kubeconfig.empty()
                    ? kube::LoadInCluster("/", environment)
                    : kube::LoadKubeconfig(options.kubeconfig, options.context);
  if (!config && config.error().kind == base::ErrorKind::kNotFound) {
    return base::Fail(base::ErrorKind::kInvalid,
                      "this is no pod (KUBERNETES_SERVICE_HOST is not set): name a kubeconfig "
                      "with --kubeconfig");
  }
  if (!config) return config;
  if (auto usable = kube::CheckFiles(*config); !usable) return tl::unexpected(usable.error());
  return config;
}

base::Result<UserConfig> LoadUserConfig(const std::string& kubeconfig, const std::string& context,
                                        const Environment& environment) {
  std::vector<std::string> files;
  if (!kubeconfig.empty()) {
    files.push_back(kubeconfig);
  } else if (const auto listed = environment("KUBECONFIG"); listed && !listed->empty()) {
    for (std::size_t begin = 0; begin <= listed->size();) {
      const std::size_t end = std::min(listed->find(':', begin), listed->size());
      if (end > begin) files.push_back(listed->substr(begin, end - begin));
      begin = end + 1;
    }
  } else if (const auto home = environment("HOME"); home && !home->empty()) {
    const std::string usual = *home + "/.kube/config";
    if (std::error_code error; std::filesystem::exists(usual, error)) files.push_back(usual);
  }
  UserConfig found{.config = {}, .in_cluster = files.empty() && context.empty()};
  auto config = found.in_cluster ? kube::LoadInCluster("/", environment)
                                 : kube::LoadKubeconfig(files, context);
  if (!config && found.in_cluster && config.error().kind == base::ErrorKind::kNotFound) {
    return base::Fail(
        base::ErrorKind::kInvalid,
        "there is no kubeconfig (--kubeconfig, $KUBECONFIG, ~/.kube/config), and this "
        "is no pod");
  }
  if (!config) return tl::unexpected(config.error());
  if (auto usable = kube::CheckFiles(*config); !usable) return tl::unexpected(usable.error());
  found.config = std::move(*config);
  return found;
}

base::Result<std::string> LeaseNamespace(const RunOptions& options,
                                         const kube::ClusterConfig& config,
                                         const Environment& environment) {
  if (!options.lease_namespace.empty()) return options.lease_namespace;
  if (options.kubeconfig.empty()) {
    if (auto of_pod = environment("POD_NAMESPACE"); of_pod && !of_pod->empty()) return *of_pod;
    return config.default_namespace;
  }
  if (!options.leader_election) return std::string();
  return base::Fail(base::ErrorKind::kInvalid,
                    "--kubeconfig needs --lease-namespace: the one that every operator of these "
                    "clusters uses, as installed rabbit-operator-system; or --no-leader-election "
                    "where there is no other operator");
}

ApiAccess::ApiAccess(kube::ClusterConfig config, base::Clock& clock, base::Logger& logger,
                     kube::RequestObserver* observer, std::size_t workers,
                     std::unique_ptr<http::Resolver> resolver)
    : config_(std::move(config)),
      resolver_(std::move(resolver)),
      credentials_(kube::MakeCredentials(config_, clock)),
      call_transport_(config_, clock, logger,
                      ConnectWith(seconds(5), seconds(30), std::max(kKeptConnections, workers))),
      watch_transport_(config_, clock, logger,
                       ConnectWith(seconds(5), kWatchSilence, kKeptConnections)),
      lease_transport_(config_, clock, logger, ConnectWith(seconds(3), seconds(5), 1)),
      calls_(call_transport_, *credentials_, observer),
      watches_(watch_transport_, *credentials_, observer),
      lease_(lease_transport_, *credentials_, observer),
      exec_(kube::WebSocketsTo(config_, *resolver_), *credentials_) {}

kube::ReloadingTransport::Connect ApiAccess::ConnectWith(std::chrono::milliseconds connect_timeout,
                                                         std::chrono::milliseconds idle_timeout,
                                                         std::size_t keep) {
  return [this, connect_timeout, idle_timeout, keep, turn = std::size_t{0}](
             const kube::ClusterConfig& config, const http::TlsSettings& tls,
             const http::CallOptions& options) mutable
         -> base::Result<std::unique_ptr<http::Transport>> {
    auto addresses = resolver_->ResolveIpv4(config.server.host, options.deadline, options.stop);
    if (!addresses) return tl::unexpected(addresses.error());
    // A transport is made anew when the last one could not connect: at another address, then.
    const std::string& address = (*addresses)[turn++ % addresses->size()];
    return http::MakeBeastTransport(
        kube::EndpointAt(config, address), tls,
        {.keep = keep, .connect_timeout = connect_timeout, .idle_timeout = idle_timeout});
  };
}

}  // namespace rabbit::commands
