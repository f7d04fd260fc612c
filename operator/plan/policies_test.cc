#include "operator/plan/topology_fixture.h"

namespace rabbit::plan {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::StartsWith;

class PlanPoliciesTest : public TopologyTest {
 protected:
  // As in the example: `params` is the text of the JSON value.
  static api::Policy Half(const std::string& params = "2") {
    return Policy("half", R"({"ha-mode":"exactly","ha-params":)" + params + "}");
  }
};

TEST_F(PlanPoliciesTest, AMissingPolicyIsWrittenWithItsJsonTypes) {
  Declare(Half());
  EXPECT_THAT(Steps(), ElementsAre("put policy half in vhost / ^q queues 0 "
                                   R"({"ha-mode":"exactly","ha-params":2}: does not exist)"));
}

TEST_F(PlanPoliciesTest, APolicyAsDeclaredIsNotWrittenAgain) {
  Declare(Half());
  Has(Half());
  EXPECT_THAT(Steps(), IsEmpty());
}

TEST_F(PlanPoliciesTest, ADifferenceNamesOldAndNewValue) {
  Declare(Half("1"));
  Has(Half("2"));
  EXPECT_THAT(Steps(), ElementsAre(HasSubstr(": ha-params is 2, declared is 1")));
}

TEST_F(PlanPoliciesTest, ATextIsNotTheNumberThatItSpells) {
  const auto with = [](const char* definition) { return Policy("p", definition); };
  Declare(with(R"({"message-ttl":1000})"));
  Has(with(R"({"message-ttl":"1000"})"));
  EXPECT_THAT(Steps(), ElementsAre(HasSubstr(R"(: message-ttl is "1000", declared is 1000)")));
}

TEST_F(PlanPoliciesTest, EveryPartIsCompared) {
  Declare(Half());
  api::Policy other = Half();
  other.pattern = "^x";
  other.priority = 7;
  other.apply_to = api::ApplyTo::kAll;
  other.definition = R"({"ha-mode":"exactly","ha-params":2,"max-length":5})";
  Has(other);
  EXPECT_THAT(Steps(), ElementsAre(HasSubstr(": max-length is 5, declared is absent; pattern is "
                                             "\"^x\", declared is \"^q\"; applyTo is all, declared "
                                             "is queues; priority is 7, declared is 0")));
}

TEST_F(PlanPoliciesTest, AChangeAtTheBrokerIsDrift) {
  Declare(Half());
  Has(Half("1"));
  WasInEffect();
  EXPECT_THAT(Steps(),
              ElementsAre(HasSubstr(": was changed at the broker: ha-params is 1, declared "
                                    "is 2 [drift]")));
}

TEST_F(PlanPoliciesTest, DriftIsKnownThoughAnotherPolicyIsBad) {
  Declare(Half());
  Has(Half("1"));
  cluster_.status.observed_generation = 1;
  cluster_.status.policies = api::PoliciesStatus{.total = 2, .synced = 1, .unhealthy = {}};
  cluster_.status.policies->unhealthy.push_back({.vhost = "/", .name = "bad", .message = "bad"});
  EXPECT_THAT(Steps(), ElementsAre(HasSubstr("[drift]")));
  cluster_.status.policies->unhealthy[0].name = "half";
  EXPECT_THAT(Steps(), ElementsAre(testing::Not(HasSubstr("[drift]"))));
}

TEST_F(PlanPoliciesTest, MirroringIsNeverWrittenToABrokerThatCannotMirror) {
  broker_.version = "4.0.5";
  Declare(Half());
  EXPECT_THAT(Steps(), IsEmpty());
  EXPECT_THAT(
      Problems(),
      ElementsAre(AllOf(StartsWith("NeedsPerson MirroringUnsupported: policy half in vhost /: "),
                        HasSubstr("quorum"), HasSubstr("3.13"))));
}

TEST_F(PlanPoliciesTest, NothingIsWrittenWhileTheVersionIsUnknown) {
  Declare(Half());
  broker_.version = base::Error{base::ErrorKind::kRetry, "503"};
  EXPECT_THAT(Steps(), IsEmpty());
  EXPECT_THAT(Waits(), ElementsAre(StartsWith("VersionUnknown: ")));
}

TEST_F(PlanPoliciesTest, ABadPolicyHoldsBackNoOther) {
  api::Policy bad = Half();
  bad.name = "bad";
  bad.pattern = "(";
  Declare(bad);
  Declare(Half());
  EXPECT_THAT(Steps(), ElementsAre(StartsWith("put policy half")));
  EXPECT_THAT(Problems(),
              ElementsAre(StartsWith("NeedsPerson InvalidPattern: policy bad in vhost /: ")));
}

TEST_F(PlanPoliciesTest, APolicyOfAVhostThatDoesNotExistIsAProblem) {
  Declare(Policy("half", R"({"max-length":5})", "gone"));
  EXPECT_THAT(Steps(), IsEmpty());
  EXPECT_THAT(Problems(),
              ElementsAre("NeedsPerson VhostMissing: policy half in vhost gone: vhost gone "
                          "does not exist, or is being deleted: declare it in spec.vhosts"));
}

TEST_F(PlanPoliciesTest, APolicyWaitsForTheVhostThatIsBeingCreated) {
  DeclareVhost("orders");
  Declare(Policy("half", R"({"max-length":5})", "orders"));
  EXPECT_THAT(Steps(), ElementsAre(StartsWith("put vhost orders"),
                                   AllOf(StartsWith("put policy half"), HasSubstr("[after 0]"))));
}

TEST_F(PlanPoliciesTest, MoreMirrorsThanNodesIsAWarning) {
  Declare(Half("5"));
  const Plan plan = MakePlan();
  EXPECT_EQ(plan.steps.size(), 1U);
  ASSERT_EQ(plan.warnings.size(), 1U);
  EXPECT_EQ(plan.warnings[0].reason, "PolicyWarning");
  EXPECT_THAT(plan.warnings[0].message, StartsWith("policy half in vhost /: "));
}

TEST_F(PlanPoliciesTest, APolicyInVainIsAWarning) {
  Has(Half());
  Declare(Half());
  broker_.queues = rabbitmq::QueueSummary{};
  broker_.queues->shadowed = {{"/", "half", "all"}, {"other", "half", "x"}};
  const Plan plan = MakePlan();
  EXPECT_THAT(plan.steps, IsEmpty());
  ASSERT_EQ(plan.warnings.size(), 1U);
  EXPECT_EQ(plan.warnings[0].reason, "PolicyWarning");
  EXPECT_THAT(plan.warnings[0].message,
              StartsWith("policy half in vhost /: governs no queue: on each that its pattern "
                         "matches, policy all of the same or a higher priority stands before it"));
}

TEST_F(PlanPoliciesTest, RemovedIsOnlyWhatWasDeclaredOnce) {
  Has(Half());
  Has(Policy("theirs", R"({"max-length":5})"));
  seen_.inventory->policies = {{"/", "gone"}, {"/", "half"}};
  EXPECT_THAT(Steps(), ElementsAre("delete policy half in vhost /: is no longer declared"));
}

TEST_F(PlanPoliciesTest, ABrokenEntryIsAProblemAndItsPolicyIsLeftAlone) {
  Has(Half());
  seen_.inventory->policies = {{"/", "half"}};
  cluster_.findings.entries = {{.list = "policies",
                                .index = 0,
                                .vhost = "/",
                                .name = "half",
                                .error = {"spec.policies[0].priority", "x", "must be a number"}}};
  EXPECT_THAT(Steps(), IsEmpty());
  EXPECT_THAT(Problems(),
              ElementsAre("NeedsPerson InvalidEntry: spec.policies[0].priority: x: must "
                          "be a number"));
}

TEST_F(PlanPoliciesTest, NothingIsRemovedWhileThePoliciesAreUnknown) {
  seen_.inventory->policies = {{"/", "half"}};
  broker_.policies = base::Error{base::ErrorKind::kRetry, "503"};
  EXPECT_THAT(Steps(), IsEmpty());
  EXPECT_THAT(Waits(), ElementsAre("PoliciesUnknown: waiting for the list of policies: 503"));
}

TEST_F(PlanPoliciesTest, TheInventoryListsTheDeclaredAndThoseThatMayStillBeThere) {
  Declare(Half());
  Has(Policy("once", R"({"max-length":5})"));
  seen_.inventory->policies = {{"/", "gone"}, {"/", "once"}};
  MakePlan();
  EXPECT_THAT(PoliciesForInventory(cluster_, seen_),
              ElementsAre(Pair("/", "half"), Pair("/", "once")));
  seen_.broker.trouble = "timeout";
  EXPECT_THAT(PoliciesForInventory(cluster_, seen_),
              ElementsAre(Pair("/", "gone"), Pair("/", "half"), Pair("/", "once")));
}

}  // namespace
}  // namespace rabbit::plan
