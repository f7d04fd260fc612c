// operator/report/report_fixture.h: for tests: cluster c in namespace ns, three nodes and two
// proxies, in effect and settled, and words to make it otherwise.
//   NodeIsNotReady(1); Make(); EXPECT_EQ(Says("Ready"), "False/NodesStarting");
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "operator/api/conditions.h"
#include "operator/plan/policies.h"
#include "operator/report/report.h"
#include "operator/resources/names.h"

namespace rabbit::report {

class ReportTest : public testing::Test {
 protected:
  ReportTest() {
    cluster_.meta.key = {"ns", "c"};
    cluster_.meta.generation = 1;
    cluster_.spec.cluster_name = "c";
    cluster_.spec.replicas = 3;
    plan_.declared = {.replicas = 3,
                      .broker_image = "rabbitmq:3.13",
                      .proxy_image = "haproxy:3.0",
                      .proxy_config_hash = "cfg1"};
    seen_.inventory = observe::Inventory{};
    seen_.inventory->formed = true;
    seen_.stateful_set = observe::StatefulSetState{3, 3, "t1", "c1"};
    seen_.proxy_deployment = observe::DeploymentState{2, 2, 2, true};
    broker_.cluster_name = "c";
    broker_.version = "3.13.7";
    broker_.nodes = std::vector<rabbitmq::Node>{};
    broker_.vhosts = std::vector<rabbitmq::Vhost>{{.name = "/"}};
    broker_.users = std::vector<rabbitmq::User>{};
    broker_.permissions = std::vector<rabbitmq::Permission>{};
    broker_.policies = std::vector<rabbitmq::Policy>{};
    broker_.queues = rabbitmq::QueueSummary{};
    haproxy::ProxyView view{.config_hash = "cfg1", .servers = {}};
    for (int i = 0; i < 3; ++i) {
      observe::Pod pod;
      pod.name = resources::PodName("c", i);
      pod.ip = "10.0.0." + std::to_string(i + 1);
      pod.image = "rabbitmq:3.13";
      pod.ready = true;
      pod.volume_uid = "volume-" + std::to_string(i);
      seen_.nodes.push_back(pod);
      broker_.nodes->push_back(
          {.name = resources::NodeName("c", "ns", i), .running = true, .details_known = true});
      view.servers.push_back({.name = pod.name,
                              .state = haproxy::ServerState::kUp,
                              .status = "UP",
                              .last_check = "L7OK"});
    }
    for (const char* name : {"c-haproxy-a", "c-haproxy-b"}) {
      observe::Pod proxy;
      proxy.name = name;
      proxy.ready = true;
      proxy.config_hash = "cfg1";
      seen_.proxies.push_back(proxy);
      seen_.proxy_looks.push_back(
          {.pod = name, .view = std::make_shared<haproxy::ProxyView>(view), .trouble = {}});
    }
    seen_.broker.at = now_;
  }

  // --- the world
  void NodeIsNotReady(std::size_t i) { seen_.nodes[i].ready = false; }
  void BrokerIsSilent(const std::string& trouble = "c-node-0: connection refused") {
    seen_.broker.trouble = trouble;
  }
  void NoBrokerAnsweredYet() { broker_answered_ = false; }
  rabbitmq::QueueCounts& Queues() { return broker_.queues->all; }
  void Declare(const std::string& policy, bool at_broker = true) {
    cluster_.spec.policies.push_back({.vhost = "/",
                                      .name = policy,
                                      .pattern = "^q",
                                      .apply_to = api::ApplyTo::kQueues,
                                      .priority = 0,
                                      .definition = R"({"ha-mode":"all"})"});
    if (at_broker) broker_.policies->push_back(plan::ToBroker(cluster_.spec.policies.back()));
  }

  void DeclareForOperators(const std::string& policy, bool at_broker = true) {
    auto& declared = cluster_.spec.operator_policies;
    declared.push_back({.vhost = "/",
                        .name = policy,
                        .pattern = "^q",
                        .apply_to = api::ApplyTo::kQueues,
                        .priority = 0,
                        .definition = R"({"max-length":5})"});
    if (!broker_.operator_policies) broker_.operator_policies = std::vector<rabbitmq::Policy>{};
    if (at_broker) broker_.operator_policies->push_back(plan::ToBroker(declared.back()));
  }

  // --- the plan and what became of it
  void Problem(plan::Aspect aspect, std::string reason, std::string message, bool person = true) {
    plan_.problems.push_back({aspect, std::move(reason), std::move(message), person});
  }
  void Wait(plan::Aspect aspect, std::string reason, std::string message) {
    plan_.waits.push_back({aspect, std::move(reason), std::move(message)});
  }
  void Did(plan::Action action, std::string reason = "does not exist", bool drift = false) {
    plan_.steps.push_back({std::move(action), std::move(reason), {}, drift});
    results_.push_back({.outcome = StepResult::Outcome::kDone, .error = {}});
  }
  void Failed(plan::Action action, base::ErrorKind kind, std::string message) {
    plan_.steps.push_back({std::move(action), "does not exist"});
    results_.push_back({.outcome = StepResult::Outcome::kFailed,
                        .error = base::Error{.kind = kind, .message = std::move(message)}});
  }
  void NothingLeftToDo() {
    plan_.steps.clear();
    plan_.problems.clear();
    plan_.waits.clear();
    results_.clear();
  }
  static plan::CreateObject Create(const kube::ResourceType& type, std::string name) {
    return {type, std::move(name), "{}"};
  }

  // --- what is told
  // Reports, and stores the status as the server would.
  const Report& Make() {
    seen_.broker.view =
        broker_answered_ ? std::make_shared<rabbitmq::BrokerView>(broker_) : nullptr;
    report_ = MakeReport(cluster_, seen_, plan_, results_, now_, wall_now_);
    written_ = !(report_.status == cluster_.status);
    cluster_.status = report_.status;
    seen_.waiting_since = report_.waiting;
    return report_;
  }
  void Advance(std::chrono::milliseconds by) {
    now_ += by;
    wall_now_ += by;
    if (broker_answered_ && seen_.broker.trouble.empty()) seen_.broker.at = now_;
  }
  const api::Condition& Condition(std::string_view type) {
    const api::Condition* found = api::FindCondition(report_.status.conditions, type);
    if (found != nullptr) return *found;
    ADD_FAILURE() << "no condition " << type;
    static const api::Condition kNone;
    return kNone;
  }
  // "False/NodesStarting".
  std::string Says(std::string_view type) {
    const api::Condition& condition = Condition(type);
    return std::string(api::Name(condition.status)) + "/" + condition.reason;
  }
  // "Normal Created: …".
  std::vector<std::string> Events() {
    std::vector<std::string> lines;
    for (const Event& event : report_.events) {
      lines.push_back((event.warning ? "Warning " : "Normal ") + event.reason + ": " +
                      event.message);
    }
    return lines;
  }

  api::RabbitCluster cluster_;
  observe::Observation seen_;
  rabbitmq::BrokerView broker_;
  bool broker_answered_ = true;
  plan::Plan plan_;
  std::vector<StepResult> results_;
  Report report_;
  bool written_ = false;  // whether the last Make() gave another status than was stored
  base::TimePoint now_{std::chrono::hours(1)};
  base::WallTime wall_now_{std::chrono::seconds(1'767'225'600)};  // 2026-01-01T00:00:00Z
};

}  // namespace rabbit::report
