// operator/observe/broker_watch.h: looks at brokers and proxies over HTTP: one look, its failover,
// and the connections that are kept alive between looks. Watched (observe/watched.h) keeps the
// latest.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/mutex.h"
#include "base/secret.h"
#include "http/endpoint.h"
#include "http/transport.h"
#include "kube/resource.h"
#include "operator/observe/observation.h"
#include "operator/observe/watched.h"
#include "rabbitmq/client.h"
#include "rabbitmq/tls_config.h"

namespace rabbit::observe {

inline constexpr std::uint16_t kManagementPort = 15672;

// Makes the transport to a plain HTTP server at a literal address.
using ConnectFunction = std::function<base::Result<std::unique_ptr<http::Transport>>(
    const std::string& address, std::uint16_t port)>;

// And to one that speaks TLS.
using TlsConnectFunction = std::function<base::Result<std::unique_ptr<http::Transport>>(
    const std::string& address, std::uint16_t port, const http::TlsSettings& tls)>;

// Transports by address, made on first use; at most kMax, the one that was used longest ago goes
// first. A new address is when those are forgotten that the others have been used kTurns times
// without: their pods are gone. Thread-safe; a transport in use outlives its removal.
class Connections {
 public:
  static constexpr std::size_t kMax = 2'000, kTurns = 20;
  explicit Connections(ConnectFunction connect, TlsConnectFunction connect_tls = {})
      : connect_(std::move(connect)), connect_tls_(std::move(connect_tls)) {}
  // With `tls` the server is asked over TLS; other settings than before make another transport.
  base::Result<std::shared_ptr<http::Transport>> To(
      const std::string& address, std::uint16_t port,
      const std::shared_ptr<const http::TlsSettings>& tls = nullptr) RABBIT_EXCLUDES(mutex_);
  // Forgets the connection to a server that failed or went away.
  void Forget(const std::string& address, std::uint16_t port) RABBIT_EXCLUDES(mutex_);

 private:
  struct Entry {
    std::shared_ptr<http::Transport> transport;
    std::uint64_t last_use = 0;  // counts uses
    std::shared_ptr<const http::TlsSettings> tls = {};
  };
  [[nodiscard]] base::Result<std::unique_ptr<http::Transport>> Connect(
      const std::string& address, std::uint16_t port,
      const std::shared_ptr<const http::TlsSettings>& tls) const;
  const ConnectFunction connect_;
  const TlsConnectFunction connect_tls_;
  base::Mutex mutex_;
  std::uint64_t uses_ RABBIT_GUARDED_BY(mutex_) = 0;
  std::map<std::pair<std::string, std::uint16_t>, Entry> entries_ RABBIT_GUARDED_BY(mutex_);
};

struct BrokerTarget {
  struct Node {
    std::string pod, address;
    std::shared_ptr<const http::TlsSettings> tls = {};  // null: without TLS
    bool can_show_own = true;  // false: the certificate in its Secret has another key there
    bool operator==(const Node& other) const {
      const bool same_tls =
          tls == nullptr || other.tls == nullptr ? tls == other.tls : *tls == *other.tls;
      return pod == other.pod && address == other.address && same_tls &&
             can_show_own == other.can_show_own;
    }
    [[nodiscard]] std::uint16_t port() const {
      return tls == nullptr ? kManagementPort : rabbitmq::kManagementTlsPort;
    }
  };
  std::vector<Node> nodes;  // that serve, by ordinal
  std::string user;
  base::Secret password;
  rabbitmq::ViewParts parts = {};
  bool operator==(const BrokerTarget&) const = default;
};

struct ProxyTarget {
  struct Proxy {
    std::string pod, address;
    bool operator==(const Proxy&) const = default;
  };
  std::vector<Proxy> proxies;
  std::uint16_t port = 9000;
  std::string csv_target;  // "/rabbitmq-stats;csv"
  bool operator==(const ProxyTarget&) const = default;
};

struct ProxyLooks {
  std::vector<ProxyLook> looks;  // in the order of the target
};

using BrokerWatch = Watched<BrokerTarget, BrokerLook>;
using ProxyWatch = Watched<ProxyTarget, ProxyLooks>;

// The nodes in the order in which they are asked: from the one of pod `first` on, when it is one of
// them (BrokerLook::ask_first).
[[nodiscard]] std::vector<BrokerTarget::Node> InOrder(std::vector<BrokerTarget::Node> nodes,
                                                      const std::string& first);
// Asks the nodes in turn until one answers, for at most `within` together (but for the definitions,
// which are read last and have a time of their own); one that told its nodes has all the time that
// is left. A node with TLS that has not shown the certificate in its Secret yet is then greeted
// anew, less and less often, until it has. When it then fails half way, the next look begins at
// another one. The view before is kept beside the trouble when none answers, with its age.
[[nodiscard]] BrokerWatch::Answer LookAtBroker(Connections& connections, base::Clock& clock,
                                               const BrokerTarget& target, const BrokerLook& before,
                                               const std::stop_token& stop,
                                               base::Duration within = std::chrono::seconds(4));
[[nodiscard]] News Compare(const BrokerLook& before, const BrokerLook& now);

// Asks every proxy, for `each` at most. It succeeded when one answered: a proxy that is silent
// keeps nobody from looking at the others.
[[nodiscard]] ProxyWatch::Answer LookAtProxies(Connections& connections, base::Clock& clock,
                                               const ProxyTarget& target,
                                               const std::stop_token& stop,
                                               base::Duration each = std::chrono::seconds(1));
[[nodiscard]] News Compare(const ProxyLooks& before, const ProxyLooks& now);

}  // namespace rabbit::observe
