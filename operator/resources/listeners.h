// operator/resources/listeners.h: what Service C can offer, and where it is at brokers and proxies.
#pragma once

#include <cstdint>
#include <string_view>

#include "haproxy/model.h"
#include "operator/api/enums.h"

namespace rabbit::resources {

// The port is the same at the brokers, the proxies and the Services.
struct ListenerPort {
  std::string_view name;
  std::uint16_t port = 0;
  haproxy::Protocol protocol = haproxy::Protocol::kTcp;
};

[[nodiscard]] constexpr ListenerPort PortOf(api::Listener listener) {
  using enum api::Listener;
  using haproxy::Protocol;
  const std::string_view name = api::Name(listener);
  switch (listener) {
    case kAmqp:
      return {name, 5672, Protocol::kAmqp};
    case kAmqps:
      return {name, 5671, Protocol::kTcp};
    case kManagement:
      return {name, 15672, Protocol::kHttp};
    case kManagementTls:
      return {name, 15671, Protocol::kTcp};
    case kStream:
      return {name, 5552, Protocol::kTcp};
    case kStreamTls:
      return {name, 5551, Protocol::kTcp};
    case kMqtt:
      return {name, 1883, Protocol::kTcp};
    case kMqtts:
      return {name, 8883, Protocol::kTcp};
    case kStomp:
      return {name, 61613, Protocol::kTcp};
    case kStomps:
      return {name, 61614, Protocol::kTcp};
    case kWebMqtt:
      return {name, 15675, Protocol::kTcp};
    case kWebStomp:
      return {name, 15674, Protocol::kTcp};
    case kPrometheus:
      return {name, 15692, Protocol::kTcp};
  }
  return {};
}

}  // namespace rabbit::resources
