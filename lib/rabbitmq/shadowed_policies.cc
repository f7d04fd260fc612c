#include "rabbitmq/shadowed_policies.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <limits>
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
    return std::tie(a.policy->vhost, a.policy->name) < std::tie(b.policy->vhost, b.policy->name);
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
      candidates_, queue.vhost, {},
      [](const Candidate& candidate) -> const std::string& { return candidate.policy->vhost; });
  if (of_vhost.empty()) return;
  const Policy* effective = nullptr;
  for (Candidate& candidate : of_vhost) {
    if (candidate.policy->name != queue.policy) continue;
    candidate.has_effect = true;
    effective = candidate.policy;
  }
  const std::int64_t priority =
      effective == nullptr ? std::numeric_limits<std::int64_t>::min() : effective->priority;
  for (Candidate& candidate : of_vhost) {
    if (candidate.has_effect || !IsForQueues(candidate.policy->apply_to, queue.type)) continue;
    // Of a queue that is known to have one before it nothing more is learnt, unless it is the one
    // that shows the contrary.
    if (candidate.before != nullptr && priority >= candidate.policy->priority) continue;
    if (matches_left_ == 0) {
      candidate.has_effect = true;
      continue;
    }
    --matches_left_;
    if (!Matches(candidate, queue.name)) continue;
    // A policy of lower priority, or none: the queue is yet to follow, or cannot.
    if (priority < candidate.policy->priority) {
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
    if (found.size() == kMaxShadowed) break;
    found.push_back({.vhost = candidate.policy->vhost,
                     .name = candidate.policy->name,
                     .by = candidate.before->name});
  }
  candidates_.clear();
  return found;
}

}  // namespace rabbit::rabbitmq
