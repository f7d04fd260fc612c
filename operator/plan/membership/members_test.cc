#include "operator/plan/membership/members.h"

#include <gmock/gmock.h>

#include "operator/plan/fixture.h"

namespace rabbit::plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class MembersTest : public PlanTest {
 protected:
  static rabbitmq::Node Node(std::string name, bool running = true) {
    rabbitmq::Node node;
    node.name = std::move(name);
    node.running = running;
    return node;
  }
};

TEST_F(MembersTest, AreKnownWhileTheLastLookSaidWhoTheyAre) {
  ASSERT_NE(KnownMembers(Seen()), nullptr);
  EXPECT_EQ(KnownMembers(Seen())->size(), 3U);
  NobodyAnswers();
  EXPECT_EQ(KnownMembers(Seen()), nullptr);
}

TEST_F(MembersTest, AreNotKnownFromALookBeforeOneThatFailed) {
  Seen();
  seen_.broker.trouble = "connection refused";
  EXPECT_EQ(KnownMembers(seen_), nullptr);
}

TEST_F(MembersTest, AreNotKnownWhenTheirListCouldNotBeReadOrIsEmpty) {
  seen_.broker.view = std::make_shared<const rabbitmq::BrokerView>();
  EXPECT_EQ(KnownMembers(seen_), nullptr);
  members_.clear();
  EXPECT_EQ(KnownMembers(Seen()), nullptr) << "who answers is a member";
}

TEST_F(MembersTest, FromAnOrdinalOnAreThoseOfThisCluster) {
  members_.push_back(Node(NodeName(12)));
  members_.push_back(Node("rabbit@other-node-7.other-nodes.ns"));
  members_.push_back(Node("rabbit@localhost"));
  EXPECT_THAT(MembersFrom(cluster_, members_, 2), ElementsAre("c-node-2", "c-node-12"));
  EXPECT_THAT(MembersFrom(cluster_, members_, 13), IsEmpty());
}

TEST_F(MembersTest, RunInTheirMajorityWhenMoreThanHalfDo) {
  struct Row {
    int running, all;
    bool majority;
  };
  for (const Row row : {Row{1, 1, true}, Row{1, 2, false}, Row{2, 3, true}, Row{1, 3, false},
                        Row{2, 4, false}, Row{3, 4, true}, Row{0, 1, false}}) {
    std::vector<rabbitmq::Node> members;
    for (int i = 0; i < row.all; ++i) members.push_back(Node(NodeName(i), i < row.running));
    EXPECT_EQ(MajorityRuns(members), row.majority) << row.running << " of " << row.all;
  }
}

TEST_F(MembersTest, ADiskIsItsClaimOrWithoutOneItsPod) {
  observe::StorageRecord storage;
  EXPECT_EQ(VolumeOf(storage, Pod(0)), "disk-0");
  storage.ephemeral = true;
  EXPECT_EQ(VolumeOf(storage, Pod(0)), "pod-0");
}

}  // namespace
}  // namespace rabbit::plan
