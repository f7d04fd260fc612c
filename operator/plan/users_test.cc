#include "operator/plan/topology_fixture.h"

namespace rabbit::plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::StartsWith;

// User root of the tests: tag administrator, password in Secret rabbit-root, may read all of "/".
class PlanUsersTest : public TopologyTest {
 protected:
  static api::User Root() {
    api::User root = User("root", "rabbit-root");
    root.tags = {"administrator"};
    root.permissions = {{.vhost = "/", .configure = "^$", .write = "^$", .read = ".*"}};
    return root;
  }
  void RootIsDeclaredAndThere() {
    Declare(Root());
    HasSecret("rabbit-root", {{"password", "s3cret"}});
    HasUser("root", "s3cret", {"administrator"});
    HasPermission("root", "/", "^$", "^$", ".*");
  }
  rabbitmq::User& AtBroker(std::string_view name) {
    return *std::ranges::find(*broker_.users, name, &rabbitmq::User::name);
  }
};

TEST_F(PlanUsersTest, AMissingUserIsCreatedAndThenGivenItsPermissions) {
  Declare(Root());
  HasSecret("rabbit-root", {{"password", "s3cret"}});
  EXPECT_THAT(Steps(), ElementsAre("put user root #administrator password=s3cret: does not exist",
                                   "put permissions root in / ^$ ^$ .*: does not exist [after 0]"));
  EXPECT_THAT(Problems(), IsEmpty());
}

TEST_F(PlanUsersTest, AUserAsDeclaredIsNotWrittenAgain) {
  RootIsDeclaredAndThere();
  EXPECT_THAT(Steps(), IsEmpty());
}

TEST_F(PlanUsersTest, AnotherSaltOfTheSamePasswordIsNoDifference) {
  RootIsDeclaredAndThere();
  AtBroker("root") = {};
  broker_.users->pop_back();
  HasUser("someone", "s3cret");  // another salt for the next one
  HasUser("root", "s3cret", {"administrator"});
  EXPECT_THAT(Steps(), IsEmpty());
}

TEST_F(PlanUsersTest, AChangedPasswordIsWrittenWithTheTags) {
  RootIsDeclaredAndThere();
  WasInEffect();
  HasSecret("rabbit-root", {{"password", "rotated"}});
  EXPECT_THAT(Steps(), ElementsAre("put user root #administrator password=rotated: has another "
                                   "password at the broker than in Secret rabbit-root"));
}

TEST_F(PlanUsersTest, ChangedTagsAreWrittenWithTheHashThatTheBrokerHas) {
  RootIsDeclaredAndThere();
  AtBroker("root").tags = {"monitoring"};
  EXPECT_THAT(Steps(), ElementsAre("put user root #administrator same hash: tags are "
                                   "\"monitoring\", declared is \"administrator\""));
}

TEST_F(PlanUsersTest, TheOrderAndRepetitionOfTagsIsNoDifference) {
  RootIsDeclaredAndThere();
  cluster_.spec.users[0].tags = {"policymaker", "administrator", "policymaker"};
  AtBroker("root").tags = {"administrator", "policymaker"};
  EXPECT_THAT(Steps(), IsEmpty());
}

TEST_F(PlanUsersTest, TagsChangedAtTheBrokerAreDrift) {
  RootIsDeclaredAndThere();
  WasInEffect();
  AtBroker("root").tags = {};
  EXPECT_THAT(Steps(),
              ElementsAre("put user root #administrator same hash: tags are none, declared "
                          "is \"administrator\" [drift]"));
}

TEST_F(PlanUsersTest, AUserRemovedAtTheBrokerIsMadeAgain) {
  RootIsDeclaredAndThere();
  WasInEffect();
  broker_.users->pop_back();
  broker_.permissions->pop_back();
  EXPECT_THAT(Steps(),
              ElementsAre("put user root #administrator password=s3cret: was removed at the broker "
                          "[drift]",
                          "put permissions root in / ^$ ^$ .*: does not exist [after 0]"));
}

TEST_F(PlanUsersTest, AMissingSecretIsAProblemOfThatUserAlone) {
  Declare(Root());
  HasNoSecret("rabbit-root");
  Declare(User("other", "rabbit-other"));
  HasSecret("rabbit-other", {{"password", "s3cret"}});
  EXPECT_THAT(Problems(),
              ElementsAre("NeedsPerson SecretMissing: user root: Secret rabbit-root does "
                          "not exist: create it with key password"));
  EXPECT_THAT(Steps(), ElementsAre("put user other password=s3cret: does not exist"));
}

