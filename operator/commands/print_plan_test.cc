#include "operator/commands/print_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace rabbit::commands {
namespace {

using testing::HasSubstr;
using testing::Not;

ClusterPlan Of(plan::Plan plan) {
  ClusterPlan of;
  of.cluster.meta.key = {"ns", "c"};
  of.broker = "RabbitMQ 4.0.5";
  of.plan = std::move(plan);
  return of;
}

std::string Print(const ClusterPlan& plan) { return PrintPlan(plan, false); }

plan::Step PolicyStep() {
  return {plan::PutPolicy{"/", "p", "^b", "queues", 0, "{}"}, "pattern is \"^a\"", std::nullopt,
          true};
}

ClusterPlan Changed() {
  ClusterPlan of = Of({});
  of.plan.steps = {{plan::CreateObject{kube::kConfigMaps, "c-inventory", "{}"}, "does not exist"},
                   PolicyStep(),
                   {plan::DeleteUser{"old"}, "is no longer declared"}};
  of.plan.steps[1].after = 0;
  of.steps = {{Kind::kCreate, {}},
              {Kind::kChange, {{"pattern", R"("^a")", R"("^b")"}, {"priority", {}, "1"}}},
              {Kind::kDelete, {{"tags", R"(["x"])", {}}}}};
  return of;
}

TEST(PrintPlan, AnEmptyPlanSaysSo) {
  EXPECT_EQ(Print(Of({})), "RabbitCluster ns/c\nbroker: RabbitMQ 4.0.5\nnothing to do\n");
}

TEST(PrintPlan, StepsComeInOrderWithTheirReasonsAndWithOldAndNewValues) {
  EXPECT_EQ(Print(Changed()),
            "RabbitCluster ns/c\n"
            "broker: RabbitMQ 4.0.5\n"
            "the operator would:\n"
            "  1. + create ConfigMap c-inventory: does not exist\n"
            "  2. ~ write policy p in vhost /, after 1: pattern is \"^a\" (repair)\n"
            "       pattern: \"^a\" -> \"^b\"\n"
            "       priority: 1\n"
            "  3. - delete user old: is no longer declared\n"
            "       tags: [\"x\"] -> (none)\n"
            "and then looks again: what follows from that shows only then\n");
}

TEST(PrintPlan, ColoursSayWhatIsMadeChangedAndRemoved) {
  const std::string text = PrintPlan(Changed(), true);
  EXPECT_THAT(text, HasSubstr("\033[32m+ create ConfigMap c-inventory\033[0m"));
  EXPECT_THAT(text, HasSubstr("\033[33m~ write policy p in vhost /\033[0m"));
  EXPECT_THAT(text, HasSubstr("\033[31m- delete user old\033[0m"));
  EXPECT_THAT(text, HasSubstr("pattern: \033[31m\"^a\"\033[0m -> \033[32m\"^b\"\033[0m"));
  EXPECT_THAT(Print(Changed()), Not(HasSubstr("\033")));
}

TEST(PrintPlan, OfTextsOfSeveralLinesThoseThatDiffer) {
  ClusterPlan of = Of({});
  of.plan.steps = {{plan::ApplyObject{kube::kConfigMaps, "c-config", "u", "{}"}, "has changed"}};
  of.steps = {{Kind::kChange,
               {{"data[\"rabbitmq.conf\"]", R"("a = 1\nb = 2\nc = 3\n")",
                 R"("a = 1\nb = 3\nc = 3\nd = 4\n")"}}}};
  EXPECT_THAT(Print(of), HasSubstr("       data[\"rabbitmq.conf\"]:\n"
                                   "         - b = 2\n"
                                   "         + b = 3\n"
                                   "         + d = 4\n"
                                   "and then"));
}

TEST(PrintPlan, WhatSomebodyWroteIsShortAndPrintable) {
  ClusterPlan of = Of({});
  of.plan.steps = {PolicyStep()};
  of.steps = {{Kind::kChange, {{"pattern", "\"\033[2J\"", "\"" + std::string(1000, 'x') + "\""}}}};
  EXPECT_THAT(Print(of), Not(HasSubstr("\033")));
  EXPECT_LT(Print(of).size(), 600U);
}

TEST(PrintPlan, WhatIsInTheWayIsNamedFirst) {
  ClusterPlan of = Of({});
  of.cluster.findings.warnings.push_back({"spec.replicas", "is even"});
  of.cluster.findings.unknown_fields.push_back("spec.replica");
  of.plan.problems.push_back({plan::Aspect::kTopology, "InvalidPattern", "policy p: (", true});
  of.plan.problems.push_back({plan::Aspect::kNodes, "NodesInTrouble", "node 1 is late", false});
  of.plan.waits.push_back({plan::Aspect::kNodes, "NodesStarting", "1 of 3 nodes"});
  of.plan.warnings.push_back({"PolicyWarning", "policy q: 5 of 3"});
  of.plan.fields_without_effect = {"spec.tls"};
  EXPECT_EQ(Print(of),
            "RabbitCluster ns/c\n"
            "broker: RabbitMQ 4.0.5\n"
            "problems:\n"
            "  InvalidPattern (needs a person): policy p: (\n"
            "  NodesInTrouble: node 1 is late\n"
            "warnings:\n"
            "  policy q: 5 of 3\n"
            "  spec.replicas: is even\n"
            "  spec.replica: no such field; it has no effect\n"
            "  spec.tls: this version of the operator does not act on it yet\n"
            "and waits for:\n"
            "  NodesStarting: 1 of 3 nodes\n"
            "and then looks again: what follows from that shows only then\n");
}

TEST(PrintPlan, APausedClusterShowsWhatIsHeldBack) {
  ClusterPlan of = Of({});
  of.plan.held.push_back({plan::PutVhost{"v"}, "does not exist"});
  of.held = {{Kind::kCreate, {}}};
  EXPECT_EQ(Print(of),
            "RabbitCluster ns/c\n"
            "broker: RabbitMQ 4.0.5\n"
            "the operator would, were spec.paused false:\n"
            "  1. + write vhost v: does not exist\n");
}

TEST(PrintPlan, AFilesOwnChangesAreToldApart) {
  ClusterPlan of = Of({});
  of.file = "c.yaml";
  of.declared = {{"spec.replicas", "3", "5"}};
  of.notes = {"a note"};
  EXPECT_EQ(Print(of),
            "RabbitCluster ns/c as of c.yaml\n"
            "broker: RabbitMQ 4.0.5\n"
            "note:\n"
            "  a note\n"
            "the file changes what is declared:\n"
            "  spec.replicas: 3 -> 5\n"
            "nothing for the operator to do\n");
  of.declared.clear();
  of.is_new = true;
  EXPECT_THAT(Print(of), HasSubstr("the file creates this RabbitCluster\n"));
}

TEST(PrintPlan, ABrokerThatCouldNotBeLookedAtIsNotPassedOver) {
  ClusterPlan of = Of({});
  of.broker.clear();
  of.broker_trouble = "c-node-0: 403 Forbidden";
  EXPECT_EQ(Print(of),
            "RabbitCluster ns/c\n"
            "broker not looked at: c-node-0: 403 Forbidden\n"
            "what is at the broker is no part of this plan\n"
            "nothing for the operator to do\n");
}

TEST(PrintPlan, WhereNothingCanBePlannedItSaysWhy) {
  ClusterPlan of = Of({});
  of.plan.unplanned = {"InvalidSpec", "the spec is not valid"};
  EXPECT_THAT(Print(of), HasSubstr("nothing is planned: the spec is not valid\n"));
}

TEST(ExitCodeOf, IsThatOfADiff) {
  EXPECT_EQ(ExitCodeOf(Of({})), 0);
  EXPECT_EQ(ExitCodeOf(Changed()), 1);
  struct Row {
    const char* what;
    std::function<void(ClusterPlan&)> change;
    int code;
  };
  for (const Row& row : {
           Row{"paused", [](auto& of) { of.plan.held = {PolicyStep()}; }, 1},
           Row{"a wait", [](auto& of) { of.plan.waits.emplace_back(); }, 1},
           Row{"a problem", [](auto& of) { of.plan.problems.emplace_back(); }, 1},
           Row{"a warning", [](auto& of) { of.plan.warnings.emplace_back(); }, 0},
           Row{"the file is new", [](auto& of) { of.is_new = true; }, 1},
           Row{"the file differs", [](auto& of) { of.declared.emplace_back(); }, 1},
           Row{"unplanned", [](auto& of) { of.plan.unplanned.emplace(); }, 2},
           Row{"not looked at", [](auto& of) { of.broker_trouble = "x"; }, 2},
           Row{"not looked at, and a step",
               [](auto& of) {
                 of.broker_trouble = "x";
                 of.plan.steps = {PolicyStep()};
               },
               1},
           Row{"not looked at, and waits for it",
               [](auto& of) {
                 of.broker_trouble = "x";
                 of.plan.waits.emplace_back();
               },
               2},
       }) {
    ClusterPlan of = Of({});
    row.change(of);
    EXPECT_EQ(ExitCodeOf(of), row.code) << row.what;
  }
}

TEST(PrintJson, HoldsAllOfIt) {
  ClusterPlan of = Changed();
  of.plan.problems.push_back({plan::Aspect::kTopology, "InvalidPattern", "policy p: (", true});
  of.plan.waits.push_back({plan::Aspect::kNodes, "NodesStarting", "1 of 3 nodes"});
  of.file = "c.yaml";
  of.declared = {{"spec.replicas", "3", "5"}};
  const auto json = nlohmann::json::parse(PrintJson({of, Of({})}));
  ASSERT_EQ(json.at("clusters").size(), 2U);
  const auto& first = json.at("clusters")[0];
  EXPECT_EQ(first.at("namespace"), "ns");
  EXPECT_EQ(first.at("name"), "c");
  EXPECT_EQ(first.at("exitCode"), 1);
  EXPECT_EQ(first.at("broker").at("seen"), true);
  EXPECT_EQ(first.at("steps")[1], nlohmann::json::parse(R"({
      "number": 2, "after": 1, "action": "change", "step": "write policy p in vhost /",
      "reason": "pattern is \"^a\"", "repair": true,
      "changes": [{"path": "pattern", "old": "^a", "new": "^b"},
                  {"path": "priority", "old": null, "new": 1}]})"));
  EXPECT_EQ(first.at("problems")[0].at("needsPerson"), true);
  EXPECT_EQ(first.at("waits")[0].at("reason"), "NodesStarting");
  EXPECT_EQ(first.at("declared")[0].at("new"), 5);
  EXPECT_EQ(json.at("clusters")[1].at("exitCode"), 0);
  EXPECT_FALSE(json.at("clusters")[1].contains("file"));
}

TEST(PrintJson, NoSecretIsInIt) {
  ClusterPlan of = Of({});
  of.plan.steps.push_back(
      {plan::PutUser{.name = "root", .tags = {}, .password = base::Secret("s3cret")}, "r"});
  of.plan.steps.push_back(
      {plan::ExecInPod{
           .pod = "p", .container = "c", .command = {"a"}, .input = base::Secret("s3cret")},
       "r"});
  of.plan.steps.push_back(
      {plan::ResetOwnUser{.pod = "p", .password = base::Secret("s3cret")}, "r"});
  EXPECT_THAT(PrintJson({of}) + Print(of), Not(HasSubstr("s3cret")));
}

}  // namespace
}  // namespace rabbit::commands
