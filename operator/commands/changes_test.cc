#include "operator/commands/changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rabbit::commands {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// "path: old -> new", "-" for nothing.
std::vector<std::string> Lines(const std::vector<base::Difference>& differences) {
  std::vector<std::string> lines;
  for (const base::Difference& each : differences) {
    lines.push_back(each.path + ": " + each.before.value_or("-") + " -> " +
                    each.after.value_or("-"));
  }
  return lines;
}

class ChangesTest : public testing::Test {
 protected:
  ChangesTest() {
    cluster_.meta.key = {"ns", "c"};
    view_.cluster_name = std::string("old");
    view_.vhosts =
        std::vector<rabbitmq::Vhost>{{.name = "v", .description = "d", .tags = {"b", "a"}}};
    view_.vhost_limits = std::vector<rabbitmq::VhostLimits>{{.vhost = "v", .max_connections = 5}};
    view_.users = std::vector<rabbitmq::User>{
        {.name = "u", .tags = {"monitoring"}, .password_hash = base::Secret("h4sh")}};
    view_.user_limits = std::vector<rabbitmq::UserLimits>{{.user = "u", .max_channels = 9}};
    view_.permissions = std::vector<rabbitmq::Permission>{{"u", "v", "^$", ".*", ".*"}};
    view_.topic_permissions = std::vector<rabbitmq::TopicPermission>{{"u", "v", "x", "w", "r"}};
    view_.policies = std::vector<rabbitmq::Policy>{
        {.vhost = "v", .name = "p", .pattern = "^a", .definition = R"({"ha-mode":"all","x":1})"}};
    view_.operator_policies = std::vector<rabbitmq::Policy>{
        {.vhost = "v", .name = "p", .pattern = "^o", .definition = R"({"max-length":1})"}};
    Look();
  }
  void Look() { seen_.broker.view = std::make_shared<const rabbitmq::BrokerView>(view_); }
  StepChanges Of(plan::Action action) {
    return ChangesOf({std::move(action), "reason"}, cluster_, seen_);
  }
  std::vector<std::string> LinesOf(plan::Action action) {
    return Lines(Of(std::move(action)).changes);
  }
  // Of ConfigMap m, which is as `live` says.
  std::vector<std::string> Applied(const std::string& live, const std::string& desired) {
    seen_.children[{kube::kConfigMaps, "m"}].body = std::make_shared<const std::string>(live);
    return LinesOf(plan::ApplyObject{kube::kConfigMaps, "m", "u", desired});
  }

  api::RabbitCluster cluster_;
  rabbitmq::BrokerView view_;
  observe::Observation seen_;
};

// ---- at the broker

TEST_F(ChangesTest, APolicyIsToldKeyByKey) {
  const plan::PutPolicy put{.vhost = "v",
                            .name = "p",
                            .pattern = "^b",
                            .apply_to = "queues",
                            .priority = 1,
                            .definition = R"({"ha-mode":"exactly","ha-params":2,"x":1})"};
  EXPECT_THAT(
      LinesOf(put),
      ElementsAre(R"(applyTo: "all" -> "queues")", R"(definition.ha-mode: "all" -> "exactly")",
                  "definition.ha-params: - -> 2", R"(pattern: "^a" -> "^b")", "priority: 0 -> 1"));
  EXPECT_EQ(Of(put).kind, Kind::kChange);
}

