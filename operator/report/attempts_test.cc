#include "operator/report/attempts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rabbit::report {
namespace {

using Outcome = StepResult::Outcome;

class AttemptsTest : public testing::Test {
 protected:
  void Ends(const StepResult& result, const std::string& digest = "d") {
    plan::Plan plan;
    plan.steps.push_back({.action = plan::SetPlugins{"c-node-0", {}},
                          .reason = "",
                          .attempt = "plugins of c-node-0",
                          .attempt_digest = digest});
    plan.steps.push_back({.action = plan::PutClusterName{"c"}, .reason = "is told by the broker"});
    RememberAttempts(plan, {result, {.outcome = Outcome::kDone, .error = {}}}, now_, attempts_);
  }
  static StepResult Failed() {
    return {.outcome = Outcome::kFailed,
            .error = base::Error{.kind = base::ErrorKind::kRetry, .message = "busy"}};
  }

  base::TimePoint now_{std::chrono::hours(1)};
  std::map<std::string, observe::Attempt> attempts_;
};

TEST_F(AttemptsTest, TriesAreCountedWhetherTheyFailOrNot) {
  Ends(Failed());
  Ends(Failed());
  EXPECT_EQ(attempts_.at("plugins of c-node-0"),
            (observe::Attempt{.digest = "d", .at = now_, .tries = 2, .trouble = "busy"}));
  Ends({.outcome = Outcome::kDone, .error = {}});
  EXPECT_EQ(attempts_.at("plugins of c-node-0"),
            (observe::Attempt{.digest = "d", .at = now_, .tries = 3, .trouble = ""}));
  EXPECT_EQ(attempts_.size(), 1U) << "of steps that want it";
}

TEST_F(AttemptsTest, ARefusalIsToldFromWhatMayGoBetterNextTime) {
  const StepResult refused{
      .outcome = Outcome::kFailed,
      .error = base::Error{.kind = base::ErrorKind::kInvalid, .message = "no"}};
  const auto refusals = [&] { return attempts_.at("plugins of c-node-0").refusals; };
  Ends(refused);
  EXPECT_EQ(refusals(), 1);
  Ends(refused);
  EXPECT_EQ(refusals(), 2) << "in a row";
  Ends(Failed());
  EXPECT_EQ(refusals(), 0);
  Ends(refused);
  EXPECT_EQ(refusals(), 1);
  Ends(refused, "another");
  EXPECT_EQ(refusals(), 1) << "of the same";
  Ends({.outcome = Outcome::kDone, .error = {}}, "another");
  EXPECT_EQ(refusals(), 0);
}

TEST_F(AttemptsTest, AnotherThingWantedBeginsAnew) {
  Ends(Failed());
  Ends(Failed(), "another");
  EXPECT_EQ(attempts_.at("plugins of c-node-0").tries, 1);
}

TEST_F(AttemptsTest, WhatWasNotBegunIsNone) {
  Ends({.outcome = Outcome::kSkipped, .error = {}});
  EXPECT_TRUE(attempts_.empty());
}

TEST_F(AttemptsTest, WhatWasDoneIsForgottenAfterAnHourAndWhatFailedIsNot) {
  Ends(Failed());
  now_ += std::chrono::minutes(61);
  RememberAttempts({}, {}, now_, attempts_);
  EXPECT_EQ(attempts_.size(), 1U);
  Ends({.outcome = Outcome::kDone, .error = {}});
  now_ += std::chrono::minutes(61);
  RememberAttempts({}, {}, now_, attempts_);
  EXPECT_TRUE(attempts_.empty());
}

TEST_F(AttemptsTest, WhatWasSeenInEffectIsForgotten) {
  Ends({.outcome = Outcome::kDone, .error = {}});
  plan::Plan plan;
  plan.settled_attempts = {"plugins of c-node-0"};
  RememberAttempts(plan, {}, now_, attempts_);
  EXPECT_TRUE(attempts_.empty());
}

}  // namespace
}  // namespace rabbit::report
