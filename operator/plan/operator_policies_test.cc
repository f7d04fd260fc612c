// Operator policies, and what spec.ownership Exclusive removes of policies and users.
#include "operator/plan/topology_fixture.h"

namespace rabbit::plan {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::StartsWith;

class PlanOperatorPoliciesTest : public TopologyTest {
 protected:
  PlanOperatorPoliciesTest() { EverythingIsRead(); }
  static api::Policy Cap(const char* length = "5") {
    return Policy("cap", std::string(R"({"max-length":)") + length + "}");
  }
  void Exclusive() { cluster_.spec.ownership.policies = api::Ownership::kExclusive; }
};

TEST_F(PlanOperatorPoliciesTest, AMissingOneIsWritten) {
  DeclareForOperators(Cap());
  EXPECT_THAT(Steps(),
              ElementsAre("put operator policy cap in vhost / ^q queues 0 {\"max-length\":5}: "
                          "does not exist"));
}

TEST_F(PlanOperatorPoliciesTest, OneAsDeclaredIsNotWrittenAgainAndAPolicyOfItsNameIsAnother) {
  DeclareForOperators(Cap());
  Declare(Cap("7"));
  HasForOperators(Cap());
  Has(Cap("7"));
  EXPECT_THAT(Steps(), IsEmpty());
}

TEST_F(PlanOperatorPoliciesTest, AChangeAtTheBrokerIsDrift) {
  DeclareForOperators(Cap());
  HasForOperators(Cap("9"));
  WasInEffect();
  EXPECT_THAT(Steps(),
              ElementsAre(AllOf(StartsWith("put operator policy cap in vhost /"),
                                HasSubstr(": was changed at the broker: max-length is 9, declared "
                                          "is 5 [drift]"))));
}

TEST_F(PlanOperatorPoliciesTest, TheFirstOneIsNoDriftThoughNothingWasSaidOfItWhileTheyWereUnknown) {
  DeclareForOperators(Cap());
  cluster_.status.observed_generation = cluster_.meta.generation;
  cluster_.status.policies = api::PoliciesStatus{.total = 1, .synced = 0};
  EXPECT_THAT(Steps(),
              ElementsAre("put operator policy cap in vhost / ^q queues 0 {\"max-length\":5}: "
                          "does not exist"));
}

TEST_F(PlanOperatorPoliciesTest, WhatAilsOneSaysNothingOfThePolicyOfItsName) {
  Declare(Cap());
  Has(Cap("9"));
  cluster_.status.observed_generation = cluster_.meta.generation;
  cluster_.status.policies = api::PoliciesStatus{.total = 2, .synced = 1};
  auto& unhealthy = cluster_.status.policies->unhealthy;
  unhealthy = {{.vhost = "/", .name = "cap", .message = "operator policy: not yet at the broker"}};
  EXPECT_THAT(Steps(), ElementsAre(HasSubstr("[drift]")));
  unhealthy[0].message.insert(0, "max-length is 9, declared is 5; ");
  EXPECT_THAT(Steps(), ElementsAre(testing::Not(HasSubstr("[drift]"))));
}

TEST_F(PlanOperatorPoliciesTest, TheRulesAreThoseOfOperatorPolicies) {
  const api::Policy mirrored = Policy("cap", R"({"ha-mode":"all"})");
  Declare(mirrored);
  DeclareForOperators(mirrored);
  EXPECT_THAT(Steps(), ElementsAre(StartsWith("put policy cap")));
  EXPECT_THAT(Problems(), ElementsAre(StartsWith("NeedsPerson UnsupportedKey: operator policy cap "
                                                 "in vhost /: ")));
}

TEST_F(PlanOperatorPoliciesTest, RemovedIsOnlyWhatWasDeclaredOnceUnderItsKind) {
  Has(Cap());
  HasForOperators(Cap());
  HasForOperators(Policy("theirs", R"({"max-length":5})"));
  seen_.inventory->operator_policies = {{"/", "cap"}, {"/", "gone"}};
  EXPECT_THAT(Steps(), ElementsAre("delete operator policy cap in vhost /: is no longer declared"));
  DeclareBadly("operatorPolicies", "/", "cap");
  EXPECT_THAT(Steps(), IsEmpty());
}

TEST_F(PlanOperatorPoliciesTest, AListThatIsUnknownIsWaitedForWhereItIsNeededOnly) {
  broker_.operator_policies = {};
  Declare(Cap());
  EXPECT_THAT(Waits(), IsEmpty());
  const auto waits =
      ElementsAre("PoliciesUnknown: waiting for the list of operator policies: not asked yet");
  seen_.inventory->operator_policies = {{"/", "cap"}};
  EXPECT_THAT(Waits(), waits);
  EXPECT_THAT(Steps(), ElementsAre(StartsWith("put policy cap"))) << "the others are in effect";
  seen_.inventory->operator_policies.clear();
  DeclareForOperators(Cap());
  EXPECT_THAT(Waits(), waits);
}

TEST_F(PlanOperatorPoliciesTest, TheInventoryListsTheDeclaredAndThoseThatMayStillBeThere) {
  DeclareForOperators(Cap());
  HasForOperators(Policy("once", R"({"max-length":5})"));
  seen_.inventory->operator_policies = {{"/", "gone"}, {"/", "once"}};
  MakePlan();
  const auto kind = rabbitmq::PolicyKind::kOperator;
  EXPECT_THAT(PoliciesForInventory(cluster_, seen_, kind),
              ElementsAre(Pair("/", "cap"), Pair("/", "once")));
  broker_.operator_policies = {};
  MakePlan();
  EXPECT_THAT(PoliciesForInventory(cluster_, seen_, kind),
              ElementsAre(Pair("/", "cap"), Pair("/", "gone"), Pair("/", "once")));
  EXPECT_THAT(PoliciesForInventory(cluster_, seen_), IsEmpty());
}

TEST_F(PlanOperatorPoliciesTest, ExclusiveRemovesThoseThatNobodyDeclaredOfBothKinds) {
  Declare(Cap());
  Has(Cap());
  Has(Policy("theirs", R"({"max-length":5})"));
  HasForOperators(Policy("theirs", R"({"max-length":5})"));
  Has(Policy("rabbit-operator:move", R"({"max-length":5})"));
  HasForOperators(Policy("rabbit-operator:move", R"({"max-length":5})"));
  EXPECT_THAT(Steps(), IsEmpty());
  Exclusive();
  EXPECT_THAT(Steps(), ElementsAre("delete policy theirs in vhost /: is not declared, and "
                                   "spec.ownership.policies is Exclusive",
                                   "delete operator policy theirs in vhost /: is not declared, and "
                                   "spec.ownership.policies is Exclusive"));
  WasInEffect();
  EXPECT_THAT(Steps()[0], HasSubstr("[drift]"));
}

TEST_F(PlanOperatorPoliciesTest, ExclusiveRemovesOnceWhatWasDeclaredAndNothingThatMayBeDeclared) {
  Exclusive();
  Has(Cap());
  seen_.inventory->policies = {{"/", "cap"}};
  EXPECT_THAT(Steps(), ElementsAre("delete policy cap in vhost /: is no longer declared"));
  DeclareBadly("policies", "", "");
  EXPECT_THAT(Steps(), IsEmpty());
}

TEST_F(PlanOperatorPoliciesTest, ExclusiveRemovesNothingOfAListThatCouldNotBeRead) {
  Exclusive();
  Has(Cap());
  broker_.operator_policies = base::Error{base::ErrorKind::kRetry, "503"};
  EXPECT_THAT(Steps(), ElementsAre(StartsWith("delete policy cap")));
  broker_.policies = base::Error{base::ErrorKind::kRetry, "503"};
  EXPECT_THAT(Steps(), IsEmpty());
  EXPECT_EQ(Waits().size(), 2U);
}

class ExclusiveUsersTest : public TopologyTest {
 protected:
  ExclusiveUsersTest() {
    cluster_.spec.ownership.users = api::Ownership::kExclusive;
    HasUser("theirs", "x");
  }
};

TEST_F(ExclusiveUsersTest, WhomNobodyDeclaredIsRemovedButNotWhoIsNeeded) {
  Declare(User("app", "app"));
  HasSecret("app", {{"password", "x"}});
  HasUser("app", "x");
  EXPECT_THAT(Steps(), ElementsAre("delete user theirs: is not declared, and spec.ownership.users "
                                   "is Exclusive"));
  WasInEffect();
  EXPECT_THAT(Steps(), ElementsAre(HasSubstr("[drift]")));
}

TEST_F(ExclusiveUsersTest, WhoWasDeclaredOnceIsRemovedOnce) {
  seen_.inventory->users = {"theirs"};
  EXPECT_THAT(Steps(), ElementsAre("delete user theirs: is no longer declared"));
}

TEST_F(ExclusiveUsersTest, NobodyIsRemovedWhoMayBeDeclaredOrWhileTheListsAreUnknown) {
  DeclareBadly("users", "", "theirs");
  EXPECT_THAT(Steps(), IsEmpty());
  cluster_.findings.entries.clear();
  const auto users = broker_.users;
  broker_.users = base::Error{base::ErrorKind::kRetry, "503"};
  EXPECT_THAT(Steps(), IsEmpty());
  broker_.users = users;
  seen_.secrets.clear();  // who the default user is, is not known
  EXPECT_THAT(Steps(), IsEmpty());
}

TEST_F(ExclusiveUsersTest, PoliciesAreNotMeant) {
  Has(Policy("theirs", R"({"max-length":5})"));
  EXPECT_THAT(Steps(), ElementsAre(StartsWith("delete user theirs")));
}

}  // namespace
}  // namespace rabbit::plan
