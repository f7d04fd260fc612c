#include "operator/plan/children.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "operator/plan/fixture.h"

namespace rabbit::plan {
namespace {

using observe::ChildId;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

ChildId ConfigId() { return {kube::kConfigMaps, "c-config"}; }
ChildId NodeSetId() { return {kube::kStatefulSets, "c-node"}; }
ChildId ClientsId() { return {kube::kServices, "c"}; }
ChildId ProxiesId() { return {kube::kDeployments, "c-haproxy"}; }

class ChildrenPlanTest : public PlanTest {
 protected:
  ChildrenPlanTest() {
    inputs_.cluster = &cluster_;
    inputs_.broker_image = "rabbitmq:3.13-management";
    inputs_.proxy_image = "haproxy:3.0";
    inputs_.inventory = *seen_.inventory;
  }

  // Every child is there as desired, and was compared.
  void AllThere() {
    for (const resources::DesiredChild& child : resources::BuildChildren(inputs_)) {
      observe::Child& there = seen_.children[child.id];
      there.uid = "uid-of-" + child.id.name;
      there.owner_uid = "uid-of-c";
      there.applied_hash = child.hash;
      there.content_hash = 1;
      seen_.verified.Add(child.id, {child.hash, 1});
    }
  }
  // Somebody changed `id`: what the server has now is `edit` merged into what was applied.
  void Edited(const ChildId& id, const char* edit) {
    base::Json body = base::ParseJson(resources::BuildChild(inputs_, id).body).value();
    base::MergePatch(body, base::ParseJson(edit).value());
    observe::Child& child = seen_.children[id];
    child.content_hash = 2;
    child.body = std::make_shared<const std::string>(base::Dump(body));
  }
  // A change of the spec as the server tells it.
  void SpecChanged() { ++cluster_.meta.generation; }

  Plan MakePlan() {
    Plan plan;
    done_ = PlanChildren(inputs_, seen_, holds_, memo_, plan);
    return plan;
  }
  // REQUIRES: holds_.config, whose message is "later".
  void ExpectAChangedConfigurationIsHeld() {
    cluster_.spec.config = "heartbeat = 30";
    SpecChanged();
    const Plan plan = MakePlan();
    EXPECT_THAT(Steps(plan), ElementsAre(StartsWith("apply StatefulSet")));
    ASSERT_EQ(plan.warnings.size(), 1U);
    EXPECT_EQ(plan.warnings[0].message, "later");
  }

