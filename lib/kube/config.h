// lib/kube/config.h: which API server, how to trust it, and who we are there: from a kubeconfig
// file or from what the kubelet puts into a pod. Plain values; nothing is connected here.
//
//   auto config = LoadInCluster("/", lookup);      // or LoadKubeconfig(path, "")
//   auto credentials = MakeCredentials(*config, clock);
//   ReloadingTransport transport(*config, clock, connect);   // kube/reloading_transport.h
//
// Errors are kInvalid, on one line, and name the file and the field: they are for people.
// Facts: k8s.io/client-go/tools/clientcmd (kubeconfig), k8s.io/client-go/rest (InClusterConfig).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "http/endpoint.h"
#include "kube/credentials.h"

namespace rabbit::kube {

// A value that stands in the configuration, or in a file that may change while we run. The file
// counts when there is one.
template <typename T>
struct Source {
  std::string file;
  T value;
  bool operator==(const Source&) const = default;
  [[nodiscard]] bool empty() const { return file.empty() && value.empty(); }
};

struct ClusterConfig {
  std::string origin;                      // for people: "context dev of /home/u/.kube/config"
  http::ParsedUrl server;                  // the host may be a name: see EndpointAt()
  std::string server_name;                 // tls-server-name; empty: the host
  bool insecure = false;                   // insecure-skip-tls-verify
  Source<std::string> ca;                  // PEM
  Source<std::string> client_certificate;  // PEM
  Source<base::Secret> client_key;         // PEM
  Source<base::Secret> token;
  std::string default_namespace = "default";

  bool operator==(const ClusterConfig&) const = default;
};

// Merges `files` as kubectl does with $KUBECONFIG: of two entries of a name the first counts; paths
// in a file are relative to it. A single file must exist; of several, those that do count. An empty
// `context` means the files' current-context.
// What we cannot do is refused, never left aside: credential plugins (exec, auth-provider), user
// name and password, impersonation, proxies. A cluster without a CA is trusted by the system's
// roots, as by kubectl: by those in /etc/ssl/certs/ca-certificates.crt.
[[nodiscard]] base::Result<ClusterConfig> LoadKubeconfig(const std::vector<std::string>& files,
                                                         std::string_view context,
                                                         const ReadFileFunction& read = ReadFile);
[[nodiscard]] base::Result<ClusterConfig> LoadKubeconfig(const std::string& file,
                                                         std::string_view context,
                                                         const ReadFileFunction& read = ReadFile);

// The value of an environment variable, if it is set.
using LookupFunction = std::function<std::optional<std::string>(const std::string& name)>;

// KUBERNETES_SERVICE_HOST and _PORT, and the service account's files below `root`, which is "/".
// kNotFound when the variables are not set: this is no pod. What a pod lacks is kInvalid.
[[nodiscard]] base::Result<ClusterConfig> LoadInCluster(std::string_view root,
                                                        const LookupFunction& lookup,
                                                        const ReadFileFunction& read = ReadFile);

// Where to connect when the host's name stands for `address`, a literal IPv4 address.
[[nodiscard]] http::Endpoint EndpointAt(const ClusterConfig& config, std::string address);

// Whether `error`, of a call that set out at `began`, says that nobody can be reached there. That
// of a call with less than kFairTry left until its deadline does not: it ended for want of time.
inline constexpr std::chrono::milliseconds kFairTry{250};
[[nodiscard]] bool SaysUnreachable(const base::Error& error, base::TimePoint began,
                                   base::TimePoint deadline);

// Reads every file that `config` names and looks whether the certificates, the key and the token in
// them can be used: at the start, a wrong one is a person's to repair, not to be waited for.
[[nodiscard]] base::Result<void> CheckFiles(const ClusterConfig& config,
                                            const ReadFileFunction& read = ReadFile);

// Reads the files. kInvalid or the reader's error when one cannot be read or is empty.
[[nodiscard]] base::Result<http::TlsSettings> LoadTls(const ClusterConfig& config,
                                                      const ReadFileFunction& read = ReadFile);

// `clock` must outlive the result.
[[nodiscard]] std::unique_ptr<Credentials> MakeCredentials(const ClusterConfig& config,
                                                           base::Clock& clock,
                                                           ReadFileFunction read = ReadFile);

}  // namespace rabbit::kube
