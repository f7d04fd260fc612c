// operator/commands/look.h: what the daemon's pollers and caches gather over time, gathered once:
// the same Observe, over caches that are filled and then ended. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/random.h"
#include "http/transport.h"
#include "kube/client.h"
#include "operator/api/types.h"
#include "operator/observe/broker_watch.h"
#include "operator/observe/caches.h"
#include "operator/observe/observation.h"

namespace rabbit::commands {

// Makes the transport to a port of a pod; with `tls`, to one that speaks it.
using ConnectToPod = std::function<base::Result<std::unique_ptr<http::Transport>>(
    const kube::ObjectKey& pod, const std::string& address, std::uint16_t port,
    const http::TlsSettings* tls)>;

struct Look {
  observe::Observation seen;
  std::string broker;          // "c-node-0, RabbitMQ 3.10.8"; empty: nobody answered
  std::string broker_trouble;  // why not, although a node serves
};

class Looker {
 public:
  // Nothing is owned; all must outlive the looker. The client only reads.
  // `domain` is the Kubernetes cluster's.
  Looker(kube::Client& client, base::Clock& clock, base::Random& random, base::Logger& logger,
         ConnectToPod connect, std::string domain = "cluster.local");
  ~Looker();
  Looker(const Looker&) = delete;
  Looker& operator=(const Looker&) = delete;

  // Lists what is in a namespace, the first time that it is asked for. `secrets` are in place of
  // those of the same names that are seen. kDenied, kRetry: what cannot be listed, and why.
  base::Result<Look> At(const api::RabbitCluster& cluster,
                        const std::map<kube::ObjectKey, observe::SecretView>& secrets);

 private:
  base::Result<observe::Caches*> CachesOf(const std::string& ns);
  void LookAtBroker(const api::RabbitCluster& cluster, Look& look);

  kube::Client& client_;
  base::Clock& clock_;
  base::Random& random_;
  base::Logger& logger_;
  const ConnectToPod connect_;
  const std::string domain_;
  std::map<std::string, std::unique_ptr<observe::Caches>> caches_;  // by namespace
};

}  // namespace rabbit::commands
