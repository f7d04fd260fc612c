#include "operator/plan/plugins.h"

#include <algorithm>
#include <iterator>
#include <map>
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
// Between two attempts at what is enabled and does not run.
constexpr std::chrono::minutes kStartedAgainAfter(10);

constexpr std::size_t kLongestTrouble = 400;
constexpr const char* kStarting = "PluginsStarting";

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

class PluginsPlanner {
 public:
  PluginsPlanner(const api::RabbitCluster& cluster, const observe::Observation& seen,
                 base::TimePoint now, Plan& plan)
      : cluster_(cluster),
        seen_(seen),
        now_(now),
        plan_(plan),
        wanted_(cluster.spec.plugins.begin(), cluster.spec.plugins.end()) {
    wanted_.emplace(rabbitmq::kManagementPlugin);
    wanted_.emplace(rabbitmq::kPrometheusPlugin);
  }

  void Run(int members) {
    const kube::ObjectKey& key = cluster_.meta.key;
    for (int i = 0; i < members; ++i) {
      const auto pod =
          std::ranges::find(seen_.nodes, resources::PodName(key.name, i), &observe::Pod::name);
      // One that starts takes them from C-config.
      if (pod == seen_.nodes.end() || !pod->ready || pod->deleting) continue;
      const rabbitmq::Node* node =
          rabbitmq::FindNode(*seen_.broker.view->nodes, resources::NodeName(key.name, key.ns, i));
      if (node != nullptr && node->running && node->plugins_known) PlanOne(*pod, *node);
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
  }

 private:
  static Difference DifferenceOf(const rabbitmq::Node& node, const Names& wanted) {
    const auto list = EnabledPlugins(node);
    const Names enabled(list.begin(), list.end());
    Difference found{
        .lacking = Minus(wanted, enabled), .extra = Minus(enabled, wanted), .idle = {}};
    for (const rabbitmq::Plugin& plugin : node.plugins) {
      if (plugin.state == State::kIdle && wanted.contains(plugin.name)) {
        found.idle.insert(plugin.name);
      }
    }
    return found;
  }
  static std::string DigestOf(const observe::Pod& pod, const Names& wanted) {
    std::string text = pod.uid;
    for (const std::string& name : wanted) text += " " + name;
    return base::ShortHash(text);
  }

  void PlanOne(const observe::Pod& pod, const rabbitmq::Node& node) {
    Names wanted = wanted_;
    std::string what = "plugins of " + pod.name;
    // What an attempt on this pod found not to be there is left out from then on.
    if (const observe::Attempt* all = FindAttempt(seen_, what, DigestOf(pod, wanted))) {
      const std::vector<std::string> list = resources::MissingPlugins(all->trouble);
      const Names missing(list.begin(), list.end());
      if (!missing.empty()) {
        missing_[missing].push_back(pod.name);
        wanted = Minus(wanted, missing);
        what = "existing plugins of " + pod.name;
      }
    }
    const Difference difference = DifferenceOf(node, wanted);
    if (difference.none()) return;
    const std::string digest = DigestOf(pod, wanted);
    if (const observe::Attempt* attempt = FindAttempt(seen_, what, digest)) {
      if (WaitsAfter(*attempt, pod, difference)) return;
    } else if (difference.only_idle()) {
      const auto since = seen_.waiting_since.find(kStarting);
      const bool long_ago =
          since != seen_.waiting_since.end() && now_ - since->second >= kStartedAfter;
      AddWait(plan_,
              {Aspect::kTopology, kStarting,
               "waiting for plugins to start: " + pod.name + ": " + ListOf(difference.idle)});
      if (!long_ago) return;
    }
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
    if (!attempt.trouble.empty()) {
      AddProblem(plan_,
                 {.aspect = Aspect::kTopology,
                  .reason = "PluginsNotSet",
                  .message = pod.name + ": " + difference.ToString() + "; " +
                             Shortened(attempt.trouble, kLongestTrouble) + "; it is tried again",
                  .needs_person = false});
      return now_ < TriedAgainAt(attempt);
    }
    if (seen_.broker.at < attempt.at + kShownAfter) {
      AddWait(plan_,
              {Aspect::kTopology, "PluginsChanging",
               "waiting for " + pod.name + " to show the plugins that it was told to enable"});
      return true;
    }
    if (!difference.only_idle()) return false;  // somebody changed them since
    AddProblem(plan_,
               {.aspect = Aspect::kTopology,
                .reason = "PluginsNotRunning",
                .message = pod.name + ": " + difference.ToString() + ": see the log of the pod",
                .needs_person = true});
    return now_ < attempt.at + kStartedAgainAfter;
  }

  const api::RabbitCluster& cluster_;
  const observe::Observation& seen_;
  const base::TimePoint now_;
  Plan& plan_;
  Names wanted_;
  std::map<Names, std::vector<std::string>> missing_;  // and in which pods
};

}  // namespace

void PlanPlugins(const api::RabbitCluster& cluster, const observe::Observation& seen, int members,
                 base::TimePoint now, Plan& plan) {
  if (!BrokerMayBeWritten(cluster, seen, members, plan)) return;
  if (!seen.broker.view->nodes) return;
  PluginsPlanner(cluster, seen, now, plan).Run(members);
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
