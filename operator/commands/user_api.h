// operator/commands/user_api.h: the API server as a person's command reaches it: the kubeconfig
// found as kubectl finds it, the namespace of the context unless another one is named.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "http/resolve.h"
#include "kube/client.h"
#include "kube/upgrade.h"
#include "operator/commands/api_access.h"
#include "operator/commands/options.h"

namespace rabbit::commands {

class UserApi {
 public:
  UserApi(const ClusterOptions& options, UserConfig config);

  [[nodiscard]] const std::string& ns() const { return ns_; }
  [[nodiscard]] kube::ObjectKey KeyOf(const std::string& name) const { return {ns_, name}; }
  [[nodiscard]] kube::Client& client() { return api_.calls(); }
  // The RabbitCluster's JSON; kNotFound says which namespace was looked in.
  base::Result<std::string> GetCluster(const std::string& name);
  [[nodiscard]] http::CallOptions Call() const;
  // To a port of a pod, through the API server. Must not outlive this.
  std::unique_ptr<http::Transport> ForwardTo(const std::string& pod, std::uint16_t port);

 private:
  const std::string ns_;
  base::RealClock clock_;
  const std::unique_ptr<base::Logger> logger_;
  http::Resolver resolver_;
  const kube::OpenFunction sockets_;
  ApiAccess api_;
};

}  // namespace rabbit::commands
