#include "operator/plan/own_user.h"

#include <gmock/gmock.h>

#include "operator/plan/fixture.h"
#include "operator/plan/make_plan_fixture.h"
#include "rabbitmq/password_hash.h"

namespace rabbit::plan {
namespace {

using std::chrono::seconds;
constexpr std::chrono::minutes kLongestPause(10);
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class OwnUserTest : public PlanTest {
 protected:
  OwnUserTest() {
    seen_.broker.denied = true;
    seen_.broker.denied_at = now_;
    seen_.broker.trouble = "c-node-0: 401";
    observe::SecretView& secret = seen_.secrets["c-operator-user"];
    secret.state = observe::SecretState::kPresent;
    secret.data["password"] = base::Secret("s3cret");
  }
  Plan MakePlan() {
    Plan plan;
    PlanOwnUser(cluster_, seen_, now_, plan);
    return plan;
  }
  // So many were made, the last one so long ago, and a look of now is refused all the same.
  void Resets(int count, base::Duration ago, const std::string& trouble = {}) {
    seen_.attempts["user rabbit-operator"] = {
        .digest = {}, .at = now_ - ago, .tries = count, .trouble = trouble};
  }
};

TEST_F(OwnUserTest, IsSetAnewInAPodThatServes) {
  Pod(0).ready = false;
  Pod(1).deleting = true;
  const Plan plan = MakePlan();
  EXPECT_THAT(Steps(plan), ElementsAre("set user rabbit-operator anew in pod c-node-2: the broker "
                                       "refuses user rabbit-operator with the password in Secret "
                                       "c-operator-user [drift]"));
  EXPECT_EQ(std::get<ResetOwnUser>(plan.steps[0].action).password, base::Secret("s3cret"));
  EXPECT_THAT(Waits(plan), ElementsAre(HasSubstr("BrokerDenied: the broker refuses user")));
  EXPECT_THAT(Problems(plan), IsEmpty()) << "it is not a person's turn";
}

TEST_F(OwnUserTest, WhoIsNoAdministratorAnyMoreIsSetAnewToo) {
  seen_.broker.trouble.clear();
  EXPECT_THAT(Steps(MakePlan()), ElementsAre(HasSubstr("does not take user rabbit-operator for an "
                                                       "administrator [drift]")));
}

TEST_F(OwnUserTest, WhoIsLetInIsLeftAlone) {
  seen_.broker.denied = false;
  const Plan plan = MakePlan();
  EXPECT_THAT(Steps(plan), IsEmpty());
  EXPECT_THAT(Waits(plan), IsEmpty());
}

TEST_F(OwnUserTest, IsNotSetWithoutAPodThatServes) {
  for (const int ordinal : {0, 1, 2}) Pod(ordinal).ready = false;
  EXPECT_THAT(Steps(MakePlan()), IsEmpty());
}

TEST_F(OwnUserTest, IsNotSetFromASecretThatIsNotThereOrNotOurs) {
  for (const auto state : {observe::SecretState::kAbsent, observe::SecretState::kUnknown,
                           observe::SecretState::kForeign}) {
    seen_.secrets["c-operator-user"].state = state;
    const Plan plan = MakePlan();
    EXPECT_THAT(Steps(plan), IsEmpty());
    EXPECT_EQ(plan.waits.size() + plan.problems.size(), 1U);
  }
  seen_.secrets["c-operator-user"].state = observe::SecretState::kPresent;
  seen_.secrets["c-operator-user"].data.clear();
  EXPECT_THAT(Problems(MakePlan()),
              ElementsAre("NeedsPerson SecretKeyMissing: user rabbit-operator: Secret "
                          "c-operator-user has no key password: add it"));
}

TEST_F(OwnUserTest, WhatALookOfBeforeSaysIsNotBelieved) {
  Resets(1, seconds(0));
  const Plan plan = MakePlan();
  EXPECT_THAT(Steps(plan), IsEmpty());
  EXPECT_THAT(Waits(plan), ElementsAre(HasSubstr("LookingAgain: waiting for a look")));
  EXPECT_THAT(Problems(plan), IsEmpty());
}

TEST_F(OwnUserTest, IsSetLessAndLessOftenWhereThatDoesNotHelp) {
  struct {
    int resets;
    seconds pause;
  } const rows[] = {{1, seconds(10)},  {2, seconds(30)},   {3, seconds(90)},    {4, seconds(270)},
                    {5, seconds(600)}, {50, seconds(600)}, {1000, seconds(600)}};
  for (const auto& [resets, pause] : rows) {
    SCOPED_TRACE(resets);
    Resets(resets, pause - seconds(1));
    EXPECT_THAT(Steps(MakePlan()), IsEmpty());
    EXPECT_THAT(Problems(MakePlan()),
                ElementsAre(AllOf(HasSubstr("NeedsPerson BrokerDenied: the broker refuses user "
                                            "rabbit-operator with the password in Secret "
                                            "c-operator-user, although it was set anew"),
                                  HasSubstr("auth_backends"))));
    Resets(resets, pause);
    EXPECT_EQ(Steps(MakePlan()).size(), 1U);
    EXPECT_EQ(Problems(MakePlan()).size(), 1U);
  }
}

TEST_F(OwnUserTest, IsSetInAnotherPodEachTime) {
  for (const auto& [resets, pod] :
       {std::pair{1, "pod c-node-1"}, std::pair{2, "pod c-node-2"}, std::pair{3, "pod c-node-0"}}) {
    Resets(resets, kLongestPause);
    EXPECT_THAT(Steps(MakePlan()), ElementsAre(HasSubstr(pod)));
  }
}

TEST_F(OwnUserTest, WhyItCannotBeSetIsTold) {
  Resets(1, seconds(9), "set user rabbit-operator anew: no such command");
  EXPECT_THAT(Steps(MakePlan()), IsEmpty());
  EXPECT_THAT(Problems(MakePlan()),
              ElementsAre(HasSubstr(", and to set it anew fails: set user rabbit-operator anew: no "
                                    "such command. It is set again")));
}

TEST_F(OwnUserTest, WhatCountsIsForgottenOnceItHasLetUsInForAWhile) {
  Resets(2, seconds(301));
  EXPECT_THAT(MakePlan().settled_attempts, IsEmpty()) << "it is refused";
  seen_.broker.denied = false;
  EXPECT_THAT(MakePlan().settled_attempts, IsEmpty()) << "nobody answered";
  seen_.broker.view = std::make_shared<const rabbitmq::BrokerView>();
  EXPECT_THAT(MakePlan().settled_attempts, ElementsAre("user rabbit-operator"));
  Resets(2, seconds(299));
  EXPECT_THAT(MakePlan().settled_attempts, IsEmpty());
}

TEST_F(OwnUserTest, NothingSecretIsSaid) {
  for (const int resets : {0, 1}) {
    Resets(resets, kLongestPause);
    for (const std::string& line : Told(MakePlan())) {
      EXPECT_EQ(line.find("s3cret"), std::string::npos);
    }
  }
}

// --- whole plans, round after round

class OwnUserWorldTest : public MakePlanTest {
 protected:
  void IsWell() {
    Settle();
    EXPECT_EQ(world_.running(), (std::set{0, 1, 2}));
    EXPECT_THAT(Next().problems, IsEmpty());
    EXPECT_EQ(world_.own_password, world_.PasswordIn("c-operator-user"));
    EXPECT_FALSE(world_.own_password.empty());
  }
};

TEST_F(OwnUserWorldTest, AClusterAppliedAgainOverItsDisksWithoutTheSecretIsWellAgain) {
  Settle();
  const base::Secret before = world_.own_password;
  world_.StartOver();
  world_.DeleteSecret("c-operator-user");
  memo_ = {};
  IsWell();
  EXPECT_NE(world_.own_password, before);
}

TEST_F(OwnUserWorldTest, ASecretThatIsDeletedIsMadeAnewAndTheBrokerGivenIt) {
  Settle();
  world_.DeleteSecret("c-operator-user");
  IsWell();
  // So is one of a user, whom the broker has with the password of before.
  world_.cluster.spec.users.push_back({});
  world_.cluster.spec.users.back().name = "app";
  ++world_.cluster.meta.generation;
  Settle();
  const auto is_known = [&](const std::string& user, const std::string& secret) {
    const rabbitmq::User* found = rabbitmq::FindUser(*world_.broker.is.users, user);
    return found != nullptr &&
           rabbitmq::PasswordMatches(world_.PasswordIn(secret), found->password_hash,
                                     found->hashing_algorithm);
  };
  for (const auto& [user, secret] :
       {std::pair{std::string("app"), resources::UserSecretName("c", "app")},
        std::pair{std::string("default"), std::string("c-default-user")}}) {
    const base::Secret before = world_.PasswordIn(secret);
    ASSERT_TRUE(is_known(user, secret));
    world_.DeleteSecret(secret);
    Settle();
    EXPECT_NE(world_.PasswordIn(secret), before);
    EXPECT_TRUE(is_known(user, secret)) << user;
  }
}

TEST_F(OwnUserWorldTest, WhoWasChangedOrDeletedAtTheBrokerIsSetAnew) {
  Settle();
  for (const char* password : {"changed by hand", ""}) {
    world_.own_password = base::Secret(password);
    world_.now += kLongestPause;
    IsWell();
  }
}

TEST_F(OwnUserWorldTest, PausedItIsToldAndLeft) {
  Settle();
  world_.own_password = base::Secret("changed by hand");
  world_.cluster.spec.paused = true;
  const Plan plan = Next();
  EXPECT_THAT(plan.steps, IsEmpty());
  ASSERT_EQ(plan.held.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<ResetOwnUser>(plan.held[0].action));
}

}  // namespace
}  // namespace rabbit::plan
