#include "operator/plan/secrets.h"

#include <algorithm>
#include <utility>

#include "operator/plan/broker_gate.h"
#include "operator/resources/names.h"
#include "operator/resources/secrets.h"

namespace rabbit::plan {
namespace {

enum class Planned {
  kThere,
  kMade,     // the last step of the plan makes it
  kNotNow,   // it is not known, or another one is yet to go
  kForeign,  // somebody else has the name
};

// Whether a Secret goes with the cluster follows the retention of the disks that it opens.
void PlanOwner(const api::RabbitCluster& cluster, const std::string& name,
               const observe::SecretView& view, Plan& plan) {
  const bool goes = resources::SecretsGoWith(cluster);
  if (goes == !view.owner_uid.empty()) return;
  plan.steps.push_back(
      {.action = ChangeSecret{name, resources::SecretOwnerPatch(cluster, view.uid, goes)},
       .reason =
           goes ? "goes with the cluster, as its disks do" : "stays with the disks that it opens",
       .after = {},
       .repairs_drift = false});
}

// `make` gives the Secret, if it is to be created.
template <typename Make>
Planned PlanSecret(const api::RabbitCluster& cluster, const std::string& name, const Make& make,
                   const observe::Observation& seen, Plan& plan) {
  const auto found = seen.secrets.find(name);
  const observe::SecretView unread;
  const observe::SecretView& view = found == seen.secrets.end() ? unread : found->second;
  switch (view.state) {
    case observe::SecretState::kPresent:
      if (view.owner_uid.empty() || view.owner_uid == cluster.meta.uid) {
        PlanOwner(cluster, name, view, plan);
        return Planned::kThere;
      }
      AddWait(plan, {Aspect::kChildren, "ChildLeaving",
                     "Secret " + name +
                         " belongs to an earlier cluster of this name and is yet to be collected"});
      return Planned::kNotNow;
    case observe::SecretState::kForeign:
      AddProblem(plan, {.aspect = Aspect::kChildren,
                        .reason = "NameTaken",
                        .message = "Secret " + name +
                                   " exists and is not the operator's: delete or rename it",
                        .needs_person = true});
      return Planned::kForeign;
    case observe::SecretState::kUnknown:
      if (!view.trouble.empty()) {
        AddWait(plan, {Aspect::kChildren, "SecretUnknown",
                       "Secret " + name + " could not be read: " + view.trouble});
        return Planned::kNotNow;
      }
      // A new cluster's are made without a look, and a taken name is then read.
      if (!seen.first_sight || !seen.claims.empty()) return Planned::kNotNow;
      break;
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
  return Planned::kMade;
}

// The cookie's Secret when it is not there although nodes have started with it, or nothing. That of
// the operator's user may be made anew: PlanOwnUser gives the broker the new password.
std::string LostSecret(const api::RabbitCluster& cluster, const observe::Observation& seen) {
  const bool has_disks = std::ranges::any_of(
      seen.claims, [](const observe::VolumeClaim& claim) { return !claim.deleting; });
  const bool in_use = has_disks || (seen.inventory && seen.inventory->formed);
  if (!in_use) return {};
  std::string cookie = resources::CookieSecretName(cluster.meta.key.name);
  const auto view = seen.secrets.find(cookie);
  const bool gone =
      view != seen.secrets.end() && view->second.state == observe::SecretState::kAbsent;
  return gone ? std::move(cookie) : std::string();
}

}  // namespace

BootSecrets PlanBootSecrets(const api::RabbitCluster& cluster, const observe::Observation& seen,
                            Plan& plan) {
  if (const std::string lost = LostSecret(cluster, seen); !lost.empty()) {
    AddProblem(plan,
               {.aspect = Aspect::kChildren,
                .reason = "SecretLost",
                .message = "Secret " + lost +
                           " is gone, and its value is in use by the nodes and their disks; a new "
                           "one would lock them out: restore it, or delete the RabbitCluster with "
                           "its volume claims",
                .needs_person = true});
    return {.hold = lost, .step = {}};  // what runs goes on
  }
  const std::string& name = cluster.meta.key.name;
  BootSecrets boot;
  const auto plan_one = [&](const std::string& secret, const auto& make) {
    switch (PlanSecret(cluster, secret, make, seen, plan)) {
      case Planned::kThere:
        return;
      case Planned::kMade:
        plan.steps.back().after = boot.step;  // so that the last one stands for both
        boot.step = plan.steps.size() - 1;
        return;
      case Planned::kNotNow:
      case Planned::kForeign:
        if (!boot.hold) boot.hold = secret;
    }
  };
  plan_one(resources::CookieSecretName(name), [&] { return resources::CookieSecret(cluster); });
  plan_one(resources::OperatorUserSecretName(name),
           [&] { return resources::OperatorUserSecret(cluster); });
  return boot;
}

namespace {

// What clients are given is to lead somewhere, also after TLS came or went.
void PlanPort(const api::RabbitCluster& cluster, const observe::Observation& seen, Plan& plan) {
  const std::string name = resources::DefaultUserSecretName(cluster.meta.key.name);
  const auto secret = seen.secrets.find(name);
  if (secret == seen.secrets.end() || secret->second.state != observe::SecretState::kPresent) {
    return;
  }
  const auto value = secret->second.data.find(resources::kPortKey);
  const std::string named = value == secret->second.data.end()
                                ? resources::kPlainPort
                                : std::string(value->second.Reveal());
  std::string port =
      resources::DefaultUserPort(cluster.spec, resources::ListeningOf(cluster, seen.nodes), named);
  if (port == named) return;
  plan.steps.push_back(
      {.action = ChangeSecret{name, resources::SecretPortPatch(secret->second.uid, port), "port"},
       .reason = "clients are offered port " + port + ", and no longer " + named,
       .after = {},
       .repairs_drift = false});
}

}  // namespace

void PlanUserSecrets(const api::RabbitCluster& cluster, const observe::Observation& seen,
                     Plan& plan) {
  const std::string& name = cluster.meta.key.name;
  PlanSecret(
      cluster, resources::DefaultUserSecretName(name),
      [&] { return resources::DefaultUserSecret(cluster); }, seen, plan);
  PlanPort(cluster, seen, plan);
  for (const api::User& user : cluster.spec.users) {
    if (user.password_secret_ref) continue;
    PlanSecret(
        cluster, resources::UserSecretName(name, user.name),
        [&] { return resources::UserSecret(cluster, user.name); }, seen, plan);
  }
  if (!seen.inventory) return;
  for (const std::string& user : seen.inventory->users) {
    const observe::SecretView* secret = LeftBehind(cluster, seen, user);
    if (secret == nullptr || secret->state != observe::SecretState::kPresent) continue;
    plan.steps.push_back(
        {.action = ChangeSecret{resources::UserSecretName(name, user),
                                resources::SecretOwnerPatch(cluster, secret->uid,
                                                            /*goes=*/true)},
         .reason = "goes with the cluster: user " + user + " is no longer declared",
         .after = {},
         .repairs_drift = false});
  }
}

const observe::SecretView* LeftBehind(const api::RabbitCluster& cluster,
                                      const observe::Observation& seen, const std::string& user) {
  const std::string name = resources::UserSecretName(cluster.meta.key.name, user);
  const bool in_use = std::ranges::any_of(cluster.spec.users, [&](const api::User& other) {
    return other.name == user ||
           (other.password_secret_ref && other.password_secret_ref->name == name);
  });
  if (in_use || cluster.findings.Broken("users", "", user)) return nullptr;
  const auto found = seen.secrets.find(name);
  if (found == seen.secrets.end()) return nullptr;
  const observe::SecretView& secret = found->second;
  const bool settled = secret.state == observe::SecretState::kAbsent ||
                       secret.state == observe::SecretState::kForeign || !secret.owner_uid.empty();
  return settled ? nullptr : &secret;
}

}  // namespace rabbit::plan
