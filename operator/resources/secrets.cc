#include "operator/resources/secrets.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/json.h"
#include "operator/resources/listeners.h"
#include "operator/resources/names.h"
#include "operator/resources/object.h"

namespace rabbit::resources {
namespace {

using base::Json;

constexpr std::size_t kPasswordLength = 32;  // 190 bits

NewSecret Make(const api::RabbitCluster& cluster, std::string name, const char* type,
               Json string_data, std::string random_key) {
  Json object = NewObject(cluster, kube::kSecrets, name, kBrokerComponent);
  if (!SecretsGoWith(cluster)) object["metadata"].erase("ownerReferences");
  object["type"] = type;
  SetUnlessEmpty(object, "stringData", std::move(string_data));
  return {.name = std::move(name),
          .body = base::Dump(object),
          .random_key = std::move(random_key),
          .random_length = kPasswordLength};
}

}  // namespace

bool SecretsGoWith(const api::RabbitCluster& cluster) {
  // Disks that stay are worth nothing without what opens them.
  return cluster.spec.storage.retention.when_deleted == api::RetentionAction::kDelete;
}

std::string SecretOwnerPatch(const api::RabbitCluster& cluster, const std::string& uid, bool goes) {
  return base::Dump(
      {{"metadata",
        {{"uid", uid}, {"ownerReferences", goes ? OwnerReferences(cluster) : Json()}}}});
}

NewSecret CookieSecret(const api::RabbitCluster& cluster) {
  return Make(cluster, CookieSecretName(cluster.meta.key.name), "Opaque", Json::object(),
              kCookieKey);
}

NewSecret OperatorUserSecret(const api::RabbitCluster& cluster) {
  return Make(cluster, OperatorUserSecretName(cluster.meta.key.name), "kubernetes.io/basic-auth",
              {{kUsernameKey, kOperatorUser}}, kPasswordKey);
}

NewSecret DefaultUserSecret(const api::RabbitCluster& cluster) {
  return Make(cluster, DefaultUserSecretName(cluster.meta.key.name), "servicebinding.io/rabbitmq",
              {{"type", "rabbitmq"},
               {"provider", "rabbit-operator"},
               // Resolves from any namespace of this Kubernetes, whatever its domain.
               {"host", cluster.meta.key.name + "." + cluster.meta.key.ns + ".svc"},
               {kPortKey, DefaultUserPort(cluster.spec, ListeningOf(cluster, {}), kPlainPort)},
               {kUsernameKey, kDefaultUser}},
              kPasswordKey);
}

std::string DefaultUserPort(const api::Spec& spec, const Listening& listening,
                            const std::string& named) {
  std::vector<std::string> offered;
  bool is_ours = false;
  const std::vector<api::Listener> exposed = ExposedListeners(spec, listening);
  for (const api::Listener listener : {api::Listener::kAmqp, api::Listener::kAmqps}) {
    const std::string port = std::to_string(PortOf(listener).port);
    is_ours = is_ours || port == named;
    if (std::ranges::find(exposed, listener) != exposed.end()) offered.push_back(port);
  }
  const bool serves = std::ranges::find(offered, named) != offered.end();
  return serves || !is_ours || offered.empty() ? named : offered.front();
}

std::string SecretPortPatch(const std::string& uid, const std::string& port) {
  return base::Dump({{"metadata", {{"uid", uid}}}, {"stringData", {{kPortKey, port}}}});
}

NewSecret UserSecret(const api::RabbitCluster& cluster, const std::string& user) {
  return Make(cluster, UserSecretName(cluster.meta.key.name, user), "kubernetes.io/basic-auth",
              {{kUsernameKey, user}}, kPasswordKey);
}

}  // namespace rabbit::resources
