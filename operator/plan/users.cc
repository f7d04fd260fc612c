#include "operator/plan/users.h"

#include <algorithm>
#include <set>
#include <utility>

#include "operator/plan/broker_gate.h"
#include "operator/plan/definitions.h"
#include "operator/plan/limits.h"
#include "operator/plan/secrets.h"
#include "operator/plan/topic_permissions.h"
#include "operator/plan/user_password.h"
#include "operator/plan/words.h"
#include "operator/resources/names.h"
#include "rabbitmq/password_hash.h"

namespace rabbit::plan {
namespace {

using UserInVhost = std::pair<std::string, std::string>;

std::string Regexes(std::string_view configure, std::string_view write, std::string_view read) {
  return "configure " + Quoted(configure) + ", write " + Quoted(write) + ", read " + Quoted(read);
}

// The planning of one reconcile: its inputs, and the plan that grows.
class UserPlanner {
 public:
  UserPlanner(const api::RabbitCluster& cluster, const observe::Observation& seen,
              std::optional<std::size_t> after, Plan& plan)
      : cluster_(cluster),
        seen_(seen),
        view_(*seen.broker.view),
        after_(after),
        plan_(plan),
        was_in_effect_(TopologyWasInEffect(cluster, plan)) {
    if (!seen.inventory) return;
    const auto& recorded = seen.inventory->permissions;
    recorded_permissions_ = {recorded.begin(), recorded.end()};
  }

  void Run() {
    const std::optional<api::User> default_user = DefaultUser();
    if (default_user) {
      const std::optional<Present> present = PlanUser(
          *default_user, {resources::DefaultUserSecretName(Name()), resources::kPasswordKey, true});
      if (present) PlanPermissions(*default_user, present->made, {});
    }
    for (const api::User& user : cluster_.spec.users) {
      if (default_user && user.name == default_user->name) {
        Refuse(user.name, "is the clients' default user of Secret " +
                              resources::DefaultUserSecretName(Name()) + ": declare another name");
      } else {
        const std::optional<Present> present = PlanUser(user, SourceOf(cluster_, user));
        if (present) PlanRights(user, present->made);
        PlanPermissionRemovals(user);
      }
    }
    SayUserLimitsUnsupported(cluster_, seen_, plan_);
    // Without the name of the default user, nobody can tell that it is not the one to be removed.
    if (default_user) {
      PlanRemovals(default_user->name);
      PlanRemovalsOfUndeclared(default_user->name);
    }
  }

 private:
  // A user who is at the broker, or whom a step makes.
  struct Present {
    std::optional<std::size_t> made;
  };

  [[nodiscard]] const std::string& Name() const { return cluster_.meta.key.name; }

  void Refuse(const std::string& user, const std::string& why) {
    AddProblem(plan_, {.aspect = Aspect::kTopology,
                       .reason = "ReservedUser",
                       .message = "user " + user + " " + why,
                       .needs_person = true});
  }

  // The user that Secret C-default-user names, as if it were declared; nothing while that Secret
  // could not be read.
  std::optional<api::User> DefaultUser() {
    const std::string secret = resources::DefaultUserSecretName(Name());
    const auto name =
        ReadSecret(seen_, {secret, resources::kUsernameKey, true}, "default user", plan_);
    if (!name) return std::nullopt;
    api::User user;
    user.name = std::string(name->Reveal());  // a name: no secret
    if (user.name == resources::kOperatorUser) {
      Refuse(user.name, "is the operator's own user, and cannot be that of Secret " + secret +
                            ": put the name back that was there, or delete the Secret");
      return std::nullopt;
    }
    user.tags = {"administrator"};
    user.permissions = {{.vhost = "/", .configure = ".*", .write = ".*", .read = ".*"}};
    return user;
  }

