#include "operator/plan/plugins.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/hash.h"
#include "operator/plan/attempts.h"
#include "operator/plan/broker_gate.h"
#include "operator/plan/words.h"
#include "operator/resources/names.h"
#include "operator/resources/plugins.h"

namespace rabbit::plan {
namespace {

using Names = std::set<std::string>;
using State = rabbitmq::Plugin::State;

// Until the broker shows what was changed.
constexpr std::chrono::seconds kShownAfter(10);
// Until the broker shows what it starts at its boot.
constexpr std::chrono::seconds kStartedAfter(15);

constexpr std::size_t kLongestTrouble = 400;
constexpr const char* kStarting = "PluginsStarting";
constexpr const char* kChanging = "PluginsChanging";

Names Minus(const Names& some, const Names& others) {
  Names left;
  std::ranges::set_difference(some, others, std::inserter(left, left.end()));
  return left;
}

std::string ListOf(const Names& names) {
  return Listed(std::vector<std::string>(names.begin(), names.end()), 10);
}

std::string AreOrIs(const Names& names, const char* what) {
  return ListOf(names) + (names.size() == 1 ? " is " : " are ") + what;
}

struct Difference {
  Names lacking, extra, idle;
  [[nodiscard]] bool none() const { return lacking.empty() && extra.empty() && idle.empty(); }
  [[nodiscard]] bool only_idle() const { return lacking.empty() && extra.empty(); }
  [[nodiscard]] std::string ToString() const {
    std::vector<std::string> parts;
    if (!lacking.empty()) parts.push_back(AreOrIs(lacking, "not enabled"));
    if (!extra.empty()) parts.push_back(AreOrIs(extra, "enabled and not declared"));
    if (!idle.empty()) parts.push_back(AreOrIs(idle, "enabled and not running"));
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : "; ") + part;
    return text;
  }
};

Difference DifferenceOf(const rabbitmq::Node& node, const Names& wanted) {
  const auto list = EnabledPlugins(node);
  const Names enabled(list.begin(), list.end());
  Difference found{.lacking = Minus(wanted, enabled), .extra = Minus(enabled, wanted), .idle = {}};
  for (const rabbitmq::Plugin& plugin : node.plugins) {
    if (plugin.state == State::kIdle && wanted.contains(plugin.name)) {
      found.idle.insert(plugin.name);
    }
  }
  return found;
}

Names DeclaredPlugins(const api::RabbitCluster& cluster) {
  Names names(cluster.spec.plugins.begin(), cluster.spec.plugins.end());
  names.emplace(rabbitmq::kManagementPlugin);
  names.emplace(rabbitmq::kPrometheusPlugin);
  return names;
}

std::string DigestOf(const observe::Pod& pod, const Names& wanted) {
  std::string text = pod.uid;
  for (const std::string& name : wanted) text += " " + name;
  return base::ShortHash(text);
}

std::string PluginsOf(const observe::Pod& pod) { return "plugins of " + pod.name; }
std::string ExistingPluginsOf(const observe::Pod& pod) { return "existing " + PluginsOf(pod); }

// Those of `wanted` that an attempt on this pod found not to be there.
Names MissingIn(const observe::Pod& pod, const Names& wanted, const observe::Observation& seen) {
  const observe::Attempt* all = FindAttempt(seen, PluginsOf(pod), DigestOf(pod, wanted));
  if (all == nullptr) return {};
  const std::vector<std::string> list = resources::MissingPlugins(all->trouble);
  return {list.begin(), list.end()};
}

// The node in the pod with this number, and what the broker tells of it: nothing of one that does
// not run, or is yet to tell. One that starts takes its plugins from C-config.
struct Found {
  const observe::Pod* pod;
  const rabbitmq::Node* node;
};
std::optional<Found> FindMember(const api::RabbitCluster& cluster, const observe::Observation& seen,
                                int ordinal) {
  const kube::ObjectKey& key = cluster.meta.key;
  const auto pod =
      std::ranges::find(seen.nodes, resources::PodName(key.name, ordinal), &observe::Pod::name);
  if (pod == seen.nodes.end() || !pod->ready || pod->deleting) return std::nullopt;
  const rabbitmq::Node* node =
      rabbitmq::FindNode(*seen.broker.view->nodes, resources::NodeName(key.name, key.ns, ordinal));
  if (node == nullptr || !node->running || !node->plugins_known) return std::nullopt;
  return Found{&*pod, node};
}

class PluginsPlanner {
 public:
  PluginsPlanner(const api::RabbitCluster& cluster, const observe::Observation& seen,
                 base::TimePoint now, Plan& plan)
      : cluster_(cluster), seen_(seen), now_(now), plan_(plan), wanted_(DeclaredPlugins(cluster)) {}

