#include "operator/plan/limits.h"

#include "operator/plan/topology_fixture.h"

namespace rabbit::plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class PlanLimitsTest : public TopologyTest {
 protected:
  PlanLimitsTest() { EverythingIsRead(); }
  // Vhost orders is there, and may have 5 queues.
  api::Vhost& Orders() {
    HasVhost("orders");
    api::Vhost& vhost = DeclareVhost("orders");
    vhost.limits.max_queues = 5;
    return vhost;
  }
  // User app is there, and may have 5 channels.
  api::User& App() {
    HasSecret("app", {{"password", "x"}});
    HasUser("app", "x");
    Declare(User("app", "app"));
    cluster_.spec.users.back().limits.max_channels = 5;
    return cluster_.spec.users.back();
  }
};

TEST_F(PlanLimitsTest, ADeclaredLimitIsPut) {
  Orders();
  App();
  EXPECT_THAT(Steps(), ElementsAre("put limit max-queues 5 of vhost orders: is not set",
                                   "put limit max-channels 5 of user app: is not set"));
}

TEST_F(PlanLimitsTest, ALimitAsDeclaredIsNotWrittenAgain) {
  Orders();
  App();
  broker_.vhost_limits->push_back({.vhost = "orders", .max_connections = {}, .max_queues = 5});
  broker_.user_limits->push_back({.user = "app", .max_connections = {}, .max_channels = 5});
  EXPECT_THAT(Steps(), IsEmpty());
}

TEST_F(PlanLimitsTest, WhereAnyIsDeclaredAnotherIsPutBackAndTheRestRemoved) {
  Orders();
  App();
  broker_.vhost_limits->push_back({.vhost = "orders", .max_connections = 1, .max_queues = 6});
  broker_.user_limits->push_back({.user = "app", .max_connections = 0, .max_channels = -1});
  EXPECT_THAT(Steps(),
              ElementsAre("delete limit max-connections of vhost orders: is not declared, and is 1",
                          "put limit max-queues 5 of vhost orders: is 6, declared is 5",
                          "delete limit max-connections of user app: is not declared, and is 0",
                          "put limit max-channels 5 of user app: is -1, declared is 5"));
}

TEST_F(PlanLimitsTest, WhereNoneIsDeclaredLimitsAreLeftAlone) {
  Orders().limits = {};
  App().limits = {};
  broker_.vhost_limits->push_back({.vhost = "orders", .max_connections = 1, .max_queues = 6});
  broker_.user_limits->push_back({.user = "app", .max_connections = 1, .max_channels = 1});
  EXPECT_THAT(Steps(), IsEmpty());
}

TEST_F(PlanLimitsTest, WhereNoneIsDeclaredAnyMoreAllAreRemoved) {
  Orders().limits = {};
  App().limits = {};
  broker_.vhost_limits = {{{.vhost = "/", .max_connections = {}, .max_queues = 2},
                           {.vhost = "orders", .max_connections = 1, .max_queues = 6}}};
  broker_.user_limits->push_back({.user = "app", .max_connections = {}, .max_channels = 1});
  seen_.inventory->vhost_limits = {"/", "orders"};
  seen_.inventory->user_limits = {"app"};
  EXPECT_THAT(Steps(),
              ElementsAre("delete limit max-queues of vhost /: is not declared, and is 2",
                          "delete limit max-connections of vhost orders: is not declared, and is 1",
                          "delete limit max-queues of vhost orders: is not declared, and is 6",
                          "delete limit max-channels of user app: is not declared, and is 1"));
}

TEST_F(PlanLimitsTest, OfAnEntryInErrorNothingIsRemoved) {
  HasVhost("orders");
  DeclareBadly("vhosts", "", "orders");
  broker_.vhost_limits->push_back({.vhost = "orders", .max_connections = {}, .max_queues = 6});
  seen_.inventory->vhost_limits = {"orders"};
  EXPECT_THAT(Steps(), IsEmpty());
  EXPECT_THAT(VhostLimitsForInventory(cluster_, seen_), ElementsAre("orders"));
}

TEST_F(PlanLimitsTest, TheInventoryListsWhatHasSomeOrMayHave) {
  Orders();
  App();
  for (const char* name : {"has", "was"}) {
    DeclareVhost(name);
    Declare(User(name, "app"));
  }
  for (const char* name : {"has", "removed"}) {
    broker_.vhost_limits->push_back({.vhost = name, .max_connections = {}, .max_queues = 1});
    broker_.user_limits->push_back({.user = name, .max_connections = {}, .max_channels = 1});
  }
  seen_.inventory->vhost_limits = {"/", "has", "removed", "was"};
  seen_.inventory->user_limits = {"has", "removed", "was"};
  MakePlan();
  EXPECT_THAT(VhostLimitsForInventory(cluster_, seen_), ElementsAre("has", "orders"));
  EXPECT_THAT(UserLimitsForInventory(cluster_, seen_), ElementsAre("app", "has", "removed"));
  // What may come back before it is gone is not forgotten, and what is to stay keeps its limits.
  seen_.inventory->vhosts["removed"] = api::OnRemove::kDelete;
  EXPECT_THAT(VhostLimitsForInventory(cluster_, seen_), ElementsAre("has", "orders", "removed"));
  seen_.inventory->vhosts["removed"] = api::OnRemove::kRetain;
  EXPECT_THAT(VhostLimitsForInventory(cluster_, seen_), ElementsAre("has", "orders"));
  seen_.broker.outdated = true;
  EXPECT_THAT(VhostLimitsForInventory(cluster_, seen_), ElementsAre("/", "has", "orders", "was"));
  seen_.broker.outdated = false;
  broker_.vhost_limits = {};
  broker_.user_limits = {};
  MakePlan();
  EXPECT_THAT(VhostLimitsForInventory(cluster_, seen_), ElementsAre("/", "has", "orders", "was"));
  EXPECT_THAT(UserLimitsForInventory(cluster_, seen_), ElementsAre("app", "has", "removed", "was"));
  broker_.user_limits = base::Error{base::ErrorKind::kNotFound, "404"};
  MakePlan();
  EXPECT_THAT(UserLimitsForInventory(cluster_, seen_), ElementsAre("app"));
}

