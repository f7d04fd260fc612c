#include "operator/plan/plugins.h"

#include <algorithm>

#include "operator/plan/attempts.h"
#include "operator/plan/fixture.h"

namespace rabbit::plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using enum rabbitmq::Plugin::State;

constexpr const char* kAll = "rabbitmq_management, rabbitmq_prometheus and rabbitmq_shovel";

// Three nodes that have what is declared: management, prometheus and rabbitmq_shovel.
class PlanPluginsTest : public PlanTest {
 protected:
  PlanPluginsTest() {
    cluster_.spec.plugins = {"rabbitmq_shovel"};
    for (rabbitmq::Node& node : members_) {
      node.plugins_known = true;
      node.plugins = {{"rabbitmq_shovel", kEnabled}};
    }
  }

  Plan Planned() {
    Seen();
    Plan plan;
    PlanPlugins(cluster_, seen_, 3, now_, plan);
    return plan;
  }
  // The node's steps are carried out, with this trouble or none.
  void Try(const std::string& trouble = {}) {
    const Plan plan = Planned();
    for (const Step& step : plan.steps) RememberAttempt(step, trouble, now_, seen_.attempts);
    for (const std::string& settled : plan.settled_attempts) seen_.attempts.erase(settled);
  }
  // Until nothing is left to do, in images that do not have the plugin nope.
  void TryAll() {
    for (Plan plan = Planned(); !plan.steps.empty(); plan = Planned()) {
      const auto& set = std::get<SetPlugins>(plan.steps.front().action);
      const bool lacks_one = std::ranges::find(set.plugins, "nope") != set.plugins.end();
      RememberAttempt(plan.steps.front(), lacks_one ? "no such plugin: nope" : "", now_,
                      seen_.attempts);
    }
  }
  void Later(base::Duration time) {
    now_ += time;
    seen_.broker.at = now_;
  }
  void WasInEffect() {
    for (const char* type : {"TopologySynced", "FieldsInEffect"}) {
      cluster_.status.conditions.push_back({.type = type,
                                            .status = api::ConditionStatus::kTrue,
                                            .observed_generation = cluster_.meta.generation});
    }
  }
};

TEST_F(PlanPluginsTest, NothingIsDoneWhereTheListIsAsDeclared) {
  EXPECT_THAT(Steps(Planned()), IsEmpty());
  EXPECT_THAT(Waits(Planned()), IsEmpty());
}

TEST_F(PlanPluginsTest, AnotherListIsPutIntoEffectOnEachNodeByACommand) {
  cluster_.spec.plugins = {"rabbitmq_top", "rabbitmq_management"};
  const std::string step =
      ": rabbitmq_top is not enabled; rabbitmq_shovel is enabled and not declared";
  const std::string enable =
      "enable plugins rabbitmq_management, rabbitmq_prometheus and rabbitmq_top in pod c-node-";
  EXPECT_THAT(Steps(Planned()), ElementsAre(enable + "0" + step));
  EXPECT_THAT(Waits(Planned()),
              ElementsAre("PluginsChanging: the plugins of c-node-1 and c-node-2 are set after "
                          "those of c-node-0: one node at a time"));
  Try();
  EXPECT_THAT(Steps(Planned()), ElementsAre(enable + "1" + step));
  Try("busy");
  EXPECT_THAT(Steps(Planned()), ElementsAre(enable + "2" + step)) << "one in vain holds none back";
}

TEST_F(PlanPluginsTest, TheyAreComingUntilTheyRunOrCannotBeHad) {
  const auto coming = [&] {
    Seen();
    return PluginsAreComing(cluster_, seen_, 3);
  };
  EXPECT_FALSE(coming());
  members_[1].plugins = {{"rabbitmq_shovel", kIdle}};
  EXPECT_TRUE(coming());
  members_[1].running = false;
  EXPECT_FALSE(coming()) << "it has them when it boots";
  members_[1].running = true;
  members_[1].plugins = {};
  EXPECT_TRUE(coming());
  Try();
  EXPECT_TRUE(coming()) << "the broker is yet to show it";
  Later(std::chrono::seconds(10));
  EXPECT_FALSE(coming()) << "it was in vain";
  members_[1].plugins = {{"rabbitmq_shovel", kEnabled}, {"rabbitmq_top", kEnabled}};
  seen_.attempts.clear();
  EXPECT_FALSE(coming()) << "one too many is in nobody's way";
  cluster_.spec.plugins = {"rabbitmq_shovel", "nope"};
  EXPECT_TRUE(coming());
  TryAll();
  members_[1].plugins = {{"rabbitmq_shovel", kEnabled}};
  EXPECT_FALSE(coming()) << "there is no other";
}

