// operator/observe/cause.h: what a change that a watch shows means for the cluster it belongs to:
// whether it brings a reconcile, and how soon one is worth it. Decisions only, thread-safe.
#pragma once

#include <optional>

#include "operator/api/types.h"
#include "operator/observe/packed.h"

namespace rabbit::observe {

enum class Cause {
  kDeclaration,  // a RabbitCluster, beyond its status: at once
  kChild,        // a child, pod or claim: soon, together with the rest of its burst
  // An object that was not there before: our own creation seen, or a pod that is yet to get an
  // address. Little can be done about it, and more will follow.
  kArrival,
  kStatus,  // a RabbitCluster's status alone, which nobody but the operator writes: no work
};

// Null pointers: was not there, is not there any more; never both. Nothing: it says what was said
// before.
[[nodiscard]] Cause CauseOf(const api::RabbitCluster* before, const api::RabbitCluster* after);
[[nodiscard]] std::optional<Cause> CauseOf(const Packed<CachedChild>* before,
                                           const Packed<CachedChild>* after);
[[nodiscard]] std::optional<Cause> CauseOf(const Packed<CachedPod>* before,
                                           const Packed<CachedPod>* after);
[[nodiscard]] std::optional<Cause> CauseOf(const Packed<CachedClaim>* before,
                                           const Packed<CachedClaim>* after);

}  // namespace rabbit::observe
