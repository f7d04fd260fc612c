#include "operator/observe/definitions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.h"
#include "kube/credentials.h"
#include "test/fakes/scripted_transport.h"

namespace rabbit::observe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> Names(const rabbitmq::Definitions& definitions) {
  std::vector<std::string> names;
  for (const auto& [key, text] : definitions) names.push_back(key.ToString());
  return names;
}

TEST(WithoutDeclaredTest, WhatTheSpecOrTheOperatorNamesIsNoPartOfThem) {
  api::RabbitCluster cluster;
  api::User user;
  user.name = "app";
  cluster.spec.users = {user};
  api::Vhost vhost;
  vhost.name = "v";
  cluster.spec.vhosts = {vhost};
  cluster.spec.policies = {{.vhost = "/", .name = "p"}};
  cluster.spec.operator_policies = {{.vhost = "/", .name = "o"}};
  cluster.findings.entries.push_back(
      {.list = "users", .vhost = "", .name = "broken", .error = {"spec.users[1]", "", ""}});
  const auto all = rabbitmq::ParseDefinitions(R"({
    "users":[{"name":"app"},{"name":"rabbit-operator"},{"name":"clients"},{"name":"broken"},
             {"name":"free"}],
    "permissions":[{"user":"app","vhost":"w"},{"user":"rabbit-operator","vhost":"/"},
                   {"user":"free","vhost":"v"}],
    "topic_permissions":[{"user":"app","vhost":"w","exchange":"e"}],
    "vhosts":[{"name":"v"},{"name":"w"}],
    "policies":[{"vhost":"/","name":"p"},{"vhost":"w","name":"p"}],
    "parameters":[{"component":"operator_policy","vhost":"/","name":"o"},
                  {"component":"operator_policy","vhost":"/","name":"p"},
                  {"component":"vhost-limits","vhost":"v","name":"limits"},
                  {"component":"vhost-limits","vhost":"w","name":"limits"}],
    "global_parameters":[{"name":"cluster_name"},{"name":"internal_cluster_id"},{"name":"x"}],
    "queues":[{"vhost":"v","name":"q"}]})");
  ASSERT_TRUE(all.has_value());
  EXPECT_THAT(
      Names(WithoutDeclared(*all, cluster, "clients")),
      ElementsAre("global parameter x", "parameter operator_policy p in vhost /",
                  "parameter vhost-limits limits in vhost w", "permission of user free in vhost v",
                  "policy p in vhost w", "queue q in vhost v", "user free", "vhost w"));
}

TEST(ContentOfTest, IsReadFromEitherKindOfObject) {
  EXPECT_EQ(ContentOf(R"({"data":{"k":"{}"}})", false, "k")->Reveal(), "{}");
  EXPECT_EQ(ContentOf(R"({"binaryData":{"k":"e30="}})", false, "k")->Reveal(), "{}");
  EXPECT_EQ(ContentOf(R"({"data":{"k":"e30="}})", true, "k")->Reveal(), "{}");
  EXPECT_EQ(ContentOf(R"({"data":{"k":"e30="}})", true, "l").error().message, "has no key l");
  EXPECT_EQ(ContentOf(R"({"data":{"k":"%"}})", true, "k").error().message, "key k is not base64");
}

class DefinitionsMemoryTest : public testing::Test {
 protected:
  DefinitionsMemoryTest() {
    cluster_.meta.key = {"ns", "c"};
    cluster_.meta.uid = "u";
    cluster_.meta.generation = 1;
    cluster_.spec.definitions =
        api::Definitions{.config_map_ref = api::KeyRef{"d", "k"}, .secret_ref = {}};
    secrets_["c-default-user"].data["username"] = base::Secret("clients");
  }
  auto& Expect() { return api_.Expect("GET /api/v1/namespaces/ns/configmaps/d"); }
  void Answer(const std::string& json) {
    Expect().Answer(200, R"({"data":{"k":")" + json + R"("}})");
  }
  const DefinitionsView& Refreshed(bool imported = false) {
    memory_.Refresh(cluster_, secrets_, imported, client_, now_,
                    {.deadline = now_ + std::chrono::seconds(5), .stop = {}});
    return *memory_.view();
  }

  api::RabbitCluster cluster_;
  std::map<std::string, SecretView> secrets_;
  base::TimePoint now_{std::chrono::hours(1)};
  fakes::ScriptedTransport api_;
  kube::StaticCredentials credentials_;
  kube::Client client_{api_, credentials_, nullptr};
  DefinitionsMemory memory_;
};