TEST_F(PlanPluginsTest, WhatIsEnabledOrDisabledByHandIsPutBack) {
  WasInEffect();
  members_[1].plugins = {};
  members_[2].plugins = {
      {"rabbitmq_prometheus", kOff}, {"rabbitmq_shovel", kEnabled}, {"rabbitmq_top", kEnabled}};
  EXPECT_THAT(Steps(Planned()),
              ElementsAre(std::string("enable plugins ") + kAll +
                          " in pod c-node-1: rabbitmq_shovel is not enabled [drift]"));
  Try();
  EXPECT_THAT(Steps(Planned()),
              ElementsAre(std::string("enable plugins ") + kAll +
                          " in pod c-node-2: rabbitmq_prometheus is not enabled; rabbitmq_top is "
                          "enabled and not declared [drift]"));
}

TEST_F(PlanPluginsTest, WithoutDeclaredPluginsTheListIsManagementAndPrometheus) {
  cluster_.spec.plugins = {};
  EXPECT_THAT(Planned().steps, SizeIs(1));
  for (rabbitmq::Node& node : members_) node.plugins = {};
  EXPECT_THAT(Steps(Planned()), IsEmpty());
}

TEST_F(PlanPluginsTest, ANodeThatIsDownOrYetToTellIsLeftAlone) {
  members_[0].plugins_known = false;
  members_[0].plugins = {};
  members_[1].plugins = {};
  members_[1].running = false;
  members_[2].plugins = {};
  Pod(2).ready = false;
  EXPECT_THAT(Steps(Planned()), IsEmpty());
}

TEST_F(PlanPluginsTest, TheCommandIsNotRepeatedBeforeTheBrokerCanShowWhatItDid) {
  members_[0].plugins = {};
  Try();
  now_ += std::chrono::seconds(20);  // the look is of before
  EXPECT_THAT(Steps(Planned()), IsEmpty());
  EXPECT_THAT(Waits(Planned()), ElementsAre("PluginsChanging: waiting for c-node-0 to show the "
                                            "plugins that it was told to enable"));
  Later(std::chrono::seconds(1));
  EXPECT_THAT(Planned().steps, SizeIs(1)) << "somebody took it out again";
}

TEST_F(PlanPluginsTest, APluginThatTheImageLacksIsToldAndTheOthersAreInEffect) {
  cluster_.spec.plugins = {"rabbitmq_shovel", "rabbitmq_top", "nope"};
  Try("enable plugins … in pod …: no such plugin: nope");
  const auto told = ElementsAre(
      "NeedsPerson PluginMissing: spec.plugins: no plugin nope in the image of c-node-0, c-node-1 "
      "and c-node-2: take it out, or use an image that has it; the others are in effect");
  EXPECT_THAT(Steps(Planned()).at(0),
              "enable plugins rabbitmq_management, rabbitmq_prometheus, rabbitmq_shovel and "
              "rabbitmq_top in pod c-node-0: rabbitmq_top is not enabled");
  TryAll();
  for (rabbitmq::Node& node : members_) node.plugins.push_back({"rabbitmq_top", kEnabled});
  EXPECT_THAT(Steps(Planned()), IsEmpty());
  EXPECT_THAT(Problems(Planned()), told);
  Later(std::chrono::minutes(50));
  EXPECT_THAT(Steps(Planned()), IsEmpty()) << "an image does not change";
  EXPECT_THAT(Problems(Planned()), told);

  // Something else by hand is put back all the same.
  members_[0].plugins = {{"rabbitmq_top", kEnabled}};
  EXPECT_THAT(Planned().steps, SizeIs(1));
  // And a new pod may be of a new image.
  Pod(0).uid = "another";
  Pod(1).uid = "another";
  members_[0].plugins = {{"rabbitmq_shovel", kEnabled}};
  Try();
  EXPECT_THAT(Steps(Planned()).at(0), testing::HasSubstr("c-node-1"));
}

