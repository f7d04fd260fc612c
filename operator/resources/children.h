// operator/resources/children.h: what the children of a RabbitCluster should look like.
// Pure builders, one file a kind beside this one; golden files in test/golden show whole clusters.
#pragma once

#include <string>
#include <vector>

#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/settings.h"

namespace rabbit::resources {

// Everything the builders read. `cluster` is not owned and must outlive the call.
struct ChildInputs {
  const api::RabbitCluster* cluster = nullptr;
  int replicas = 3;             // the declared count, resolved (plan/declared.h)
  std::string broker_image;     // resolved and pinned
  std::string proxy_image;
  observe::Inventory inventory;  // what C-inventory is to record
  Settings settings;
};

struct DesiredChild {
  observe::ChildId id;
  std::string body;  // JSON without uid; carries the annotation applied-hash, owner reference, labels
  std::string hash;  // of the body without that annotation: equal hash, equal desire
};

// All children but Secrets, in the order in which they are to be created.
[[nodiscard]] std::vector<DesiredChild> BuildChildren(const ChildInputs& inputs);

}  // namespace rabbit::resources
