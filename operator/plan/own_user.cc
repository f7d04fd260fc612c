#include "operator/plan/own_user.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "operator/plan/broker_gate.h"
#include "operator/plan/user_password.h"
#include "operator/resources/names.h"

namespace rabbit::plan {
namespace {

base::Duration PauseAfter(int resets) {
  base::Duration pause = kFirstPauseOfResets;
  for (int i = 1; i < resets && pause < kLongestPauseOfResets; ++i) pause *= 2;
  return std::min<base::Duration>(pause, kLongestPauseOfResets);
}

// Another one each time: what keeps one from helping may not keep the next.
const observe::Pod* PodToRunIn(const observe::Observation& seen) {
  std::vector<const observe::Pod*> serving;
  for (const observe::Pod& pod : seen.nodes) {
    if (pod.ready && !pod.deleting) serving.push_back(&pod);
  }
  if (serving.empty()) return nullptr;
  return serving[static_cast<std::size_t>(seen.own_user_resets.count) % serving.size()];
}

}  // namespace

void PlanOwnUser(const api::RabbitCluster& cluster, const observe::Observation& seen,
                 base::TimePoint now, Plan& plan) {
  const observe::BrokerLook& look = seen.broker;
  if (!look.denied) return;
  const std::string user(resources::kOperatorUser);
  const std::string secret = resources::OperatorUserSecretName(cluster.meta.key.name);
  const auto password =
      ReadSecret(seen, {secret, resources::kPasswordKey, true}, "user " + user, plan);
  if (!password) return;

  const observe::OwnUserResets& resets = seen.own_user_resets;
  if (resets.count > 0 && look.denied_at <= resets.last) {
    AddWait(plan, {Aspect::kTopology, "LookingAgain",
                   "waiting for a look at the broker that shows whether it lets user " + user +
                       " in again"});
    return;
  }
  // Who may read the nodes and not the users is let in, and lacks the tag.
  const std::string found =
      look.trouble.empty()
          ? "the broker does not take user " + user + " for an administrator"
          : "the broker refuses user " + user + " with the password in Secret " + secret;
  if (resets.count == 0) {
    AddWait(plan, {Aspect::kTopology, "BrokerDenied", found});
  } else {
    AddProblem(plan,
               {.aspect = Aspect::kTopology,
                .reason = "BrokerDenied",
                .message = found + ", although it was set anew in a pod: does somebody else change "
                                   "it, or does the broker ask another backend than its own "
                                   "(auth_backends)? It is set again, less and less often",
                .needs_person = true});
    if (now - resets.last < PauseAfter(resets.count)) return;
  }
  if (const observe::Pod* pod = PodToRunIn(seen)) {
    plan.steps.push_back({.action = ResetOwnUser{.pod = pod->name, .password = *password},
                          .reason = found,
                          .after = {},
                          .repairs_drift = true});
  }
}

}  // namespace rabbit::plan
