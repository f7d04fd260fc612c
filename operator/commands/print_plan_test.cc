#include "operator/commands/print_plan.h"

#include <gtest/gtest.h>

namespace rabbit::commands {
namespace {

api::RabbitCluster Cluster() {
  api::RabbitCluster cluster;
  cluster.meta.key = {"ns", "c"};
  return cluster;
}

TEST(PrintPlanTest, AnEmptyPlanSaysSo) {
  EXPECT_EQ(PrintPlan(Cluster(), {}), "RabbitCluster ns/c\nnothing to do\n");
}

TEST(PrintPlanTest, StepsComeInOrderWithTheirReasons) {
  plan::Plan plan;
  plan.steps.push_back(
      {plan::CreateObject{kube::kConfigMaps, "c-inventory", "{}"}, "does not exist"});
  plan.steps.push_back(
      {plan::PutUser{.name = "root", .tags = {}, .password = base::Secret("s3cret")},
       "was removed at the broker", 0, true});
  EXPECT_EQ(PrintPlan(Cluster(), plan),
            "RabbitCluster ns/c\n"
            "would do:\n"
            "  1. create ConfigMap c-inventory: does not exist\n"
            "  2. write user root, after 1: was removed at the broker (repair)\n");
}

TEST(PrintPlanTest, WhatIsInTheWayIsNamedFirst) {
  api::RabbitCluster cluster = Cluster();
  cluster.findings.warnings.push_back({"spec.replicas", "is even"});
  cluster.findings.unknown_fields.push_back("spec.replica");
  plan::Plan plan;
  plan.problems.push_back({plan::Aspect::kTopology, "InvalidPattern", "policy p: (", true});
  plan.problems.push_back({plan::Aspect::kNodes, "NodesInTrouble", "node 1 is late", false});
  plan.waits.push_back({plan::Aspect::kNodes, "NodesStarting", "1 of 3 nodes"});
  plan.warnings.push_back({"PolicyWarning", "policy q: 5 of 3"});
  EXPECT_EQ(PrintPlan(cluster, plan),
            "RabbitCluster ns/c\n"
            "problems:\n"
            "  InvalidPattern (needs a person): policy p: (\n"
            "  NodesInTrouble: node 1 is late\n"
            "warnings:\n"
            "  policy q: 5 of 3\n"
            "  spec.replicas: is even\n"
            "  spec.replica: no such field; it has no effect\n"
            "waits for:\n"
            "  NodesStarting: 1 of 3 nodes\n"
            "nothing to do\n");
}

TEST(PrintPlanTest, APausedClusterShowsWhatIsHeldBack) {
  plan::Plan plan;
  plan.held.push_back({plan::PutVhost{"v"}, "does not exist"});
  EXPECT_EQ(PrintPlan(Cluster(), plan),
            "RabbitCluster ns/c\n"
            "would do if spec.paused were false:\n"
            "  1. write vhost v: does not exist\n");
}

}  // namespace
}  // namespace rabbit::commands
