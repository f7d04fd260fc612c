#include "operator/plan/topic_permissions.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "operator/api/validate.h"
#include "operator/plan/broker_gate.h"
#include "operator/plan/words.h"
#include "rabbitmq/version.h"

namespace rabbit::plan {
namespace {

bool WasRecorded(const observe::Observation& seen, const std::string& user) {
  return seen.inventory && std::ranges::find(seen.inventory->topic_permissions, user) !=
                               seen.inventory->topic_permissions.end();
}

std::string Regexes(std::string_view write, std::string_view read) {
  return "write " + Quoted(write) + ", read " + Quoted(read);
}

// What there is of one exchange of a vhost, by name of vhost and exchange.
struct Pair {
  const api::TopicPermission* declared = nullptr;
  const rabbitmq::TopicPermission* actual = nullptr;
};
using Pairs = std::map<std::pair<std::string, std::string>, Pair>;

// Whether the user has no permissions in the vhost yet: nothing bounds him there before he has.
bool IsClosed(const observe::Observation& seen, const std::string& user, const std::string& vhost,
              bool is_new) {
  const auto& permissions = seen.broker.view->permissions;
  return is_new || (permissions && rabbitmq::FindPermission(*permissions, user, vhost) == nullptr);
}

// What is to be done about it, but for `after`; nothing when it is as declared.
std::optional<Step> StepFor(const std::string& user, const Pair& pair, bool is_new,
                            bool was_in_effect) {
  const auto& [declared, actual] = pair;
  if (declared == nullptr) {
    return Step{.action = DeleteTopicPermission{user, actual->vhost, actual->exchange},
                .reason = "is not declared, and is " + Regexes(actual->write, actual->read),
                .repairs_drift = was_in_effect};
  }
  const bool drift = was_in_effect && !is_new;
  std::string reason = drift ? "was removed at the broker" : "does not exist";
  if (actual != nullptr) {
    if (actual->write == declared->write && actual->read == declared->read) return std::nullopt;
    reason = "is " + Regexes(actual->write, actual->read) + ", declared is " +
             Regexes(declared->write, declared->read);
  }
  return Step{.action = PutTopicPermission{user, declared->vhost, declared->exchange,
                                           declared->write, declared->read},
              .reason = std::move(reason),
              .repairs_drift = drift};
}

}  // namespace

TopicBounds PlanTopicPermissions(const api::RabbitCluster& cluster,
                                 const observe::Observation& seen, const api::User& user,
                                 std::optional<std::size_t> made, std::optional<std::size_t> after,
                                 Plan& plan) {
  TopicBounds bounds;
  // Whatever others declare: what nobody declared of this user is left alone.
  const bool was_recorded = WasRecorded(seen, user.name);
  if (user.topic_permissions.empty() && !was_recorded) return bounds;
  const auto& list = seen.broker.view->topic_permissions;
  Pairs pairs;
  for (const api::TopicPermission& permission : user.topic_permissions) {
    if (!VhostExists(seen, plan, permission.vhost)) {
      SayVhostMissing("user " + user.name + ": topic permission", permission.vhost, plan);
    } else if (!list && !made && !StepThatCreates(seen, plan, permission.vhost)) {
      bounds.unknown.insert(permission.vhost);
    } else {
      pairs[{permission.vhost, permission.exchange}].declared = &permission;
    }
  }
  if (!list && (!bounds.unknown.empty() || (was_recorded && !made))) {
    AddWait(plan, {Aspect::kTopology, "PermissionsUnknown",
                   "waiting for the list of topic permissions: " + list.why()});
  }
  // What a user of before left goes with that user, and what is in a vhost with the vhost.
  for (std::size_t i = 0; list && !made && i < list->size(); ++i) {
    const rabbitmq::TopicPermission& permission = (*list)[i];
    if (permission.user != user.name || VhostGoes(plan, permission.vhost)) continue;
    // The API takes this name of a path for the exchange without a name: it cannot be removed.
    if (permission.exchange == api::kUnnamedExchangeInPaths) continue;
    pairs[{permission.vhost, permission.exchange}].actual = &permission;
  }
  const bool was_in_effect = TopologyWasInEffect(cluster, plan);
  // Where the broker may refuse one because its exchange is not there yet, the user comes in all
  // the same: often it is who makes that exchange.
  const auto& told = seen.broker.view->version;
  const auto version = told ? rabbitmq::ParseVersion(*told) : std::nullopt;
  const bool is_sure = !version || !rabbitmq::MayNeedTheExchange(*version);
  for (const auto& [key, pair] : pairs) {
    auto step = StepFor(user.name, pair, made.has_value(), was_in_effect);
    if (!step) continue;
    const auto vhost_step = StepThatCreates(seen, plan, key.first);
    step->after = made ? made : vhost_step ? vhost_step : after;
    const bool bounds_one = is_sure && pair.declared != nullptr &&
                            IsClosed(seen, user.name, key.first, made.has_value());
    if (bounds_one) {
      // One after another: the last one stands for all.
      const auto [last, is_first] = bounds.last_step.try_emplace(key.first, plan.steps.size());
      if (!is_first) step->after = std::exchange(last->second, plan.steps.size());
    }
    plan.steps.push_back(*std::move(step));
  }
  return bounds;
}

std::vector<std::string> TopicPermissionsForInventory(const api::RabbitCluster& cluster,
                                                      const observe::Observation& seen) {
  std::set<std::string> users;
  for (const api::User& user : cluster.spec.users) {
    if (!user.topic_permissions.empty()) users.insert(user.name);
  }
  if (!seen.inventory) return {users.begin(), users.end()};
  const observe::BrokerLook& look = seen.broker;
  const bool known = IsOfNow(look) && look.view->topic_permissions;
  for (const std::string& name : seen.inventory->topic_permissions) {
    // Also of a user who is declared no more: he may be declared again before he is gone.
    const bool has_some =
        known && std::ranges::any_of(*look.view->topic_permissions, [&](const auto& permission) {
          return permission.user == name;
        });
    if (!known || has_some) users.insert(name);
  }
  return {users.begin(), users.end()};
}

}  // namespace rabbit::plan
