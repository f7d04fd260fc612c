#include "rabbitmq/queue_counter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rabbit::rabbitmq {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<Node> Members(int count) {
  std::vector<Node> nodes;
  for (int i = 0; i < count; ++i) nodes.push_back({.name = "rabbit@n" + std::to_string(i)});
  return nodes;
}

Policy PolicyOf(std::string name, std::string definition) {
  return {.vhost = "/", .name = std::move(name), .definition = std::move(definition)};
}

QueueEntry Classic(std::string name, std::string policy, std::uint32_t mirrors,
                   std::uint32_t synced) {
  return {.vhost = "/",
          .name = std::move(name),
          .type = "classic",
          .policy = std::move(policy),
          .state = "live",
          .home = "rabbit@n0",
          .mirrors = mirrors,
          .synced_mirrors = synced};
}

QueueEntry Quorum(std::string name, std::uint32_t members, std::uint32_t online) {
  return {.vhost = "/",
          .name = std::move(name),
          .type = "quorum",
          .state = "live",
          .home = "rabbit@n1",
          .members = members,
          .online = online};
}

class QueueCounterTest : public testing::Test {
 protected:
  QueueSummary Count(const std::vector<QueueEntry>& queues, int members = 3) {
    QueueCounter counter(policies_, Members(members));
    for (const QueueEntry& queue : queues) counter.Add(queue);
    return counter.Take();
  }
  QueueCounts CountOne(const QueueEntry& queue, int members = 3) {
    return Count({queue}, members).all;
  }

  std::vector<Policy> policies_{
      PolicyOf("half", R"({"ha-mode":"exactly","ha-params":2})"),
      PolicyOf("one", R"({"ha-mode":"exactly","ha-params":1})"),
      PolicyOf("all", R"({"ha-mode":"all"})"),
      PolicyOf("named", R"({"ha-mode":"nodes","ha-params":["rabbit@n0","rabbit@n1","rabbit@x"]})"),
      PolicyOf("limits", R"({"max-length":5})")};
};

TEST_F(QueueCounterTest, APlainQueueIsNeitherMirroredNorWanting) {
  EXPECT_EQ(CountOne(Classic("q", "", 0, 0)), (QueueCounts{.total = 1}));
  EXPECT_EQ(CountOne(Classic("q", "limits", 0, 0)), (QueueCounts{.total = 1}));
}

TEST_F(QueueCounterTest, AQueueWithItsMirrorInSyncIsWell) {
  EXPECT_EQ(CountOne(Classic("q", "half", 1, 1)),
            (QueueCounts{.total = 1, .mirrored = 1, .mirrors_in_sync = 1}));
}

TEST_F(QueueCounterTest, AMirrorOutOfSyncAndAMissingOneAreUnderReplication) {
  const QueueCounts wanting{.total = 1, .mirrored = 1, .under_replicated = 1};
  EXPECT_EQ(CountOne(Classic("q", "half", 1, 0)), wanting);
  EXPECT_EQ(CountOne(Classic("q", "half", 0, 0)), wanting);
  EXPECT_EQ(CountOne(Classic("q", "all", 1, 1)), wanting);
}

TEST_F(QueueCounterTest, ACountOfOneMeansNoMirror) {
  EXPECT_EQ(CountOne(Classic("q", "one", 0, 0)), (QueueCounts{.total = 1}));
}

TEST_F(QueueCounterTest, APolicyCannotMeanMoreMirrorsThanThereAreNodes) {
  policies_.push_back(PolicyOf("many", R"({"ha-mode":"exactly","ha-params":99})"));
  EXPECT_EQ(CountOne(Classic("q", "many", 2, 2)).mirrors_in_sync, 1U);
  EXPECT_EQ(CountOne(Classic("q", "half", 0, 0), 1), (QueueCounts{.total = 1}));
}

TEST_F(QueueCounterTest, NamedNodesCountWhenTheyAreMembers) {
  EXPECT_EQ(CountOne(Classic("q", "named", 1, 1)).mirrors_in_sync, 1U);
  EXPECT_EQ(CountOne(Classic("q", "named", 0, 0)).under_replicated, 1U);
}

TEST_F(QueueCounterTest, AMirrorLeftOverFromAnOlderPolicyStillCountsAsMirrored) {
  EXPECT_EQ(CountOne(Classic("q", "", 1, 1)),
            (QueueCounts{.total = 1, .mirrored = 1, .mirrors_in_sync = 1}));
}

TEST_F(QueueCounterTest, AQuorumQueueWantsItsMembersOnline) {
  EXPECT_EQ(CountOne(Quorum("q", 3, 3)), (QueueCounts{.total = 1, .quorum = 1}));
  EXPECT_EQ(CountOne(Quorum("q", 3, 2)),
            (QueueCounts{.total = 1, .quorum = 1, .under_replicated = 1}));
}

