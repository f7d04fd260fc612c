// lib/rabbitmq/shadowed_policies.h: finds policies that are there in vain: they match queues, but
// on each of these another one of no lower priority stands before them. Which one the broker says;
// where it does not (a queue without a policy, or a list without that column), it is the one of the
// highest priority that matches. One that may be there for exchanges, too, is never in vain. Pure;
// one queue at a time. Internal to the module; not thread-safe. Memory grows with the policies, not
// with the queues, and what is matched is bounded: beyond it none is found.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "rabbitmq/parse.h"
#include "rabbitmq/view.h"

namespace rabbit::rabbitmq {

class ShadowedPolicies {
 public:
  static constexpr std::size_t kMaxMatches = 5'000;  // 1 to 2 ms of patterns that do not backtrack

  // `policies` must outlive it.
  explicit ShadowedPolicies(const std::vector<Policy>& policies);
  ~ShadowedPolicies();
  ShadowedPolicies(const ShadowedPolicies&) = delete;
  ShadowedPolicies& operator=(const ShadowedPolicies&) = delete;

  void Add(const QueueEntry& queue);
  // By vhost and name, at most kMaxShadowed.
  [[nodiscard]] std::vector<ShadowedPolicy> Take();

 private:
  struct Candidate;
  std::vector<Candidate> candidates_;  // sorted by vhost and priority, the highest first
  std::size_t matches_left_ = kMaxMatches;
};

}  // namespace rabbit::rabbitmq
