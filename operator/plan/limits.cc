#include "operator/plan/limits.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "operator/plan/broker_gate.h"
#include "operator/plan/definitions.h"
#include "operator/plan/words.h"
#include "rabbitmq/client.h"

namespace rabbit::plan {
namespace {

constexpr std::string_view kDefaultVhost = "/";

// One limit: as declared, and as it is.
struct Limit {
  std::string_view name;
  std::optional<std::int64_t> declared, actual;
};

// Of whom, and when. `Put` and `Remove` are the steps.
template <typename Put, typename Remove>
void PlanLimits(const std::string& whose, const std::vector<Limit>& limits, bool was_in_effect,
                std::optional<std::size_t> made, std::optional<std::size_t> after, Plan& plan) {
  const bool drift = was_in_effect && !made;
  for (const Limit& limit : limits) {
    if (limit.declared == limit.actual) continue;
    Step step;
    if (limit.declared) {
      step.action = Put{whose, std::string(limit.name), *limit.declared};
      if (limit.actual) {
        step.reason = "is " + std::to_string(*limit.actual) + ", declared is " +
                      std::to_string(*limit.declared);
      } else {
        step.reason = drift ? "was removed at the broker" : "is not set";
      }
    } else {
      step.action = Remove{whose, std::string(limit.name)};
      step.reason = "is not declared, and is " + std::to_string(*limit.actual);
    }
    step.after = made ? made : after;
    step.repairs_drift = drift;
    plan.steps.push_back(std::move(step));
  }
}

// The entry of `name`, or one without limits.
template <typename T>
T EntryOf(const std::vector<T>& all, std::string T::*key, const std::string& name) {
  const auto found = std::ranges::find(all, name, key);
  return found == all.end() ? T{} : *found;
}

void WaitForLimits(std::string_view of, const std::string& why, Plan& plan) {
  AddWait(plan, {Aspect::kTopology, "LimitsUnknown",
                 "waiting for the list of limits of " + std::string(of) + ": " + why});
}

// Whether limits were declared once, by what C-inventory lists of the kind.
bool WasRecorded(const observe::Observation& seen,
                 std::vector<std::string> observe::Inventory::*recorded, const std::string& name) {
  return seen.inventory && std::ranges::find((*seen.inventory).*recorded, name) !=
                               ((*seen.inventory).*recorded).end();
}

// `at_broker`: the part of a view that shows the limits, `key`: whose an entry of it is. `is_left`:
// what was recorded of whom no longer matters.
template <typename Declared, typename Limits, typename IsLeft>
std::vector<std::string> ForInventory(
    const std::vector<Declared>& all, const observe::Observation& seen,
    std::vector<std::string> observe::Inventory::*recorded,
    rabbitmq::Part<std::vector<Limits>> rabbitmq::BrokerView::*at_broker, std::string Limits::*key,
    const IsLeft& is_left) {
  std::set<std::string> names;
  for (const Declared& one : all) {
    if (DeclaresLimits(one)) names.insert(one.name);
  }
  if (!seen.inventory) return {names.begin(), names.end()};
  for (const std::string& name : (*seen.inventory).*recorded) {
    if (is_left(name)) continue;
    if (IsOfNow(seen.broker)) {
      const auto& part = (*seen.broker.view).*at_broker;
      // (A broker that has no limits of users has none of this one.)
      const bool known = part || part.kind() == base::ErrorKind::kNotFound;
      if (known && (!part || std::ranges::find(*part, name, key) == part->end())) continue;
    }
    names.insert(name);
  }
  return {names.begin(), names.end()};
}

}  // namespace

bool DeclaresLimits(const api::Vhost& vhost) { return vhost.limits != api::VhostLimits{}; }
bool DeclaresLimits(const api::User& user) { return user.limits != api::UserLimits{}; }

void PlanVhostLimits(const api::RabbitCluster& cluster, const observe::Observation& seen,
                     const api::Vhost& vhost, std::optional<std::size_t> made,
                     std::optional<std::size_t> after, Plan& plan) {
  if (!DeclaresLimits(vhost) && !WasRecorded(seen, &observe::Inventory::vhost_limits, vhost.name)) {
    return;
  }
  // Of the default vhost, which the spec need not list, the definitions may say some.
  if (std::ranges::find(cluster.spec.vhosts, vhost.name, &api::Vhost::name) ==
          cluster.spec.vhosts.end() &&
      MayBeDefined(cluster, seen,
                   rabbitmq::ParameterDefinition("vhost-limits", vhost.name, "limits"))) {
    return;
  }
  const auto& list = seen.broker.view->vhost_limits;
  if (!list && !made) return WaitForLimits("vhosts", list.why(), plan);
  rabbitmq::VhostLimits actual;  // a vhost that is made has none
  if (!made) actual = EntryOf(*list, &rabbitmq::VhostLimits::vhost, vhost.name);
  PlanLimits<PutVhostLimit, DeleteVhostLimit>(
      vhost.name,
      {{rabbitmq::kMaxConnections, vhost.limits.max_connections, actual.max_connections},
       {rabbitmq::kMaxQueues, vhost.limits.max_queues, actual.max_queues}},
      TopologyWasInEffect(cluster, plan), made, after, plan);
}

void PlanUserLimits(const api::RabbitCluster& cluster, const observe::Observation& seen,
                    const api::User& user, std::optional<std::size_t> made,
                    std::optional<std::size_t> after, Plan& plan) {
  if (!DeclaresLimits(user) && !WasRecorded(seen, &observe::Inventory::user_limits, user.name)) {
    return;
  }
  const auto& list = seen.broker.view->user_limits;
  if (!list && list.kind() == base::ErrorKind::kNotFound) return;  // said once for all
  if (!list && !made) return WaitForLimits("users", list.why(), plan);
  rabbitmq::UserLimits actual;  // as of a vhost
  if (!made) actual = EntryOf(*list, &rabbitmq::UserLimits::user, user.name);
  PlanLimits<PutUserLimit, DeleteUserLimit>(
      user.name,
      {{rabbitmq::kMaxConnections, user.limits.max_connections, actual.max_connections},
       {rabbitmq::kMaxChannels, user.limits.max_channels, actual.max_channels}},
      TopologyWasInEffect(cluster, plan), made, after, plan);
}

std::vector<std::string> VhostLimitsForInventory(const api::RabbitCluster& cluster,
                                                 const observe::Observation& seen) {
  // A vhost that left the spec to stay keeps its limits. Another may be declared again before it is
  // gone.
  const auto is_left = [&](const std::string& name) {
    if (name == kDefaultVhost || cluster.findings.Broken("vhosts", "", name)) return false;
    const auto& listed = seen.inventory->vhosts;
    const auto found = listed.find(name);
    return std::ranges::find(cluster.spec.vhosts, name, &api::Vhost::name) ==
               cluster.spec.vhosts.end() &&
           (found == listed.end() || found->second == api::OnRemove::kRetain);
  };
  return ForInventory(cluster.spec.vhosts, seen, &observe::Inventory::vhost_limits,
                      &rabbitmq::BrokerView::vhost_limits, &rabbitmq::VhostLimits::vhost, is_left);
}

std::vector<std::string> UserLimitsForInventory(const api::RabbitCluster& cluster,
                                                const observe::Observation& seen) {
  // Also of a user who is declared no more: he may be declared again before he is gone.
  return ForInventory(cluster.spec.users, seen, &observe::Inventory::user_limits,
                      &rabbitmq::BrokerView::user_limits, &rabbitmq::UserLimits::user,
                      [](const std::string&) { return false; });
}

void SayUserLimitsUnsupported(const api::RabbitCluster& cluster, const observe::Observation& seen,
                              Plan& plan) {
  const rabbitmq::BrokerView& view = *seen.broker.view;
  if (view.user_limits || view.user_limits.kind() != base::ErrorKind::kNotFound) return;
  std::vector<std::string> names;
  for (const api::User& user : cluster.spec.users) {
    if (DeclaresLimits(user)) names.push_back(user.name);
  }
  SayUnsupported("limits", "user", names, view, "has no limits of users (from 3.8.10 on)",
                 "leave them out", plan);
}

}  // namespace rabbit::plan
