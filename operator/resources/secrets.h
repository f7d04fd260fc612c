// operator/resources/secrets.h: the operator's own Secrets, without their random values, which are
// made when they are created (plan::CreateSecretOnce). Pure.
#pragma once

#include <string>
#include <vector>

#include "operator/api/types.h"
#include "operator/resources/tls.h"

namespace rabbit::resources {

struct NewSecret {
  std::string name;
  std::string body;  // JSON without the random values
  std::string random_key;
  std::size_t random_length = 0;  // characters
};

// C-erlang-cookie: who has it is in the cluster.
[[nodiscard]] NewSecret CookieSecret(const api::RabbitCluster& cluster);
// C-operator-user: an administrator, never handed out.
[[nodiscard]] NewSecret OperatorUserSecret(const api::RabbitCluster& cluster);
// C-default-user, in the form of the Service Binding specification: what clients are given.
[[nodiscard]] NewSecret DefaultUserSecret(const api::RabbitCluster& cluster);
// Where clients connect, as that Secret names it: unless `named` is offered, the port of AMQP or
// AMQPS that is. `named` itself where neither is, or where it is none of them.
[[nodiscard]] std::string DefaultUserPort(const api::Spec& spec, const Listening& listening,
                                          const std::string& named);
// The merge patch by which the Secret with this uid names that port.
[[nodiscard]] std::string SecretPortPatch(const std::string& uid, const std::string& port);
// C-user-…: of a declared user without a Secret of its own.
[[nodiscard]] NewSecret UserSecret(const api::RabbitCluster& cluster, const std::string& user);

// Whether Secrets go with the cluster; with disks that are retained they stay, and open them again.
[[nodiscard]] bool SecretsGoWith(const api::RabbitCluster& cluster);
// The merge patch by which the Secret with this uid, which belongs to nobody else, goes with the
// cluster, or stays.
[[nodiscard]] std::string SecretOwnerPatch(const api::RabbitCluster& cluster,
                                           const std::string& uid, bool goes);

// The port that C-default-user names where nothing else is known.
inline constexpr const char* kPlainPort = "5672";
// Name at the broker of the user in C-default-user.
inline constexpr const char* kDefaultUser = "default";

}  // namespace rabbit::resources