TEST_F(PlanUsersTest, AMissingOrEmptyKeyIsNamed) {
  Declare(User("a", "s", "pass"));
  Declare(User("b", "s", "none"));
  HasSecret("s", {{"password", "x"}, {"none", ""}});
  EXPECT_THAT(Problems(),
              ElementsAre("NeedsPerson SecretKeyMissing: user a: Secret s has no key pass: add it",
                          "NeedsPerson SecretKeyMissing: user b: Secret s has nothing under key "
                          "none: give it a value"));
  EXPECT_THAT(Steps(), IsEmpty());
}

TEST_F(PlanUsersTest, WithoutItsSecretAnExistingUserKeepsItsPasswordAndIsElseKeptRight) {
  RootIsDeclaredAndThere();
  HasNoSecret("rabbit-root");
  AtBroker("root").tags = {};
  broker_.permissions->pop_back();
  EXPECT_THAT(Steps(),
              ElementsAre("put user root #administrator same hash: tags are none, declared "
                          "is \"administrator\"",
                          "put permissions root in / ^$ ^$ .*: does not exist"));
}

TEST_F(PlanUsersTest, TagsAreNeverWrittenWithoutAHash) {
  RootIsDeclaredAndThere();
  HasNoSecret("rabbit-root");
  AtBroker("root").tags = {};
  AtBroker("root").password_hash = {};
  EXPECT_THAT(Steps(), IsEmpty());
}

TEST_F(PlanUsersTest, ASecretThatCouldNotBeReadIsWaitedFor) {
  Declare(Root());
  EXPECT_THAT(Waits(),
              ElementsAre("SecretUnknown: user root: Secret rabbit-root is yet to be read"));
  seen_.secrets["rabbit-root"].trouble = "403 Forbidden";
  EXPECT_THAT(Waits(),
              ElementsAre("SecretUnknown: user root: Secret rabbit-root could not be read: "
                          "403 Forbidden"));
  EXPECT_THAT(Steps(), IsEmpty());
}

TEST_F(PlanUsersTest, WithoutAReferenceThePasswordIsTheGeneratedOne) {
  Declare(User("app"));
  const std::string secret = resources::UserSecretName("c", "app");
  HasNoSecret(secret);
  EXPECT_THAT(Waits(),
              ElementsAre("SecretUnknown: user app: Secret " + secret + " is being created"));
  HasSecret(secret, {{"password", "generated"}});
  EXPECT_THAT(Steps(), ElementsAre("put user app password=generated: does not exist"));
}

TEST_F(PlanUsersTest, AForeignSecretIsNotTakenForAGeneratedOne) {
  Declare(User("app"));
  const std::string secret = resources::UserSecretName("c", "app");
  HasSecret(secret, {{"password", "theirs"}});
  seen_.secrets[secret].state = observe::SecretState::kForeign;
  EXPECT_THAT(Problems(), ElementsAre("NeedsPerson NameTaken: user app: Secret " + secret +
                                      " exists, but not for this cluster: delete or rename it"));
  EXPECT_THAT(Steps(), IsEmpty());
}

TEST_F(PlanUsersTest, AReferencedSecretIsOfCourseSomebodyElses) {
  RootIsDeclaredAndThere();
  seen_.secrets["rabbit-root"].state = observe::SecretState::kForeign;
  EXPECT_THAT(Problems(), IsEmpty());
}

TEST_F(PlanUsersTest, PermissionsArePutRight) {
  RootIsDeclaredAndThere();
  broker_.permissions->back().write = ".*";
  EXPECT_THAT(Steps(),
              ElementsAre("put permissions root in / ^$ ^$ .*: is configure \"^$\", write \".*\", "
                          "read \".*\", declared is configure \"^$\", write \"^$\", read \".*\""));
}

