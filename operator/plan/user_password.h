// operator/plan/user_password.h: the password that a user is to have, or why it is not known. Pure.
#pragma once

#include <optional>
#include <string>

#include "base/secret.h"
#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/plan/plan.h"

namespace rabbit::plan {

// Where a password lies.
struct PasswordSource {
  std::string secret, key;
  bool own = false;  // a Secret that the operator makes: it will come, and must be ours
};

[[nodiscard]] PasswordSource SourceOf(const api::RabbitCluster& cluster, const api::User& user);

// The value of `key` in Secret `source.secret` for `who` ("user root"). Nothing when it cannot be
// had; the plan then says what is waited for, or what a person must do.
[[nodiscard]] std::optional<base::Secret> ReadSecret(const observe::Observation& seen,
                                                     const PasswordSource& source,
                                                     const std::string& who, Plan& plan);

}  // namespace rabbit::plan
