// operator/plan/topology_fixture.h: for tests: a cluster c in namespace ns whose three nodes run
// RabbitMQ 3.10.8 as declared, and words to declare and to observe something else.
//   Declare(Policy("half", R"({"ha-mode":"all"})")); EXPECT_THAT(Steps(), ElementsAre("…"));
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "operator/plan/cluster_name.h"
#include "operator/plan/policies.h"
#include "operator/plan/users.h"
#include "operator/plan/vhosts.h"
#include "operator/resources/names.h"
#include "rabbitmq/password_hash.h"

namespace rabbit::plan {

class TopologyTest : public testing::Test {
 protected:
  TopologyTest() {
    cluster_.meta.key = {"ns", "c"};
    cluster_.meta.generation = 1;
    cluster_.spec.cluster_name = "c";
    cluster_.spec.replicas = 3;
    seen_.inventory = observe::Inventory{
        .replicas = 3, .formed = true, .users = {}, .policies = {}, .volumes = {}};
    broker_.cluster_name = "c";
    broker_.version = "3.10.8";
    broker_.nodes = std::vector<rabbitmq::Node>{};
    for (int i = 0; i < 3; ++i) {
      broker_.nodes->push_back({.name = "rabbit@c-node-" + std::to_string(i) + ".c-nodes.ns",
                                .running = true,
                                .details_known = true});
    }
    broker_.vhosts = std::vector<rabbitmq::Vhost>{{.name = "/"}};
    broker_.users = std::vector<rabbitmq::User>{};
    broker_.permissions = std::vector<rabbitmq::Permission>{};
    broker_.policies = std::vector<rabbitmq::Policy>{};
    HasSecret("c-default-user", {{"username", "default"}, {"password", "of-clients"}});
    HasUser("default", "of-clients", {"administrator"});
    HasPermission("default", "/", ".*", ".*", ".*");
    HasUser("rabbit-operator", "of-the-operator", {"administrator"});
    HasPermission("rabbit-operator", "/", ".*", ".*", ".*");
  }

  // --- declared
  static api::User User(std::string name, std::string secret = "", std::string key = "password") {
    api::User user;
    user.name = std::move(name);
    if (!secret.empty()) user.password_secret_ref = {std::move(secret), std::move(key)};
    return user;
  }
  static api::Policy Policy(std::string name, std::string definition, std::string vhost = "/") {
    return {.vhost = std::move(vhost),
            .name = std::move(name),
            .pattern = "^q",
            .apply_to = api::ApplyTo::kQueues,
            .priority = 0,
            .definition = std::move(definition)};
  }
  void Declare(api::User user) { cluster_.spec.users.push_back(std::move(user)); }
  void Declare(api::Policy policy) { cluster_.spec.policies.push_back(std::move(policy)); }
  api::Vhost& DeclareVhost(std::string name) {
    api::Vhost vhost;
    vhost.name = std::move(name);
    return cluster_.spec.vhosts.emplace_back(std::move(vhost));
  }
  void DeclareForOperators(api::Policy policy) {
    cluster_.spec.operator_policies.push_back(std::move(policy));
  }
  // An entry of the spec's list that was dropped because it breaks a rule.
  void DeclareBadly(std::string list, std::string vhost, std::string name) {
    cluster_.findings.entries.push_back({.list = std::move(list),
                                         .index = 0,
                                         .vhost = std::move(vhost),
                                         .name = std::move(name),
                                         .error = {"spec.x", "7", "must be another"}});
  }

  // --- observed
  void HasSecret(const std::string& name, const std::map<std::string, std::string>& data) {
    observe::SecretView& secret = seen_.secrets[name];
    secret.state = observe::SecretState::kPresent;
    for (const auto& [key, value] : data) secret.data[key] = base::Secret(value);
  }
  void HasNoSecret(const std::string& name) {
    seen_.secrets[name] = {
        .state = observe::SecretState::kAbsent, .uid = {}, .data = {}, .trouble = {}};
  }
  void HasUser(const std::string& name, const std::string& password,
               std::vector<std::string> tags = {}) {
    broker_.users->push_back({.name = name,
                              .tags = std::move(tags),
                              .password_hash = *rabbitmq::HashPassword(base::Secret(password),
                                                                       rabbitmq::kSha256, random_),
                              .hashing_algorithm = std::string(rabbitmq::kSha256)});
  }
  void HasPermission(const std::string& user, const std::string& vhost,
                     const std::string& configure, const std::string& write,
                     const std::string& read) {
    broker_.permissions->push_back({user, vhost, configure, write, read});
  }
  void Has(const api::Policy& policy) { broker_.policies->push_back(ToBroker(policy)); }
  void HasForOperators(const api::Policy& policy) {
    broker_.operator_policies->push_back(ToBroker(policy));
  }
  rabbitmq::Vhost& HasVhost(std::string name) {
    return broker_.vhosts->emplace_back(rabbitmq::Vhost{.name = std::move(name)});
  }
  // The look was asked for all that it can be asked for.
  void EverythingIsRead() {
    broker_.vhost_limits = std::vector<rabbitmq::VhostLimits>{};
    broker_.user_limits = std::vector<rabbitmq::UserLimits>{};
    broker_.topic_permissions = std::vector<rabbitmq::TopicPermission>{};
    broker_.operator_policies = std::vector<rabbitmq::Policy>{};
  }
  // All of this generation was seen in effect: what differs now was changed by somebody.
  void WasInEffect() {
    cluster_.status.observed_generation = cluster_.meta.generation;
    for (const char* type : {"TopologySynced", "FieldsInEffect"}) {
      cluster_.status.conditions.push_back({.type = type,
                                            .status = api::ConditionStatus::kTrue,
                                            .observed_generation = cluster_.meta.generation});
    }
  }