  // Nothing: nobody is there to be given anything.
  std::optional<Present> PlanUser(const api::User& user, const PasswordSource& source) {
    const std::string who = "user " + user.name;
    const std::optional<base::Secret> password = ReadSecret(seen_, source, who, plan_);
    const rabbitmq::User* actual = rabbitmq::FindUser(*view_.users, user.name);
    if (actual == nullptr && !password) return std::nullopt;  // permissions of nobody

    PutUser put{.name = user.name, .tags = SortedTags(user.tags), .password = {}};
    std::string reason;
    bool drift = false;
    if (actual == nullptr) {
      put.password = password;
      drift = was_in_effect_;
      reason = drift ? "was removed at the broker" : "does not exist";
    } else {
      const bool matches = password && rabbitmq::PasswordMatches(*password, actual->password_hash,
                                                                 actual->hashing_algorithm);
      if (password && !matches) {
        put.password = password;
        // No drift: it is the Secret that may have changed, and nothing tells which of the two.
        reason = "has another password at the broker than in Secret " + source.secret;
      } else {
        put.password_hash = actual->password_hash;
        put.hashing_algorithm = actual->hashing_algorithm;
      }
      if (const auto tags = SortedTags(actual->tags); tags != put.tags) {
        drift = was_in_effect_;
        if (!reason.empty()) reason += "; ";
        reason += "tags are " + TagList(tags) + ", declared is " + TagList(put.tags);
      }
      // A user without a password (logs in by certificate) whose declared one is unknown: the
      // broker takes no tags without a hash.
      if (!put.password && put.password_hash.empty()) reason.clear();
    }
    std::optional<std::size_t> made;
    if (!reason.empty()) {
      plan_.steps.push_back({std::move(put), std::move(reason), after_, drift});
      if (actual == nullptr) made = plan_.steps.size() - 1;
    }
    return Present{made};
  }

  // What bounds the user comes before what he may do.
  void PlanRights(const api::User& user, std::optional<std::size_t> made) {
    PlanUserLimits(cluster_, seen_, user, made, after_, plan_);
    PlanPermissions(user, made, PlanTopicPermissions(cluster_, seen_, user, made, after_, plan_));
  }

  void PlanPermissions(const api::User& user, std::optional<std::size_t> user_step,
                       const TopicBounds& bounds) {
    if (!view_.permissions) {
      AddWait(plan_, {Aspect::kTopology, "PermissionsUnknown",
                      "waiting for the list of permissions: " + view_.permissions.why()});
      return;
    }
    for (const api::Permission& declared : user.permissions) {
      if (!VhostExists(seen_, plan_, declared.vhost)) {
        SayVhostMissing("user " + user.name + ": permission", declared.vhost, plan_);
        continue;
      }
      const rabbitmq::Permission* actual =
          rabbitmq::FindPermission(*view_.permissions, user.name, declared.vhost);
      if (actual != nullptr && actual->configure == declared.configure &&
          actual->write == declared.write && actual->read == declared.read) {
        continue;
      }
      const bool opens = user_step || actual == nullptr;
      if (opens && bounds.unknown.contains(declared.vhost)) continue;  // waited for
      std::string reason;
      if (actual != nullptr) {
        reason = "is " + Regexes(actual->configure, actual->write, actual->read) +
                 ", declared is " + Regexes(declared.configure, declared.write, declared.read);
      } else {
        reason = was_in_effect_ && !user_step ? "was removed at the broker" : "does not exist";
      }
      const auto vhost_step = StepThatCreates(seen_, plan_, declared.vhost);
      auto after = user_step ? user_step : vhost_step ? vhost_step : after_;
      const auto bound = bounds.last_step.find(declared.vhost);
      if (opens && bound != bounds.last_step.end()) after = bound->second;
      plan_.steps.push_back({PutPermissions{user.name, declared.vhost, declared.configure,
                                            declared.write, declared.read},
                             std::move(reason), after, was_in_effect_ && !user_step});
    }
  }

  // The default user keeps what others gave it: nobody declared what it may have besides.
  void PlanPermissionRemovals(const api::User& user) {
    if (!view_.permissions) return;
    const bool exclusive = cluster_.spec.ownership.users == api::Ownership::kExclusive;
    for (const rabbitmq::Permission& actual : *view_.permissions) {
      if (actual.user != user.name || VhostGoes(plan_, actual.vhost)) continue;
      const bool declared = std::ranges::find(user.permissions, actual.vhost,
                                              &api::Permission::vhost) != user.permissions.end();
      const bool was_declared = recorded_permissions_.contains({actual.user, actual.vhost});
      if (declared || (!was_declared && !exclusive)) continue;
      std::string reason = "is " + Regexes(actual.configure, actual.write, actual.read);
      reason += was_declared ? ", and is no longer declared"
                             : ", is not declared, and spec.ownership.users is Exclusive";
      plan_.steps.push_back({DeletePermissions{actual.user, actual.vhost}, std::move(reason),
                             after_, was_in_effect_ && !was_declared});
    }
  }

