// operator/plan/tls.h: whether what spec.tls names can be used, and what brokers show of it. Pure.
#pragma once

#include <optional>
#include <string>

#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/plan/plan.h"

namespace rabbit::plan {

// Says what is wrong with the Secrets that spec.tls names, which dates and names of the certificate
// clients will stumble over, and which nodes show another certificate yet. Returned is why nothing
// that carries TLS may be made or changed now: pods would not start, or speak to nobody. What runs
// goes on meanwhile, unless it mounts what is wrong: that is said, too, and of Secrets that are
// gone which only pods of before mount, whatever is declared.
[[nodiscard]] std::optional<Wait> PlanTls(const api::RabbitCluster& cluster,
                                          const observe::Observation& seen,
                                          const std::string& broker_image,
                                          const std::string& domain, Plan& plan);

// How a warning begins that some nodes are yet to show the certificate in the Secret: once none is
// left that said so before, an Event tells that it is live.
inline constexpr const char* kRotating = "another certificate than the one in Secret ";

}  // namespace rabbit::plan