  // --- what the planners make of it
  Plan MakePlan(std::optional<std::size_t> after = {}) {
    seen_.broker.view =
        broker_answers_ ? std::make_shared<const rabbitmq::BrokerView>(broker_) : nullptr;
    Plan plan;
    if (after) plan.steps.resize(*after + 1);
    PlanClusterName(cluster_, seen_, 3, after, plan);
    PlanVhosts(cluster_, seen_, 3, after, plan);
    PlanUsers(cluster_, seen_, 3, after, plan);
    PlanPolicies(cluster_, seen_, 3, after, plan);
    return plan;
  }

  // "put policy half in vhost /: does not exist [drift] [after 0]".
  std::vector<std::string> Steps() {
    std::vector<std::string> lines;
    for (const Step& step : MakePlan().steps) {
      std::string line = std::visit([](const auto& action) { return Text(action); }, step.action);
      line += ": " + step.reason;
      if (step.repairs_drift) line += " [drift]";
      if (step.after) line += " [after " + std::to_string(*step.after) + "]";
      lines.push_back(std::move(line));
    }
    return lines;
  }

  // "NeedsPerson SecretMissing: …" or "Problem …".
  std::vector<std::string> Problems() {
    std::vector<std::string> lines;
    for (const Problem& problem : MakePlan().problems) {
      EXPECT_EQ(problem.aspect, Aspect::kTopology);
      lines.push_back((problem.needs_person ? "NeedsPerson " : "Problem ") + problem.reason + ": " +
                      problem.message);
    }
    return lines;
  }

  std::vector<std::string> Waits() {
    std::vector<std::string> lines;
    for (const Wait& wait : MakePlan().waits) {
      EXPECT_EQ(wait.aspect, Aspect::kTopology);
      lines.push_back(wait.reason + ": " + wait.message);
    }
    return lines;
  }

  api::RabbitCluster cluster_;
  observe::Observation seen_;
  rabbitmq::BrokerView broker_;
  bool broker_answers_ = true;

 private:
  static std::string Text(const PutClusterName& put) { return "put cluster name " + put.name; }
  static std::string Text(const PutVhost& put) {
    std::string text = "put vhost " + put.name;
    if (!put.description.empty()) text += " '" + put.description + "'";
    for (const std::string& tag : put.tags) text += " #" + tag;
    if (!put.default_queue_type.empty()) text += " of " + put.default_queue_type;
    return text;
  }
  static std::string Text(const DeleteVhost& gone) {
    return "delete vhost " + gone.name + (gone.if_empty ? " if empty" : "");
  }
  static std::string Text(const PutVhostLimit& put) {
    return "put limit " + put.limit + " " + std::to_string(put.value) + " of vhost " + put.vhost;
  }
  static std::string Text(const DeleteVhostLimit& gone) {
    return "delete limit " + gone.limit + " of vhost " + gone.vhost;
  }
  static std::string Text(const PutUserLimit& put) {
    return "put limit " + put.limit + " " + std::to_string(put.value) + " of user " + put.user;
  }
  static std::string Text(const DeleteUserLimit& gone) {
    return "delete limit " + gone.limit + " of user " + gone.user;
  }
  static std::string Text(const PutUser& put) {
    std::string text = "put user " + put.name;
    for (const std::string& tag : put.tags) text += " #" + tag;
    if (put.password) text += " password=" + std::string(put.password->Reveal());
    if (!put.password_hash.empty()) text += " same hash";
    return text;
  }
  static std::string Text(const DeleteUser& gone) { return "delete user " + gone.name; }
  static std::string Text(const PutPermissions& put) {
    return "put permissions " + put.user + " in " + put.vhost + " " + put.configure + " " +
           put.write + " " + put.read;
  }
  static std::string Text(const DeletePermissions& gone) {
    return "delete permissions " + gone.user + " in " + gone.vhost;
  }
  static std::string Text(const PutTopicPermission& put) {
    return "put topic permission " + put.user + " in " + put.vhost + " on " + put.exchange + " " +
           put.write + " " + put.read;
  }
  static std::string Text(const DeleteTopicPermission& gone) {
    return "delete topic permission " + gone.user + " in " + gone.vhost + " on " + gone.exchange;
  }
  static std::string Text(const PutPolicy& put) {
    return "put " + PolicySubject(put.vhost, put.name, put.kind) + " " + put.pattern + " " +
           put.apply_to + " " + std::to_string(put.priority) + " " + put.definition;
  }
  static std::string Text(const DeletePolicy& gone) {
    return "delete " + PolicySubject(gone.vhost, gone.name, gone.kind);
  }
  static std::string Text(const auto& /*not of the broker*/) { return "something else"; }

  base::SequenceRandom random_;
};

}  // namespace rabbit::plan