TEST_F(PlanUsersTest, PermissionsThatWereDeclaredOnceAreRemovedAndThoseOfOthersByExclusive) {
  RootIsDeclaredAndThere();
  HasVhost("more");
  HasVhost("theirs");
  HasPermission("root", "more", ".*", ".*", ".*");
  HasPermission("root", "theirs", ".*", ".*", ".*");
  EXPECT_THAT(Steps(), IsEmpty());
  seen_.inventory->permissions = {{"other", "theirs"}, {"root", "/"}, {"root", "more"}};
  WasInEffect();
  const char* removal =
      "delete permissions root in more: is configure \".*\", write \".*\", read \".*\", and is no "
      "longer declared";
  EXPECT_THAT(Steps(), ElementsAre(removal));
  cluster_.spec.ownership.users = api::Ownership::kExclusive;
  EXPECT_THAT(Steps(),
              ElementsAre(removal,
                          "delete permissions root in theirs: is configure \".*\", write \".*\", "
                          "read \".*\", is not declared, and spec.ownership.users is Exclusive "
                          "[drift]"));
}

TEST_F(PlanUsersTest, TheInventoryListsPermissionsThatAreDeclaredAndThoseThatMayStillBeThere) {
  RootIsDeclaredAndThere();
  HasPermission("root", "more", ".*", ".*", ".*");
  HasPermission("root", "theirs", ".*", ".*", ".*");
  HasPermission("removed", "more", ".*", ".*", ".*");
  seen_.inventory->permissions = {{"removed", "more"}, {"root", "gone"}, {"root", "more"}};
  MakePlan();
  EXPECT_THAT(PermissionsForInventory(cluster_, seen_),
              ElementsAre(Pair("removed", "more"), Pair("root", "/"), Pair("root", "more")));
  seen_.broker.outdated = true;
  EXPECT_THAT(PermissionsForInventory(cluster_, seen_),
              ElementsAre(Pair("removed", "more"), Pair("root", "/"), Pair("root", "gone"),
                          Pair("root", "more")));
}

TEST_F(PlanUsersTest, APermissionWaitsForTheVhostThatIsBeingCreated) {
  RootIsDeclaredAndThere();
  DeclareVhost("orders");
  cluster_.spec.users[0].permissions.push_back({.vhost = "orders"});
  EXPECT_THAT(Steps(),
              ElementsAre("put vhost orders: does not exist",
                          "put permissions root in orders ^$ ^$ ^$: does not exist [after 0]"));
}

TEST_F(PlanUsersTest, APermissionOnAVhostThatNobodyDeclaresIsAProblem) {
  RootIsDeclaredAndThere();
  cluster_.spec.users[0].permissions.push_back({.vhost = "gone"});
  EXPECT_THAT(Problems(), ElementsAre("NeedsPerson VhostMissing: user root: permission: vhost gone "
                                      "does not exist, or is being deleted: declare it in "
                                      "spec.vhosts"));
}

TEST_F(PlanUsersTest, TheDefaultUserIsMadeAnAdministrator) {
  broker_.users->erase(broker_.users->begin());
  broker_.permissions->erase(broker_.permissions->begin());
  EXPECT_THAT(Steps(),
              ElementsAre("put user default #administrator password=of-clients: does not exist",
                          "put permissions default in / .* .* .*: does not exist [after 0]"));
}

TEST_F(PlanUsersTest, TheDefaultUserKeepsWhatOthersGaveIt) {
  broker_.vhosts->push_back({.name = "more"});
  HasPermission("default", "more", ".*", ".*", ".*");
  EXPECT_THAT(Steps(), IsEmpty());
}

TEST_F(PlanUsersTest, TheOperatorsOwnUserIsNeverTouched) {
  AtBroker("rabbit-operator").tags = {"monitoring"};
  seen_.inventory->users = {"rabbit-operator"};
  EXPECT_THAT(Steps(), IsEmpty());
}

TEST_F(PlanUsersTest, TheDefaultUsersSecretCannotTakeTheOperatorsOwnUser) {
  HasSecret("c-default-user", {{"username", "rabbit-operator"}, {"password", "x"}});
  seen_.inventory->users = {"once"};
  HasUser("once", "x");
  EXPECT_THAT(Steps(), IsEmpty()) << "nor is anybody removed while the default user is not known";
  EXPECT_THAT(Problems(),
              ElementsAre(StartsWith("NeedsPerson ReservedUser: user rabbit-operator is "
                                     "the operator's own user, and cannot be that of "
                                     "Secret c-default-user: ")));
}