  resources::ChildInputs inputs_;
  Holds holds_;
  PlanMemo memo_;
  ChildrenPlanned done_;
};

TEST_F(ChildrenPlanTest, ThatAreMissingAreCreatedInOrder) {
  const Plan plan = MakePlan();
  EXPECT_THAT(Steps(plan), SizeIs(12));
  EXPECT_EQ(Steps(plan)[0], "create ConfigMap c-inventory: does not exist");
  EXPECT_EQ(Steps(plan)[4], "create StatefulSet c-node: does not exist [after 0]");
  EXPECT_EQ(Steps(plan)[11], "create Deployment c-haproxy: does not exist [after 8]");
  EXPECT_EQ(done_.inventory_step, 0U);
}

TEST_F(ChildrenPlanTest, ThatAreAsDesiredAreLeftAlone) {
  AllThere();
  const Plan plan = MakePlan();
  EXPECT_THAT(Steps(plan), IsEmpty());
  EXPECT_THAT(plan.verified, IsEmpty());
  EXPECT_EQ(done_.inventory_step, std::nullopt);
}

TEST_F(ChildrenPlanTest, AreComparedOnceAndRemembered) {
  AllThere();
  seen_.verified = {};
  Edited(ConfigId(), R"({"data": {"added": "by the server"}, "metadata": {"labels": {"x": "y"}}})");
  const Plan plan = MakePlan();
  EXPECT_THAT(Steps(plan), IsEmpty());
  ASSERT_THAT(plan.verified, SizeIs(1));  // of the others nothing was read
  EXPECT_EQ(plan.verified[0].first, ConfigId());
  EXPECT_EQ(plan.verified[0].second.content_hash, 2U);
}

TEST_F(ChildrenPlanTest, ThatWereChangedByHandAreRepairedAndTheFieldIsNamed) {
  AllThere();
  Edited(NodeSetId(), R"({"spec": {"replicas": 1}})");
  EXPECT_THAT(Steps(MakePlan()), ElementsAre("apply StatefulSet c-node: was changed by hand: "
                                             "spec.replicas [drift]"));
}

TEST_F(ChildrenPlanTest, AChangedSpecIsAppliedWithoutBeingCalledDrift) {
  AllThere();
  cluster_.spec.load_balancer.replicas = 3;
  SpecChanged();
  EXPECT_THAT(Steps(MakePlan()),
              ElementsAre("apply Deployment c-haproxy: what is declared has changed"));
}

TEST_F(ChildrenPlanTest, AnApplyCarriesTheUidOfWhatWasSeen) {
  AllThere();
  Edited(ConfigId(), R"({"data": null})");
  const Plan plan = MakePlan();
  ASSERT_THAT(plan.steps, SizeIs(1));
  EXPECT_EQ(std::get<ApplyObject>(plan.steps[0].action).uid, "uid-of-c-config");
}

TEST_F(ChildrenPlanTest, WhatIsRecordedIsWrittenBeforeThePodsThatItSpeaksOf) {
  AllThere();
  inputs_.replicas = inputs_.pods = 5;
  inputs_.inventory.replicas = 5;
  const Plan plan = MakePlan();
  EXPECT_THAT(Steps(plan)[0], StartsWith("apply ConfigMap c-inventory"));
  EXPECT_THAT(Steps(plan), Contains(AllOf(StartsWith("apply StatefulSet"), EndsWith("[after 0]"))));
}

// --- names that are taken

TEST_F(ChildrenPlanTest, ANameThatSomebodyElseHasIsLeftAloneAndHoldsBackNothingElse) {
  seen_.strangers[ClientsId()] = "Deployment web (controller)";
  const Plan plan = MakePlan();
  EXPECT_THAT(Steps(plan), SizeIs(11));
  EXPECT_THAT(Problems(plan), ElementsAre(HasSubstr("NeedsPerson NameTaken: Service c belongs to "
                                                    "Deployment web (controller)")));
}

TEST_F(ChildrenPlanTest, NoPodIsStartedThatWouldMountSomebodyElsesObject) {
  seen_.strangers[ConfigId()] = "nobody we know";
  const Plan plan = MakePlan();
  EXPECT_THAT(Steps(plan), Not(Contains(StartsWith("create StatefulSet"))));
  EXPECT_THAT(Waits(plan), ElementsAre("ChildMissing: StatefulSet c-node is not created before "
                                       "ConfigMap c-config"));
}

TEST_F(ChildrenPlanTest, AnObjectOfAnEarlierClusterIsWaitedOutAndOneWithoutOwnerTakenUp) {
  AllThere();
  seen_.children[ConfigId()].owner_uid = "uid-of-before";
  seen_.children[ClientsId()].owner_uid = "";
  seen_.children[ProxiesId()].deleting = true;
  const Plan plan = MakePlan();
  EXPECT_THAT(Steps(plan), ElementsAre("apply Service c: has no owner: it is taken up again"));
  EXPECT_THAT(Waits(plan),
              ElementsAre(HasSubstr("ConfigMap c-config belongs to an earlier cluster"),
                          "ChildLeaving: Deployment c-haproxy is being deleted"));
}

TEST_F(ChildrenPlanTest, AnObjectThatAnotherControlsIsNotWaitedForWhateverItsLabelsSay) {
  AllThere();
  seen_.children[ConfigId()].owner_uid = "uid-of-web";
  seen_.children[ConfigId()].foreign_owner = "Deployment web";
  const Plan plan = MakePlan();
  EXPECT_THAT(Steps(plan), IsEmpty());
  EXPECT_THAT(Waits(plan), IsEmpty());
  EXPECT_THAT(
      Problems(plan),
      ElementsAre("NeedsPerson NameTaken: ConfigMap c-config belongs to Deployment web, its "
                  "controller: delete or rename it, or give this cluster another name"));
}

// The labels say that it is of another cluster; its owner is this one.
TEST_F(ChildrenPlanTest, OfThisClusterAreRepairedWhateverTheirLabelsSay) {
  AllThere();
  Edited(ConfigId(), R"({"metadata": {"labels": {"app.kubernetes.io/instance": "d",
                                                 "app.kubernetes.io/managed-by": null}}})");
  seen_.children[ConfigId()].foreign_owner = "RabbitCluster c";
  const Plan plan = MakePlan();
  EXPECT_THAT(Steps(plan), ElementsAre(AllOf(StartsWith("apply ConfigMap c-config: was changed by "
                                                        "hand: metadata.labels"),
                                             EndsWith("[drift]"))));
  EXPECT_THAT(Problems(plan), IsEmpty());
}

TEST_F(ChildrenPlanTest, PodsAreNotMadeWithWhatIsNotOursOrGoes) {
  const auto without_node_set = [this](auto change) {
    AllThere();
    seen_.children.erase({kube::kStatefulSets, "c-node"});
    change(seen_.children[ConfigId()]);
    return Waits(MakePlan());
  };
  const char* held = "ChildMissing: StatefulSet c-node is not created before ConfigMap c-config";
  EXPECT_THAT(without_node_set([](observe::Child&) {}), IsEmpty());
  EXPECT_THAT(without_node_set([](observe::Child& config) { config.deleting = true; }),
              Contains(held));
  EXPECT_THAT(without_node_set([](observe::Child& config) { config.owner_uid = "uid-of-before"; }),
              Contains(held));
  EXPECT_THAT(without_node_set([](observe::Child& config) {
                config.owner_uid = "uid-of-web";
                config.foreign_owner = "Deployment web";
              }),
              Contains(held));
}

