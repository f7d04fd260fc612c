// operator/plan/fake_broker.h: for tests: what a RabbitMQ keeps of what the operator writes there,
// under its rules: what is in a vhost goes with it, a user's rights with the user, and topic
// permissions of a vhost all at once. Shows the parts that it is asked for.
#pragma once

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/json.h"
#include "operator/plan/plan.h"
#include "rabbitmq/client.h"

namespace rabbit::plan {

class FakeBroker {
 public:
  // What is there; the parts that Show() is not asked for are known here all the same.
  rabbitmq::BrokerView is;
  std::map<std::string, std::size_t> queues;  // by vhost

  // A blank node makes a cluster of its own.
  void FirstBoot() {
    is.cluster_name = "rabbit@c-node-0";
    is.version = "3.13.0";
    is.vhosts = std::vector<rabbitmq::Vhost>{{.name = "/"}};
    is.vhost_limits = std::vector<rabbitmq::VhostLimits>{};
    is.users = std::vector<rabbitmq::User>{};
    is.user_limits = std::vector<rabbitmq::UserLimits>{};
    is.permissions = std::vector<rabbitmq::Permission>{};
    is.topic_permissions = std::vector<rabbitmq::TopicPermission>{};
    is.policies = std::vector<rabbitmq::Policy>{};
    is.operator_policies = std::vector<rabbitmq::Policy>{};
    is.flags_to_enable = std::vector<rabbitmq::FeatureFlag>{};
    queues.clear();
  }
  [[nodiscard]] bool has_booted() const { return is.vhosts.has_value(); }

  [[nodiscard]] rabbitmq::BrokerView Show(const rabbitmq::ViewParts& parts) const {
    rabbitmq::BrokerView view = is;
    if (!parts.vhost_limits) view.vhost_limits = {};
    if (!parts.user_limits) view.user_limits = {};
    if (!parts.topic_permissions) view.topic_permissions = {};
    if (!parts.operator_policies) view.operator_policies = {};
    if (parts.definitions) {
      rabbitmq::MissingDefinitions missing{.of = parts.definitions, .keys = {}};
      for (const auto& [key, wanted] : *parts.definitions) {
        if (!Has(key, wanted)) missing.keys.push_back(key);
      }
      view.missing_definitions = std::move(missing);
    }
    if (!parts.flags_to_enable) view.flags_to_enable = {};
    for (const std::string& vhost : parts.queues_of) view.vhost_queues[vhost] = QueuesIn(vhost);
    return view;
  }
  [[nodiscard]] std::size_t QueuesIn(const std::string& vhost) const {
    const auto found = queues.find(vhost);
    return found == queues.end() ? 0 : found->second;
  }
  [[nodiscard]] bool HasVhost(const std::string& name) const {
    return rabbitmq::FindVhost(*is.vhosts, name) != nullptr;
  }

