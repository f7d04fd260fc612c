#include "operator/api/conditions.h"

#include <gtest/gtest.h>

namespace rabbit::api {
namespace {

using namespace std::chrono_literals;
using enum ConditionStatus;

constexpr base::WallTime kNoon{std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + 12h};

Condition ReadyIs(ConditionStatus status, std::string message = "m") {
  return {.type = "Ready", .status = status, .reason = "R", .message = std::move(message)};
}

TEST(SetCondition, KeepsTheTransitionTimeWhileTheStatusStays) {
  std::vector<Condition> conditions;
  SetCondition(conditions, ReadyIs(kFalse, "2 of 3 nodes run"), kNoon);
  SetCondition(conditions, ReadyIs(kFalse, "1 of 3 nodes run"), kNoon + 1min);
  ASSERT_EQ(conditions.size(), 1U);
  EXPECT_EQ(conditions[0].message, "1 of 3 nodes run");
  EXPECT_EQ(conditions[0].last_transition_time, kNoon);
}

TEST(SetCondition, MovesTheTransitionTimeWithTheStatus) {
  std::vector<Condition> conditions;
  SetCondition(conditions, ReadyIs(kFalse), kNoon);
  SetCondition(conditions, ReadyIs(kTrue), kNoon + 1min);
  EXPECT_EQ(conditions[0].last_transition_time, kNoon + 1min);
}

TEST(SetCondition, SayingTheSameAgainChangesNothing) {
  std::vector<Condition> conditions;
  SetCondition(conditions, ReadyIs(kTrue), kNoon);
  const std::vector<Condition> before = conditions;
  SetCondition(conditions, ReadyIs(kTrue), kNoon + 1h);
  EXPECT_EQ(conditions, before);
}

// The API keeps whole seconds: a fraction would come back as another value.
TEST(SetCondition, CutsTheTimeToSeconds) {
  std::vector<Condition> conditions;
  SetCondition(conditions, ReadyIs(kTrue), kNoon + 999ms);
  EXPECT_EQ(conditions[0].last_transition_time, kNoon);
}

TEST(SetCondition, CutsALongMessageAtAWholeCharacter) {
  std::vector<Condition> conditions;
  std::string message(1019, 'a');
  for (int i = 0; i < 10; ++i) message += "ü";
  SetCondition(conditions, ReadyIs(kTrue, message), kNoon);
  EXPECT_EQ(conditions[0].message, std::string(1019, 'a') + "ü…");
}

TEST(Conditions, AreFoundByTypeAndPutInOrder) {
  std::vector<Condition> conditions = {{.type = "Mine"}, {.type = "Stalled"}, ReadyIs(kTrue)};
  SortConditions(conditions, {kReady, kStalled});
  EXPECT_EQ(conditions[0].type, "Ready");
  EXPECT_EQ(conditions[1].type, "Stalled");
  EXPECT_EQ(conditions[2].type, "Mine");
  EXPECT_TRUE(IsTrue(conditions, kReady));
  EXPECT_FALSE(IsTrue(conditions, kStalled));
  EXPECT_FALSE(IsTrue(conditions, kAvailable));
  EXPECT_EQ(FindCondition(conditions, kAvailable), nullptr);
}

}  // namespace
}  // namespace rabbit::api
