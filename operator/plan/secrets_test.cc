#include "operator/plan/secrets.h"

#include <gmock/gmock.h>

#include "operator/plan/fixture.h"

namespace rabbit::plan {
namespace {

using observe::SecretState;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SecretsPlanTest : public PlanTest {
 protected:
  void Secret(const std::string& name, SecretState state, const std::string& trouble = "") {
    seen_.secrets[name].state = state;
    seen_.secrets[name].trouble = trouble;
  }
  void AllPresent() {
    for (const char* name : {"c-erlang-cookie", "c-operator-user", "c-default-user"}) {
      Secret(name, SecretState::kPresent);
    }
  }
  Plan MakePlan() {
    Plan plan;
    boot_ = PlanBootSecrets(cluster_, seen_, plan);
    PlanUserSecrets(cluster_, seen_, plan);
    return plan;
  }
  BootSecrets boot_;
};

TEST_F(SecretsPlanTest, OfANewClusterAreMadeWithoutALook) {
  seen_.first_sight = true;
  EXPECT_THAT(Steps(MakePlan()),
              ElementsAre("create Secret c-erlang-cookie: does not exist",
                          "create Secret c-operator-user: does not exist [after 0]",
                          "create Secret c-default-user: does not exist"));
  EXPECT_EQ(boot_.hold, std::nullopt);
  EXPECT_EQ(boot_.step, 1U);
}

TEST_F(SecretsPlanTest, OfADeletedClusterWhoseDisksStayedAreLookedForFirst) {
  seen_.first_sight = true;
  seen_.claims = {{.name = "data-c-node-0", .uid = "disk-0", .bound = true, .deleting = false}};
  EXPECT_THAT(Steps(MakePlan()), IsEmpty());
  EXPECT_EQ(boot_.hold, "c-erlang-cookie");
}

TEST_F(SecretsPlanTest, ACookieThatIsInUseIsNotMadeAnew) {
  AllPresent();
  Secret("c-erlang-cookie", SecretState::kAbsent);
  const Plan plan = MakePlan();
  EXPECT_THAT(Steps(plan), IsEmpty());
  EXPECT_THAT(Problems(plan),
              ElementsAre(HasSubstr("NeedsPerson SecretLost: Secret c-erlang-cookie "
                                    "is gone")));
  EXPECT_EQ(boot_.hold, "c-erlang-cookie");
}

TEST_F(SecretsPlanTest, TheOperatorsUserIsMadeAnewAndNoNodeStartsBefore) {
  AllPresent();
  Secret("c-operator-user", SecretState::kAbsent);
  const Plan plan = MakePlan();
  EXPECT_THAT(Steps(plan), ElementsAre("create Secret c-operator-user: does not exist"));
  EXPECT_THAT(Problems(plan), IsEmpty());
  EXPECT_EQ(boot_.hold, std::nullopt);
  EXPECT_EQ(boot_.step, 0U);
}

TEST_F(SecretsPlanTest, OfDisksThatAreOnTheirWayOutAreInUseNoMore) {
  seen_.inventory.reset();
  AllPresent();
  Secret("c-erlang-cookie", SecretState::kAbsent);
  seen_.claims = {{.name = "data-c-node-0", .uid = "disk-0", .bound = true, .deleting = true}};
  EXPECT_THAT(Steps(MakePlan()), ElementsAre("create Secret c-erlang-cookie: does not exist"));
  seen_.claims.push_back(
      {.name = "data-c-node-1", .uid = "disk-1", .bound = true, .deleting = false});
  EXPECT_THAT(Problems(MakePlan()), ElementsAre(HasSubstr("SecretLost")));
}

TEST_F(SecretsPlanTest, ThatAnEarlierClusterTakesAlongAreWaitedOut) {
  seen_.inventory.reset();
  AllPresent();
  seen_.secrets["c-erlang-cookie"].owner_uid = "uid-of-before";
  const Plan plan = MakePlan();
  EXPECT_THAT(Steps(plan), IsEmpty());
  EXPECT_THAT(Waits(plan), ElementsAre(HasSubstr("c-erlang-cookie belongs to an earlier cluster")));
  EXPECT_EQ(boot_.hold, "c-erlang-cookie");
}

TEST_F(SecretsPlanTest, FollowTheRetentionOfTheDisksThatTheyOpen) {
  AllPresent();
  cluster_.spec.storage.retention.when_deleted = api::RetentionAction::kDelete;
  EXPECT_THAT(
      Steps(MakePlan()),
      ElementsAre(
          "change the owner of Secret c-erlang-cookie: goes with the cluster, as its disks do",
          "change the owner of Secret c-operator-user: goes with the cluster, as its disks do",
          "change the owner of Secret c-default-user: goes with the cluster, as its disks do"));
  EXPECT_EQ(boot_.hold, std::nullopt);
  for (auto& [name, view] : seen_.secrets) view.owner_uid = cluster_.meta.uid;
  EXPECT_THAT(Steps(MakePlan()), IsEmpty());
  cluster_.spec.storage.retention.when_deleted = api::RetentionAction::kRetain;
  EXPECT_THAT(Steps(MakePlan()),
              testing::Contains("change the owner of Secret c-operator-user: stays with the disks "
                                "that it opens"));
}

TEST_F(SecretsPlanTest, AreLeftAloneOnceThere) {
  AllPresent();
  EXPECT_THAT(Steps(MakePlan()), IsEmpty());
}

TEST_F(SecretsPlanTest, ThatWereDeletedAreMadeAgain) {
  AllPresent();
  Secret("c-default-user", SecretState::kAbsent);
  EXPECT_THAT(Steps(MakePlan()), ElementsAre("create Secret c-default-user: does not exist"));
}

TEST_F(SecretsPlanTest, ThatCouldNotBeReadAreNotMade) {
  AllPresent();
  Secret("c-erlang-cookie", SecretState::kUnknown, "forbidden");
  const Plan plan = MakePlan();
  EXPECT_THAT(Steps(plan), IsEmpty());
  EXPECT_THAT(Waits(plan), ElementsAre(HasSubstr("c-erlang-cookie could not be read: forbidden")));
}

TEST_F(SecretsPlanTest, OfSomebodyElseAreLeftAloneAndNoNodeStartsWithThem) {
  AllPresent();
  Secret("c-operator-user", SecretState::kForeign);
  const Plan plan = MakePlan();
  EXPECT_THAT(Steps(plan), IsEmpty());
  EXPECT_THAT(Problems(plan),
              ElementsAre(HasSubstr("NeedsPerson NameTaken: Secret c-operator-user")));
  EXPECT_EQ(boot_.hold, "c-operator-user");
}

TEST_F(SecretsPlanTest, ATakenDefaultUserHoldsUpNoNode) {
  AllPresent();
  Secret("c-default-user", SecretState::kForeign);
  EXPECT_EQ(MakePlan().problems.size(), 1U);
  EXPECT_EQ(boot_.hold, std::nullopt);
}

TEST_F(SecretsPlanTest, AreGeneratedForUsersThatNameNone) {
  AllPresent();
  api::User own;
  own.name = "app";
  api::User with_secret;
  with_secret.name = "root";
  with_secret.password_secret_ref = {"rabbit-root", "password"};
  cluster_.spec.users = {own, with_secret};
  Secret(resources::UserSecretName("c", "app"), SecretState::kAbsent);
  const Plan plan = MakePlan();
  ASSERT_EQ(plan.steps.size(), 1U);
  const auto& create = std::get<CreateSecretOnce>(plan.steps[0].action);
  EXPECT_EQ(create.name, resources::UserSecretName("c", "app"));
  ASSERT_EQ(create.random.size(), 1U);
  EXPECT_EQ(create.random[0].key, "password");
}

TEST_F(SecretsPlanTest, WhatClientsAreGivenNamesAPortThatTheyAreOffered) {
  AllPresent();
  const auto named = [this](const char* port) {
    seen_.secrets["c-default-user"].data["port"] = base::Secret(port);
  };
  const auto brokers = [this](const char* tls) {
    for (int i = 0; i < 3; ++i) Pod(i).tls = tls;
  };
  for (const char* listens : {"", "Both t t/ca.crt"}) {
    brokers(listens);
    EXPECT_THAT(Steps(MakePlan()), IsEmpty()) << listens;
  }
  brokers("Only t t/ca.crt");
  EXPECT_THAT(
      Steps(MakePlan()),
      ElementsAre("change the port of Secret c-default-user: clients are offered port 5671, "
                  "and no longer 5672"));
  const auto step = std::get<ChangeSecret>(MakePlan().steps.at(0).action);
  EXPECT_EQ(step.body, R"({"metadata":{"uid":")" + seen_.secrets["c-default-user"].uid +
                           R"("},"stringData":{"port":"5671"}})");
  named("5671");
  EXPECT_THAT(Steps(MakePlan()), IsEmpty());
  brokers("Both t t/ca.crt");
  EXPECT_THAT(Steps(MakePlan()), ElementsAre(HasSubstr("clients are offered port 5672")));
  cluster_.spec.service.expose = {api::Listener::kAmqp, api::Listener::kAmqps};
  EXPECT_THAT(Steps(MakePlan()), IsEmpty()) << "it serves still";
  brokers("");
  cluster_.spec.service.expose = {api::Listener::kManagement};
  EXPECT_THAT(Steps(MakePlan()), IsEmpty()) << "there is none to name";
  cluster_.spec.service.expose = {api::Listener::kAmqp};
  named("31672");
  EXPECT_THAT(Steps(MakePlan()), IsEmpty()) << "somebody's own way in";
}

