#include "operator/plan/secrets.h"

#include <utility>

#include "operator/plan/broker_gate.h"
#include "operator/resources/secrets.h"

namespace rabbit::plan {
namespace {

// False when somebody else has the name.
bool PlanSecret(resources::NewSecret secret, const observe::Observation& seen, Plan& plan) {
  const auto found = seen.secrets.find(secret.name);
  const observe::SecretView unread;
  const observe::SecretView& view = found == seen.secrets.end() ? unread : found->second;
  switch (view.state) {
    case observe::SecretState::kPresent:
      return true;
    case observe::SecretState::kForeign:
      AddProblem(plan, {.aspect = Aspect::kChildren,
                        .reason = "NameTaken",
                        .message = "Secret " + secret.name +
                                   " exists and is not the operator's: delete or rename it",
                        .needs_person = true});
      return false;
    case observe::SecretState::kUnknown:
      if (!view.trouble.empty()) {
        AddWait(plan, {Aspect::kChildren, "SecretUnknown",
                       "Secret " + secret.name + " could not be read: " + view.trouble});
        return true;
      }
      if (!seen.first_sight) return true;  // yet to be read
      break;                               // new: made without a look; a taken name is then read
    case observe::SecretState::kAbsent:
      break;
  }
  plan.steps.push_back(
      {.action = CreateSecretOnce{.name = std::move(secret.name),
                                  .body = std::move(secret.body),
                                  .random = {{std::move(secret.random_key), secret.random_length}}},
       .reason = "does not exist",
       .after = {},
       .repairs_drift = false});
  return true;
}

}  // namespace

std::optional<std::string> PlanBootSecrets(const api::RabbitCluster& cluster,
                                           const observe::Observation& seen, Plan& plan) {
  std::optional<std::string> taken;
  for (resources::NewSecret secret :
       {resources::CookieSecret(cluster), resources::OperatorUserSecret(cluster)}) {
    std::string name = secret.name;
    if (!PlanSecret(std::move(secret), seen, plan)) taken = std::move(name);
  }
  return taken;
}

void PlanUserSecrets(const api::RabbitCluster& cluster, const observe::Observation& seen,
                     Plan& plan) {
  PlanSecret(resources::DefaultUserSecret(cluster), seen, plan);
  for (const api::User& user : cluster.spec.users) {
    if (!user.password_secret_ref)
      PlanSecret(resources::UserSecret(cluster, user.name), seen, plan);
  }
}

}  // namespace rabbit::plan