  bool Run(int members) {
    for (int i = 0; i < members; ++i) {
      if (const auto found = FindMember(cluster_, seen_, i)) PlanOne(*found->pod, *found->node);
    }
    for (const auto& [names, pods] : missing_) {
      AddProblem(plan_, {.aspect = Aspect::kTopology,
                         .reason = "PluginMissing",
                         .message = "spec.plugins: no plugin " + ListOf(names) +
                                    " in the image of " + Listed(pods) +
                                    ": take it out, or use an image that has it; the others are "
                                    "in effect",
                         .needs_person = true});
    }
    if (!later_.empty()) {
      AddWait(plan_, {Aspect::kTopology, kChanging,
                      "the plugins of " + Listed(later_) + " are set after those of " + first_ +
                          ": one node at a time"});
    }
    return !under_way_;
  }

 private:
  void PlanOne(const observe::Pod& pod, const rabbitmq::Node& node) {
    const Names missing = MissingIn(pod, wanted_, seen_);
    if (!missing.empty()) missing_[missing].push_back(pod.name);
    const Names wanted = Minus(wanted_, missing);
    const std::string what = missing.empty() ? PluginsOf(pod) : ExistingPluginsOf(pod);
    const Difference difference = DifferenceOf(node, wanted);
    if (difference.none()) {
      SettleAttempt(seen_, ExistingPluginsOf(pod), plan_);
      if (missing.empty()) SettleAttempt(seen_, PluginsOf(pod), plan_);  // else it tells them
      return;
    }
    const std::string digest = DigestOf(pod, wanted);
    if (const observe::Attempt* attempt = FindAttempt(seen_, what, digest)) {
      if (WaitsAfter(*attempt, pod, difference)) return;
    } else if (difference.only_idle()) {
      const auto since = seen_.waiting_since.find(kStarting);
      const bool long_ago =
          since != seen_.waiting_since.end() && now_ - since->second >= kStartedAfter;
      under_way_ = true;
      AddWait(plan_,
              {Aspect::kTopology, kStarting,
               "waiting for plugins to start: " + pod.name + ": " + ListOf(difference.idle)});
      if (!long_ago) return;
    }
    under_way_ = true;
    if (!first_.empty()) {
      later_.push_back(pod.name);
      return;
    }
    first_ = pod.name;
    plan_.steps.push_back(
        {.action = SetPlugins{pod.name, {wanted.begin(), wanted.end()}},
         .reason = difference.ToString(),
         .after = {},
         .repairs_drift = TopologyWasInEffect(cluster_, plan_) && !difference.only_idle(),
         .attempt = what,
         .attempt_digest = digest});
  }

