#include "rabbitmq/shadowed_policies.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <tuple>

namespace rabbit::rabbitmq {
namespace {

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeData {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct FreeContext {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

// A pattern that backtracks without end is one that was not found out about.
constexpr std::uint32_t kMatchLimit = 10'000;

bool IsForQueues(std::string_view apply_to, std::string_view type) {
  return apply_to == "all" || apply_to == "queues" ||
         (apply_to == "classic_queues" && type == "classic") ||
         (apply_to == "quorum_queues" && type == "quorum") ||
         (apply_to == "streams" && type == "stream");
}

}  // namespace

struct ShadowedPolicies::Candidate {
  const Policy* policy = nullptr;
  bool has_effect = false;         // or it is not known whether
  const Policy* before = nullptr;  // on a queue that it matches
  std::unique_ptr<pcre2_code, FreeCode> code{};
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

bool ShadowedPolicies::Matches(Candidate& candidate, const std::string& queue) {
  const std::string& pattern = candidate.policy->pattern;
  if (candidate.code == nullptr) {
    int error = 0;
    PCRE2_SIZE offset = 0;
    candidate.code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                       0, &error, &offset, nullptr));
    if (candidate.code == nullptr) return false;
  }
  const std::unique_ptr<pcre2_match_data, FreeData> data(pcre2_match_data_create(1, nullptr));
  const std::unique_ptr<pcre2_match_context, FreeContext> context(
      pcre2_match_context_create(nullptr));
  if (data == nullptr || context == nullptr) return false;
  pcre2_set_match_limit(context.get(), kMatchLimit);
  const int found = pcre2_match(candidate.code.get(), reinterpret_cast<PCRE2_SPTR>(queue.data()),
                                queue.size(), 0, 0, data.get(), context.get());
  return found >= 0;
}

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
    if (matches_left_ == 0) {
      candidate.has_effect = true;  // or nobody knows
      continue;
    }
    --matches_left_;
    if (!Matches(candidate, queue.name)) continue;
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