TEST_F(DefinitionsMemoryTest,
       TheyAreReadEachDriftIntervalAndStayTheSamePointerWhileTheyAreTheSame) {
  Answer("{}");
  EXPECT_EQ(Refreshed().trouble, "");
  const auto first = memory_.view();
  now_ += std::chrono::seconds(14);
  (void)Refreshed();  // is not asked
  now_ += std::chrono::seconds(1);
  Answer("{}");
  (void)Refreshed();
  EXPECT_EQ(memory_.view(), first);
  now_ += std::chrono::seconds(15);
  Answer(R"({\"vhosts\":[{\"name\":\"v\"}]})");
  EXPECT_THAT(Names(Refreshed().wanted), ElementsAre("vhost v"));
  EXPECT_NE(memory_.view()->content_digest, first->content_digest);
}

TEST_F(DefinitionsMemoryTest, ThoseThatWereImportedOnceAreReadRarely) {
  Answer("{}");
  (void)Refreshed(true);
  now_ += std::chrono::minutes(9);
  (void)Refreshed(true);
  now_ += std::chrono::minutes(1);
  Answer("{}");
  (void)Refreshed(true);
}

TEST_F(DefinitionsMemoryTest, AChangedSpecChangesWhatIsWantedOfThem) {
  Answer(R"({\"vhosts\":[{\"name\":\"v\"}]})");
  const std::string content = Refreshed().content_digest;
  cluster_.meta.generation = 2;
  api::Vhost vhost;
  vhost.name = "v";
  cluster_.spec.vhosts = {vhost};
  Answer(R"({\"vhosts\":[{\"name\":\"v\"}]})");
  EXPECT_THAT(Refreshed().wanted, IsEmpty());
  EXPECT_EQ(memory_.view()->content_digest, content);
}

TEST_F(DefinitionsMemoryTest, WhatIsWrongIsToldAndReadAgainInTime) {
  const auto later = [&] { now_ += std::chrono::seconds(15); };
  Expect().Answer(404, R"({"kind":"Status","reason":"NotFound","code":404})");
  EXPECT_EQ(Refreshed().trouble, "does not exist");
  EXPECT_TRUE(memory_.view()->needs_person);
  EXPECT_TRUE(memory_.view()->gone);
  EXPECT_EQ(memory_.view()->source, "ConfigMap d, key k");
  now_ += std::chrono::seconds(14);
  (void)Refreshed();  // is not asked
  later();
  Expect().Answer(200, R"({"data":{"other":"{}"}})");
  EXPECT_EQ(Refreshed().trouble, "has no key k");
  EXPECT_TRUE(memory_.view()->gone);
  later();
  Answer("hunter2");
  EXPECT_EQ(Refreshed().trouble, "is not JSON");
  EXPECT_FALSE(memory_.view()->gone);
  later();
  Answer("{}");
  EXPECT_EQ(Refreshed().trouble, "");
  later();
  Answer("hunter2");
  EXPECT_EQ(Refreshed().trouble, "is not JSON");
}

TEST_F(DefinitionsMemoryTest, WhatCannotBeReadNowIsAskedForAtOnceAgain) {
  Expect().Refuse();
  EXPECT_NE(Refreshed().trouble, "was not read yet");
  EXPECT_FALSE(memory_.view()->gone);
  Answer("{}");
  EXPECT_EQ(Refreshed().trouble, "");
}

TEST_F(DefinitionsMemoryTest, ASpecThatNamesNoSourceOrTwoDeclaresNone) {
  for (const auto& ref : {std::optional<api::KeyRef>(), std::optional<api::KeyRef>({"d", "k"})}) {
    cluster_.spec.definitions = api::Definitions{.config_map_ref = ref, .secret_ref = ref};
    memory_.Refresh(cluster_, secrets_, false, client_, now_, {});
    EXPECT_EQ(memory_.view(), nullptr);
  }
}

TEST_F(DefinitionsMemoryTest, AFailedReadKeepsWhatWasRead) {
  Answer("{}");
  (void)Refreshed();
  now_ += std::chrono::seconds(15);
  Expect().Refuse();
  EXPECT_EQ(Refreshed().trouble, "");
}

TEST_F(DefinitionsMemoryTest, NothingIsKeptOnceNoneAreDeclared) {
  Answer("{}");
  (void)Refreshed();
  cluster_.spec.definitions.reset();
  memory_.Refresh(cluster_, secrets_, false, client_, now_, {});
  EXPECT_EQ(memory_.view(), nullptr);
}

}  // namespace
}  // namespace rabbit::observe
