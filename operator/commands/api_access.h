// operator/commands/api_access.h: how this process reaches the API server: one configuration, and a
// transport a role, so that watches cannot starve calls, nor calls the lease.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "http/resolve.h"
#include "kube/client.h"
#include "kube/config.h"
#include "kube/credentials.h"
#include "kube/exec.h"
#include "kube/reloading_transport.h"
#include "operator/commands/options.h"
#include "operator/commands/run.h"

namespace rabbit::commands {

// The kubeconfig when one is named, else the pod's service account, with every file that it names
// read once and found usable. kInvalid is for people, on one line. Never the kubeconfig that
// happens to lie about.
[[nodiscard]] base::Result<kube::ClusterConfig> LoadConfig(const RunOptions& options,
                                                           const Environment& environment);

struct UserConfig {
  kube::ClusterConfig config;
  bool in_cluster = false;  // it is the pod's
};
// For a command that a person runs, found as kubectl finds it: the kubeconfig that is named, else
// those in $KUBECONFIG, else ~/.kube/config, else the pod's service account. kInvalid is for
// people, on one line.
[[nodiscard]] base::Result<UserConfig> LoadUserConfig(const std::string& kubeconfig,
                                                      const std::string& context,
                                                      const Environment& environment);

// Where the Lease lies: as named, else in the pod's namespace. Outside of a pod it must be named
// (kInvalid): two operators that look for it in two places would both work.
[[nodiscard]] base::Result<std::string> LeaseNamespace(const RunOptions& options,
                                                       const kube::ClusterConfig& config,
                                                       const Environment& environment);

// Not copyable; outlives everything that it hands out. Thread-safe.
class ApiAccess {
 public:
  // `clock` and `logger` must outlive it; `observer` may be null. `workers`: calls at once, whose
  // connections are kept for the next ones.
  ApiAccess(kube::ClusterConfig config, base::Clock& clock, base::Logger& logger,
            kube::RequestObserver* observer, std::size_t workers,
            std::unique_ptr<http::Resolver> resolver = std::make_unique<http::Resolver>());
  ApiAccess(const ApiAccess&) = delete;
  ApiAccess& operator=(const ApiAccess&) = delete;

  kube::Client& calls() { return calls_; }      // 30 s of silence at most
  kube::Client& watches() { return watches_; }  // streams that are silent for minutes
  kube::Client& lease() { return lease_; }      // a connection of its own
  kube::Exec& exec() { return exec_; }
  // What calls() is made of.
  http::Transport& call_transport() { return call_transport_; }
  kube::Credentials& credentials() { return *credentials_; }

 private:
  kube::ReloadingTransport::Connect ConnectWith(std::chrono::milliseconds connect_timeout,
                                                std::chrono::milliseconds idle_timeout,
                                                std::size_t keep);

  const kube::ClusterConfig config_;
  const std::unique_ptr<http::Resolver> resolver_;
  std::unique_ptr<kube::Credentials> credentials_;
  kube::ReloadingTransport call_transport_, watch_transport_, lease_transport_;
  kube::Client calls_, watches_, lease_;
  kube::Exec exec_;
};

}  // namespace rabbit::commands
