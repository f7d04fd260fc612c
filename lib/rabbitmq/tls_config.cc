#include "rabbitmq/tls_config.h"

#include <string_view>

namespace rabbit::rabbitmq {
namespace {

class Lines {
 public:
  void Add(std::string_view key, std::string_view value) {
    text_.append(key).append(" = ").append(value).append(1, '\n');
  }
  void AddPort(std::string_view key, std::uint16_t port) { Add(key, std::to_string(port)); }
  // What every listener needs, below `family`.
  void AddFiles(const std::string& family, const TlsConfig& config) {
    Add(family + ".cacertfile", config.folder + "/ca.crt");
    Add(family + ".certfile", config.folder + "/tls.crt");
    Add(family + ".keyfile", config.folder + "/tls.key");
    Add(family + ".versions.1", "tlsv1.3");
    if (!config.tls13_only) Add(family + ".versions.2", "tlsv1.2");
  }
  [[nodiscard]] std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace

std::string RenderTlsConf(const TlsConfig& config) {
  Lines lines;
  if (config.only) lines.Add("listeners.tcp", "none");
  lines.AddPort("listeners.ssl.default", kAmqpsPort);
  lines.AddFiles("ssl_options", config);
  const bool asked = config.peers != PeerCertificates::kUnasked;
  lines.Add("ssl_options.verify", asked ? "verify_peer" : "verify_none");
  lines.Add("ssl_options.fail_if_no_peer_cert",
            config.peers == PeerCertificates::kRequired ? "true" : "false");
  lines.AddPort("management.ssl.port", kManagementTlsPort);
  lines.AddFiles("management.ssl", config);
  lines.AddPort("prometheus.ssl.port", kPrometheusTlsPort);
  lines.AddFiles("prometheus.ssl", config);
  if (!config.only) {
    lines.Add("management.tcp.port", "15672");
    lines.Add("prometheus.tcp.port", "15692");
  } else if (config.version && ClosesMetricsByName(*config.version)) {
    lines.Add("prometheus.tcp.listener", "none");
  }
  return lines.Take();
}

}  // namespace rabbit::rabbitmq