  [[nodiscard]] bool MayBeRemoved(const std::string& name, const std::string& default_user) const {
    const bool declared =
        std::ranges::find(cluster_.spec.users, name, &api::User::name) != cluster_.spec.users.end();
    return !declared && name != default_user && name != resources::kOperatorUser &&
           !MayBeDefined(cluster_, seen_, rabbitmq::UserDefinition(name)) &&
           !cluster_.findings.Broken("users", "", name);  // declared, if badly
  }

  [[nodiscard]] bool WasDeclared(const std::string& name) const {
    return seen_.inventory &&
           std::ranges::find(seen_.inventory->users, name) != seen_.inventory->users.end();
  }

  void PlanRemovals(const std::string& default_user) {
    if (!seen_.inventory) return;
    for (const std::string& name : seen_.inventory->users) {
      if (!MayBeRemoved(name, default_user)) continue;
      if (rabbitmq::FindUser(*view_.users, name) == nullptr) continue;
      plan_.steps.push_back({DeleteUser{name}, "is no longer declared", after_, false});
    }
  }

  void PlanRemovalsOfUndeclared(const std::string& default_user) {
    if (cluster_.spec.ownership.users != api::Ownership::kExclusive) return;
    for (const rabbitmq::User& user : *view_.users) {
      if (!MayBeRemoved(user.name, default_user) || WasDeclared(user.name)) continue;
      plan_.steps.push_back({DeleteUser{user.name},
                             "is not declared, and spec.ownership.users is Exclusive", after_,
                             was_in_effect_});
    }
  }

  const api::RabbitCluster& cluster_;
  const observe::Observation& seen_;
  const rabbitmq::BrokerView& view_;
  const std::optional<std::size_t> after_;
  Plan& plan_;
  const bool was_in_effect_;
  std::set<UserInVhost> recorded_permissions_;
};

}  // namespace

void PlanUsers(const api::RabbitCluster& cluster, const observe::Observation& seen, int members,
               std::optional<std::size_t> after, Plan& plan) {
  SayBrokenEntries(cluster, "users", plan);
  if (!BrokerMayBeWritten(cluster, seen, members, plan)) return;
  const rabbitmq::BrokerView& view = *seen.broker.view;
  if (!view.users) {
    AddWait(plan, {Aspect::kTopology, "UsersUnknown",
                   "waiting for the list of users: " + view.users.why()});
    return;
  }
  if (!view.vhosts) return;  // PlanVhosts says so
  UserPlanner(cluster, seen, after, plan).Run();
}

std::vector<std::string> UsersForInventory(const api::RabbitCluster& cluster,
                                           const observe::Observation& seen) {
  std::set<std::string> users;
  for (const api::User& user : cluster.spec.users) users.insert(user.name);
  if (seen.inventory) {
    const observe::BrokerLook& look = seen.broker;
    const bool known = IsOfNow(look) && look.view->users;
    for (const std::string& name : seen.inventory->users) {
      const bool handed_on = IsHandedToDefinitions(cluster, seen, rabbitmq::UserDefinition(name)) &&
                             LeftBehind(cluster, seen, name) == nullptr;
      if (handed_on && !users.contains(name)) continue;
      // Forgotten only once the broker was seen without it, and what was made for it has an owner.
      if (!known || rabbitmq::FindUser(*look.view->users, name) != nullptr ||
          LeftBehind(cluster, seen, name) != nullptr) {
        users.insert(name);
      }
    }
  }
  return {users.begin(), users.end()};
}

std::vector<UserInVhost> PermissionsForInventory(const api::RabbitCluster& cluster,
                                                 const observe::Observation& seen) {
  std::set<UserInVhost> permissions;
  for (const api::User& user : cluster.spec.users) {
    for (const api::Permission& permission : user.permissions) {
      permissions.emplace(user.name, permission.vhost);
    }
  }
  if (seen.inventory) {
    const observe::BrokerLook& look = seen.broker;
    const bool known = IsOfNow(look) && look.view->permissions;
    for (const auto& [user, vhost] : seen.inventory->permissions) {
      // Also of a user who is declared no more: he may be declared again before he is gone.
      if (!known || rabbitmq::FindPermission(*look.view->permissions, user, vhost) != nullptr) {
        permissions.emplace(user, vhost);
      }
    }
  }
  return {permissions.begin(), permissions.end()};
}

}  // namespace rabbit::plan
