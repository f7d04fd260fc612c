// operator/resources/children.h: what the children of a RabbitCluster should look like.
// Pure builders, one file a kind beside this one (stateful_set, proxy, services, budgets,
// broker_config, inventory); golden files in test/golden show whole clusters.
#pragma once

#include <string>
#include <vector>

#include "operator/api/settings.h"
#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/resources/tls.h"

namespace rabbit::resources {

// Everything the builders read. `cluster` is not owned and must outlive the call.
struct ChildInputs {
  const api::RabbitCluster* cluster = nullptr;
  int replicas = 3;          // members that the cluster is to have, resolved (plan/declared.h)
  int pods = 3;              // of the StatefulSet: `replicas`, or more while it may not shrink
  std::string broker_image;  // resolved and pinned
  std::string proxy_image;
  observe::Inventory inventory;  // what C-inventory is to record
  Settings settings;
  Listening listening = {};
};

struct DesiredChild {
  observe::ChildId id;
  std::string
      body;  // JSON without uid; carries the annotation applied-hash, owner reference, labels
  std::string hash;  // of the body without that annotation: equal hash, equal desire
  // Why it could not be built ("spec.config line 3: …"); body and hash are empty then, and what
  // exists is to be left as it is.
  std::string problem;
};

// All children but Secrets, in the order in which they are to be created: the StatefulSet right
// after what its pods need.
[[nodiscard]] std::vector<observe::ChildId> ChildIds(const ChildInputs& inputs);
// REQUIRES: `id` is one of ChildIds(inputs).
[[nodiscard]] DesiredChild BuildChild(const ChildInputs& inputs, const observe::ChildId& id);
[[nodiscard]] std::vector<DesiredChild> BuildChildren(const ChildInputs& inputs);

// Children of other specs (the proxies, when the balancer is off): what is there of them goes, in
// this order.
[[nodiscard]] std::vector<observe::ChildId> UnwantedIds(const ChildInputs& inputs);

// Hash of the proxies' configuration, as a running proxy answers it; empty when there are none.
[[nodiscard]] std::string ProxyConfigHash(const ChildInputs& inputs);

}  // namespace rabbit::resources
