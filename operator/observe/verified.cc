#include "operator/observe/verified.h"

#include <algorithm>
#include <functional>

namespace rabbit::observe {
namespace {

// Of this process only.
std::uint64_t DigestOf(std::string_view text) { return std::hash<std::string_view>()(text); }
std::uint64_t DigestOf(const ChildId& id) {
  return DigestOf(id.type.plural()) * 31 + DigestOf(id.name);
}

}  // namespace

void VerifiedChildren::Add(const ChildId& id, const Verified& verified) {
  const Entry now{DigestOf(id), DigestOf(verified.desired_hash), verified.content_hash};
  const auto known = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.id == now.id; });
  if (known != entries_.end()) {
    *known = now;
    return;
  }
  if (entries_.empty()) entries_.reserve(12);  // what a cluster with proxies has
  entries_.push_back(now);
}

bool VerifiedChildren::Holds(const ChildId& id, std::string_view desired_hash,
                             std::uint64_t content_hash) const {
  const std::uint64_t digest = DigestOf(id);
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.id == digest && entry.content == content_hash &&
           entry.desired == DigestOf(desired_hash);
  });
}

}  // namespace rabbit::observe