  // Whether the call succeeds.
  bool Do(const PutClusterName& step) {
    is.cluster_name = step.name;
    return true;
  }
  bool Do(const PutVhost& step) {
    std::erase_if(*is.vhosts, [&](const auto& vhost) { return vhost.name == step.name; });
    is.vhosts->push_back({.name = step.name,
                          .description = step.description,
                          .tags = step.tags,
                          .default_queue_type = step.default_queue_type});
    return true;
  }
  bool Do(const DeleteVhost& step) {
    if (step.if_empty && QueuesIn(step.name) > 0) return false;
    queues.erase(step.name);
    std::erase_if(*is.vhosts, [&](const auto& vhost) { return vhost.name == step.name; });
    const auto in_it = [&](const auto& thing) { return thing.vhost == step.name; };
    std::erase_if(*is.vhost_limits, in_it);
    std::erase_if(*is.permissions, in_it);
    std::erase_if(*is.topic_permissions, in_it);
    std::erase_if(*is.policies, in_it);
    std::erase_if(*is.operator_policies, in_it);
    return true;
  }
  bool Do(const PutVhostLimit& step) {
    if (!HasVhost(step.vhost)) return false;
    rabbitmq::VhostLimits& limits = LimitsOf(step.vhost);
    (step.limit == rabbitmq::kMaxQueues ? limits.max_queues : limits.max_connections) = step.value;
    return true;
  }
  bool Do(const DeleteVhostLimit& step) {
    rabbitmq::VhostLimits& limits = LimitsOf(step.vhost);
    (step.limit == rabbitmq::kMaxQueues ? limits.max_queues : limits.max_connections).reset();
    std::erase_if(*is.vhost_limits,
                  [](const auto& l) { return !l.max_connections && !l.max_queues; });
    return true;
  }
  bool Do(const PutUser& step) {
    std::erase_if(*is.users, [&](const auto& user) { return user.name == step.name; });
    rabbitmq::User user;
    user.name = step.name;
    user.tags = step.tags;
    // sha256 with the salt "salt", as the broker stores it.
    const std::string salted = "salt" + std::string(step.password ? step.password->Reveal() : "");
    user.password_hash = step.password
                             ? base::Secret(base::Base64Encode("salt" + base::Sha256(salted)))
                             : step.password_hash;
    user.hashing_algorithm = "rabbit_password_hashing_sha256";
    is.users->push_back(std::move(user));
    return true;
  }
  bool Do(const DeleteUser& step) {
    std::erase_if(*is.users, [&](const auto& user) { return user.name == step.name; });
    const auto of_user = [&](const auto& right) { return right.user == step.name; };
    std::erase_if(*is.user_limits, of_user);
    std::erase_if(*is.permissions, of_user);
    std::erase_if(*is.topic_permissions, of_user);
    return true;
  }
  bool Do(const PutUserLimit& step) {
    if (!HasUser(step.user)) return false;
    rabbitmq::UserLimits& limits = LimitsOfUser(step.user);
    (step.limit == rabbitmq::kMaxChannels ? limits.max_channels : limits.max_connections) =
        step.value;
    return true;
  }
  bool Do(const DeleteUserLimit& step) {
    rabbitmq::UserLimits& limits = LimitsOfUser(step.user);
    (step.limit == rabbitmq::kMaxChannels ? limits.max_channels : limits.max_connections).reset();
    std::erase_if(*is.user_limits,
                  [](const auto& l) { return !l.max_connections && !l.max_channels; });
    return true;
  }
  bool Do(const PutPermissions& step) {
    if (!HasUser(step.user) || !HasVhost(step.vhost)) return false;
    Do(DeletePermissions{step.user, step.vhost});
    is.permissions->push_back({step.user, step.vhost, step.configure, step.write, step.read});
    return true;
  }
  bool Do(const DeletePermissions& step) {
    std::erase_if(*is.permissions,
                  [&](const auto& p) { return p.user == step.user && p.vhost == step.vhost; });
    return true;
  }
  bool Do(const PutTopicPermission& step) {
    if (!HasUser(step.user) || !HasVhost(step.vhost)) return false;
    std::erase_if(*is.topic_permissions, [&](const auto& p) {
      return p.user == step.user && p.vhost == step.vhost && p.exchange == step.exchange;
    });
    is.topic_permissions->push_back({step.user, step.vhost, step.exchange, step.write, step.read});
    return true;
  }
  bool Do(const DeleteTopicPermission& step) {
    std::erase_if(*is.topic_permissions, [&](const auto& p) {
      return p.user == step.user && p.vhost == step.vhost && p.exchange == step.exchange;
    });
    return true;
  }
  bool Do(const PutPolicy& step) {
    if (!HasVhost(step.vhost)) return false;
    Do(DeletePolicy{step.vhost, step.name, step.kind});
    PoliciesOf(step.kind).push_back(
        {step.vhost, step.name, step.pattern, step.apply_to, step.priority, step.definition});
    return true;
  }
  // Of vhosts, users and policies.
  bool Do(const ImportDefinitions& step) {
    bool all = true;
    for (const auto& part : step.parts) all = Import(part.body) && all;
    return all;
  }
  bool Import(const base::Secret& body) {
    const auto definitions = rabbitmq::ParseDefinitions(body.Reveal());
    if (!definitions) return false;
    for (const auto& [key, text] : *definitions) {
      const base::Json entry = base::ParseJson(text.Reveal()).value();
      if (key.list == "vhosts" && !HasVhost(key.names[0])) Do(PutVhost{key.names[0]});
      if (key.list == "users") {
        Do(PutUser{.name = key.names[0], .tags = {}, .password = base::Secret("x")});
      }
      if (key.list == "policies" && !Do(PutPolicy{.vhost = key.names[0],
                                                  .name = key.names[1],
                                                  .pattern = entry.value("pattern", "^q"),
                                                  .apply_to = "all",
                                                  .definition = base::Dump(entry["definition"])})) {
        return false;
      }
    }
    return true;
  }
  [[nodiscard]] bool Has(const rabbitmq::DefinitionKey& key, const base::Secret& wanted) const {
    if (key.list == "vhosts") return HasVhost(key.names[0]);
    if (key.list == "users") return HasUser(key.names[0]);
    const auto* policy = rabbitmq::FindPolicy(*is.policies, key.names[0], key.names[1]);
    if (policy == nullptr) return false;
    return rabbitmq::HasDefinition(
        key, wanted,
        R"({"pattern":")" + policy->pattern + R"(","definition":)" + policy->definition + "}");
  }
  bool Do(const EnableFlag& step) {
    return std::erase(*is.flags_to_enable, rabbitmq::FeatureFlag{.name = step.name}) > 0;
  }
  // Nodes are FakeWorld's, and show none but management and prometheus.
  static bool Do(const SetPlugins& /*step*/) { return true; }
  bool Do(const DeletePolicy& step) {
    std::erase_if(PoliciesOf(step.kind),
                  [&](const auto& p) { return p.vhost == step.vhost && p.name == step.name; });
    return true;
  }

 private:
  [[nodiscard]] bool HasUser(const std::string& name) const {
    return rabbitmq::FindUser(*is.users, name) != nullptr;
  }
  std::vector<rabbitmq::Policy>& PoliciesOf(rabbitmq::PolicyKind kind) {
    return kind == rabbitmq::PolicyKind::kOperator ? *is.operator_policies : *is.policies;
  }
  rabbitmq::VhostLimits& LimitsOf(const std::string& vhost) {
    auto& all = *is.vhost_limits;
    const auto found = std::ranges::find(all, vhost, &rabbitmq::VhostLimits::vhost);
    return found == all.end() ? all.emplace_back(rabbitmq::VhostLimits{.vhost = vhost}) : *found;
  }
  rabbitmq::UserLimits& LimitsOfUser(const std::string& user) {
    auto& all = *is.user_limits;
    const auto found = std::ranges::find(all, user, &rabbitmq::UserLimits::user);
    return found == all.end() ? all.emplace_back(rabbitmq::UserLimits{.user = user}) : *found;
  }
};

}  // namespace rabbit::plan
