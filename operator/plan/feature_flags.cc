#include "operator/plan/feature_flags.h"

#include <algorithm>

#include "operator/plan/attempts.h"
#include "operator/plan/broker_gate.h"
#include "operator/plan/words.h"
#include "operator/resources/names.h"

namespace rabbit::plan {
namespace {

// Whether all declared nodes serve with one image, and nobody else is a member. While some are of
// another version a flag is not theirs yet; and the broker enables none while a member is down.
bool AllOfOneVersion(const api::RabbitCluster& cluster, const observe::Observation& seen,
                     int members) {
  const auto& nodes = seen.broker.view->nodes;
  if (!nodes || !std::ranges::all_of(*nodes, &rabbitmq::Node::running)) return false;
  const observe::Pod* first = nullptr;
  for (int i = 0; i < members; ++i) {
    const auto pod = std::ranges::find(seen.nodes, resources::PodName(cluster.meta.key.name, i),
                                       &observe::Pod::name);
    if (pod == seen.nodes.end() || !pod->ready || pod->deleting) return false;
    if (first == nullptr) first = &*pod;
    if (pod->image != first->image) return false;
  }
  return true;
}

}  // namespace

void PlanFeatureFlags(const api::RabbitCluster& cluster, const observe::Observation& seen,
                      int members, base::TimePoint now, Plan& plan) {
  if (!BrokerMayBeWritten(cluster, seen, members, plan)) return;
  const rabbitmq::BrokerView& view = *seen.broker.view;
  if (!view.version || !view.disabled_flags || view.disabled_flags->empty()) return;
  if (!AllOfOneVersion(cluster, seen, members)) return;
  if (cluster.spec.rollout.feature_flags == api::FeatureFlags::kManual) {
    plan.warnings.push_back(
        {"FeatureFlagsDisabled",
         "RabbitMQ " + *view.version + " has stable feature flags that are not enabled, and " +
             "spec.rollout.featureFlags is Manual: enable them before the next upgrade: " +
             Listed(*view.disabled_flags)});
    return;
  }
  for (const std::string& name : *view.disabled_flags) {
    const std::string what = "feature flag " + name;
    const observe::Attempt* attempt = FindAttempt(seen, what, *view.version);
    if (attempt != nullptr && now < TriedAgainAt(*attempt)) {
      AddProblem(plan, {.aspect = Aspect::kTopology,
                        .reason = "FeatureFlagDisabled",
                        .message = (attempt->failed()
                                        ? Shortened(attempt->trouble, 400)
                                        : what + ": the broker took it, and shows it disabled") +
                                   "; it is tried again",
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
  const bool none_left = view.disabled_flags
                             ? view.disabled_flags->empty()
                             : view.disabled_flags.kind() == base::ErrorKind::kNotFound;
  if (!view.version || !none_left || !AllOfOneVersion(cluster, seen, members)) return recorded;
  return *view.version;
}

}  // namespace rabbit::plan