  // After an attempt at the same, on the same pod.
  bool WaitsAfter(const observe::Attempt& attempt, const observe::Pod& pod,
                  const Difference& difference) {
    const bool too_early = now_ < TriedAgainAt(attempt);
    const std::string found = pod.name + ": " + difference.ToString();
    if (attempt.failed()) {
      AddProblem(plan_, {.aspect = Aspect::kTopology,
                         .reason = "PluginsNotSet",
                         .message = found + "; " + Shortened(attempt.trouble, kLongestTrouble) +
                                    "; it is tried again",
                         .needs_person = false});
      return too_early;
    }
    if (seen_.broker.at < attempt.at + kShownAfter) {
      under_way_ = true;
      AddWait(plan_,
              {Aspect::kTopology, kChanging,
               "waiting for " + pod.name + " to show the plugins that it was told to enable"});
      return true;
    }
    if (difference.only_idle()) {
      AddProblem(plan_, {.aspect = Aspect::kTopology,
                         .reason = "PluginsNotRunning",
                         .message = found + ": see the log of the pod",
                         .needs_person = true});
    } else if (too_early) {
      AddProblem(plan_, {.aspect = Aspect::kTopology,
                         .reason = "PluginsNotSet",
                         .message = found + ", although they were set in the pod: does somebody "
                                            "else change them? They are set again, less and less "
                                            "often",
                         .needs_person = true});
    }
    return too_early;
  }

  const api::RabbitCluster& cluster_;
  const observe::Observation& seen_;
  const base::TimePoint now_;
  Plan& plan_;
  const Names wanted_;
  std::map<Names, std::vector<std::string>> missing_;  // and in which pods
  std::string first_;                                  // the pod with a step in this plan
  std::vector<std::string> later_;                     // those that have to wait for it
  bool under_way_ = false;
};

}  // namespace

bool PlanPlugins(const api::RabbitCluster& cluster, const observe::Observation& seen, int members,
                 base::TimePoint now, Plan& plan) {
  if (!BrokerMayBeWritten(cluster, seen, members, plan)) return false;
  if (!seen.broker.view->nodes) return false;
  return PluginsPlanner(cluster, seen, now, plan).Run(members);
}

bool PluginsAreAsDeclared(const api::RabbitCluster& cluster, const observe::Observation& seen,
                          int members) {
  if (!IsOfNow(seen.broker) || !seen.broker.view->nodes) return false;
  const Names declared = DeclaredPlugins(cluster);
  for (int i = 0; i < members; ++i) {
    const auto found = FindMember(cluster, seen, i);
    if (!found) return false;
    const Names wanted = Minus(declared, MissingIn(*found->pod, declared, seen));
    if (!DifferenceOf(*found->node, wanted).none()) return false;
  }
  return true;
}

bool PluginsAreComing(const api::RabbitCluster& cluster, const observe::Observation& seen,
                      int members) {
  if (!seen.broker.view->nodes) return false;
  const Names declared = DeclaredPlugins(cluster);
  for (int i = 0; i < members; ++i) {
    const auto found = FindMember(cluster, seen, i);
    if (!found) continue;  // what serves is asked, and what boots has them from C-config
    const Names missing = MissingIn(*found->pod, declared, seen);
    const Names wanted = Minus(declared, missing);
    const Difference difference = DifferenceOf(*found->node, wanted);
    if (difference.lacking.empty() && difference.idle.empty()) continue;
    const observe::Attempt* attempt =
        FindAttempt(seen, missing.empty() ? PluginsOf(*found->pod) : ExistingPluginsOf(*found->pod),
                    DigestOf(*found->pod, wanted));
    if (attempt == nullptr) return true;
    if (!attempt->failed() && seen.broker.at < attempt->at + kShownAfter) return true;
  }
  return false;
}

std::vector<std::string> EnabledPlugins(const rabbitmq::Node& node) {
  Names enabled{std::string(rabbitmq::kManagementPlugin), std::string(rabbitmq::kPrometheusPlugin)};
  for (const rabbitmq::Plugin& plugin : node.plugins) {
    if (plugin.state == State::kOff) {
      enabled.erase(plugin.name);
    } else {
      enabled.insert(plugin.name);
    }
  }
  return {enabled.begin(), enabled.end()};
}

}  // namespace rabbit::plan
