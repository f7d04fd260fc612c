#include "operator/plan/nodes.h"

#include <gmock/gmock.h>

#include "operator/plan/fixture.h"

namespace rabbit::plan {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class NodesTest : public PlanTest {
 protected:
  Plan Ready(int members = 3) {
    Plan plan;
    PlanNodesReady(cluster_, Seen(), members, now_, plan);
    return plan;
  }
  Plan Restarts(const std::string& image = "rabbitmq:3.13-management") {
    Plan plan;
    PlanRestartPending(cluster_, Seen(), image,
                       {.formed = formed_, .volumes = seen_.inventory->volumes}, plan);
    return plan;
  }
  // Declared, and no node comes up.
  void NobodyHasStarted() {
    formed_ = false;
    NobodyAnswers();
    for (observe::Pod& pod : seen_.nodes) {
      pod.ready = false;
      pod.config_hash.clear();
    }
    Pod(1).trouble = "ImagePullBackOff: no such image";
  }
  bool formed_ = true;
};

TEST_F(NodesTest, ThatAreAllReadyAreNothingToWaitFor) { EXPECT_THAT(Waits(Ready()), IsEmpty()); }

TEST_F(NodesTest, ThatAreNotReadySayWhatTheyWaitFor) {
  Pod(0).deleting = true;
  Pod(1).ready = false;
  Pod(2).ready = false;
  Pod(2).preparing = true;
  EXPECT_THAT(
      Waits(Ready(4)),
      ElementsAre("NodesStarting: 0 of 4 nodes are ready: c-node-0 is stopping, c-node-1 is "
                  "starting, c-node-2 is being prepared and c-node-3 does not exist yet"));
}

TEST_F(NodesTest, ATroubleIsToldInItsOwnWords) {
  Pod(1).ready = false;
  Pod(1).trouble = "ImagePullBackOff: no such image";
  EXPECT_THAT(Waits(Ready()), ElementsAre("NodesInTrouble: 2 of 3 nodes are ready: c-node-1: "
                                          "ImagePullBackOff: no such image"));
}

TEST_F(NodesTest, ThatKubernetesDoesNotMakeForLongSayWhereItIsTold) {
  seen_.nodes.pop_back();
  seen_.pods_missing_since = now_ - std::chrono::seconds(30);
  EXPECT_THAT(Waits(Ready()), ElementsAre("NodesStarting: 2 of 3 nodes are ready: c-node-2 does "
                                          "not exist yet"));
  seen_.pods_missing_since = now_ - std::chrono::seconds(31);
  EXPECT_THAT(Waits(Ready()),
              ElementsAre("NodesStarting: 2 of 3 nodes are ready: c-node-2 does not exist yet; why "
                          "Kubernetes does not make it: kubectl describe -n ns statefulset "
                          "c-node"));
  seen_.nodes.pop_back();
  EXPECT_THAT(Waits(Ready()), ElementsAre(HasSubstr("why Kubernetes does not make them: ")));
}

TEST_F(NodesTest, OfTheDeclaredTemplateWaitForNoRestart) {
  EXPECT_THAT(Problems(Restarts()), IsEmpty());
  seen_.stateful_set->template_hash = "other-t";  // another spec that comes to the same
  EXPECT_THAT(Problems(Restarts()), IsEmpty());
}

TEST_F(NodesTest, WithAnotherImageSayWhichOnes) {
  seen_.stateful_set->template_hash = "s2-t2";
  EXPECT_THAT(
      Problems(Restarts("rabbitmq:4.0")),
      ElementsAre(HasSubstr("NeedsPerson RestartPending: c-node-0, c-node-1 and c-node-2 run "
                            "with image rabbitmq:3.13-management, declared is "
                            "rabbitmq:4.0: this takes a rolling restart, which this version of the "
                            "operator does not do; set it back (deleting a pod does not help: it "
                            "comes back as it was)")));
}

TEST_F(NodesTest, WithOtherSettingsWaitForARestart) {
  Pod(1).template_hash = "s0-t0";
  EXPECT_THAT(Problems(Restarts()), ElementsAre(HasSubstr("c-node-1 runs with earlier settings")));
}

TEST_F(NodesTest, ThatCannotStartForTheFirstTimeAreNotToBeSetBackToWhatDoesNotStart) {
  NobodyHasStarted();
  seen_.stateful_set->template_hash = "s2-t2";
  EXPECT_THAT(
      Problems(Restarts("rabbitmq:3.13.7")),
      ElementsAre("NeedsPerson RestartPending: c-node-0, c-node-1 and c-node-2 were made with "
                  "image rabbitmq:3.13-management, declared is rabbitmq:3.13.7, and no node has "
                  "started yet: delete the RabbitCluster and apply it again (volumes are retained: "
                  "nothing is lost). c-node-1: ImagePullBackOff: no such image"));
  formed_ = true;  // they have started before
  EXPECT_THAT(Problems(Restarts("rabbitmq:3.13.7")), ElementsAre(HasSubstr("set it back")));
}

TEST_F(NodesTest, WhosePodsAreRefusedAreMadeFromTheTemplateOfBeforeForEver) {
  NobodyHasStarted();
  seen_.nodes.clear();
  EXPECT_THAT(Problems(Restarts()), IsEmpty()) << "nothing was declared since";
  seen_.stateful_set->makes_earlier_pods = true;
  const auto told = ElementsAre(
      "NeedsPerson RestartPending: there is no pod (kubectl describe -n ns statefulset c-node says "
      "what is refused). Mend what refuses them, a quota say; what is changed in the spec does not "
      "reach them, because Kubernetes makes pods with the settings of before, and no node has "
      "started yet: delete the RabbitCluster and apply it again (volumes are retained: nothing is "
      "lost)");
  EXPECT_THAT(Problems(Restarts()), told);
  formed_ = true;  // it has served: pods that are all gone for a moment come back
  EXPECT_THAT(Problems(Restarts()), IsEmpty());
  seen_.inventory->volumes.clear();  // applied again over disks of before, and refused again
  EXPECT_THAT(Problems(Restarts()), told);
  cluster_.spec.storage.retention.when_deleted = api::RetentionAction::kDelete;
  EXPECT_THAT(Problems(Restarts()), IsEmpty()) << "there may be data on them";
}

TEST_F(NodesTest, OfWhichOneGotThroughAloneAreNotToBeSetBackToWhatIsRefused) {
  NobodyHasStarted();
  seen_.nodes.resize(1);
  Pod(0).ready = true;
  seen_.stateful_set->template_hash = "s2-t2";
  const auto told = ElementsAre(AllOf(HasSubstr("c-node-0 was made with earlier settings"),
                                      HasSubstr("delete the RabbitCluster and apply it again")));
  EXPECT_THAT(Problems(Restarts()), told);
  formed_ = true;  // over disks of before, none of whose nodes has served
  EXPECT_THAT(Problems(Restarts()), ElementsAre(HasSubstr("set it back")));
  seen_.inventory->volumes.clear();
  EXPECT_THAT(Problems(Restarts()), told);
}

TEST_F(NodesTest, WhoseDisksGoWithTheClusterAreNotSaidToLoseNothing) {
  NobodyHasStarted();
  seen_.stateful_set->template_hash = "s2-t2";
  const auto goes = ElementsAre(HasSubstr("apply it again (volumes go with it). c-node-1: "));
  cluster_.spec.storage.retention.when_deleted = api::RetentionAction::kDelete;
  EXPECT_THAT(Problems(Restarts()), goes);
  cluster_.spec.storage.retention = {};
  cluster_.spec.storage.ephemeral = true;
  EXPECT_THAT(Problems(Restarts()), goes);
}

TEST_F(NodesTest, OfWhichSomeHaveStartedAreNotSaidToBeNew) {
  NobodyHasStarted();
  Pod(0).ready = true;
  seen_.stateful_set->template_hash = "s2-t2";
  EXPECT_THAT(Problems(Restarts()),
              ElementsAre(AllOf(HasSubstr(", and the cluster has not formed yet: delete the "
                                          "RabbitCluster and apply it again"),
                                testing::Not(HasSubstr("no node has started")))));
  Pod(0).ready = false;
  answers_ = true;  // one did, a moment ago
  EXPECT_THAT(Problems(Restarts()), ElementsAre(HasSubstr("the cluster has not formed yet")));
  for (const int i : {0, 1, 2}) Pod(i).ready = true;  // and is about to form
  EXPECT_THAT(Problems(Restarts()), ElementsAre(HasSubstr("set it back")));
}

TEST_F(NodesTest, ThatCannotStartWithTheirConfigurationComeBackWithTheDeclaredOne) {
  NobodyHasStarted();
  seen_.stateful_set->config_hash = "s2-c2";
  for (const int i : {0, 1, 2}) Pod(i).config_hash = "s-c";
  EXPECT_THAT(Problems(Restarts()),
              ElementsAre(HasSubstr("no node has started yet: delete these pods, they come back "
                                    "with what is declared. c-node-1: ImagePullBackOff")));
}

TEST_F(NodesTest, WithAnotherConfigurationWaitForARestartAndThenNoMore) {
  // spec.config was changed: the template's hash is of another spec, and the same.
  seen_.stateful_set->template_hash = "s2-t";
  seen_.stateful_set->config_hash = "s2-c2";
  EXPECT_THAT(
      Problems(Restarts()),
      ElementsAre(AllOf(HasSubstr("c-node-0, c-node-1 and c-node-2 run with earlier settings"),
                        HasSubstr("delete the pods one by one, each when all others are ready"))));
  Pod(0).config_hash = "s2-c2";  // restarted: from the template of before, which says s-c
  Pod(1).config_hash = "";       // about to boot, from what is declared
  EXPECT_THAT(Problems(Restarts()), ElementsAre(HasSubstr("c-node-2 runs with earlier settings")));
  Pod(2).config_hash = "s2-c2";
  EXPECT_THAT(Problems(Restarts()), IsEmpty());
}

TEST_F(NodesTest, WithTheConfigurationOfAnEarlierOperatorAreAWarningOnly) {
  Pod(2).config_hash = "s-c0";
  const Plan plan = Restarts();
  EXPECT_THAT(Problems(plan), IsEmpty());
  ASSERT_EQ(plan.warnings.size(), 1U);
  EXPECT_THAT(plan.warnings[0].message, HasSubstr("c-node-2 runs"));
}

TEST_F(NodesTest, ThatWouldStartWithOtherSoftwareKeepTheirConfiguration) {
  EXPECT_EQ(WhyConfigStays(seen_, "rabbitmq:3.13.7"), std::nullopt);
  EXPECT_EQ(WhyConfigStays(seen_, "rabbitmq:4.0"),
            "c-node-0, c-node-1 and c-node-2 run with image rabbitmq:3.13-management, declared is "
            "rabbitmq:4.0");
  Pod(0).image = Pod(2).image = "rabbitmq:4.0";
  EXPECT_EQ(WhyConfigStays(seen_, "rabbitmq:4.0"),
            "c-node-1 runs with image rabbitmq:3.13-management, declared is rabbitmq:4.0");
  Pod(1).image = "rabbitmq:4.0";
  EXPECT_EQ(WhyConfigStays(seen_, "rabbitmq:4.0"), std::nullopt);
}

TEST_F(NodesTest, ThatAreNotSeenMayStartWithAnyImage) {
  seen_.nodes.clear();
  EXPECT_THAT(WhyConfigStays(seen_, "rabbitmq:3.13-management"),
              testing::Optional(HasSubstr("no node's pod is seen")));
  seen_.stateful_set.reset();  // then they get what is declared
  EXPECT_EQ(WhyConfigStays(seen_, "rabbitmq:3.13-management"), std::nullopt);
}

TEST_F(NodesTest, OfAnEarlierOperatorAreAWarningOnly) {
  Pod(1).template_hash = "s-t0";
  const Plan plan = Restarts();
  EXPECT_THAT(Problems(plan), IsEmpty());
  ASSERT_EQ(plan.warnings.size(), 1U);
  EXPECT_THAT(plan.warnings[0].message, HasSubstr("c-node-1 runs"));
}

TEST_F(NodesTest, ARestartIsPendingBecauseOfWhatDiffers) {
  const auto made_of = [](const char* tz) {
    return std::make_shared<const observe::MadeOf>(
        observe::MadeOf{{"env TZ", tz}, {"image", "a"}, {"resources.limits.memory", "2"}});
  };
  const auto declared = made_of("new");
  const auto restarts = [&] {
    Plan plan;
    PlanRestartPending(cluster_, Seen(), "rabbitmq:3.13-management", {.formed = true}, plan,
                       [&] { return *declared; });
    return Problems(plan);
  };
  for (int i = 0; i < 3; ++i) {
    Pod(i).config_hash = "s0-c0";
    seen_.made_of[resources::PodName("c", i)] = made_of("old");
  }
  EXPECT_THAT(restarts(),
              ElementsAre(HasSubstr("RestartPending: c-node-0, c-node-1 and c-node-2 run with "
                                    "earlier settings (because of env TZ): this takes")));
  auto other = *made_of("old");
  other["image"] = "b";
  seen_.made_of["c-node-2"] = std::make_shared<const observe::MadeOf>(other);
  EXPECT_THAT(restarts(), ElementsAre(HasSubstr("earlier settings (c-node-0 and c-node-1 because "
                                                "of env TZ; c-node-2 because of env TZ and image): "
                                                "this takes")));
  // The image is told by its name, and with what else differs.
  for (int i = 0; i < 3; ++i) Pod(i).image = "rabbitmq:3.12-management";
  EXPECT_THAT(restarts(), ElementsAre(HasSubstr("run with image rabbitmq:3.12-management, declared "
                                                "is rabbitmq:3.13-management (because of env TZ): "
                                                "this takes")));
  // Half of the truth would be taken for all of it.
  seen_.made_of.erase("c-node-1");
  EXPECT_THAT(restarts(), ElementsAre(HasSubstr("is rabbitmq:3.13-management: this takes")));
}

}  // namespace
}  // namespace rabbit::plan
