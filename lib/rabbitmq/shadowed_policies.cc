#include "rabbitmq/shadowed_policies.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>

#include "base/json.h"
#include "base/pattern.h"
#include "rabbitmq/policy_keys.h"

namespace rabbit::rabbitmq {
namespace {

bool IsForQueues(std::string_view apply_to, std::string_view type) {
  return apply_to == "all" || apply_to == "queues" ||
         (apply_to == "classic_queues" && type == "classic") ||
         (apply_to == "quorum_queues" && type == "quorum") ||
         (apply_to == "streams" && type == "stream");
}

bool IsKeyOfQueues(std::string_view key) {
  return key != "alternate-exchange" &&
         std::ranges::find(PolicyKeyRules(), key, &PolicyKeyRule::key) != PolicyKeyRules().end();
}

// Exchanges are not looked at: what may be there for them (a key of theirs, or of a plugin as
// federation is) is not in vain because of queues.
bool IsOnlyForQueues(const Policy& policy) {
  if (policy.apply_to != "all") return true;
  const auto definition = base::ParseJson(policy.definition);
  if (!definition || !definition->is_object()) return false;
  const auto items = definition->items();
  return std::all_of(items.begin(), items.end(),
                     [](const auto& item) { return IsKeyOfQueues(item.key()); });
}

}  // namespace

struct ShadowedPolicies::Candidate {
  const Policy* policy = nullptr;
  bool has_effect = false;                               // or it is not known whether
  const Policy* before = nullptr;                        // on a queue that it matches
  std::optional<base::Result<base::Pattern>> pattern{};  // compiled when first wanted

  // A pattern that cannot be read, or takes too long, is not found out about.
  bool Matches(const std::string& queue) {
    if (!pattern)
      pattern = base::Pattern::Compile(policy->pattern, base::Pattern::Dialect::kErlang);
    return pattern->has_value() && (*pattern)->Matches(queue);
  }
};

ShadowedPolicies::ShadowedPolicies(const std::vector<Policy>& policies) {
  candidates_.reserve(policies.size());
  for (const Policy& policy : policies) {
    candidates_.emplace_back();
    candidates_.back().policy = &policy;
  }
  std::ranges::sort(candidates_, [](const Candidate& a, const Candidate& b) {
    return std::tuple(std::string_view(a.policy->vhost), -a.policy->priority,
                      std::string_view(a.policy->name)) <
           std::tuple(std::string_view(b.policy->vhost), -b.policy->priority,
                      std::string_view(b.policy->name));
  });
}
ShadowedPolicies::~ShadowedPolicies() = default;

void ShadowedPolicies::Add(const QueueEntry& queue) {
  const auto of_vhost = std::ranges::equal_range(
      candidates_, std::string_view(queue.vhost), {},
      [](const Candidate& candidate) -> std::string_view { return candidate.policy->vhost; });
  const Policy* effective = nullptr;
  if (!queue.policy.empty()) {
    const auto found = std::ranges::find(
        of_vhost, queue.policy, [](const Candidate& candidate) { return candidate.policy->name; });
    if (found == of_vhost.end()) return;  // gone meanwhile
    found->has_effect = true;
    effective = found->policy;
  }
  const bool is_told = effective != nullptr;  // else the first that matches is the one
  for (Candidate& candidate : of_vhost) {     // by priority, the highest first
    if (!IsForQueues(candidate.policy->apply_to, queue.type)) continue;
    // Nothing is learnt of one that has its effect, nor of one in the shadow of another.
    if (effective != nullptr && candidate.has_effect) continue;
    const std::int64_t priority = candidate.policy->priority;
    const bool is_behind = effective != nullptr && priority <= effective->priority;
    if (is_behind && candidate.before != nullptr) continue;
    if (matches_left_ == 0) {  // nobody knows of the others: nothing is said
      candidates_.clear();
      return;
    }
    --matches_left_;
    if (!candidate.Matches(queue.name)) continue;
    if (effective == nullptr) {
      effective = candidate.policy;
      candidate.has_effect = true;
    } else if (!is_behind || (!is_told && priority == effective->priority)) {
      // The queue is yet to follow, or cannot; or the broker has not said which of two it takes.
      candidate.has_effect = true;
    } else {
      candidate.before = effective;
    }
  }
}

std::vector<ShadowedPolicy> ShadowedPolicies::Take() {
  std::vector<ShadowedPolicy> found;
  for (const Candidate& candidate : candidates_) {
    if (candidate.has_effect || candidate.before == nullptr) continue;
    if (!IsOnlyForQueues(*candidate.policy)) continue;
    found.push_back({.vhost = candidate.policy->vhost,
                     .name = candidate.policy->name,
                     .by = candidate.before->name});
  }
  candidates_.clear();
  std::ranges::sort(found, [](const ShadowedPolicy& a, const ShadowedPolicy& b) {
    return std::tie(a.vhost, a.name) < std::tie(b.vhost, b.name);
  });
  if (found.size() > kMaxShadowed) found.resize(kMaxShadowed);
  return found;
}

}  // namespace rabbit::rabbitmq
