#include "operator/plan/topic_permissions.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "operator/plan/broker_gate.h"
#include "operator/plan/words.h"

namespace rabbit::plan {
namespace {

bool WasRecorded(const observe::Observation& seen, const std::string& user) {
  return seen.inventory && std::ranges::find(seen.inventory->topic_permissions, user) !=
                               seen.inventory->topic_permissions.end();
}

std::string Regexes(std::string_view write, std::string_view read) {
  return "write " + Quoted(write) + ", read " + Quoted(read);
}

// Those of one user in one vhost, by exchange.
struct InVhost {
  std::map<std::string, const api::TopicPermission*> declared;
  std::map<std::string, const rabbitmq::TopicPermission*> actual;

  // "amq.topic and logs", that are at the broker only.
  [[nodiscard]] std::vector<std::string> Undeclared() const {
    std::vector<std::string> names;
    for (const auto& [exchange, permission] : actual) {
      if (!declared.contains(exchange)) names.push_back(Quoted(exchange));
    }
    return names;
  }
};

// When, and why.
struct Circumstances {
  std::optional<std::size_t> after;
  bool rewritten = false;  // all of the vhost are removed before
  bool is_new = false;     // the user is only just made
  bool was_in_effect = false;
};

void PlanPut(const api::TopicPermission& declared, const rabbitmq::TopicPermission* actual,
             const std::string& user, const Circumstances& when, Plan& plan) {
  const bool same =
      actual != nullptr && actual->write == declared.write && actual->read == declared.read;
  if (same && !when.rewritten) return;
  const bool drift = when.was_in_effect && !when.is_new && !same;
  std::string reason;
  if (same) {
    reason = "was removed together with those that are not declared";
  } else if (actual != nullptr) {
    reason = "is " + Regexes(actual->write, actual->read) + ", declared is " +
             Regexes(declared.write, declared.read);
  } else {
    reason = drift ? "was removed at the broker" : "does not exist";
  }
  plan.steps.push_back(
      {PutTopicPermission{user, declared.vhost, declared.exchange, declared.write, declared.read},
       std::move(reason), when.after, drift});
}

}  // namespace

void PlanTopicPermissions(const api::RabbitCluster& cluster, const observe::Observation& seen,
                          const api::User& user, std::optional<std::size_t> made,
                          std::optional<std::size_t> after, Plan& plan) {
  const auto& list = seen.broker.view->topic_permissions;
  if (!list) {
    if (user.topic_permissions.empty() && !WasRecorded(seen, user.name)) return;  // nobody asked
    AddWait(plan, {Aspect::kTopology, "PermissionsUnknown",
                   "waiting for the list of topic permissions: " + list.why()});
    return;
  }
  std::map<std::string, InVhost> vhosts;
  for (const api::TopicPermission& permission : user.topic_permissions) {
    if (VhostExists(seen, plan, permission.vhost)) {
      vhosts[permission.vhost].declared[permission.exchange] = &permission;
      continue;
    }
    AddProblem(plan,
               {.aspect = Aspect::kTopology,
                .reason = "VhostMissing",
                .message = "user " + user.name + ": topic permission on vhost " + permission.vhost +
                           ", which does not exist: declare it in spec.vhosts",
                .needs_person = true});
  }
  for (const rabbitmq::TopicPermission& permission : *list) {
    // What a user of before left goes with that user, and what is in a vhost with the vhost.
    if (permission.user != user.name || made || VhostGoes(plan, permission.vhost)) continue;
    vhosts[permission.vhost].actual[permission.exchange] = &permission;
  }
  const bool was_in_effect = TopologyWasInEffect(cluster);
  for (const auto& [vhost, those] : vhosts) {
    const auto vhost_step = StepThatCreates(seen, plan, vhost);
    Circumstances when{.after = made         ? made
                                : vhost_step ? vhost_step
                                             : after,
                       .is_new = made.has_value(),
                       .was_in_effect = was_in_effect};
    if (const auto undeclared = those.Undeclared(); !undeclared.empty()) {
      plan.steps.push_back({DeleteTopicPermissions{user.name, vhost},
                            "not declared, and there: on " + Listed(undeclared), when.after,
                            was_in_effect});
      when.after = plan.steps.size() - 1;
      when.rewritten = true;
    }
    for (const auto& [exchange, declared] : those.declared) {
      const auto actual = those.actual.find(exchange);
      PlanPut(*declared, actual == those.actual.end() ? nullptr : actual->second, user.name, when,
              plan);
    }
  }
}

std::vector<std::string> TopicPermissionsForInventory(const api::RabbitCluster& cluster,
                                                      const observe::Observation& seen) {
  std::set<std::string> users;
  for (const api::User& user : cluster.spec.users) {
    if (!user.topic_permissions.empty()) users.insert(user.name);
  }
  if (!seen.inventory) return {users.begin(), users.end()};
  const observe::BrokerLook& look = seen.broker;
  const bool known = look.view && look.trouble.empty() && look.view->topic_permissions;
  for (const std::string& name : seen.inventory->topic_permissions) {
    const bool declared =
        cluster.findings.Broken("users", "", name) ||
        std::ranges::find(cluster.spec.users, name, &api::User::name) != cluster.spec.users.end();
    // Those of a user who is declared no more go with the user.
    if (!declared) continue;
    const bool has_some =
        known && std::ranges::any_of(*look.view->topic_permissions, [&](const auto& permission) {
          return permission.user == name;
        });
    if (!known || has_some) users.insert(name);
  }
  return {users.begin(), users.end()};
}

}  // namespace rabbit::plan