TEST_F(PlanLimitsTest, ALimitOfNoneAtAllIsOne) {
  Orders().limits = {.max_connections = 0, .max_queues = {}};
  EXPECT_THAT(Steps(), ElementsAre("put limit max-connections 0 of vhost orders: is not set"));
}

TEST_F(PlanLimitsTest, WhatSomebodyChangedIsDrift) {
  Orders();
  App();
  WasInEffect();
  broker_.vhost_limits->push_back({.vhost = "orders", .max_connections = 1, .max_queues = 6});
  EXPECT_THAT(
      Steps(),
      ElementsAre("delete limit max-connections of vhost orders: is not declared, and is 1 [drift]",
                  "put limit max-queues 5 of vhost orders: is 6, declared is 5 [drift]",
                  "put limit max-channels 5 of user app: was removed at the broker [drift]"));
}

TEST_F(PlanLimitsTest, LimitsFollowTheVhostAndTheUserThatAreMade) {
  DeclareVhost("orders").limits.max_queues = 5;
  HasSecret("app", {{"password", "x"}});
  Declare(User("app", "app"));
  cluster_.spec.users.back().limits.max_channels = 5;
  EXPECT_THAT(Steps(), ElementsAre("put vhost orders: does not exist",
                                   "put limit max-queues 5 of vhost orders: is not set [after 0]",
                                   "put user app password=x: does not exist",
                                   "put limit max-channels 5 of user app: is not set [after 2]"));
}

TEST_F(PlanLimitsTest, WhatIsMadeHasNoneThoughTheListsAreUnknown) {
  broker_.vhost_limits = {};
  broker_.user_limits = {};
  DeclareVhost("orders").limits.max_queues = 5;
  HasSecret("app", {{"password", "x"}});
  Declare(User("app", "app"));
  cluster_.spec.users.back().limits.max_channels = 5;
  cluster_.spec.users.back().permissions = {{.vhost = "/"}};
  EXPECT_THAT(Steps(), ElementsAre("put vhost orders: does not exist",
                                   "put limit max-queues 5 of vhost orders: is not set [after 0]",
                                   "put user app password=x: does not exist",
                                   "put limit max-channels 5 of user app: is not set [after 2]",
                                   "put permissions app in / ^$ ^$ ^$: does not exist [after 2]"));
  EXPECT_THAT(Waits(), IsEmpty());
}

TEST_F(PlanLimitsTest, TheDefaultVhostMayBeLimited) {
  DeclareVhost("/").limits.max_queues = 5;
  EXPECT_THAT(Steps(), ElementsAre("put limit max-queues 5 of vhost /: is not set"));
}

TEST_F(PlanLimitsTest, ListsThatAreUnknownAreWaitedForWhereTheyAreNeededOnly) {
  Orders();
  App();
  broker_.vhost_limits = base::Error{base::ErrorKind::kRetry, "503"};
  broker_.user_limits = {};
  EXPECT_THAT(Steps(), IsEmpty());
  EXPECT_THAT(Waits(),
              ElementsAre("LimitsUnknown: waiting for the list of limits of vhosts: 503",
                          "LimitsUnknown: waiting for the list of limits of users: not asked yet"));
  cluster_.spec.vhosts[0].limits = {};
  cluster_.spec.users[0].limits = {};
  EXPECT_THAT(Waits(), IsEmpty());
}

TEST_F(PlanLimitsTest, ABrokerWithoutLimitsOfUsersIsToldOnce) {
  App();
  Declare(User("other", "app"));
  HasUser("other", "x");
  cluster_.spec.users.back().limits.max_connections = 1;
  broker_.version = "3.8.9";
  broker_.user_limits = base::Error{base::ErrorKind::kNotFound, "404"};
  EXPECT_THAT(Steps(), IsEmpty());
  EXPECT_THAT(Waits(), IsEmpty());
  EXPECT_THAT(Problems(),
              ElementsAre("NeedsPerson UnsupportedField: limits of users app and other: RabbitMQ "
                          "3.8.9 has no limits of users (from 3.8.10 on): leave them out, or "
                          "upgrade"));
}

}  // namespace
}  // namespace rabbit::plan
