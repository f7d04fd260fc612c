#include "operator/plan/feature_flags.h"

#include "operator/observe/targets.h"
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
    disabled_ = std::vector<std::string>{"khepri_db", "track_qq"};
  }
  const observe::Observation& Looked() {
    auto view = std::make_shared<rabbitmq::BrokerView>(*Seen().broker.view);
    view->version = "4.3.6";
    view->disabled_flags = disabled_;
    seen_.broker.view = view;
    return seen_;
  }
  Plan Planned() {
    Plan plan;
    PlanFeatureFlags(cluster_, Looked(), 3, now_, plan);
    return plan;
  }
  std::string Recorded() { return FlagsVersionForInventory(cluster_, Looked(), 3); }
  bool IsAsked() { return observe::PartsToRead(cluster_, Looked()).disabled_flags; }

  rabbitmq::Part<std::vector<std::string>> disabled_;
};

TEST_F(PlanFeatureFlagsTest, TheyAreEnabledOnceAllNodesRunTheNewVersion) {
  const std::string why = ": all nodes run RabbitMQ 4.3.6, and it is disabled";
  EXPECT_THAT(Steps(Planned()), ElementsAre("enable feature flag khepri_db" + why,
                                            "enable feature flag track_qq" + why));
  EXPECT_TRUE(IsAsked());
  EXPECT_EQ(Recorded(), "4.0.5");
}

TEST_F(PlanFeatureFlagsTest, NotWhileANodeRunsAnotherImageOrIsDown) {
  Pod(2).image = "rabbitmq:4.0-management";
  EXPECT_THAT(Steps(Planned()), IsEmpty());
  Pod(2).image = Pod(1).image;
  Pod(2).ready = false;
  EXPECT_THAT(Steps(Planned()), IsEmpty());
  Pod(2).ready = true;
  IsMember(3, false);
  EXPECT_THAT(Steps(Planned()), IsEmpty()) << "a member that was scaled away";
}

TEST_F(PlanFeatureFlagsTest, ThatNoneIsLeftIsRecordedAndThenNotAskedAgain) {
  disabled_ = std::vector<std::string>{};
  EXPECT_THAT(Steps(Planned()), IsEmpty());
  EXPECT_EQ(Recorded(), "4.3.6");
  EXPECT_TRUE(IsAsked());
  seen_.inventory->flags_version = "4.3.6";
  EXPECT_FALSE(IsAsked());
  disabled_ = {};  // not asked
  EXPECT_EQ(Recorded(), "4.3.6");
}

TEST_F(PlanFeatureFlagsTest, ItIsNotRecordedWhileANodeMayBeOfAnotherVersion) {
  disabled_ = std::vector<std::string>{};
  Pod(0).image = "rabbitmq:4.0-management";
  EXPECT_EQ(Recorded(), "4.0.5");
}

TEST_F(PlanFeatureFlagsTest, ABrokerWithoutFeatureFlagsHasNoneToEnable) {
  disabled_ = base::Error{.kind = base::ErrorKind::kRetry, .message = "no answer"};
  EXPECT_EQ(Recorded(), "4.0.5");
  disabled_ = base::Error{.kind = base::ErrorKind::kNotFound, .message = "404"};
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

}  // namespace
}  // namespace rabbit::plan
