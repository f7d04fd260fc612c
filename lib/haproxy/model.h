// lib/haproxy/model.h: what the proxy in front of a cluster should do, as typed values.
// RenderConfig() (haproxy/render.h) writes it as haproxy.cfg; Validate() says what it would refuse.
// Nothing here is a piece of configuration text: names, hosts and the path pass an allowlist, all
// else is a number, a duration or an enum. Values: copied, compared with ==.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rabbit::haproxy {

enum class Balance { kLeastConn, kRoundRobin, kSource };

enum class CheckType {
  kAmqp,  // sends an AMQP header and wants Connection.Start: sees hung, drained and paused brokers
  kTcp,   // connects only: no line in the broker's log, but blind to a hung broker
  kManagement,  // wants an answer of the management API: sees drained and paused brokers
};

struct HealthCheck {
  std::chrono::milliseconds interval{2000};
  std::chrono::milliseconds timeout{1000};
  int rise = 2;  // good checks until a server is up, 1 to 100
  int fall = 2;  // bad checks until it is down, 1 to 100
  CheckType type = CheckType::kAmqp;
  // Encrypted, without a certificate of its own, and whatever certificate it is shown: a check
  // sends no secret.
  bool tls = false;
  std::uint16_t port = 0;  // 0: the one that clients are sent to
  bool operator==(const HealthCheck&) const = default;
};

// Client and server count idle time: below the broker's heartbeat (60 s) they cut idle clients.
struct Timeouts {
  std::chrono::milliseconds connect{1000};
  std::chrono::milliseconds client{std::chrono::hours(3)};
  std::chrono::milliseconds server{std::chrono::hours(3)};
  bool operator==(const Timeouts&) const = default;
};

struct Stats {
  bool enabled = true;  // the page and its CSV; health, metrics and hash are always served
  std::string path =
      "/rabbitmq-stats";  // ^/[A-Za-z0-9._~/-]{0,127}$, none of kHealthPath and its like
  std::chrono::seconds refresh{5};
  bool operator==(const Stats&) const = default;
};

enum class Protocol {
  kAmqp,  // has the health check; at most one listener
  kTcp,   // any other protocol of the broker: shares the AMQP listener's checks
  kHttp,  // the management API: a cookie keeps a browser on one node
};

// A port that clients connect to, and the brokers' port behind it.
struct Listener {
  std::string name;  // "amqp": ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$, at most 63; unique
  Protocol protocol = Protocol::kAmqp;
  std::uint16_t port = 5672;
  std::uint16_t server_port = 5672;
  bool checked_apart = false;  // kTcp: a connect to this port is the check, not the AMQP listener's
  bool operator==(const Listener&) const = default;
};

// A broker.
struct Server {
  std::string name;  // "C-node-0": as a listener's name
  // Absolute, "C-node-0.C-nodes.NS.svc.cluster.local": HAProxy's resolvers know no search list.
  std::string host;
  bool draining = false;  // no new connections, the old ones stay (weight 0)
  bool operator==(const Server&) const = default;
};

struct Config {
  std::vector<Listener> listeners{Listener{.name = "amqp"}};  // the first is the AMQP one
  std::vector<Server> servers;  // rendered in this order; may be empty
  Balance balance = Balance::kLeastConn;
  HealthCheck health_check;
  Timeouts timeouts;
  int retries = 3;             // 0 to 100; the first goes to another broker
  int max_connections = 5120;  // of the process
  std::optional<int> max_connections_per_listener;
  // The internal port: health, metrics, the statistics page. Always bound, since probes need it.
  std::uint16_t admin_port = 9000;
  Stats stats;
  bool operator==(const Config&) const = default;
};

// Paths on the admin port, besides Stats::path.
inline constexpr const char* kHealthPath =
    "/healthz";                                     // 200: at least one broker is up (readiness)
inline constexpr const char* kLivePath = "/livez";  // 200: the process answers (liveness)
inline constexpr const char* kMetricsPath = "/metrics";  // Prometheus
inline constexpr const char* kHashPath = "/confighash";  // the hash of the live configuration

}  // namespace rabbit::haproxy
