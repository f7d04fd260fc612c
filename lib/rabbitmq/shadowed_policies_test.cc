#include "rabbitmq/shadowed_policies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rabbit::rabbitmq {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Policy PolicyOf(std::string name, std::string pattern, std::int64_t priority,
                std::string apply_to = "queues") {
  return {.vhost = "/",
          .name = std::move(name),
          .pattern = std::move(pattern),
          .apply_to = std::move(apply_to),
          .priority = priority,
          .definition = "{}"};
}

QueueEntry Queue(std::string name, std::string policy, std::string type = "classic") {
  return {
      .vhost = "/", .name = std::move(name), .type = std::move(type), .policy = std::move(policy)};
}

std::vector<ShadowedPolicy> Find(const std::vector<Policy>& policies,
                                 const std::vector<QueueEntry>& queues) {
  ShadowedPolicies finder(policies);
  for (const QueueEntry& queue : queues) finder.Add(queue);
  return finder.Take();
}

TEST(ShadowedPolicies, OneThatStandsBehindAnotherOnEachOfItsQueuesIsFound) {
  EXPECT_THAT(Find({PolicyOf("all", ".*", 1), PolicyOf("half", "^q", 0)},
                   {Queue("q1", "all"), Queue("q2", "all"), Queue("x", "all")}),
              ElementsAre(ShadowedPolicy{"/", "half", "all"}));
}

TEST(ShadowedPolicies, OneQueueIsEnoughOfAnEffect) {
  const std::vector<Policy> policies{PolicyOf("all", "^q1", 1), PolicyOf("half", "^q", 0)};
  EXPECT_THAT(Find(policies, {Queue("q1", "all"), Queue("q2", "half")}), IsEmpty());
  EXPECT_THAT(Find(policies, {Queue("q2", "half"), Queue("q1", "all")}), IsEmpty());
}

TEST(ShadowedPolicies, WithoutAQueueThatItMatchesNothingIsSaid) {
  EXPECT_THAT(Find({PolicyOf("all", ".*", 1), PolicyOf("half", "^q", 0)}, {Queue("x", "all")}),
              IsEmpty());
  EXPECT_THAT(Find({PolicyOf("all", ".*", 1)}, {}), IsEmpty());
}

TEST(ShadowedPolicies, AQueueThatIsYetToFollowShowsNothing) {
  // Written a moment ago, and of the higher priority; or the queue has none at all.
  EXPECT_THAT(Find({PolicyOf("new", "^q", 2), PolicyOf("old", "^q", 1)}, {Queue("q", "old")}),
              IsEmpty());
  EXPECT_THAT(Find({PolicyOf("new", "^q", 2)}, {Queue("q", "")}), IsEmpty());
  EXPECT_THAT(Find({PolicyOf("half", "^q", 0), PolicyOf("all", "^q1", 1)},
                   {Queue("q1", "all"), Queue("q2", "")}),
              IsEmpty());
}

TEST(ShadowedPolicies, WhereTheBrokerDoesNotSayTheHighestPriorityThatMatchesIsTheOne) {
  const std::vector<Policy> policies{PolicyOf("half", "^q", 0), PolicyOf("all", "^q[12]", 1)};
  EXPECT_THAT(Find(policies, {Queue("q1", ""), Queue("q2", "")}),
              ElementsAre(ShadowedPolicy{"/", "half", "all"}));
  EXPECT_THAT(Find(policies, {Queue("q1", ""), Queue("q3", "")}), IsEmpty());
  EXPECT_THAT(Find({PolicyOf("a", "^q", 0), PolicyOf("b", "^q", 0)}, {Queue("q", "")}), IsEmpty());
}

TEST(ShadowedPolicies, OfTwoOfOnePriorityOneIsInVain) {
  EXPECT_THAT(Find({PolicyOf("a", "^q", 0), PolicyOf("b", "^q", 0)}, {Queue("q", "a")}),
              ElementsAre(ShadowedPolicy{"/", "b", "a"}));
}

TEST(ShadowedPolicies, WhatIsForOtherThingsIsNotInTheShadow) {
  const QueueEntry queue = Queue("q", "all", "quorum");
  EXPECT_THAT(Find({PolicyOf("all", ".*", 1), PolicyOf("b", "^q", 0, "exchanges")}, {queue}),
              IsEmpty());
  EXPECT_THAT(Find({PolicyOf("all", ".*", 1), PolicyOf("b", "^q", 0, "classic_queues")}, {queue}),
              IsEmpty());
  EXPECT_THAT(Find({PolicyOf("all", ".*", 1), PolicyOf("b", "^q", 0, "quorum_queues")}, {queue}),
              SizeIs(1));
  QueueEntry elsewhere = queue;
  elsewhere.vhost = "v";
  EXPECT_THAT(Find({PolicyOf("all", ".*", 1), PolicyOf("b", "^q", 0)}, {elsewhere}), IsEmpty());
}

TEST(ShadowedPolicies, OneForExchangesTooIsNotInVain) {
  const auto find = [](std::string definition) {
    Policy policy = PolicyOf("b", ".*", 0, "all");
    policy.definition = std::move(definition);
    return Find({PolicyOf("all", ".*", 1), policy}, {Queue("q", "all")});
  };
  EXPECT_THAT(find(R"({"federation-upstream-set":"all"})"), IsEmpty());
  EXPECT_THAT(find(R"({"alternate-exchange":"a","max-length":1})"), IsEmpty());
  EXPECT_THAT(find(R"({"ha-mode":"all","max-length":1})"), SizeIs(1));
}

TEST(ShadowedPolicies, APatternThatCannotBeReadOrEndsNeverIsNotFoundOutAbout) {
  EXPECT_THAT(Find({PolicyOf("all", ".*", 1), PolicyOf("b", "(", 0)}, {Queue("q", "all")}),
              IsEmpty());
  EXPECT_THAT(Find({PolicyOf("all", ".*", 1), PolicyOf("b", "(a+)+$", 0)},
                   {Queue(std::string(200, 'a') + "!", "all")}),
              IsEmpty());
}

TEST(ShadowedPolicies, WhatIsMatchedAndWhatIsTakenAreBounded) {
  std::vector<Policy> policies{PolicyOf("all", ".*", 1), PolicyOf("z", "^last$", 0)};
  for (std::size_t i = 0; i < kMaxShadowed + 5; ++i) {
    policies.push_back(PolicyOf("p" + std::to_string(i), "^q", 0));
  }
  EXPECT_THAT(Find(policies, {Queue("q", "all")}), SizeIs(kMaxShadowed));

  std::vector<QueueEntry> queues(ShadowedPolicies::kMaxMatches, Queue("x", "all"));
  queues.push_back(Queue("last", "all"));
  EXPECT_THAT(Find({policies[0], policies[1]}, queues), IsEmpty());
  queues.erase(queues.begin());
  EXPECT_THAT(Find({policies[0], policies[1]}, queues), SizeIs(1));
}

}  // namespace
}  // namespace rabbit::rabbitmq
