#include "operator/plan/user_password.h"

#include <utility>

#include "operator/plan/broker_gate.h"
#include "operator/plan/users.h"
#include "operator/resources/names.h"

namespace rabbit::plan {
namespace {

void NeedsPerson(Plan& plan, std::string reason, std::string message) {
  AddProblem(plan, {.aspect = Aspect::kTopology,
                    .reason = std::move(reason),
                    .message = std::move(message),
                    .needs_person = true});
}

}  // namespace

PasswordSource SourceOf(const api::RabbitCluster& cluster, const api::User& user) {
  if (const auto& ref = user.password_secret_ref) return {ref->name, ref->key, false};
  return {resources::UserSecretName(cluster.meta.key.name, user.name), resources::kPasswordKey,
          true};
}

std::optional<base::Secret> ReadSecret(const observe::Observation& seen,
                                       const PasswordSource& source, const std::string& who,
                                       Plan& plan) {
  const auto found = seen.secrets.find(source.secret);
  const observe::SecretView unread;
  const observe::SecretView& secret = found == seen.secrets.end() ? unread : found->second;
  const std::string subject = who + ": Secret " + source.secret;
  switch (secret.state) {
    case observe::SecretState::kUnknown:
      AddWait(plan, {Aspect::kTopology, "SecretUnknown",
                     subject + (secret.trouble.empty() ? " is yet to be read"
                                                       : " could not be read: " + secret.trouble)});
      return std::nullopt;
    case observe::SecretState::kAbsent:
      if (source.own) {
        AddWait(plan, {Aspect::kTopology, "SecretUnknown", subject + " is being created"});
      } else {
        NeedsPerson(plan, "SecretMissing",
                    subject + " does not exist: create it with key " + source.key);
      }
      return std::nullopt;
    case observe::SecretState::kForeign:
      // A Secret that a person refers to is a person's own.
      if (!source.own) break;
      NeedsPerson(plan, "NameTaken",
                  subject + " exists, but not for this cluster: delete or rename it");
      return std::nullopt;
    case observe::SecretState::kPresent:
      break;
  }
  const auto value = secret.data.find(source.key);
  if (value == secret.data.end()) {
    NeedsPerson(plan, "SecretKeyMissing", subject + " has no key " + source.key + ": add it");
    return std::nullopt;
  }
  if (value->second.empty()) {
    NeedsPerson(plan, "SecretKeyMissing",
                subject + " has nothing under key " + source.key + ": give it a value");
    return std::nullopt;
  }
  return value->second;
}

}  // namespace rabbit::plan
