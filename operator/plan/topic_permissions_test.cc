#include "operator/plan/topic_permissions.h"

#include "operator/plan/topology_fixture.h"

namespace rabbit::plan {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// User app is there, and may publish to "a.*" by exchange amq.topic of "/".
class PlanTopicPermissionsTest : public TopologyTest {
 protected:
  PlanTopicPermissionsTest() {
    EverythingIsRead();
    HasSecret("app", {{"password", "x"}});
    HasUser("app", "x");
    Declare(User("app", "app"));
    App().topic_permissions = {{"/", "amq.topic", "^a", "^b"}};
  }
  api::User& App() { return cluster_.spec.users.back(); }
  void HasTopic(std::string exchange, std::string write = "^a", std::string read = "^b",
                std::string vhost = "/", std::string user = "app") {
    broker_.topic_permissions->push_back({std::move(user), std::move(vhost), std::move(exchange),
                                          std::move(write), std::move(read)});
  }
};

TEST_F(PlanTopicPermissionsTest, AMissingOneIsWritten) {
  EXPECT_THAT(Steps(),
              ElementsAre("put topic permission app in / on amq.topic ^a ^b: does not exist"));
  WasInEffect();
  EXPECT_THAT(Steps(), ElementsAre("put topic permission app in / on amq.topic ^a ^b: was removed "
                                   "at the broker [drift]"));
}

TEST_F(PlanTopicPermissionsTest, OneAsDeclaredIsNotWrittenAgain) {
  HasTopic("amq.topic");
  EXPECT_THAT(Steps(), IsEmpty());
}

TEST_F(PlanTopicPermissionsTest, OneThatDiffersIsPutBack) {
  HasTopic("amq.topic", "^a", ".*");
  WasInEffect();
  EXPECT_THAT(Steps(),
              ElementsAre("put topic permission app in / on amq.topic ^a ^b: is write \"^a\", read "
                          "\".*\", declared is write \"^a\", read \"^b\" [drift]"));
}

TEST_F(PlanTopicPermissionsTest, OneThatIsNotDeclaredIsRemovedAlone) {
  HasVhost("more");
  HasTopic("amq.topic");
  HasTopic("logs");
  HasTopic("more.topic", "", "", "more");
  App().topic_permissions.push_back({"/", "z", "^z", "^z"});
  EXPECT_THAT(
      Steps(),
      ElementsAre(
          "delete topic permission app in / on logs: is not declared, and is write \"^a\", "
          "read \"^b\"",
          "put topic permission app in / on z ^z ^z: does not exist",
          "delete topic permission app in more on more.topic: is not declared, and is write "
          "\"\", read \"\""));
  WasInEffect();
  EXPECT_THAT(Steps(), Each(HasSubstr("[drift]")));
}

TEST_F(PlanTopicPermissionsTest, ThoseOfOthersAreLeftAlone) {
  HasTopic("amq.topic");
  HasTopic("amq.topic", "", "", "/", "theirs");
  HasTopic("amq.topic", "", "", "/", "default");
  HasTopic("amq.topic", "", "", "/", "rabbit-operator");
  EXPECT_THAT(Steps(), IsEmpty());
}

TEST_F(PlanTopicPermissionsTest, ThoseOfADeclaredUserWhoNeverDeclaredAnyAreLeftAlone) {
  Declare(User("b", "app"));
  HasUser("b", "x");
  HasTopic("amq.topic");
  HasTopic("amq.topic", "^b", "", "/", "b");
  EXPECT_THAT(Steps(), IsEmpty());
  seen_.inventory->topic_permissions = {"b"};  // he did once
  EXPECT_THAT(Steps(), ElementsAre(HasSubstr("delete topic permission b in / on amq.topic")));
}

TEST_F(PlanTopicPermissionsTest, OneOfANameThatCannotBeRemovedIsLeftAlone) {
  HasTopic("amq.topic");
  HasTopic("amq.default");
  EXPECT_THAT(Steps(), IsEmpty());
}

TEST_F(PlanTopicPermissionsTest, TheyFollowTheUserAndTheVhostThatAreMade) {
  App().topic_permissions[0].vhost = "orders";
  DeclareVhost("orders");
  EXPECT_THAT(Steps(),
              ElementsAre("put vhost orders: does not exist",
                          "put topic permission app in orders on amq.topic ^a ^b: does not exist "
                          "[after 0]"));
  broker_.users->pop_back();
  HasTopic("logs", "", "", "/");  // of the user before
  EXPECT_THAT(
      Steps(),
      ElementsAre("put vhost orders: does not exist", "put user app password=x: does not exist",
                  "put topic permission app in orders on amq.topic ^a ^b: does not exist "
                  "[after 1]"));
}

TEST_F(PlanTopicPermissionsTest, AVhostIsOpenedToAUserOnlyOnceHisTopicPermissionsAreThere) {
  broker_.topic_permissions = {};  // not asked for yet; but a new user has none
  broker_.users->pop_back();
  HasVhost("more");
  App().permissions = {{.vhost = "/"}, {.vhost = "more"}};
  App().topic_permissions.push_back({"/", "z", "^z", "^z"});
  EXPECT_THAT(
      Steps(),
      ElementsAre("put user app password=x: does not exist",
                  "put topic permission app in / on amq.topic ^a ^b: does not exist [after 0]",
                  "put topic permission app in / on z ^z ^z: does not exist [after 1]",
                  "put permissions app in / ^$ ^$ ^$: does not exist [after 2]",
                  "put permissions app in more ^$ ^$ ^$: does not exist [after 0]"));
  EXPECT_THAT(Waits(), IsEmpty());
}

// Who makes the exchange is often the user himself.
TEST_F(PlanTopicPermissionsTest, WhereTheExchangeMustBeThereTheUserComesInBeforeIt) {
  broker_.version = "4.3.6";
  broker_.topic_permissions = {};
  broker_.users->pop_back();
  App().permissions = {{.vhost = "/"}};
  EXPECT_THAT(Steps(),
              ElementsAre("put user app password=x: does not exist",
                          "put topic permission app in / on amq.topic ^a ^b: does not exist "
                          "[after 0]",
                          "put permissions app in / ^$ ^$ ^$: does not exist [after 0]"));
}

TEST_F(PlanTopicPermissionsTest, InAVhostThatIsMadeNobodyHasAny) {
  broker_.topic_permissions = {};
  DeclareVhost("orders");
  App().topic_permissions[0].vhost = "orders";
  App().permissions = {{.vhost = "orders"}};
  EXPECT_THAT(Steps(),
              ElementsAre("put vhost orders: does not exist",
                          "put topic permission app in orders on amq.topic ^a ^b: does not exist "
                          "[after 0]",
                          "put permissions app in orders ^$ ^$ ^$: does not exist [after 1]"));
  EXPECT_THAT(Waits(), IsEmpty());
}

TEST_F(PlanTopicPermissionsTest, AVhostStaysClosedWhileTheyAreUnknown) {
  broker_.topic_permissions = {};
  HasVhost("more");
  App().permissions = {{.vhost = "/"}, {.vhost = "more"}};
  EXPECT_THAT(Steps(), ElementsAre("put permissions app in more ^$ ^$ ^$: does not exist"));
  EXPECT_EQ(Waits().size(), 1U);
  HasPermission("app", "/", "", "", "");
  EXPECT_THAT(Steps(), ElementsAre(HasSubstr("put permissions app in / ^$ ^$ ^$: is "),
                                   HasSubstr("put permissions app in more")));
}

TEST_F(PlanTopicPermissionsTest, InAVhostThatIsOpenNoneWaitsForAnother) {
  HasPermission("app", "/", "^$", "^$", "^$");
  App().permissions = {{.vhost = "/"}};
  App().topic_permissions.push_back({"/", "z", "^z", "^z"});
  EXPECT_THAT(Steps(), ElementsAre(Not(HasSubstr("[after")), Not(HasSubstr("[after"))));
}

TEST_F(PlanTopicPermissionsTest, AVhostThatIsNotThereIsAProblemOfThatEntryAlone) {
  App().topic_permissions.push_back({"gone", "amq.topic", "^a", "^b"});
  EXPECT_THAT(Problems(),
              ElementsAre("NeedsPerson VhostMissing: user app: topic permission: vhost gone "
                          "does not exist, or is being deleted: declare it in spec.vhosts"));
  EXPECT_EQ(Steps().size(), 1U);
}

TEST_F(PlanTopicPermissionsTest, AListThatIsUnknownIsWaitedForWhereItIsNeededOnly) {
  broker_.topic_permissions = {};
  const auto waits =
      ElementsAre("PermissionsUnknown: waiting for the list of topic permissions: not asked yet");
  EXPECT_THAT(Steps(), IsEmpty());
  EXPECT_THAT(Waits(), waits);
  App().topic_permissions.clear();
  EXPECT_THAT(Waits(), IsEmpty());
  seen_.inventory->topic_permissions = {"app"};
  EXPECT_THAT(Waits(), waits);
}

TEST_F(PlanTopicPermissionsTest, ThoseOfAUserWhoDeclaresNoneAnyMoreAreRemoved) {
  HasTopic("amq.topic");
  App().topic_permissions.clear();
  seen_.inventory->topic_permissions = {"app"};
  EXPECT_THAT(Steps(), ElementsAre("delete topic permission app in / on amq.topic: is not "
                                   "declared, and is write \"^a\", read \"^b\""));
}

TEST_F(PlanTopicPermissionsTest, TheInventoryListsWhoHasSomeOrMayHave) {
  Declare(User("was", "app"));
  Declare(User("has", "app"));
  HasTopic("amq.topic", "", "", "/", "has");
  HasTopic("amq.topic", "", "", "/", "removed");  // who may be declared again before he is gone
  seen_.inventory->topic_permissions = {"has", "removed", "was"};
  MakePlan();
  EXPECT_THAT(TopicPermissionsForInventory(cluster_, seen_), ElementsAre("app", "has", "removed"));
  broker_.topic_permissions = {};
  MakePlan();
  EXPECT_THAT(TopicPermissionsForInventory(cluster_, seen_),
              ElementsAre("app", "has", "removed", "was"));
}

}  // namespace
}  // namespace rabbit::plan