TEST_F(QueueCounterTest, AQuorumQueueWithoutItsMajorityIsDownWhateverItsState) {
  EXPECT_EQ(CountOne(Quorum("q", 3, 1)),
            (QueueCounts{.total = 1, .quorum = 1, .under_replicated = 1, .down = 1}));
}

TEST_F(QueueCounterTest, AQuorumQueueThatLostAMemberForGoodIsUnderReplicated) {
  EXPECT_EQ(CountOne(Quorum("q", 2, 2)).under_replicated, 1U);
  EXPECT_EQ(CountOne(Quorum("q", 1, 1), 1).under_replicated, 0U) << "no more nodes to be on";
  QueueEntry single = Quorum("q", 1, 1);
  single.wanted_members = 1;
  EXPECT_EQ(CountOne(single).under_replicated, 0U) << "declared with one";
}

TEST_F(QueueCounterTest, AStreamWithoutKnownMembersIsTakenAsWell) {
  QueueEntry stream = Quorum("s", 0, 0);
  stream.type = "stream";
  EXPECT_EQ(CountOne(stream), (QueueCounts{.total = 1, .stream = 1}));
}

TEST_F(QueueCounterTest, TransientExclusiveAndAutoDeleteQueuesAreLeftOut) {
  QueueEntry queue = Classic("q", "half", 0, 0);
  queue.counted = false;
  QueueSummary summary = Count({queue});
  summary.shadowed.clear();  // is about policies, and any queue shows it
  EXPECT_EQ(summary, QueueSummary{});
}

TEST_F(QueueCounterTest, CountsByPolicyAndByLeader) {
  const QueueSummary summary =
      Count({Classic("a", "half", 1, 1), Classic("b", "half", 0, 0), Quorum("c", 3, 3)});
  ASSERT_EQ(summary.by_policy.size(), 1U);
  const PolicyKey half{.vhost = "/", .name = "half"};
  EXPECT_EQ(summary.by_policy.at(half),
            (QueueCounts{.total = 2, .mirrored = 2, .mirrors_in_sync = 1, .under_replicated = 1}));
  EXPECT_EQ(summary.leaders,
            (std::map<std::string, std::uint32_t>{{"rabbit@n0", 2}, {"rabbit@n1", 1}}));
}

TEST_F(QueueCounterTest, APolicyInVainIsFoundAlsoOnQueuesThatAreNotCounted) {
  policies_[0].pattern = policies_[4].pattern = "^q";
  policies_[0].priority = 1;
  QueueEntry queue = Classic("q", "half", 1, 1);
  queue.counted = false;
  EXPECT_THAT(Count({queue}).shadowed, testing::Contains(ShadowedPolicy{"/", "limits", "half"}));
}

TEST_F(QueueCounterTest, NamesAFewOfThoseInTrouble) {
  QueueEntry down = Classic("z", "", 0, 0);
  down.state = "down";
  EXPECT_THAT(Count({down, Quorum("b", 3, 2), Classic("a", "half", 0, 0)}).examples,
              ElementsAre("a in vhost /: 0 of 1 mirrors in sync",
                          "b in vhost /: 2 of 3 members online", "z in vhost /: down"));
  EXPECT_THAT(Count({Quorum("b", 3, 3)}).examples, IsEmpty());
}

TEST_F(QueueCounterTest, ExamplesAreBoundedAndTheSmallestWhateverTheOrder) {
  std::vector<QueueEntry> queues;
  for (int i = 99; i >= 10; --i) queues.push_back(Quorum("q" + std::to_string(i), 3, 2));
  const auto examples = Count(queues).examples;
  ASSERT_EQ(examples.size(), kMaxExamples);
  EXPECT_EQ(examples[0], "q10 in vhost /: 2 of 3 members online");
  EXPECT_EQ(examples[4], "q14 in vhost /: 2 of 3 members online");
}

TEST_F(QueueCounterTest, ANameInAnExampleIsOneBoundedLine) {
  const auto examples = Count({Quorum("a\nb" + std::string(500, 'x'), 3, 2)}).examples;
  ASSERT_EQ(examples.size(), 1U);
  EXPECT_TRUE(examples[0].starts_with("a?bxxx"));
  EXPECT_LT(examples[0].size(), 200U);
}

TEST_F(QueueCounterTest, OnlyMembersAreLeaders) {
  QueueEntry queue = Quorum("q", 3, 3);
  queue.home = "rabbit@stranger";
  EXPECT_TRUE(Count({queue}).leaders.empty());
}

TEST_F(QueueCounterTest, PoliciesAreCountedUpToABound) {
  const std::vector<Policy> none;
  QueueCounter counter(none, Members(3));
  for (std::size_t i = 0; i < kMaxPolicies + 10; ++i) {
    counter.Add(Classic("q", "p" + std::to_string(i), 0, 0));
  }
  const QueueSummary summary = counter.Take();
  EXPECT_EQ(summary.by_policy.size(), kMaxPolicies);
  EXPECT_EQ(summary.all.total, kMaxPolicies + 10);
}

}  // namespace
}  // namespace rabbit::rabbitmq
