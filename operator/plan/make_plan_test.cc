#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/plan/make_plan_fixture.h"

namespace rabbit::plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(MakePlanTest, ANewClusterIsMadeInAFewRoundsAndThenLeftAlone) {
  EXPECT_LE(Settle(), 12);
  EXPECT_EQ(world_.running(), (std::set{0, 1, 2}));
  const int writes = world_.writes;
  // 12 children, three Secrets, and the inventory once more: the cluster has formed.
  EXPECT_LE(writes, 16);
  for (int i = 0; i < 3; ++i) Round();
  EXPECT_EQ(world_.writes, writes);
  EXPECT_EQ(world_.Body(InventoryId())["data"]["formed"], "true");
}

TEST_F(MakePlanTest, TheProxiesFollowTheNodesAddresses) {
  Round();
  EXPECT_FALSE(world_.Has({kube::kDeployments, "c-haproxy"}));
  Round();
  EXPECT_TRUE(world_.Has({kube::kDeployments, "c-haproxy"}));
}

TEST_F(MakePlanTest, NewNodesAreLetInAndNothingIsRestarted) {
  Settle();
  world_.Declare(5);
  Settle();
  EXPECT_EQ(world_.running(), (std::set{0, 1, 2, 3, 4}));
  EXPECT_THAT(Next().problems, IsEmpty());
}

TEST_F(MakePlanTest, ACountThatIsNotSaidIsWrittenDownAndKept) {
  Settle();
  world_.Declare(5);
  Settle();
  world_.cluster.spec.replicas.reset();  // the line was removed
  ++world_.cluster.meta.generation;
  Settle();
  EXPECT_EQ(world_.cluster.spec.replicas, 5);
  EXPECT_EQ(world_.running().size(), 5U);
}

TEST_F(MakePlanTest, AScaleDownIsRefusedAndNobodyLeaves) {
  Settle();
  world_.Declare(1);
  Settle();
  EXPECT_EQ(world_.running(), (std::set{0, 1, 2}));
  ASSERT_EQ(Next().problems.size(), 1U);
  EXPECT_EQ(Next().problems[0].reason, "ScaleDownRefused");
  world_.Declare(3);
  Settle();
  EXPECT_THAT(Next().problems, IsEmpty());
}

TEST_F(MakePlanTest, AStatefulSetScaledByHandIsPutBackInBothDirections) {
  Settle();
  for (const int replicas : {1, 6}) {
    world_.Edit(NodeSetId(), {{"spec", {{"replicas", replicas}}}});
    world_.Tick();
    Settle();
    EXPECT_EQ(world_.running(), (std::set{0, 1, 2}));
    EXPECT_EQ(world_.Body(NodeSetId())["spec"]["replicas"], 3);
  }
}

TEST_F(MakePlanTest, ChildrenDeletedByHandAreMadeAgainAndTheGuardStaysClosed) {
  Settle();
  world_.DeleteChild(InventoryId());
  world_.LoseDisk(2);
  for (int i = 0; i < 8; ++i) Round();
  EXPECT_EQ(world_.running(), (std::set{0, 1}));
  EXPECT_EQ(world_.Body(InventoryId())["data"]["formed"], "true");
  world_.Forget(2);
  Settle();
  EXPECT_EQ(world_.running(), (std::set{0, 1, 2}));
}

TEST_F(MakePlanTest, AnEmptiedRecordIsNotTakenForThatOfANewCluster) {
  Settle();
  const base::Json data = world_.Body(InventoryId())["data"];
  world_.Edit(InventoryId(), {{"data", nullptr}});
  world_.LoseDisk(1);
  for (int i = 0; i < 4; ++i) Round();
  EXPECT_THAT(world_.running(), testing::ElementsAre(0, 2)) << "the blank one is held";
  ASSERT_EQ(Next().problems.size(), 1U);
  EXPECT_EQ(Next().problems[0].reason, "InventoryUnreadable");
  world_.Edit(InventoryId(), {{"data", data}});
  for (int i = 0; i < 4; ++i) Round();
  EXPECT_EQ(Next().problems.at(0).reason, "LostDisk");
}

