// operator/api/load_balancer.h: spec.loadBalancer, the proxies in front of the brokers. The
// initialisers are the defaults. Values: copied, compared, thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "operator/api/common.h"
#include "operator/api/enums.h"

namespace rabbit::api {

struct HealthCheck {
  Duration interval = std::chrono::seconds(2);
  Duration timeout = std::chrono::seconds(1);
  std::int32_t rise = 2;  // successes that make a server UP
  std::int32_t fall = 2;  // failures that make it DOWN
  HealthCheckType type = HealthCheckType::kAmqp;
  bool operator==(const HealthCheck&) const = default;
};

struct ProxyTimeouts {
  Duration connect = std::chrono::seconds(1);
  Duration client = std::chrono::hours(3);
  Duration server =
      std::chrono::hours(3);  // below the broker's heartbeat (60 s) it cuts idle clients
  bool operator==(const ProxyTimeouts&) const = default;
};

struct ProxyStats {
  bool enabled = true;
  std::int32_t port = 9000;
  std::string path = "/rabbitmq-stats";
  Duration refresh = std::chrono::seconds(5);
  std::optional<KeyRef> user_secret_ref;  // both or neither
  std::optional<KeyRef> password_secret_ref;
  bool operator==(const ProxyStats&) const = default;
};

struct ProxyTls {
  ProxyTlsMode mode = ProxyTlsMode::kPassthrough;
  std::optional<std::string> secret_name;  // secretRef.name; needed unless TLS passes through
  bool operator==(const ProxyTls&) const = default;
};

struct LoadBalancer {
  bool enabled = true;
  std::int32_t replicas = 2;
  std::optional<std::string> image;  // absent: the operator's default, pinned in status
  Balance balance = Balance::kLeastConn;
  HealthCheck health_check;
  ProxyTimeouts timeouts;
  std::int32_t retries = 3;
  std::int32_t max_connections = 5120;
  std::optional<std::int32_t> max_connections_per_listener;  // absent: no limit of its own
  ProxyStats stats;
  std::optional<ProxyTls> tls;
  bool proxy_protocol = false;
  Duration drain_time = std::chrono::seconds(30);
  Resources resources{.requests = {{"cpu", "100m"}, {"memory", "256Mi"}},
                      .limits = {{"memory", "256Mi"}}};
  Pod pod;
  std::string extra_global, extra_defaults, extra_listen;  // raw lines, refused unless allowed
  bool operator==(const LoadBalancer&) const = default;
};

}  // namespace rabbit::api
