// lib/rabbitmq/tls_config.h: the lines of rabbitmq.conf that make a broker speak TLS. They stand in
// a file of their own that is read after rabbitmq.conf. Pure. Tried with 3.8.9, 3.10.8, 4.0.5 and
// 4.3.6, which read renewed files by themselves, within some two minutes, on all three listeners.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "rabbitmq/version.h"

namespace rabbit::rabbitmq {

inline constexpr std::uint16_t kAmqpsPort = 5671;
inline constexpr std::uint16_t kManagementTlsPort = 15671;
inline constexpr std::uint16_t kPrometheusTlsPort = 15691;

// Of clients of AMQPS. Management and metrics are for people and programs with passwords, the
// operator among them, and never ask for a certificate.
enum class PeerCertificates { kUnasked, kAsked, kRequired };

struct TlsConfig {
  std::string folder;  // with tls.crt, tls.key and ca.crt
  bool only = false;   // no listener without TLS
  PeerCertificates peers = PeerCertificates::kUnasked;
  bool tls13_only = false;         // else 1.2 too
  std::optional<Version> version;  // promised by the image
};

// Each node's own: what one runs with may be older than rabbitmq.conf. So that file must not say
// management.tcp.port, which nothing takes back: 15672 is open without it, unless there is one with
// TLS, and then it is said here.
[[nodiscard]] std::string RenderTlsConf(const TlsConfig& config);

// Whether brokers start with TLS 1.3 alone: 3.8.9 hangs at its start, 3.10.8, 4.0.5 and 4.3.6 do
// not.
[[nodiscard]] constexpr bool CanSpeakTls13Alone(const Version& v) { return v >= Version{3, 10, 0}; }

// The metrics' plain listener is closed by a line of its own (merged before 3.12.0). Before, a
// listener with TLS takes its place unless both are asked for (tried with 3.8.9 and 3.10.8).
[[nodiscard]] constexpr bool ClosesMetricsByName(const Version& v) {
  return v >= Version{3, 12, 0};
}

// Whether it stays open all the same: 3.11 takes no such line yet.
[[nodiscard]] constexpr bool KeepsPlainMetrics(const Version& v) {
  return v >= Version{3, 11, 0} && !ClosesMetricsByName(v);
}

}  // namespace rabbit::rabbitmq