TEST_F(PlanPluginsTest, ANodeThatBootsWithSuchANameInItsListIsAskedOnceAndRidOfIt) {
  cluster_.spec.plugins = {"rabbitmq_shovel", "nope"};
  for (rabbitmq::Node& node : members_) node.plugins.insert(node.plugins.begin(), {"nope", kIdle});
  EXPECT_THAT(Steps(Planned()), IsEmpty()) << "it may be starting";
  EXPECT_THAT(Waits(Planned()), SizeIs(3));
  seen_.waiting_since["PluginsStarting"] = now_;
  Later(std::chrono::seconds(15));
  Try("no such plugin: nope");
  EXPECT_THAT(Steps(Planned()).at(0), std::string("enable plugins ") + kAll +
                                          " in pod c-node-0: nope is enabled and not declared");
  TryAll();
  for (rabbitmq::Node& node : members_) node.plugins.erase(node.plugins.begin());
  Later(std::chrono::seconds(20));
  EXPECT_THAT(Steps(Planned()), IsEmpty());
  EXPECT_THAT(Problems(Planned()), SizeIs(1));
}

TEST_F(PlanPluginsTest, OneThatDoesNotStartIsToldAndTriedLessAndLessOften) {
  members_[0].plugins = {{"rabbitmq_shovel", kIdle}};
  seen_.waiting_since["PluginsStarting"] = now_ - std::chrono::seconds(15);
  EXPECT_THAT(Planned().steps, SizeIs(1));
  Try();
  Later(std::chrono::seconds(10));
  Try();
  Later(std::chrono::seconds(29));
  EXPECT_THAT(Steps(Planned()), IsEmpty());
  EXPECT_THAT(Problems(Planned()),
              ElementsAre("NeedsPerson PluginsNotRunning: c-node-0: rabbitmq_shovel is enabled and "
                          "not running: see the log of the pod"));
  Later(std::chrono::seconds(1));
  EXPECT_THAT(Planned().steps, SizeIs(1));
}

TEST_F(PlanPluginsTest, WhatSomebodyElseChangesAgainAndAgainIsPutBackLessAndLessOften) {
  std::vector<int> pauses;
  for (int i = 0; i < 4; ++i) {
    members_[0].plugins = {};
    int seconds = 0;
    for (; Planned().steps.empty() && seconds < 2'000; ++seconds) Later(std::chrono::seconds(1));
    pauses.push_back(seconds);
    Try();
    members_[0].plugins = {{"rabbitmq_shovel", kEnabled}};
    Later(std::chrono::seconds(10));
    EXPECT_THAT(Problems(Planned()), IsEmpty());
    Try();  // seen in effect
  }
  EXPECT_THAT(pauses, ElementsAre(0, 0, 20, 80));
  members_[0].plugins = {};
  EXPECT_THAT(Problems(Planned()),
              ElementsAre("NeedsPerson PluginsNotSet: c-node-0: rabbitmq_shovel is not enabled, "
                          "although they were set in the pod: does somebody else change them? They "
                          "are set again, less and less often"));
}

TEST_F(PlanPluginsTest, WhatFailedLongAgoIsNotToldOfAFreshDifference) {
  members_[0].plugins = {};
  Try("the node is busy");
  members_[0].plugins = {{"rabbitmq_shovel", kEnabled}};  // by hand
  Later(std::chrono::seconds(301));
  Try();
  members_[0].plugins = {};
  EXPECT_THAT(Problems(Planned()), IsEmpty());
  EXPECT_THAT(Planned().steps, SizeIs(1));
}

TEST_F(PlanPluginsTest, FeatureFlagsWaitForPluginsThatAreUnderWay) {
  const auto is_at_rest = [this] {
    Seen();
    Plan plan;
    return PlanPlugins(cluster_, seen_, 3, now_, plan);
  };
  EXPECT_TRUE(is_at_rest());
  members_[0].plugins = {};
  EXPECT_FALSE(is_at_rest());
  Try();
  EXPECT_FALSE(is_at_rest()) << "it is yet to be shown";
  Try("busy");
  Later(std::chrono::seconds(10));
  Try("busy");
  EXPECT_TRUE(is_at_rest()) << "what fails may fail for months";
}

TEST_F(PlanPluginsTest, ACommandThatFailsIsRepeatedLessAndLessOften) {
  members_[0].plugins = {};
  std::vector<int> pauses;
  Try("the node is busy");
  for (int i = 0; i < 4; ++i) {
    EXPECT_THAT(Problems(Planned()),
                ElementsAre("PluginsNotSet: c-node-0: rabbitmq_shovel is not enabled; the node is "
                            "busy; it is tried again"));
    int seconds = 0;
    while (Planned().steps.empty() && seconds < 2'000) {
      Later(std::chrono::seconds(1));
      ++seconds;
    }
    pauses.push_back(seconds);
    Try("the node is busy");
  }
  EXPECT_THAT(pauses, ElementsAre(10, 30, 90, 270));
}

}  // namespace
}  // namespace rabbit::plan
