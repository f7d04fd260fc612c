#include "operator/plan/feature_flags.h"

#include "operator/observe/targets.h"
#include "operator/plan/attempts.h"
#include "operator/plan/fixture.h"

namespace rabbit::plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// Three nodes were upgraded to 4.3.6, which has two flags to enable.
class PlanFeatureFlagsTest : public PlanTest {
 protected:
  PlanFeatureFlagsTest() {
    seen_.inventory->flags_version = "4.0.5";
    to_enable_ = Flags{{"khepri_db"}, {"track_qq"}};
    for (rabbitmq::Node& node : members_) {
      node.version = "4.3.6";
      node.plugins_known = true;
    }
  }
  using Flags = std::vector<rabbitmq::FeatureFlag>;
  const observe::Observation& Looked() {
    auto view = std::make_shared<rabbitmq::BrokerView>(*Seen().broker.view);
    view->version = "4.3.6";
    view->flags_to_enable = to_enable_;
    seen_.broker.view = view;
    return seen_;
  }
  Plan Planned() {
    Plan plan;
    PlanFeatureFlags(cluster_, Looked(), 3, now_, plan);
    return plan;
  }
  std::string Recorded() { return FlagsVersionForInventory(cluster_, Looked(), 3); }
  bool IsAsked() { return observe::PartsToRead(cluster_, Looked()).flags_to_enable; }

  rabbitmq::Part<Flags> to_enable_;
};

TEST_F(PlanFeatureFlagsTest, TheyAreEnabledOnceAllNodesRunTheNewVersion) {
  const std::string why = ": all nodes run RabbitMQ 4.3.6, and it is disabled";
  EXPECT_THAT(Steps(Planned()), ElementsAre("enable feature flag khepri_db" + why,
                                            "enable feature flag track_qq" + why));
  EXPECT_TRUE(IsAsked());
  EXPECT_EQ(Recorded(), "4.0.5");
}

TEST_F(PlanFeatureFlagsTest, NotWhileANodeIsOfAnotherVersionOrDown) {
  members_[2].version = "4.0.5";  // of the same image, by its tag
  EXPECT_THAT(Steps(Planned()), IsEmpty());
  members_[2].version.clear();
  EXPECT_THAT(Steps(Planned()), IsEmpty()) << "it is yet to tell";
  members_[2].version = "4.3.6";
  Pod(2).ready = false;
  EXPECT_THAT(Steps(Planned()), IsEmpty());
  Pod(2).ready = true;
  IsMember(3, false);
  EXPECT_THAT(Steps(Planned()), IsEmpty()) << "a member that was scaled away";
}

TEST_F(PlanFeatureFlagsTest, ThatNoneIsLeftIsRecordedAndThenNotAskedAgain) {
  to_enable_ = Flags{};
  EXPECT_THAT(Steps(Planned()), IsEmpty());
  EXPECT_EQ(Recorded(), "4.3.6");
  EXPECT_TRUE(IsAsked());
  seen_.inventory->flags_version = "4.3.6";
  EXPECT_FALSE(IsAsked());
  to_enable_ = {};  // not asked
  EXPECT_EQ(Recorded(), "4.3.6");
}

TEST_F(PlanFeatureFlagsTest, ItIsNotRecordedWhileANodeMayBeOfAnotherVersion) {
  to_enable_ = Flags{};
  members_[0].version = "4.0.5";
  EXPECT_EQ(Recorded(), "4.0.5");
}

TEST_F(PlanFeatureFlagsTest, ABrokerWithoutFeatureFlagsHasNoneToEnable) {
  to_enable_ = base::Error{.kind = base::ErrorKind::kRetry, .message = "no answer"};
  EXPECT_EQ(Recorded(), "4.0.5");
  to_enable_ = base::Error{.kind = base::ErrorKind::kNotFound, .message = "404"};
  EXPECT_EQ(Recorded(), "4.3.6");
}