// What opens no disk any more does not outlive the cluster, whatever the retention is then.
TEST_F(SecretsPlanTest, OfUsersThatAreDeclaredNoMoreGoWithTheCluster) {
  AllPresent();
  const std::string secret = resources::UserSecretName("c", "app");
  Secret(secret, SecretState::kPresent);
  seen_.inventory->users = {"app"};
  EXPECT_THAT(Steps(MakePlan()), ElementsAre("change the owner of Secret " + secret +
                                             ": goes with the cluster: user app is no longer "
                                             "declared"));
  const auto step = std::get<ChangeSecret>(MakePlan().steps.at(0).action);
  EXPECT_THAT(step.body, HasSubstr(cluster_.meta.uid));
  cluster_.findings.entries = {{.list = "users", .vhost = "", .name = "app", .error = {}}};
  EXPECT_THAT(Steps(MakePlan()), IsEmpty()) << "declared, if badly";
  cluster_.findings.entries.clear();
  api::User other;  // logs in with it
  other.name = "other";
  other.password_secret_ref = {secret, "password"};
  cluster_.spec.users = {other};
  EXPECT_THAT(Steps(MakePlan()), IsEmpty());
  cluster_.spec.users.clear();
  for (const SecretState state :
       {SecretState::kUnknown, SecretState::kAbsent, SecretState::kForeign}) {
    Secret(secret, state);
    EXPECT_THAT(Steps(MakePlan()), IsEmpty());
  }
  Secret(secret, SecretState::kPresent);
  seen_.secrets[secret].owner_uid = cluster_.meta.uid;  // done
  EXPECT_THAT(Steps(MakePlan()), IsEmpty());
  api::User app;  // declared again
  app.name = "app";
  cluster_.spec.users = {app};
  EXPECT_THAT(Steps(MakePlan()),
              ElementsAre(HasSubstr(secret + ": stays with the disks that it opens")));
}

}  // namespace
}  // namespace rabbit::plan
