// operator/resources/tls.h: what spec.tls makes of pods, what pods say of it themselves, and what
// Services and proxies lead to meanwhile. Pure.
//
// Whether a broker speaks TLS is decided by its pod's template alone: the template mounts the files
// and carries the lines that name them. So a pod of an earlier template that starts again goes on
// as it was, whatever the ConfigMap has come to say, and never boots from files that it lacks. An
// annotation on the pod tells the operator, which must not lose sight of it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "operator/api/types.h"
#include "operator/observe/observation.h"

namespace rabbit::resources {

inline constexpr std::string_view kTlsAnnotation = "rabbitcluster.dev/tls";
inline constexpr const char* kTlsFolder = "/etc/rabbitmq-tls";  // in brokers' pods
inline constexpr const char* kTlsCertificateKey = "tls.crt";    // of the Secret, as kubectl and
inline constexpr const char* kTlsPrivateKeyKey = "tls.key";     // cert-manager make them
inline constexpr const char* kCaKey = "ca.crt";

struct PodTls {
  api::TlsMode mode = api::TlsMode::kBoth;
  std::string secret;  // with certificate and key
  api::KeyRef ca;      // the authorities: of caSecretRef, or else of that Secret
  bool operator==(const PodTls&) const = default;
};

[[nodiscard]] PodTls PodTlsOf(const api::Tls& tls);
// The annotation's value, "Both web-tls web-tls/ca.crt", and back; nothing for anything else.
[[nodiscard]] std::string ToText(const PodTls& tls);
[[nodiscard]] std::optional<PodTls> PodTlsFrom(std::string_view text);

// DNS names of which a certificate must bear one, so that the operator takes the node for what it
// is: the node's own, the most exact first, then those of Services C-brokers and C.
[[nodiscard]] std::vector<std::string> NodeTlsNames(const kube::ObjectKey& cluster, int ordinal,
                                                    std::string_view domain);
// What to ask of a certificate's maker, in words.
[[nodiscard]] std::string WantedTlsNames(const kube::ObjectKey& cluster);

// What brokers listen on: those that there are, whatever is declared. A pod goes on as it is until
// it is made anew, which may be never, and clients are to find it until then. Only of a cluster
// without pods it is what is declared.
struct Listening {
  bool plain = true;        // some broker listens without TLS
  bool tls = false;         // some broker with
  bool plain_alone = !tls;  // some broker without TLS alone
  bool tls_alone = !plain;  // some broker with TLS alone
  bool operator==(const Listening&) const = default;
};
[[nodiscard]] Listening ListeningOf(const api::RabbitCluster& cluster,
                                    const std::vector<observe::Pod>& nodes);

// The listeners that clients are offered: spec.service.expose, where "amqp" and "management" mean
// those with TLS, too, while some broker has these alone, and once all have, nothing else; each
// once.
[[nodiscard]] std::vector<api::Listener> ExposedListeners(const api::Spec& spec,
                                                          const Listening& listening);

}  // namespace rabbit::resources