TEST_F(PlanUsersTest, TheDefaultUsersNameCannotBeDeclared) {
  Declare(User("default", "s"));
  HasSecret("s", {{"password", "x"}});
  EXPECT_THAT(Steps(), IsEmpty());
  EXPECT_THAT(Problems(), ElementsAre("NeedsPerson ReservedUser: user default is the clients' "
                                      "default user of Secret c-default-user: declare another "
                                      "name"));
}

TEST_F(PlanUsersTest, RemovedIsOnlyWhatWasDeclaredOnce) {
  HasUser("once", "x");
  HasUser("theirs", "x");
  seen_.inventory->users = {"gone", "once"};
  EXPECT_THAT(Steps(), ElementsAre("delete user once: is no longer declared"));
}

TEST_F(PlanUsersTest, ABrokenEntryIsAProblemAndItsUserIsLeftAlone) {
  HasUser("once", "x");
  seen_.inventory->users = {"once"};
  cluster_.findings.entries = {{.list = "users",
                                .index = 0,
                                .vhost = {},
                                .name = "once",
                                .error = {"spec.users[0].tags", "7", "must be a list"}}};
  EXPECT_THAT(Steps(), IsEmpty());
  EXPECT_THAT(Problems(),
              ElementsAre("NeedsPerson InvalidEntry: spec.users[0].tags: 7: must be a list"));
  broker_answers_ = false;
  EXPECT_EQ(Problems().size(), 1U);
}

TEST_F(PlanUsersTest, NobodyIsRemovedWhileTheDefaultUserIsUnknown) {
  seen_.secrets.clear();
  seen_.inventory->users = {"default"};
  EXPECT_THAT(Steps(), IsEmpty());
}

TEST_F(PlanUsersTest, NobodyIsMadeOrRemovedWhileTheUsersAreUnknown) {
  Declare(Root());
  HasSecret("rabbit-root", {{"password", "s3cret"}});
  seen_.inventory->users = {"once"};
  broker_.users = base::Error{base::ErrorKind::kRetry, "503"};
  EXPECT_THAT(Steps(), IsEmpty());
  EXPECT_THAT(Waits(), ElementsAre("UsersUnknown: waiting for the list of users: 503"));
}

TEST_F(PlanUsersTest, NoPermissionIsWrittenWhileThePermissionsAreUnknown) {
  RootIsDeclaredAndThere();
  broker_.permissions = base::Error{base::ErrorKind::kRetry, "503"};
  EXPECT_THAT(Steps(), IsEmpty());
  EXPECT_THAT(Waits(), ElementsAre("PermissionsUnknown: waiting for the list of permissions: 503"));
}

TEST_F(PlanUsersTest, NoReasonHoldsAPassword) {
  RootIsDeclaredAndThere();
  HasSecret("rabbit-root", {{"password", "rotated"}});
  AtBroker("root").tags = {};
  for (const Step& step : MakePlan().steps) {
    EXPECT_EQ(step.reason.find("rotated"), std::string::npos);
    EXPECT_EQ(step.reason.find(AtBroker("root").password_hash.Reveal()), std::string::npos);
  }
}

TEST_F(PlanUsersTest, TheInventoryListsTheDeclaredAndThoseThatMayStillBeThere) {
  Declare(Root());
  HasUser("once", "x");
  seen_.inventory->users = {"gone", "once"};
  MakePlan();
  EXPECT_THAT(UsersForInventory(cluster_, seen_), ElementsAre("once", "root"));
  // The user is gone, and what becomes of the Secret that was made for it is yet to be settled.
  observe::SecretView& secret = seen_.secrets[resources::UserSecretName("c", "gone")];
  const auto with_gone = ElementsAre("gone", "once", "root");
  secret.state = observe::SecretState::kUnknown;
  EXPECT_THAT(UsersForInventory(cluster_, seen_), with_gone);
  secret.state = observe::SecretState::kPresent;
  EXPECT_THAT(UsersForInventory(cluster_, seen_), with_gone);
  secret.owner_uid = "uid-of-c";
  EXPECT_THAT(UsersForInventory(cluster_, seen_), ElementsAre("once", "root"));
  secret = {.state = observe::SecretState::kAbsent};
  EXPECT_THAT(UsersForInventory(cluster_, seen_), ElementsAre("once", "root"));
  seen_.broker.trouble = "timeout";  // unknown is not absent
  EXPECT_THAT(UsersForInventory(cluster_, seen_), ElementsAre("gone", "once", "root"));
}

}  // namespace
}  // namespace rabbit::plan
