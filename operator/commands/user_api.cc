#include "operator/commands/user_api.h"

#include <utility>

#include "kube/port_forward.h"
#include "operator/api/common.h"
#include "operator/api/types.h"

namespace rabbit::commands {
namespace {

constexpr std::chrono::seconds kCall{30};

}  // namespace

UserApi::UserApi(const ClusterOptions& options, UserConfig config)
    : ns_(options.ns.empty() ? config.config.default_namespace : options.ns),
      logger_(base::MakeLogger(base::LogLevel::kError, base::LogFormat::kText)),
      sockets_(kube::WebSocketsTo(config.config, resolver_)),
      api_(std::move(config.config), clock_, *logger_, nullptr, 4) {}

http::CallOptions UserApi::Call() const { return {.deadline = clock_.Now() + kCall, .stop = {}}; }

base::Result<std::string> UserApi::GetCluster(const std::string& name) {
  auto text = client().Get(api::kRabbitClusters, KeyOf(name), Call());
  if (!text && text.error().kind == base::ErrorKind::kNotFound) {
    return base::FailWrapped(text.error(), "namespace " + ns_);
  }
  return text;
}

std::unique_ptr<http::Transport> UserApi::ForwardTo(const std::string& pod, std::uint16_t port) {
  return kube::MakePortForwardTransport(sockets_, api_.credentials(), KeyOf(pod), port);
}

}  // namespace rabbit::commands
