#include "operator/plan/own_user.h"

#include <utility>
#include <vector>

#include "operator/plan/attempts.h"
#include "operator/plan/broker_gate.h"
#include "operator/plan/user_password.h"
#include "operator/plan/words.h"
#include "operator/resources/names.h"

namespace rabbit::plan {
namespace {

// Another one each time: what keeps one from helping may not keep the next.
const observe::Pod* PodToRunIn(const observe::Observation& seen, const observe::Attempt* last) {
  std::vector<const observe::Pod*> serving;
  for (const observe::Pod& pod : seen.nodes) {
    if (pod.ready && !pod.deleting) serving.push_back(&pod);
  }
  if (serving.empty()) return nullptr;
  return serving[static_cast<std::size_t>(last == nullptr ? 0 : last->tries) % serving.size()];
}

}  // namespace

void PlanOwnUser(const api::RabbitCluster& cluster, const observe::Observation& seen,
                 base::TimePoint now, Plan& plan) {
  const observe::BrokerLook& look = seen.broker;
  const std::string user(resources::kOperatorUser);
  const std::string what = "user " + user;
  if (!look.denied) return SettleAttempt(seen, what, plan);
  const std::string secret = resources::OperatorUserSecretName(cluster.meta.key.name);
  const auto password = ReadSecret(seen, {secret, resources::kPasswordKey, true}, what, plan);
  if (!password) return;

  // Of whatever password: what keeps it out may keep out another one too.
  const observe::Attempt* last = FindAttempt(seen, what, "");
  if (last != nullptr && look.denied_at <= last->at) {
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
  if (last == nullptr) {
    AddWait(plan, {Aspect::kTopology, "BrokerDenied", found});
  } else {
    const std::string in_vain =
        last->failed() ? ", and to set it anew fails: " + Shortened(last->trouble, 400) + "."
                       : ", although it was set anew in a pod: does somebody else change it, or "
                         "does the broker ask another backend than its own (auth_backends)?";
    AddProblem(plan, {.aspect = Aspect::kTopology,
                      .reason = "BrokerDenied",
                      .message = found + in_vain + " It is set again, less and less often",
                      .needs_person = true});
    if (now < TriedAgainAt(*last)) return;
  }
  if (const observe::Pod* pod = PodToRunIn(seen, last)) {
    plan.steps.push_back({.action = ResetOwnUser{.pod = pod->name, .password = *password},
                          .reason = found,
                          .after = {},
                          .repairs_drift = true,
                          .attempt = what});
  }
}

}  // namespace rabbit::plan
