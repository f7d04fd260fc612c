// operator/api/parse.h: from the JSON of the API to the values of types.h: typed, with defaults,
// checked against every rule of the schema (operator/api/rules.h) and beyond it
// (operator/api/validate.h), so that it holds on a server with an older schema and in
// `rabbit-operator plan -f`. Pure, thread-safe. The JSON DOM lives no longer than the call.
#pragma once

#include <string_view>

#include "base/error.h"
#include "operator/api/types.h"

namespace rabbit::api {

// An Error (kInvalid) only when `json` is not a RabbitCluster with a name at all; everything else
// is told in the cluster's findings. A malformed part of the status counts as absent: the status is
// the operator's own.
[[nodiscard]] base::Result<RabbitCluster> ParseRabbitCluster(std::string_view json);

// Only the status, from the JSON of a whole RabbitCluster: what an apply of the status answers.
[[nodiscard]] base::Result<Status> ParseStatus(std::string_view json);

}  // namespace rabbit::api
