// operator/observe/verified.h: which children were compared with what is desired and found to hold
// it. Values, not thread-safe. Kept for every child of every cluster, so only digests are: three
// numbers a child.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "operator/observe/child_id.h"

namespace rabbit::observe {

// This content satisfies the desired object with this hash.
struct Verified {
  std::string desired_hash;
  std::uint64_t content_hash = 0;
  bool operator==(const Verified&) const = default;
};

class VerifiedChildren {
 public:
  // Takes the place of what was known of `id`.
  void Add(const ChildId& id, const Verified& verified);
  [[nodiscard]] bool Holds(const ChildId& id, std::string_view desired_hash,
                           std::uint64_t content_hash) const;

 private:
  struct Entry {
    std::uint64_t id = 0, desired = 0, content = 0;
  };
  std::vector<Entry> entries_;  // a dozen
};

}  // namespace rabbit::observe
