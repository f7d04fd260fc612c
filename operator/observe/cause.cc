#include "operator/observe/cause.h"

#include <memory>
#include <variant>

namespace rabbit::observe {
namespace {

bool DifferOnlyInStatus(const api::RabbitCluster& before, const api::RabbitCluster& after) {
  api::RabbitCluster same = before;
  same.status = after.status;
  same.meta.resource_version = after.meta.resource_version;
  return same == after;
}

// Whether an object that has just come is nothing yet to act upon.
template <typename T>
bool IsBlank(const Packed<T>& /*child or claim*/) {
  return true;
}
bool IsBlank(const Packed<CachedPod>& packed) {
  const Pod pod = packed.Unpack().pod;
  return pod.ip.empty() && !pod.preparing && pod.trouble.empty();
}

// Versions differ with each write, also with one that changed nothing that is read here.
template <typename T>
bool SaysTheSame(const Packed<T>& a, const Packed<T>& b) {
  return a == b;
}
// What is recorded counts, not where it lies: each reading of C-inventory is an object of its own.
bool SameState(const ChildState& a, const ChildState& b) {
  const auto* before = std::get_if<std::shared_ptr<const Inventory>>(&a);
  const auto* after = std::get_if<std::shared_ptr<const Inventory>>(&b);
  if (before == nullptr || after == nullptr) return a == b;
  return **before == **after;
}
bool SaysTheSame(const Packed<CachedChild>& a, const Packed<CachedChild>& b) {
  CachedChild before = a.Unpack();
  const CachedChild after = b.Unpack();
  if (!SameState(before.state, after.state)) return false;
  before.state = after.state;
  before.child.resource_version = after.child.resource_version;
  return before == after;
}

template <typename T>
std::optional<Cause> CauseOfPart(const Packed<T>* before, const Packed<T>* after) {
  if (after == nullptr) return Cause::kChild;
  if (before == nullptr) return IsBlank(*after) ? Cause::kArrival : Cause::kChild;
  if (SaysTheSame(*before, *after)) return std::nullopt;
  return Cause::kChild;
}

}  // namespace

Cause CauseOf(const api::RabbitCluster* before, const api::RabbitCluster* after) {
  const bool status_alone =
      before != nullptr && after != nullptr && DifferOnlyInStatus(*before, *after);
  return status_alone ? Cause::kStatus : Cause::kDeclaration;
}
std::optional<Cause> CauseOf(const Packed<CachedChild>* before, const Packed<CachedChild>* after) {
  return CauseOfPart(before, after);
}
std::optional<Cause> CauseOf(const Packed<CachedPod>* before, const Packed<CachedPod>* after) {
  return CauseOfPart(before, after);
}
std::optional<Cause> CauseOf(const Packed<CachedClaim>* before, const Packed<CachedClaim>* after) {
  return CauseOfPart(before, after);
}

}  // namespace rabbit::observe
