#include "operator/plan/feature_flags.h"

#include <algorithm>

#include "operator/plan/attempts.h"
#include "operator/plan/broker_gate.h"
#include "operator/plan/nodes.h"
#include "operator/plan/plugins.h"
#include "operator/plan/words.h"
#include "operator/resources/inventory.h"

namespace rabbit::plan {
namespace {

// Whether all declared nodes serve, nobody else is a member, and all say that they are of this
// version. While some are of another one a flag is not theirs yet; and the broker enables none
// while a member is down. (Images tell less: under one tag there may be two versions.)
bool AllAreOf(const std::string& version, const api::RabbitCluster& cluster,
              const observe::Observation& seen, int members) {
  const auto& nodes = seen.broker.view->nodes;
  if (!nodes || !std::ranges::all_of(*nodes, [&](const rabbitmq::Node& node) {
        return node.running && node.version == version;
      })) {
    return false;
  }
  return !NodesNotReady(cluster, seen, members);
}

const std::string kWhat = "feature flag ";

// What was tried of flags that are enabled by now.
void SettleOthers(const observe::Observation& seen, const std::vector<std::string>& disabled,
                  Plan& plan) {
  for (const auto& [what, attempt] : seen.attempts) {
    if (what.starts_with(kWhat) &&
        std::ranges::find(disabled, what.substr(kWhat.size())) == disabled.end()) {
      SettleAttempt(seen, what, plan);
    }
  }
}

std::vector<std::string> DisabledOf(const std::vector<rabbitmq::FeatureFlag>& flags) {
  std::vector<std::string> names;
  for (const rabbitmq::FeatureFlag& flag : flags) {
    if (flag.disabled) names.push_back(flag.name);
  }
  return names;
}

}  // namespace

void PlanFeatureFlags(const api::RabbitCluster& cluster, const observe::Observation& seen,
                      int members, base::TimePoint now, Plan& plan) {
  if (!BrokerMayBeWritten(cluster, seen, members, plan)) return;
  const rabbitmq::BrokerView& view = *seen.broker.view;
  // They are not asked for once none is left.
  if (!view.flags_to_enable && view.flags_to_enable.why() == rabbitmq::kNotAsked) {
    SettleOthers(seen, {}, plan);
  }
  if (!view.version || !view.flags_to_enable) return;
  const std::vector<std::string> disabled = DisabledOf(*view.flags_to_enable);
  SettleOthers(seen, disabled, plan);
  if (disabled.empty() || !AllAreOf(*view.version, cluster, seen, members)) return;
  if (cluster.spec.rollout.feature_flags == api::FeatureFlags::kManual) {
    plan.warnings.push_back(
        {"FeatureFlagsDisabled",
         "RabbitMQ " + *view.version + " has stable feature flags that are not enabled, and " +
             "spec.rollout.featureFlags is Manual: enable them before the next upgrade: " +
             Listed(disabled)});
    return;
  }
  for (const std::string& name : disabled) {
    const std::string what = kWhat + name;
    const observe::Attempt* attempt = FindAttempt(seen, what, *view.version);
    if (attempt != nullptr && now < TriedAgainAt(*attempt)) {
      const std::string trouble = attempt->failed()
                                      ? Shortened(attempt->trouble, 400)
                                      : what + ": the broker took it, and shows it disabled";
      AddProblem(plan, {.aspect = Aspect::kTopology,
                        .reason = "FeatureFlagDisabled",
                        .message = trouble + "; it is tried again",
                        .needs_person = false});
      continue;
    }
    plan.steps.push_back(
        {.action = EnableFlag{name},
         .reason = "all nodes run RabbitMQ " + *view.version + ", and it is disabled",
         .after = {},
         .repairs_drift = false,
         .attempt = what,
         .attempt_digest = *view.version});
  }
}

std::string FlagsVersionForInventory(const api::RabbitCluster& cluster,
                                     const observe::Observation& seen, int members) {
  std::string recorded = seen.inventory ? seen.inventory->flags_version : "";
  if (!IsOfNow(seen.broker)) return recorded;
  const rabbitmq::BrokerView& view = *seen.broker.view;
  // A broker that knows no feature flags has none to enable.
  const bool none_left = view.flags_to_enable
                             ? view.flags_to_enable->empty()
                             : view.flags_to_enable.kind() == base::ErrorKind::kNotFound;
  if (!view.version || !none_left || !AllAreOf(*view.version, cluster, seen, members) ||
      !PluginsAreAsDeclared(cluster, seen, members)) {
    return recorded;
  }
  return resources::FlagsRecord(*view.version, cluster.spec.plugins);
}

}  // namespace rabbit::plan
