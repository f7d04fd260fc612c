// lib/rabbitmq/queue_counter.h: a list of queues becomes counts, one queue at a time. Pure.
// Internal to the module; not thread-safe. Memory does not grow with the number of queues.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "rabbitmq/parse.h"
#include "rabbitmq/shadowed_policies.h"
#include "rabbitmq/view.h"

namespace rabbit::rabbitmq {

class QueueCounter {
 public:
  // `nodes` are the members, running or not: what a policy means does not shrink with an outage.
  // `policies` must outlive it.
  QueueCounter(const std::vector<Policy>& policies, const std::vector<Node>& nodes);

  void Add(const QueueEntry& queue);
  [[nodiscard]] QueueSummary Take();

 private:
  [[nodiscard]] std::uint32_t MirrorsMeant(const QueueEntry& queue) const;
  void Remember(const QueueEntry& queue, std::string trouble);

  std::vector<std::string> members_;
  std::map<PolicyKey, MirrorRule> rules_;
  QueueSummary summary_;
  ShadowedPolicies shadowed_;
  std::map<std::pair<std::string, std::string>, std::string> examples_;  // the smallest names
};

}  // namespace rabbit::rabbitmq
