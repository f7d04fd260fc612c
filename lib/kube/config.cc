#include "kube/config.h"

#include <utility>

namespace rabbit::kube {
namespace {

constexpr std::string_view kServiceAccount = "var/run/secrets/kubernetes.io/serviceaccount/";

std::string Trim(const std::string& text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

base::Result<std::string> Load(const Source<std::string>& source, const ReadFileFunction& read,
                               std::string_view what) {
  if (source.file.empty()) return source.value;
  auto content = read(source.file);
  if (!content) return base::FailWrapped(std::move(content.error()), what);
  if (Trim(*content).empty()) {
    return base::Fail(base::ErrorKind::kInvalid,
                      std::string(what) + ": " + source.file + " is empty");
  }
  return content;
}

// A file that is not there is no reason to think that this is no pod.
tl::unexpected<base::Error> PodLacks(base::Error error, std::string_view what) {
  if (error.kind == base::ErrorKind::kNotFound) error.kind = base::ErrorKind::kInvalid;
  return base::FailWrapped(std::move(error), what);
}

}  // namespace

base::Result<ClusterConfig> LoadInCluster(std::string_view root, const LookupFunction& lookup,
                                          const ReadFileFunction& read) {
  const std::string host = lookup("KUBERNETES_SERVICE_HOST").value_or("");
  const std::string port = lookup("KUBERNETES_SERVICE_PORT").value_or("");
  if (host.empty() || port.empty()) {
    return base::Fail(
        base::ErrorKind::kNotFound,
        "not in a pod: KUBERNETES_SERVICE_HOST or KUBERNETES_SERVICE_PORT is not set");
  }
  std::string url = "https://";
  url.append(host.find(':') == std::string::npos ? host : "[" + host + "]").append(":" + port);
  auto server = http::ParseUrl(url);
  if (!server) {
    return base::FailWrapped(std::move(server.error()),
                             "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT");
  }
  const std::string directory = std::string(root).append(kServiceAccount);
  ClusterConfig config;
  config.origin = "service account of the pod";
  config.server = *std::move(server);
  config.ca.file = directory + "ca.crt";
  config.token.file = directory + "token";
  auto token = read(config.token.file);
  if (!token) return PodLacks(std::move(token.error()), "service account's token");
  if (const base::Secret value(*std::move(token)); value.empty()) {
    return base::Fail(base::ErrorKind::kInvalid,
                      "service account's token: " + config.token.file + " is empty");
  }
  if (auto tls = LoadTls(config, read); !tls) {
    return PodLacks(std::move(tls.error()), "service account");
  }
  if (auto ns = read(directory + "namespace"); ns && !Trim(*ns).empty()) {
    config.default_namespace = Trim(*ns);
  }
  return config;
}

http::Endpoint EndpointAt(const ClusterConfig& config, std::string address) {
  return {.tls = config.server.tls,
          .address = std::move(address),
          .port = config.server.port,
          .host_header = config.server.host + ":" + std::to_string(config.server.port)};
}

bool SaysUnreachable(const base::Error& error, base::TimePoint began, base::TimePoint deadline) {
  return error.kind == base::ErrorKind::kRetry && error.http_status == 0 &&
         error.sent == base::Sent::kNo && deadline >= began + kFairTry;
}

base::Result<http::TlsSettings> LoadTls(const ClusterConfig& config, const ReadFileFunction& read) {
  http::TlsSettings tls;
  tls.server_name = config.server_name;
  tls.insecure = config.insecure;
  if (!config.server.tls) return tls;
  if (!config.insecure) {
    auto ca = Load(config.ca, read, "certificate authority");
    if (!ca) return tl::unexpected(std::move(ca.error()));
    tls.ca_pem = *std::move(ca);
  }
  auto certificate = Load(config.client_certificate, read, "client certificate");
  if (!certificate) return tl::unexpected(std::move(certificate.error()));
  tls.client_certificate_pem = *std::move(certificate);
  if (config.client_key.file.empty()) {
    tls.client_key_pem = config.client_key.value;
  } else {
    auto key = Load({config.client_key.file, ""}, read, "client key");
    if (!key) return tl::unexpected(std::move(key.error()));
    tls.client_key_pem = base::Secret(*std::move(key));
  }
  return tls;
}

base::Result<void> CheckFiles(const ClusterConfig& config, const ReadFileFunction& read) {
  // The field of a kubeconfig, and the file that it names.
  const auto name = [](std::string field, const std::string& file) {
    return file.empty() ? std::move(field) + "-data" : std::move(field) + " " + file;
  };
  const auto refuse = [&config](const std::string& what, const std::string& why) {
    return base::Fail(base::ErrorKind::kInvalid, config.origin + ": " + what + ": " + why);
  };
  const auto load = [&](const std::string& field, const std::string& file,
                        std::string value) -> base::Result<base::Secret> {
    auto content = Load({file, std::move(value)}, read, field);
    if (!content)
      return base::Fail(base::ErrorKind::kInvalid, config.origin + ": " + content.error().message);
    return base::Secret(*std::move(content));
  };
  if (!config.token.file.empty()) {
    if (auto token = load("tokenFile", config.token.file, ""); !token) {
      return tl::unexpected(std::move(token.error()));
    }
  }
  if (!config.server.tls) return {};
  if (!config.insecure) {
    const auto ca = load("certificate-authority", config.ca.file, config.ca.value);
    if (!ca) return tl::unexpected(ca.error());
    if (auto usable = http::CheckTls({.ca_pem = std::string(ca->Reveal())}); !usable) {
      return refuse(name("certificate-authority", config.ca.file), usable.error().message);
    }
  }
  if (config.client_certificate.empty()) return {};
  const auto certificate =
      load("client-certificate", config.client_certificate.file, config.client_certificate.value);
  if (!certificate) return tl::unexpected(certificate.error());
  const auto key =
      load("client-key", config.client_key.file, std::string(config.client_key.value.Reveal()));
  if (!key) return tl::unexpected(key.error());
  if (auto usable = http::CheckTls(
          {.client_certificate_pem = std::string(certificate->Reveal()), .client_key_pem = *key});
      !usable) {
    return refuse(name("client-certificate", config.client_certificate.file) + " and " +
                      name("client-key", config.client_key.file),
                  usable.error().message);
  }
  return {};
}

std::unique_ptr<Credentials> MakeCredentials(const ClusterConfig& config, base::Clock& clock,
                                             ReadFileFunction read) {
  if (!config.token.file.empty()) {
    return std::make_unique<FileCredentials>(config.token.file, clock, std::move(read));
  }
  if (config.token.value.empty()) return std::make_unique<StaticCredentials>();
  return std::make_unique<StaticCredentials>(config.token.value);
}

}  // namespace rabbit::kube
