// operator/observe/child_id.h: which of a cluster's children. A value, thread-safe.
#pragma once

#include <string>

#include "kube/resource.h"

namespace rabbit::observe {

// Which child: the kind's plural and the name, both in the cluster's namespace.
struct ChildId {
  kube::ResourceType type;
  std::string name;

  friend bool operator==(const ChildId& a, const ChildId& b) = default;
  friend bool operator<(const ChildId& a, const ChildId& b) {
    return a.type != b.type ? a.type.plural() < b.type.plural() : a.name < b.name;
  }
};

}  // namespace rabbit::observe
