#include "rabbitmq/queue_counter.h"

#include <algorithm>
#include <array>

namespace rabbit::rabbitmq {
namespace {

// The broker's default for x-quorum-initial-group-size.
constexpr std::uint32_t kDefaultQuorumMembers = 3;
constexpr std::size_t kMaxNameInExample = 100;

bool IsDown(std::string_view state) {
  static constexpr std::array<std::string_view, 5> kDown = {"down", "stopped", "crashed",
                                                            "minority", "timeout"};
  return std::ranges::find(kDown, state) != kDown.end();
}

std::string Of(std::uint32_t part, std::uint32_t whole, std::string_view what) {
  return std::to_string(part) + " of " + std::to_string(whole) + ' ' + std::string(what);
}

// A name that goes into a message: bounded, and on one line.
std::string Shown(std::string_view name) {
  std::string shown(name.substr(0, kMaxNameInExample));
  std::ranges::replace_if(
      shown, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }, '?');
  return shown;
}

// What one queue adds; counts are 0 or 1.
struct Verdict {
  QueueCounts counts;
  std::string trouble;  // empty: none
};

void JudgeClassic(const QueueEntry& queue, std::uint32_t meant, Verdict& verdict) {
  if (meant == 0 && queue.mirrors == 0) return;
  verdict.counts.mirrored = 1;
  if (queue.synced_mirrors >= meant && queue.synced_mirrors >= queue.mirrors) {
    verdict.counts.mirrors_in_sync = 1;
    return;
  }
  verdict.counts.under_replicated = 1;
  verdict.trouble = Of(queue.synced_mirrors, std::max(meant, queue.mirrors), "mirrors in sync");
}

void JudgeMembers(const QueueEntry& queue, std::uint32_t wanted, Verdict& verdict) {
  if (queue.online >= queue.members && queue.members >= wanted) return;
  verdict.counts.under_replicated = 1;
  // 3.10 calls a queue "live" that has lost its majority.
  verdict.counts.down = queue.online * 2 <= queue.members ? 1 : 0;
  verdict.trouble = Of(queue.online, std::max(queue.members, wanted), "members online");
}

void AddTo(QueueCounts& sum, const QueueCounts& one) {
  sum.total += one.total;
  sum.mirrored += one.mirrored;
  sum.mirrors_in_sync += one.mirrors_in_sync;
  sum.quorum += one.quorum;
  sum.stream += one.stream;
  sum.under_replicated += one.under_replicated;
  sum.down += one.down;
}

}  // namespace

QueueCounter::QueueCounter(const std::vector<Policy>& policies, const std::vector<Node>& nodes)
    : shadowed_(policies) {
  for (const Node& node : nodes) members_.push_back(node.name);
  for (const Policy& policy : policies) {
    MirrorRule rule = ParseMirrorRule(policy.definition);
    if (rule.mode != MirrorRule::Mode::kNone) {
      rules_[{.vhost = policy.vhost, .name = policy.name}] = std::move(rule);
    }
  }
}

std::uint32_t QueueCounter::MirrorsMeant(const QueueEntry& queue) const {
  const auto found = rules_.find({.vhost = queue.vhost, .name = queue.policy});
  if (queue.policy.empty() || found == rules_.end()) return 0;
  const MirrorRule& rule = found->second;
  std::uint32_t copies = static_cast<std::uint32_t>(members_.size());
  if (rule.mode == MirrorRule::Mode::kExactly) {
    copies = std::min(copies, rule.count);
  } else if (rule.mode == MirrorRule::Mode::kNodes) {
    copies = static_cast<std::uint32_t>(std::ranges::count_if(rule.nodes, [&](const auto& node) {
      return std::ranges::find(members_, node) != members_.end();
    }));
  }
  return copies == 0 ? 0 : copies - 1;
}

void QueueCounter::Add(const QueueEntry& queue) {
  shadowed_.Add(queue);
  if (!queue.counted) return;
  Verdict verdict{.counts = {.total = 1}};
  if (queue.type == "quorum") {
    verdict.counts.quorum = 1;
    const std::uint32_t wanted =
        queue.wanted_members != 0 ? queue.wanted_members : kDefaultQuorumMembers;
    JudgeMembers(queue, std::min(wanted, static_cast<std::uint32_t>(members_.size())), verdict);
  } else if (queue.type == "stream") {
    verdict.counts.stream = 1;
    JudgeMembers(queue, 0, verdict);  // 3.10 lists no members at all
  } else {
    JudgeClassic(queue, MirrorsMeant(queue), verdict);
  }
  if (IsDown(queue.state)) {
    verdict.counts.down = 1;
    verdict.trouble += (verdict.trouble.empty() ? "" : ", ") + queue.state;
  }

  AddTo(summary_.all, verdict.counts);
  if (std::ranges::find(members_, queue.home) != members_.end()) ++summary_.leaders[queue.home];
  if (!queue.policy.empty()) {
    const PolicyKey key{.vhost = queue.vhost, .name = queue.policy};
    if (summary_.by_policy.contains(key) || summary_.by_policy.size() < kMaxPolicies) {
      AddTo(summary_.by_policy[key], verdict.counts);
    }
  }
  if (!verdict.trouble.empty()) Remember(queue, std::move(verdict.trouble));
}

void QueueCounter::Remember(const QueueEntry& queue, std::string trouble) {
  examples_.emplace(std::pair(queue.vhost, queue.name), std::move(trouble));
  if (examples_.size() > kMaxExamples) examples_.erase(std::prev(examples_.end()));
}

QueueSummary QueueCounter::Take() {
  for (const auto& [key, trouble] : examples_) {
    summary_.examples.push_back(Shown(key.second) + " in vhost " + Shown(key.first) + ": " +
                                trouble);
  }
  examples_.clear();
  summary_.shadowed = shadowed_.Take();
  return std::move(summary_);
}

}  // namespace rabbit::rabbitmq
