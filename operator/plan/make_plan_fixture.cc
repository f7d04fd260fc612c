#include "operator/plan/make_plan_fixture.h"

namespace rabbit::plan {
namespace {

std::string Body(const Action& action) {
  if (const auto* create = std::get_if<CreateObject>(&action)) return create->body;
  if (const auto* apply = std::get_if<ApplyObject>(&action)) return apply->uid + apply->body;
  return {};
}

}  // namespace

std::vector<std::string> Told(const Plan& plan) {
  std::vector<std::string> lines;
  for (const Step& step : plan.steps) {
    lines.push_back(Describe(step) + ": " + step.reason +
                    (step.after ? " after " + std::to_string(*step.after) : "") +
                    (step.repairs_drift ? " drift " : " ") + Body(step.action));
  }
  for (const Problem& problem : plan.problems) lines.push_back(problem.reason + problem.message);
  for (const Wait& wait : plan.waits) lines.push_back(wait.reason + wait.message);
  for (const Warning& warning : plan.warnings) lines.push_back(warning.reason + warning.message);
  for (const auto& [id, verified] : plan.verified) lines.push_back(id.name + verified.desired_hash);
  for (const std::string& field : plan.fields_without_effect) lines.push_back(field);
  lines.push_back(plan.declared.proxy_config_hash);
  return lines;
}

Plan MakePlanTest::Next() {
  const observe::Observation seen = world_.Observe();
  PlanMemo nothing;
  const Plan fresh = MakePlan(world_.cluster, seen, {}, nothing, world_.now);
  Plan plan = MakePlan(world_.cluster, seen, {}, memo_, world_.now);
  EXPECT_EQ(Told(plan), Told(fresh)) << "the memo decides something";
  return plan;
}

void MakePlanTest::Round() {
  world_.Execute(Next(), [this] { return failing_ && coin_(engine_) == 0; });
  world_.Tick();
}

int MakePlanTest::Settle(int most) {
  int quiet = 0;
  for (int round = 1; round <= most; ++round) {
    const Plan plan = Next();
    const bool is_done = plan.steps.empty() && plan.waits.empty();
    quiet = is_done ? quiet + 1 : 0;
    if (quiet == 2) return round;
    Round();
  }
  ADD_FAILURE() << "not settled: " << testing::PrintToString(Told(Next()));
  return most;
}

}  // namespace rabbit::plan