TEST_F(ChangesTest, AnEmptyTextIsAValueButForWhatAVhostMayBeWithout) {
  plan::PutPolicy put{.vhost = "v", .name = "p", .pattern = "^a", .apply_to = "all"};
  put.definition = R"({"ha-mode":"all","x":1,"dead-letter-exchange":""})";
  EXPECT_THAT(LinesOf(put), ElementsAre(R"(definition.dead-letter-exchange: - -> "")"));
  put.definition = R"({"ha-mode":"","x":1})";
  EXPECT_THAT(LinesOf(put), ElementsAre(R"(definition.ha-mode: "all" -> "")"));
  EXPECT_THAT(LinesOf(plan::PutPermissions{"u", "v", "", ".*", ".*"}),
              ElementsAre(R"(configure: "^$" -> "")"));
  EXPECT_THAT(LinesOf(plan::PutPermissions{"u", "w", "", "", ".*"}),
              ElementsAre(R"(configure: - -> "")", R"(read: - -> ".*")", R"(write: - -> "")"));
  EXPECT_THAT(LinesOf(plan::PutVhost{.name = "w", .tags = {"a"}}),
              ElementsAre(R"(tags: - -> ["a"])"));
}

TEST_F(ChangesTest, ANewOneHasNoOldValuesAndOneThatGoesNoNewOnes) {
  const plan::PutPolicy put{.vhost = "v",
                            .name = "new",
                            .pattern = "^b",
                            .apply_to = "queues",
                            .priority = 1,
                            .definition = R"({"k":{"deep":1},"l":[1]})"};
  EXPECT_THAT(LinesOf(put),
              ElementsAre(R"(applyTo: - -> "queues")", R"(definition.k: - -> {"deep":1})",
                          "definition.l: - -> [1]", R"(pattern: - -> "^b")", "priority: - -> 1"));
  EXPECT_EQ(Of(put).kind, Kind::kCreate);
  const plan::DeletePolicy gone{"v", "p", rabbitmq::PolicyKind::kOperator};
  EXPECT_THAT(LinesOf(gone), ElementsAre(R"(applyTo: "all" -> -)", "definition.max-length: 1 -> -",
                                         R"(pattern: "^o" -> -)", "priority: 0 -> -"));
  EXPECT_EQ(Of(gone).kind, Kind::kDelete);
}

TEST_F(ChangesTest, EveryOtherThingAtTheBrokerIsToldWithItsOldValues) {
  EXPECT_THAT(LinesOf(plan::PutClusterName{"new"}), ElementsAre(R"(name: "old" -> "new")"));
  EXPECT_THAT(LinesOf(plan::PutVhost{.name = "v", .description = "e", .tags = {"a", "b"}}),
              ElementsAre(R"(description: "d" -> "e")"));
  EXPECT_THAT(LinesOf(plan::DeleteVhost{"v"}),
              ElementsAre(R"(description: "d" -> -)", R"(tags: ["a","b"] -> -)"));
  EXPECT_THAT(LinesOf(plan::PutVhostLimit{"v", "max-connections", 7}),
              ElementsAre("maxConnections: 5 -> 7"));
  EXPECT_THAT(LinesOf(plan::PutVhostLimit{"v", "max-queues", 7}), ElementsAre("maxQueues: - -> 7"));
  EXPECT_THAT(LinesOf(plan::DeleteVhostLimit{"v", "max-connections"}),
              ElementsAre("maxConnections: 5 -> -"));
  EXPECT_THAT(LinesOf(plan::PutUserLimit{"u", "max-channels", 7}),
              ElementsAre("maxChannels: 9 -> 7"));
  EXPECT_THAT(LinesOf(plan::DeleteUserLimit{"u", "max-channels"}),
              ElementsAre("maxChannels: 9 -> -"));
  EXPECT_THAT(LinesOf(plan::PutPermissions{"u", "v", "^$", "^a", ".*"}),
              ElementsAre(R"(write: ".*" -> "^a")"));
  EXPECT_EQ(Of(plan::PutPermissions{"u", "w", "", "", ""}).kind, Kind::kCreate);
  EXPECT_THAT(LinesOf(plan::DeletePermissions{"u", "v"}),
              ElementsAre(R"(configure: "^$" -> -)", R"(read: ".*" -> -)", R"(write: ".*" -> -)"));
  EXPECT_THAT(LinesOf(plan::PutTopicPermission{"u", "v", "x", "", "r"}),
              ElementsAre(R"(write: "w" -> "")"));
  EXPECT_THAT(LinesOf(plan::DeleteTopicPermission{"u", "v", "x"}),
              ElementsAre(R"(read: "r" -> -)", R"(write: "w" -> -)"));
  EXPECT_THAT(LinesOf(plan::DeleteUser{"u"}), ElementsAre(R"(tags: ["monitoring"] -> -)"));
}

