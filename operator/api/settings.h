// operator/api/settings.h: what the operator's command line says once for all clusters. A plain
// value.
#pragma once

#include <string>

namespace rabbit {

struct Settings {
  std::string broker_image = "rabbitmq:3.13-management";  // for clusters that name none
  std::string proxy_image = "haproxy:3.0";
  std::string cluster_domain = "cluster.local";  // for HAProxy's server addresses

  bool operator==(const Settings&) const = default;
};

}  // namespace rabbit
