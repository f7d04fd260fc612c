// operator/observe/packed.h: a projection (projections.h) as the caches keep it: its fields one
// after the other in one piece of memory, a quarter of what the struct with its strings takes. Of
// 300 clusters that is two megabytes. A value of this process only, thread-safe as const.
#pragma once

#include <memory>
#include <string>

#include "operator/observe/projections.h"

namespace rabbit::observe {

template <typename T>
class Packed {
 public:
  explicit Packed(const T& value);
  [[nodiscard]] T Unpack() const;
  // "ns/name" of the RabbitCluster that its labels name; empty: of none.
  [[nodiscard]] std::string cluster() const;
  bool operator==(const Packed&) const = default;

 private:
  std::string bytes_;
};

// What only a kind has is shared as it is: most children have nothing of the sort.
template <>
class Packed<CachedChild> {
 public:
  explicit Packed(const CachedChild& child);
  [[nodiscard]] CachedChild Unpack() const;
  [[nodiscard]] std::string cluster() const;

 private:
  std::string bytes_;
  std::shared_ptr<const ChildState> state_;  // null: std::monostate
};

extern template class Packed<CachedPod>;
extern template class Packed<CachedClaim>;

}  // namespace rabbit::observe