TEST_F(ChangesTest, OfAPasswordOnlyThatItChanges) {
  const plan::PutUser put{
      .name = "u", .tags = {"administrator"}, .password = base::Secret("s3cret")};
  EXPECT_THAT(LinesOf(put), ElementsAre(R"(tags: ["monitoring"] -> ["administrator"])",
                                        R"x(password: "(another one)" -> "(as in its Secret)")x"));
  plan::PutUser fresh = put;
  fresh.name = "new";
  EXPECT_THAT(LinesOf(fresh), ElementsAre(R"(tags: - -> ["administrator"])",
                                          R"x(password: - -> "(as in its Secret)")x"));
}

TEST_F(ChangesTest, WithoutALookAtTheBrokerOldValuesAreNotInvented) {
  seen_.broker.view = nullptr;
  EXPECT_THAT(LinesOf(plan::PutClusterName{"new"}), ElementsAre(R"(name: - -> "new")"));
  EXPECT_THAT(LinesOf(plan::DeleteUser{"u"}), IsEmpty());
}

// ---- children

TEST_F(ChangesTest, AChildIsToldFieldByField) {
  EXPECT_THAT(
      Applied(
          R"({"metadata":{"uid":"u","resourceVersion":"1","labels":{"a":"1"},
                  "annotations":{"rabbitcluster.dev/applied-hash":"x"}},
                  "data":{"rabbitmq.conf":"a = 1\n","other":"x"},"status":{"a":1}})",
          R"({"metadata":{"labels":{"a":"2"},"annotations":{"rabbitcluster.dev/applied-hash":"y"}},
                  "data":{"rabbitmq.conf":"a = 2\n"}})"),
      ElementsAre(R"(data["rabbitmq.conf"]: "a = 1\n" -> "a = 2\n")",
                  R"(metadata.labels.a: "1" -> "2")"));
}

TEST_F(ChangesTest, WhatWasAppliedAndIsWantedNoMoreGoes) {
  const std::string live = R"({"metadata":{"managedFields":[
      {"manager":"other","operation":"Update","fieldsV1":{"f:data":{"f:theirs":{}}}},
      {"manager":"rabbit-operator","operation":"Apply","fieldsV1":{
        "f:data":{"f:gone":{},"f:kept":{}},
        "f:spec":{"f:old":{},"f:ports":{"k:{\"port\":1,\"protocol\":\"TCP\"}":{".":{},"f:port":{},"f:name":{}},
                                        "k:{\"port\":2,\"protocol\":\"TCP\"}":{".":{},"f:port":{}}}}}}]},
      "data":{"gone":"1","kept":"2","theirs":"3"},
      "spec":{"old":1,"filled":2,"ports":[{"port":1,"protocol":"TCP","name":"a"},{"port":2,"protocol":"TCP"}]}})";
  EXPECT_THAT(Applied(live, R"({"data":{"kept":"2"},"spec":{"ports":[{"port":1}]}})"),
              ElementsAre(R"(data.gone: "1" -> -)", "spec.old: 1 -> -",
                          R"(spec.ports[port=1].name: "a" -> -)",
                          R"(spec.ports[port=2]: {"port":2,"protocol":"TCP"} -> -)"));
}

TEST_F(ChangesTest, WhatTheServerFilledInWhenItWasMadeIsNotTakenForOurs) {
  const std::string live = R"({"metadata":{"managedFields":[
      {"manager":"rabbit-operator","operation":"Update","fieldsV1":{
        "f:data":{"f:gone":{},"f:kept":{}},"f:spec":{"f:filled":{}}}}]},
      "data":{"gone":"1","kept":"2"},"spec":{"filled":1}})";
  EXPECT_THAT(Applied(live, R"({"data":{"kept":"2"}})"), ElementsAre(R"(data.gone: "1" -> -)"));
}

