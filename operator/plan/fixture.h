// operator/plan/fixture.h: for tests of planners that look at Kubernetes: a cluster c in namespace
// ns of three nodes that have formed and are well, and words to observe something else.
//   Kill(1); EXPECT_THAT(Waits(), ElementsAre("NodesStarting: …"));
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "operator/api/types.h"
#include "operator/observe/observation.h"
#include "operator/plan/plan.h"
#include "operator/resources/names.h"

namespace rabbit::plan {

class PlanTest : public testing::Test {
 protected:
  PlanTest() {
    cluster_.meta.key = {"ns", "c"};
    cluster_.meta.uid = "uid-of-c";
    cluster_.meta.generation = 1;
    cluster_.spec.cluster_name = "c";
    cluster_.spec.replicas = 3;
    seen_.inventory = observe::Inventory{
        .replicas = 3, .formed = true, .users = {}, .policies = {}, .volumes = {}, .storage = {}};
    seen_.stateful_set = observe::StatefulSetState{
        .replicas = 3, .ready_replicas = 3, .template_hash = "s-t", .config_hash = "s-c"};
    for (int i = 0; i < 3; ++i) {
      Runs(i);
      seen_.inventory->volumes[i] = "disk-" + std::to_string(i);
    }
    now_ = clock_.Now();
    seen_.broker.at = now_;
  }

  static std::string NodeName(int ordinal) { return resources::NodeName("c", "ns", ordinal); }

  // --- observed
  observe::Pod& Pod(int ordinal) {
    const std::string name = resources::PodName("c", ordinal);
    for (observe::Pod& pod : seen_.nodes) {
      if (pod.name == name) return pod;
    }
    observe::Pod pod;
    pod.name = name;
    pod.uid = "pod-" + std::to_string(ordinal);
    pod.ip = "10.0.0." + std::to_string(ordinal);
    pod.image = "rabbitmq:3.13-management";
    pod.template_hash = "s-t";
    pod.config_hash = "s-c";
    pod.volume_uid = "disk-" + std::to_string(ordinal);
    return seen_.nodes.emplace_back(std::move(pod));
  }
  // A member whose pod serves.
  void Runs(int ordinal) {
    Pod(ordinal).ready = true;
    IsMember(ordinal, true);
  }
  void IsMember(int ordinal, bool running) {
    for (rabbitmq::Node& node : members_) {
      if (node.name == NodeName(ordinal)) {
        node.running = running;
        return;
      }
    }
    rabbitmq::Node node;
    node.name = NodeName(ordinal);
    node.running = running;
    members_.push_back(std::move(node));
  }
  // The pod is gone and another one has its name, with the same disk.
  void IsReplaced(int ordinal) {
    Pod(ordinal).ready = false;
    Pod(ordinal).uid += "-new";
    IsMember(ordinal, false);
  }
  // At the guard, with a blank disk.
  void IsHeld(int ordinal, const std::string& volume) {
    observe::Pod& pod = Pod(ordinal);
    pod.ready = false;
    pod.preparing = true;
    pod.preparing_since = now_;
    pod.volume_uid = volume;
  }
  void NobodyAnswers() {
    answers_ = false;
    seen_.broker.trouble = "connection refused";
  }

  // The observation with the broker's view put in.
  const observe::Observation& Seen() {
    seen_.broker.view = nullptr;
    if (answers_) {
      rabbitmq::BrokerView view;
      view.nodes = members_;
      seen_.broker.view = std::make_shared<const rabbitmq::BrokerView>(std::move(view));
    }
    return seen_;
  }

  // --- what a planner said
  static std::vector<std::string> Waits(const Plan& plan) {
    std::vector<std::string> lines;
    lines.reserve(plan.waits.size());
    for (const Wait& wait : plan.waits) lines.push_back(wait.reason + ": " + wait.message);
    return lines;
  }
  static std::vector<std::string> Problems(const Plan& plan) {
    std::vector<std::string> lines;
    lines.reserve(plan.problems.size());
    for (const Problem& problem : plan.problems) {
      lines.push_back((problem.needs_person ? "NeedsPerson " : "") + problem.reason + ": " +
                      problem.message);
    }
    return lines;
  }
  // "create ConfigMap c-config: does not exist [drift] [after 0]".
  static std::vector<std::string> Steps(const Plan& plan) {
    std::vector<std::string> lines;
    for (const Step& step : plan.steps) {
      std::string line = Describe(step) + ": " + step.reason;
      if (step.repairs_drift) line += " [drift]";
      if (step.after) line += " [after " + std::to_string(*step.after) + "]";
      lines.push_back(std::move(line));
    }
    return lines;
  }

  api::RabbitCluster cluster_;
  observe::Observation seen_;
  std::vector<rabbitmq::Node> members_;
  bool answers_ = true;
  base::ManualClock clock_;
  base::TimePoint now_;
};

}  // namespace rabbit::plan
