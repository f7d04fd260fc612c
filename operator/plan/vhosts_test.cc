#include "operator/plan/topology_fixture.h"

namespace rabbit::plan {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::StartsWith;

class PlanVhostsTest : public TopologyTest {
 protected:
  // Vhost orders as the tests below declare it.
  api::Vhost& DeclareOrders() {
    api::Vhost& vhost = DeclareVhost("orders");
    vhost.description = "of the shop";
    vhost.tags = {"shop", "live"};
    vhost.default_queue_type = api::QueueType::kQuorum;
    broker_.version = "3.12.0";
    return vhost;
  }
  rabbitmq::Vhost& HasOrders() {
    rabbitmq::Vhost& vhost = HasVhost("orders");
    vhost.description = "of the shop";
    vhost.tags = {"live", "shop"};
    vhost.default_queue_type = "quorum";
    return vhost;
  }
  // It was declared once, and is no longer.
  void Recorded(std::string name, api::OnRemove on_remove, std::optional<std::size_t> queues = {}) {
    HasVhost(name);
    if (queues) broker_.vhost_queues[name] = *queues;
    seen_.inventory->vhosts[std::move(name)] = on_remove;
  }
};

TEST_F(PlanVhostsTest, AMissingVhostIsCreated) {
  DeclareVhost("orders");
  EXPECT_THAT(Steps(), ElementsAre("put vhost orders: does not exist"));
}

TEST_F(PlanVhostsTest, AVhostThatIsThereIsLeftAlone) {
  DeclareVhost("orders");
  broker_.vhosts->push_back({.name = "orders"});
  EXPECT_THAT(Steps(), IsEmpty());
}

TEST_F(PlanVhostsTest, AVhostThatNobodyDeclaresIsLeftAlone) {
  broker_.vhosts->push_back({.name = "theirs"});
  EXPECT_THAT(Steps(), IsEmpty());
}

TEST_F(PlanVhostsTest, TheDefaultVhostExistsWithoutBeingDeclared) {
  broker_.vhosts->clear();
  EXPECT_THAT(Steps(), ElementsAre("put vhost /: does not exist"));
}

TEST_F(PlanVhostsTest, DeclaringTheDefaultVhostCreatesItOnce) {
  DeclareVhost("/");
  broker_.vhosts->clear();
  EXPECT_THAT(Steps(), ElementsAre("put vhost /: does not exist"));
}

TEST_F(PlanVhostsTest, AVhostThatWasRemovedAtTheBrokerIsDrift) {
  DeclareVhost("orders");
  WasInEffect();
  EXPECT_THAT(Steps(), ElementsAre("put vhost orders: was removed at the broker [drift]"));
}

TEST_F(PlanVhostsTest, AnUnknownListHoldsBackAllThatStandsOnIt) {
  DeclareVhost("orders");
  Declare(Policy("half", R"({"ha-mode":"all"})"));
  broker_.vhosts = base::Error{base::ErrorKind::kRetry, "503"};
  EXPECT_THAT(Steps(), IsEmpty());
  EXPECT_THAT(Waits(), ElementsAre("VhostsUnknown: waiting for the list of vhosts: 503"));
}

TEST_F(PlanVhostsTest, StepsWaitForTheGivenStep) {
  DeclareVhost("orders");
  const Plan plan = MakePlan(/*after=*/4);
  ASSERT_EQ(plan.steps.size(), 6U);
  EXPECT_EQ(plan.steps.back().after, 4U);
}

// ---- what is declared of a vhost

TEST_F(PlanVhostsTest, AVhostIsMadeWithAllThatIsDeclaredOfIt) {
  DeclareOrders();
  EXPECT_THAT(Steps(), ElementsAre("put vhost orders 'of the shop' #live #shop of quorum: does not "
                                   "exist"));
  EXPECT_THAT(Problems(), IsEmpty());
}

TEST_F(PlanVhostsTest, AVhostAsDeclaredIsNotWrittenAgain) {
  DeclareOrders();
  HasOrders();
  EXPECT_THAT(Steps(), IsEmpty());
  broker_.vhosts->back().default_queue_type = "rabbit_quorum_queue";
  EXPECT_THAT(Steps(), IsEmpty());
}

TEST_F(PlanVhostsTest, EveryDifferenceIsToldAndPutBack) {
  DeclareOrders();
  rabbitmq::Vhost& actual = HasOrders();
  actual.description = "theirs";
  actual.tags = {"shop"};
  actual.default_queue_type = "";
  EXPECT_THAT(Steps(),
              ElementsAre("put vhost orders 'of the shop' #live #shop of quorum: description is "
                          "\"theirs\", declared is \"of the shop\"; tags are \"shop\", declared is "
                          "\"live and shop\"; defaultQueueType is none, declared is quorum"));
  WasInEffect();
  EXPECT_THAT(Steps(), ElementsAre(AllOf(HasSubstr(": was changed at the broker: description is "),
                                         HasSubstr("[drift]"))));
}

TEST_F(PlanVhostsTest, WhatIsNotDeclaredOfAVhostGoesBackAsItIs) {
  broker_.version = "3.12.0";
  DeclareVhost("orders").description = "of the shop";
  HasOrders().description = "theirs";
  EXPECT_THAT(Steps(), ElementsAre(StartsWith("put vhost orders 'of the shop' #live #shop of quorum"
                                              ": description is ")));
  cluster_.spec.vhosts.back().description.clear();
  EXPECT_THAT(Steps(), IsEmpty());
}

TEST_F(PlanVhostsTest, TheDefaultVhostMayBeDeclaredWithAttributes) {
  DeclareVhost("/").description = "of all";
  EXPECT_THAT(Steps(), ElementsAre(StartsWith("put vhost / 'of all': description is ")));
}

TEST_F(PlanVhostsTest, TheDefaultVhostExistsAlsoBesideAnEntryInError) {
  DeclareBadly("vhosts", "", "");
  broker_.vhosts->clear();
  EXPECT_THAT(Steps(), ElementsAre("put vhost /: does not exist"));
}

TEST_F(PlanVhostsTest, WhatTheVersionCannotHoldIsToldOnceAndNotWrittenInVain) {
  struct Row {
    const char* version;
    const char* description;  // at the broker
    const char* type;
    std::vector<const char*> steps, problems;
  };
  const char* const written = "put vhost a 'd' of quorum: ";
  const Row rows[] = {
      {"3.8.9", "d", "", {}, {"has no default queue type of vhosts (from 3.10.8 on): leave it"}},
      {"3.10.7", "x", "", {"put vhost a 'd': "}, {"has no default queue type"}},
      {"3.10.8", "d", "", {}, {"takes it only when a vhost is made (later too from 3.11.17 on)"}},
      {"3.11.16", "x", "classic", {"put vhost a 'd' of classic: "}, {"takes it only when"}},
      {"3.10.8", "d", "quorum", {}, {}},
      {"3.9.4",
       "x",
       "quorum",
       {},
       {"description and tags of vhosts a and b: RabbitMQ 3.9.4 takes"}},
      {"3.9.5", "x", "quorum", {"put vhost a 'd' of quorum: description is"}, {}},
      {"3.11.17", "d", "classic", {written}, {}},
      {"4.0.5", "d", "classic", {written}, {}},
  };
  for (const char* name : {"a", "b"}) {
    DeclareVhost(name).description = "d";
    cluster_.spec.vhosts.back().default_queue_type = api::QueueType::kQuorum;
    HasVhost(name);
  }
  for (const Row& row : rows) {
    SCOPED_TRACE(std::string(row.version) + " " + row.description + " " + row.type);
    broker_.version = row.version;
    for (rabbitmq::Vhost& vhost : *broker_.vhosts) {
      if (vhost.name == "/") continue;
      vhost.description = row.description;
      vhost.default_queue_type = row.type;
    }
    const auto steps = Steps();
    ASSERT_EQ(steps.size(), row.steps.size() * 2);
    if (!steps.empty()) {
      EXPECT_THAT(steps[0], StartsWith(row.steps[0]));
    }
    const auto problems = Problems();
    ASSERT_EQ(problems.size(), row.problems.size());
    if (problems.empty()) continue;
    EXPECT_THAT(problems[0],
                AllOf(StartsWith("NeedsPerson UnsupportedField: "),
                      HasSubstr(" of vhosts a and b: RabbitMQ "), HasSubstr(row.problems[0])));
  }
}

TEST_F(PlanVhostsTest, AVhostIsMadeWithoutTheTypeThatItsBrokerCannotHold) {
  DeclareOrders();
  broker_.version = "3.9.13";
  EXPECT_THAT(Steps(), ElementsAre("put vhost orders 'of the shop' #live #shop: does not exist"));
  EXPECT_THAT(
      Problems(),
      ElementsAre("NeedsPerson UnsupportedField: defaultQueueType of vhost orders: RabbitMQ "
                  "3.9.13 has no default queue type of vhosts (from 3.10.8 on): leave it "
                  "out, or upgrade"));
}

TEST_F(PlanVhostsTest, WhileTheVersionIsUnknownAVhostIsMadeButNotChanged) {
  DeclareOrders();
  broker_.version = base::Error{base::ErrorKind::kRetry, "503"};
  EXPECT_THAT(Steps(), ElementsAre(HasSubstr(" of quorum: does not exist")));
  HasOrders().description = "theirs";
  EXPECT_THAT(Steps(), IsEmpty());
  EXPECT_THAT(Waits(), Contains("VersionUnknown: waiting for the broker's version, which decides "
                                "what vhosts may hold: 503"));
}

// ---- a vhost that is declared no more

TEST_F(PlanVhostsTest, AVhostThatLeavesTheSpecFollowsItsOnRemove) {
  Recorded("kept", api::OnRemove::kRetain, 0);
  Recorded("old", api::OnRemove::kDelete, 7);
  Recorded("unused", api::OnRemove::kDeleteIfEmpty, 0);
  EXPECT_THAT(Steps(),
              ElementsAre("delete vhost old: is no longer declared, and onRemove was Delete",
                          "delete vhost unused if empty: is no longer declared, and has no queue"));
  EXPECT_THAT(Problems(), IsEmpty());
}

TEST_F(PlanVhostsTest, AVhostWithQueuesStaysAndSaysWhatToDo) {
  Recorded("used", api::OnRemove::kDeleteIfEmpty, 2);
  EXPECT_THAT(Steps(), IsEmpty());
  EXPECT_THAT(Problems(),
              ElementsAre("NeedsPerson VhostNotEmpty: vhost used is no longer declared, and stays "
                          "because it has 2 queues: delete them; or declare the vhost again, with "
                          "onRemove Retain to keep it or Delete to lose its queues, and then take "
                          "it out"));
}

TEST_F(PlanVhostsTest, AVhostWhoseQueuesWereNotCountedStays) {
  Recorded("used", api::OnRemove::kDeleteIfEmpty);
  EXPECT_THAT(Steps(), IsEmpty());
  EXPECT_THAT(Waits(), ElementsAre("QueuesUnknown: waiting for the count of queues in vhost used, "
                                   "which is no longer declared: not asked yet"));
  broker_.vhost_queues["used"] = base::Error{base::ErrorKind::kRetry, "503"};
  EXPECT_THAT(Steps(), IsEmpty());
  EXPECT_THAT(Waits(), ElementsAre(HasSubstr(": 503")));
}

TEST_F(PlanVhostsTest, NoVhostIsDeletedThatIsDeclaredOrMayBe) {
  Recorded("old", api::OnRemove::kDelete);
  Recorded("/", api::OnRemove::kDelete);
  DeclareVhost("old");
  EXPECT_THAT(Steps(), IsEmpty());
  cluster_.spec.vhosts.clear();
  DeclareBadly("vhosts", "", "old");
  EXPECT_THAT(Steps(), IsEmpty());
  cluster_.findings.entries[0].name.clear();  // it may be any
  EXPECT_THAT(Steps(), IsEmpty());
  cluster_.findings.entries[0].name = "another";
  EXPECT_THAT(Steps(), ElementsAre(StartsWith("delete vhost old: ")));
}

TEST_F(PlanVhostsTest, NoVhostIsDeletedWhileTheListIsUnknownOrByOwnership) {
  Recorded("old", api::OnRemove::kDelete);
  HasVhost("theirs");
  cluster_.spec.ownership = {api::Ownership::kExclusive, api::Ownership::kExclusive};
  EverythingIsRead();
  EXPECT_THAT(Steps(), ElementsAre(StartsWith("delete vhost old: ")));
  broker_.vhosts = base::Error{base::ErrorKind::kRetry, "503"};
  EXPECT_THAT(Steps(), IsEmpty());
}

TEST_F(PlanVhostsTest, WhatIsInAVhostThatIsDeletedGoesWithIt) {
  Recorded("old", api::OnRemove::kDelete);
  api::User app = User("app", "app");
  app.permissions = {{.vhost = "old"}};
  Declare(app);
  HasSecret("app", {{"password", "x"}});
  HasUser("app", "x");
  HasPermission("app", "old", ".*", ".*", ".*");
  Has(Policy("gone", R"({"max-length":5})", "old"));
  seen_.inventory->policies = {{"old", "gone"}};
  Declare(Policy("half", R"({"max-length":5})", "old"));
  EXPECT_THAT(Steps(), ElementsAre(StartsWith("delete vhost old: ")));
  EXPECT_THAT(Problems(),
              ElementsAre(HasSubstr("VhostMissing: user app: permission: vhost old does"),
                          HasSubstr("VhostMissing: policy half in vhost old: ")));
}

TEST_F(PlanVhostsTest, WhatStandsOnAVhostDoesNotWaitForItsRepair) {
  DeclareVhost("orders").description = "d";
  HasVhost("orders");
  Declare(Policy("half", R"({"max-length":5})", "orders"));
  EXPECT_THAT(Steps(), ElementsAre(StartsWith("put vhost orders 'd': description is"),
                                   AllOf(StartsWith("put policy half in vhost orders"),
                                         testing::Not(HasSubstr("[after")))));
}

TEST_F(PlanVhostsTest, TheInventoryListsWhatBecomesOfVhosts) {
  DeclareVhost("/").on_remove = api::OnRemove::kDelete;
  DeclareVhost("orders").on_remove = api::OnRemove::kDelete;
  seen_.inventory->vhosts["orders"] = api::OnRemove::kRetain;  // changed since
  Recorded("kept", api::OnRemove::kRetain);
  Recorded("used", api::OnRemove::kDeleteIfEmpty, 2);
  Recorded("badly", api::OnRemove::kRetain);
  DeclareBadly("vhosts", "", "badly");
  seen_.inventory->vhosts["gone"] = api::OnRemove::kDelete;
  MakePlan();
  EXPECT_THAT(
      VhostsForInventory(cluster_, seen_),
      ElementsAre(Pair("badly", api::OnRemove::kRetain), Pair("orders", api::OnRemove::kDelete),
                  Pair("used", api::OnRemove::kDeleteIfEmpty)));
  seen_.broker.trouble = "timeout";  // unknown is not absent
  EXPECT_THAT(VhostsForInventory(cluster_, seen_),
              ElementsAre(Pair("badly", testing::_), Pair("gone", api::OnRemove::kDelete),
                          Pair("orders", testing::_), Pair("used", testing::_)));
}

}  // namespace
}  // namespace rabbit::plan
