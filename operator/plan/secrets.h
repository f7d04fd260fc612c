// operator/plan/secrets.h: the operator's own Secrets exist. They are made once and never changed:
// what is in them is at work in the brokers. Pure.
#pragma once

#include <optional>
#include <string>

#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/plan/plan.h"

namespace rabbit::plan {

struct BootSecrets {
  // Why no first node may be started now: a Secret is somebody else's, lost, or not known.
  std::optional<std::string> hold;
  // The step that must have succeeded before the first node is started; empty: both are there.
  std::optional<std::size_t> step;
};

// The cookie and the operator's user, which a broker pod mounts. A cookie that is gone although it
// is in use is not made anew: nodes and disks would be locked out. The operator's user is: see
// own_user.h.
[[nodiscard]] BootSecrets PlanBootSecrets(const api::RabbitCluster& cluster,
                                          const observe::Observation& seen, Plan& plan);

// The clients' default user, and declared users without a Secret of their own.
void PlanUserSecrets(const api::RabbitCluster& cluster, const observe::Observation& seen,
                     Plan& plan);

// The Secret that was made for a user who is declared no more, while it is not known (kUnknown) or
// not settled (kPresent) that it goes with the cluster. It opens no disk, so it does, whatever the
// retention; nobody would know of it once the user is forgotten. Else nullptr.
[[nodiscard]] const observe::SecretView* LeftBehind(const api::RabbitCluster& cluster,
                                                    const observe::Observation& seen,
                                                    const std::string& user);

}  // namespace rabbit::plan