TEST_F(PlanFeatureFlagsTest, ByHandTheyAreToldAndLeft) {
  cluster_.spec.rollout.feature_flags = api::FeatureFlags::kManual;
  const Plan plan = Planned();
  EXPECT_THAT(Steps(plan), IsEmpty());
  ASSERT_THAT(plan.warnings, SizeIs(1));
  EXPECT_EQ(plan.warnings[0].reason, "FeatureFlagsDisabled");
  EXPECT_EQ(plan.warnings[0].message,
            "RabbitMQ 4.3.6 has stable feature flags that are not enabled, and "
            "spec.rollout.featureFlags is Manual: enable them before the next upgrade: khepri_db "
            "and track_qq");
}

TEST_F(PlanFeatureFlagsTest, OneThatFailsIsToldAndTriedAgainAndTheOthersGoOn) {
  seen_.attempts["feature flag khepri_db"] = {.digest = "4.3.6",
                                              .at = now_,
                                              .tries = 1,
                                              .trouble = "enable feature flag khepri_db: no disk"};
  EXPECT_THAT(Planned().steps, SizeIs(1));
  EXPECT_THAT(Problems(Planned()),
              ElementsAre("FeatureFlagDisabled: enable feature flag khepri_db: no disk; it is "
                          "tried again"));
  now_ += std::chrono::seconds(10);
  EXPECT_THAT(Planned().steps, SizeIs(2));
}

TEST_F(PlanFeatureFlagsTest, OneThatTheBrokerTookAndShowsDisabledIsTriedLessAndLessOften) {
  to_enable_ = Flags{{"khepri_db"}};
  std::vector<int> pauses;
  for (int i = 0; i < 4; ++i) {
    for (const Step& step : Planned().steps) RememberAttempt(step, "", now_, seen_.attempts);
    seen_.broker.at = now_;
    EXPECT_THAT(Problems(Planned()),
                ElementsAre("FeatureFlagDisabled: feature flag khepri_db: the broker took it, and "
                            "shows it disabled; it is tried again"));
    int seconds = 0;
    for (; Planned().steps.empty() && seconds < 2'000; ++seconds) now_ += std::chrono::seconds(1);
    pauses.push_back(seconds);
  }
  EXPECT_THAT(pauses, ElementsAre(10, 30, 90, 270));
}

TEST_F(PlanFeatureFlagsTest, AFailureIsForgottenOnceTheFlagIsEnabled) {
  seen_.attempts["feature flag khepri_db"] = {
      .digest = "4.3.6", .at = now_, .tries = 1, .trouble = "no disk"};
  seen_.broker.at = now_ + std::chrono::minutes(6);
  EXPECT_THAT(Planned().settled_attempts, IsEmpty());
  to_enable_ = Flags{{"track_qq"}};
  EXPECT_THAT(Planned().settled_attempts, ElementsAre("feature flag khepri_db"));
  to_enable_ = {};  // not asked for: none is left
  EXPECT_THAT(Planned().settled_attempts, ElementsAre("feature flag khepri_db"));
}

TEST_F(PlanFeatureFlagsTest, OneThatIsBeingEnabledIsLeftAndNotTakenForDone) {
  to_enable_ = Flags{{"khepri_db", false}};
  EXPECT_THAT(Steps(Planned()), IsEmpty());
  EXPECT_THAT(Problems(Planned()), IsEmpty());
  EXPECT_EQ(Recorded(), "4.0.5");
}

// Each may bring flags of its own.
TEST_F(PlanFeatureFlagsTest, ThatNoneIsLeftIsRecordedOfThePluginsTooOnceTheyRun) {
  to_enable_ = Flags{};
  cluster_.spec.plugins = {"rabbitmq_top", "rabbitmq_shovel"};
  EXPECT_EQ(Recorded(), "4.0.5") << "they are not enabled yet";
  using State = rabbitmq::Plugin::State;
  for (rabbitmq::Node& node : members_) {
    node.plugins = {{"rabbitmq_shovel", State::kEnabled}, {"rabbitmq_top", State::kEnabled}};
  }
  EXPECT_EQ(Recorded(), "4.3.6 rabbitmq_shovel rabbitmq_top");
  members_[1].plugins[0].state = State::kIdle;
  EXPECT_EQ(Recorded(), "4.0.5");
}

}  // namespace
}  // namespace rabbit::plan