TEST_F(ChangesTest, AChildThatWasNotReadSaysNothing) {
  EXPECT_THAT(LinesOf(plan::ApplyObject{kube::kServices, "s", "u", "{}"}), IsEmpty());
  EXPECT_EQ(Of(plan::CreateObject{kube::kServices, "s", "{}"}).kind, Kind::kCreate);
  EXPECT_EQ(Of(plan::DeleteObject{kube::kServices, "s", "u"}).kind, Kind::kDelete);
  EXPECT_EQ(Of(plan::ExecInPod{}).kind, Kind::kRun);
}

TEST_F(ChangesTest, TheCountThatIsWrittenIntoTheSpec) {
  EXPECT_THAT(
      LinesOf(plan::ApplyObject{api::kRabbitClusters, "c", "u", R"({"spec":{"replicas":3}})"}),
      ElementsAre("spec.replicas: - -> 3"));
}

TEST_F(ChangesTest, NoSecretIsOpened) {
  seen_.children[{kube::kSecrets, "s"}].body =
      std::make_shared<const std::string>(R"({"data":{"password":"b2xk"}})");
  EXPECT_THAT(
      LinesOf(plan::ApplyObject{kube::kSecrets, "s", "u", R"({"data":{"password":"bmV3"}})"}),
      IsEmpty());
}

// ---- the RabbitCluster itself

TEST(DeclaredDifferences, AreThoseThatSomebodyDeclares) {
  EXPECT_THAT(
      Lines(DeclaredDifferences(
          R"({"metadata":{"uid":"u","generation":1,"managedFields":[{}],"annotations":{"a":"1",
               "kubectl.kubernetes.io/last-applied-configuration":"x"}},
              "spec":{"replicas":3,"policies":[{"name":"p","vhost":"/","pattern":"a"}]},"status":{"a":1}})",
          R"({"metadata":{"uid":"u","generation":2,"annotations":{"a":"1"}},
              "spec":{"replicas":3,"policies":[{"name":"p","vhost":"/","pattern":"b"}]}})")),
      ElementsAre(R"(spec.policies[name=p].pattern: "a" -> "b")"));
}

TEST(DeclaredDifferences, OfListsWhoseElementsTwoFieldsTellApartOnlyThoseThatDiffer) {
  EXPECT_THAT(
      Lines(DeclaredDifferences(
          R"({"spec":{"policies":[{"vhost":"a","name":"p","pattern":"x"},
                                  {"vhost":"b","name":"p","pattern":"x"}],
              "users":[{"name":"u",
                "permissions":[{"vhost":"a","read":"x"},{"vhost":"b","read":"x"}],
                "topicPermissions":[{"vhost":"a","exchange":"e","read":"x"},
                                    {"vhost":"a","exchange":"f","read":"x"}]}]}})",
          R"({"spec":{"policies":[{"vhost":"a","name":"p","pattern":"x"},
                                  {"vhost":"b","name":"p","pattern":"y"}],
              "users":[{"name":"u",
                "permissions":[{"vhost":"a","read":"x"},{"vhost":"b","read":"y"},
                               {"vhost":"c","read":"z"}],
                "topicPermissions":[{"vhost":"a","exchange":"f","read":"y"},
                                    {"vhost":"a","exchange":"e","read":"x"}]}]}})")),
      ElementsAre(R"(spec.policies[vhost=b,name=p].pattern: "x" -> "y")",
                  R"(spec.users[name=u].permissions[vhost=b].read: "x" -> "y")",
                  R"(spec.users[name=u].permissions[vhost=c]: - -> {"read":"z","vhost":"c"})",
                  R"(spec.users[name=u].topicPermissions[vhost=a,exchange=f].read: "x" -> "y")"));
}

}  // namespace
}  // namespace rabbit::commands
