// operator/observe/definitions.h: the definitions that spec.definitions names: read by name when
// what is known of them is old, and held only while they are declared.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/secret.h"
#include "http/transport.h"
#include "kube/client.h"
#include "operator/api/types.h"
#include "operator/observe/observation.h"

namespace rabbit::observe {

// Without what the spec itself names, and what the operator needs: a user with all his rights, a
// vhost's attributes and limits, a policy; the operator's and the clients' default user; the
// cluster's name. So the two are never of two minds about anything. Pure.
[[nodiscard]] rabbitmq::Definitions WithoutDeclared(rabbitmq::Definitions definitions,
                                                    const api::RabbitCluster& cluster,
                                                    std::string_view default_user);

// What is under `key` of a ConfigMap or a Secret, as its JSON says. kNotFound: there is no such
// key.
[[nodiscard]] base::Result<base::Secret> ContentOf(std::string_view json, bool is_secret,
                                                   std::string_view key);

// What one cluster's definitions said, and when. A failed read keeps what was read before.
class DefinitionsMemory {
 public:
  // Of definitions that are imported once, and were: it is only told that they changed.
  static constexpr std::chrono::minutes kImportedAge{10};

  // `secrets`: those of the cluster, for the name of its default user. It may be called for a spec
  // that is not valid: one that names no source, or two, declares none.
  void Refresh(const api::RabbitCluster& cluster, const std::map<std::string, SecretView>& secrets,
               bool imported, kube::Client& client, base::TimePoint now,
               const http::CallOptions& options);
  // Null: none are declared. The same pointer as long as it says the same.
  [[nodiscard]] std::shared_ptr<const DefinitionsView> view() const {
    return state_ ? state_->view : nullptr;
  }

 private:
  struct State {
    std::string source;  // what was read
    std::string inputs;  // all that the view is made of: what has not changed is not parsed again
    base::TimePoint read_at{};
    std::shared_ptr<const DefinitionsView> view;
  };
  std::unique_ptr<State> state_;  // most clusters have none
};

}  // namespace rabbit::observe
