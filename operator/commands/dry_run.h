// operator/commands/dry_run.h: what `kubectl apply` would leave, in the API server's own words: it
// is asked with dryRun=All, so that defaults and validation are its own, and nothing is kept.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/transport.h"
#include "kube/client.h"
#include "operator/commands/manifest.h"

namespace rabbit::commands {

struct Applied {
  std::string before;  // JSON; empty: there is no such object
  std::string after;   // JSON
  std::string note;    // what the answer rests on, when that is not obvious; mostly empty
};

// As kubectl does: an object that client-side apply made is merged with what was applied last; one
// that somebody applies server-side is applied as by them; of any other, what the document leaves
// out stays. kInvalid with the server's words when it refuses the document. What
// is written in between is read again, once; then kConflict.
[[nodiscard]] base::Result<Applied> DryRunApply(kube::Client& client,
                                                const Manifest::Document& document,
                                                const http::CallOptions& options);

// `live` as an apply of `declared` leaves it, when `last` was applied before: what `last` had and
// `declared` has not goes, what neither has stays. Lists are values. Pure.
[[nodiscard]] nlohmann::json ThreeWayMerge(const nlohmann::json& last,
                                           const nlohmann::json& declared, nlohmann::json live);

}  // namespace rabbit::commands