// --- holds

TEST_F(ChildrenPlanTest, AHoldIsOnCreationOnly) {
  holds_.proxies = Wait{Aspect::kLoadBalancer, "ProxiesWaiting", "later"};
  EXPECT_THAT(Steps(MakePlan()), SizeIs(11));
  AllThere();
  cluster_.spec.load_balancer.replicas = 3;
  SpecChanged();
  const Plan plan = MakePlan();
  EXPECT_THAT(Steps(plan), ElementsAre(StartsWith("apply Deployment")));
  EXPECT_THAT(Waits(plan), IsEmpty());
}

TEST_F(ChildrenPlanTest, AHoldOnTheConfigurationIsOnItsChangesOnly) {
  holds_.config = Warning{"ConfigHeld", "later"};
  EXPECT_THAT(Steps(MakePlan()), SizeIs(12));  // also created
  AllThere();
  EXPECT_THAT(MakePlan().warnings, IsEmpty());
  Edited(ConfigId(), R"({"data": {"rabbitmq.conf": ""}})");
  EXPECT_THAT(Steps(MakePlan()), ElementsAre(StartsWith("apply ConfigMap c-config")));  // repaired
  ExpectAChangedConfigurationIsHeld();
}

TEST_F(ChildrenPlanTest, AHeldConfigurationThatLostItsOwnerIsNotChangedEither) {
  AllThere();
  seen_.children[ConfigId()].owner_uid.clear();
  EXPECT_THAT(Steps(MakePlan()), ElementsAre("apply ConfigMap c-config: has no owner: it is taken "
                                             "up again"));
  holds_.config = Warning{"ConfigHeld", "later"};
  EXPECT_THAT(Steps(MakePlan()), SizeIs(1));  // its content stays as it is
  EXPECT_THAT(MakePlan().warnings, IsEmpty());
  ExpectAChangedConfigurationIsHeld();
}

TEST_F(ChildrenPlanTest, WhatCannotBeBuiltIsLeftAsItIsAndTheRestGoesOn) {
  AllThere();
  seen_.children.erase(ClientsId());
  cluster_.spec.config = "cluster_name = mine\n";
  SpecChanged();
  const Plan plan = MakePlan();
  EXPECT_THAT(Steps(plan), ElementsAre("create Service c: does not exist"));
  EXPECT_THAT(Problems(plan), ElementsAre(AllOf(HasSubstr("NeedsPerson InvalidSpec: spec.config"),
                                                HasSubstr("what runs is left as it is"))));
}

// --- proxies that are off

TEST_F(ChildrenPlanTest, ProxiesThatAreNoLongerDeclaredGoAfterClientsWereSentToTheBrokers) {
  AllThere();
  cluster_.spec.load_balancer.enabled = false;
  SpecChanged();
  EXPECT_THAT(Steps(MakePlan()),
              ElementsAre("apply Service c: what is declared has changed",
                          "delete Deployment c-haproxy: is no longer declared [after 0]",
                          "delete PodDisruptionBudget c-haproxy: is no longer declared [after 0]",
                          "delete Service c-haproxy-admin: is no longer declared [after 0]",
                          "delete ConfigMap c-haproxy: is no longer declared [after 0]"));
}

TEST_F(ChildrenPlanTest, SomebodyElsesObjectIsNotDeletedForHavingOurName) {
  AllThere();
  cluster_.spec.load_balancer.enabled = false;
  SpecChanged();
  for (auto& [id, child] : seen_.children) {
    if (id.name.starts_with("c-haproxy")) child.owner_uid = "uid-of-another";
  }
  EXPECT_THAT(Steps(MakePlan()), SizeIs(1));
}

// --- the memo

TEST_F(ChildrenPlanTest, AMemoOfTheSameInputsIsKeptAndOneOfOthersIsNot) {
  MakePlan();
  const std::string digest = memo_.inputs_digest;
  EXPECT_FALSE(digest.empty());
  MakePlan();
  EXPECT_EQ(memo_.inputs_digest, digest);
  for (int change = 0; change < 5; ++change) {
    const std::string before = memo_.inputs_digest;
    if (change == 0) SpecChanged();
    if (change == 1) inputs_.pods = 4;
    if (change == 2) inputs_.broker_image = "other";
    if (change == 3) inputs_.inventory.volumes[3] = "disk-3";
    if (change == 4) inputs_.settings.cluster_domain = "example.org";
    MakePlan();
    EXPECT_NE(memo_.inputs_digest, before) << change;
  }
}

TEST_F(ChildrenPlanTest, ASpecWithoutAGenerationIsNeverTakenFromTheMemo) {
  cluster_.meta.generation = 0;
  AllThere();
  MakePlan();
  cluster_.spec.load_balancer.replicas = 3;
  EXPECT_THAT(Steps(MakePlan()), SizeIs(1));
}

}  // namespace
}  // namespace rabbit::plan
