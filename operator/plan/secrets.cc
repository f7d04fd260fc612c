#include "operator/plan/secrets.h"

#include <utility>

#include "operator/plan/broker_gate.h"
#include "operator/resources/names.h"
#include "operator/resources/secrets.h"

namespace rabbit::plan {
namespace {

// False when somebody else has the name. `make` gives the Secret, if it is to be created.
template <typename Make>
bool PlanSecret(const std::string& name, const Make& make, const observe::Observation& seen,
                Plan& plan) {
  const auto found = seen.secrets.find(name);
  const observe::SecretView unread;
  const observe::SecretView& view = found == seen.secrets.end() ? unread : found->second;
  switch (view.state) {
    case observe::SecretState::kPresent:
      return true;
    case observe::SecretState::kForeign:
      AddProblem(plan, {.aspect = Aspect::kChildren,
                        .reason = "NameTaken",
                        .message = "Secret " + name +
                                   " exists and is not the operator's: delete or rename it",
                        .needs_person = true});
      return false;
    case observe::SecretState::kUnknown:
      if (!view.trouble.empty()) {
        AddWait(plan, {Aspect::kChildren, "SecretUnknown",
                       "Secret " + name + " could not be read: " + view.trouble});
        return true;
      }
      if (!seen.first_sight) return true;  // yet to be read
      break;                               // new: made without a look; a taken name is then read
    case observe::SecretState::kAbsent:
      break;
  }
  resources::NewSecret secret = make();
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
  const std::string& name = cluster.meta.key.name;
  const std::string cookie = resources::CookieSecretName(name);
  const std::string user = resources::OperatorUserSecretName(name);
  const bool has_cookie = PlanSecret(
      cookie, [&] { return resources::CookieSecret(cluster); }, seen, plan);
  const bool has_user = PlanSecret(
      user, [&] { return resources::OperatorUserSecret(cluster); }, seen, plan);
  if (has_cookie && has_user) return std::nullopt;
  return has_cookie ? user : cookie;
}

void PlanUserSecrets(const api::RabbitCluster& cluster, const observe::Observation& seen,
                     Plan& plan) {
  const std::string& name = cluster.meta.key.name;
  PlanSecret(
      resources::DefaultUserSecretName(name), [&] { return resources::DefaultUserSecret(cluster); },
      seen, plan);
  for (const api::User& user : cluster.spec.users) {
    if (user.password_secret_ref) continue;
    PlanSecret(
        resources::UserSecretName(name, user.name),
        [&] { return resources::UserSecret(cluster, user.name); }, seen, plan);
  }
}

}  // namespace rabbit::plan