TEST_F(MakePlanTest, AGuardThatWasOpenedByHandIsClosedAgain) {
  Settle();
  const base::Json data = world_.Body(InventoryId())["data"];
  world_.LoseDisk(1);
  world_.Edit(InventoryId(), {{"data", {{"formed", "false"}}}});
  for (int i = 0; i < 4; ++i) Round();
  EXPECT_EQ(world_.Body(InventoryId())["data"], data);
  EXPECT_THAT(world_.running(), testing::ElementsAre(0, 2)) << "the blank one is held";
}

// The StatefulSet cannot be applied with another claim template (FakeWorld looks).
TEST_F(MakePlanTest, ARecordThatIsMadeAnewHasTheStorageOfTheNodesThatAreThere) {
  world_.cluster.spec.storage.class_name = "fast";
  Settle();
  const base::Json storage = world_.Body(InventoryId())["data"]["storage"];
  world_.cluster.spec.storage.size = "20Gi";
  ++world_.cluster.meta.generation;
  Settle();
  ASSERT_EQ(Next().problems.size(), 1U);
  EXPECT_EQ(Next().problems[0].reason, "VolumeExpansionPending");
  for (int i = 0; i < 3; ++i) world_.LoseDisk(i);  // what a person is told is to delete the record
  world_.DeleteChild(InventoryId());
  Settle();
  EXPECT_EQ(world_.running(), (std::set{0, 1, 2}));
  EXPECT_EQ(world_.Body(InventoryId())["data"]["storage"], storage);
  ASSERT_EQ(Next().problems.size(), 1U);
  EXPECT_EQ(Next().problems[0].reason, "VolumeExpansionPending");
  world_.cluster.spec.storage.size = "10Gi";
  ++world_.cluster.meta.generation;
  Settle();
  EXPECT_THAT(Next().problems, IsEmpty());
}

TEST_F(MakePlanTest, AClusterThatIsBeingDeletedIsLeftToTheCollector) {
  world_.cluster.meta.deleting = true;
  EXPECT_THAT(Next().steps, IsEmpty());
}

TEST_F(MakePlanTest, BrokerStepsComeLastAndAfterTheInventory) {
  for (int i = 0; i < 4; ++i) Round();
  world_.cluster.spec.users.push_back({});
  world_.cluster.spec.users.back().name = "app";
  ++world_.cluster.meta.generation;
  Settle();
  EXPECT_THAT(world_.Body(InventoryId())["data"]["users"], R"(["app"])");
}

// Whatever fails and whatever is lost on the way: no blank node passes for a member, no second
// cluster is founded (FakeWorld looks), and in the end all is as declared.
TEST_F(MakePlanTest, ComesToRestWhateverFailsOnTheWay) {
#ifdef NDEBUG
  constexpr unsigned kSeeds = 30;
#else
  constexpr unsigned kSeeds = 4;
#endif
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world_ = FakeWorld();
    memo_ = {};
    engine_.seed(seed);
    const auto random = [this](int most) {
      return std::uniform_int_distribution<int>(0, most)(engine_);
    };
    failing_ = true;
    bool lost = false;
    for (int round = 0; round < 40; ++round) {
      switch (random(14)) {
        case 0:
          world_.KillPod(random(4));
          break;
        case 1:
          world_.Declare(3 + random(3));
          break;
        case 2:
          world_.DeleteChild({kube::kServices, "c-nodes"});
          break;
        case 3:
          world_.DeleteChild(InventoryId());
          break;
        case 4:
          memo_ = {};
          break;
        case 5:
          if (world_.Has(NodeSetId()))
            world_.Edit(NodeSetId(), {{"spec", {{"replicas", random(6)}}}});
          break;
        case 6:
          world_.now += std::chrono::seconds(40);
          break;
        case 7:  // at most one: who loses all disks has more to do than to forget nodes
          if (world_.WasFormed() && world_.running().size() > 2 && !lost) {
            world_.LoseDisk(random(2));
            lost = true;
          }
          break;
        default:
          break;
      }
      Round();
      if (HasFailure()) return;
    }
    failing_ = false;
    world_.Declare(6);
    for (int i = 0; i < 10; ++i) Round();
    world_.ForgetTheLost();
    Settle(60);
    EXPECT_EQ(world_.running().size(), 6U);
    EXPECT_THAT(Next().problems, IsEmpty());
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace rabbit::plan
