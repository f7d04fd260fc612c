#include "operator/observe/secrets.h"

#include <gtest/gtest.h>

#include <string>

#include "base/hash.h"
#include "kube/credentials.h"
#include "operator/resources/names.h"
#include "test/fakes/scripted_transport.h"

namespace rabbit::observe {
namespace {

using std::chrono::seconds;

class SecretMemoryTest : public testing::Test {
 protected:
  SecretMemoryTest() {
    cluster_.meta.key = {"ns", "c"};
    cluster_.spec.drift_interval = seconds(15);
  }
  void Refresh(bool new_here = false) {
    memory_.Refresh(cluster_, once_declared_, new_here, client_, now_,
                    {.deadline = now_ + seconds(10)});
  }
  fakes::ScriptedTransport::Call& ExpectRead(const std::string& name) {
    return server_.Expect("GET /api/v1/namespaces/ns/secrets/" + name);
  }
  static std::string SecretJson(const std::string& password) {
    return R"({"metadata":{"uid":"s1","labels":{"app.kubernetes.io/managed-by":"rabbit-operator"}},"data":{"password":")" +
           base::Base64Encode(password) + "\"}}";
  }
  static constexpr const char* kMissing =
      R"({"kind":"Status","status":"Failure","reason":"NotFound","message":"not found","code":404})";

  fakes::ScriptedTransport server_;
  kube::StaticCredentials credentials_;
  kube::Client client_{server_, credentials_, nullptr};
  api::RabbitCluster cluster_;
  SecretMemory memory_;
  std::vector<std::string> once_declared_;
  base::TimePoint now_{std::chrono::hours(1)};
};

TEST_F(SecretMemoryTest, NothingOfItsOwnIsReadForANewCluster) {
  Refresh(/*new_here=*/true);
  EXPECT_TRUE(memory_.views().empty());
}

TEST_F(SecretMemoryTest, OwnSecretsAreReadOnceUntilTheyAreOld) {
  ExpectRead("c-default-user").Answer(200, SecretJson("d"));
  ExpectRead("c-erlang-cookie").Answer(200, SecretJson("k"));
  ExpectRead("c-operator-user").Answer(200, SecretJson("o"));
  Refresh();
  EXPECT_EQ(memory_.views().at("c-operator-user").state, SecretState::kPresent);
  EXPECT_EQ(memory_.views().at("c-operator-user").data.at("password"), base::Secret("o"));
  now_ += seconds(60);
  Refresh();  // an unexpected call would fail the test
}

TEST_F(SecretMemoryTest, OfWhatClientsAreToldThePortIsKeptWhereItIsAnother) {
  const auto kept = [this](const std::string& port) {
    memory_.Doubt();
    ExpectRead("c-default-user")
        .Answer(200, R"({"data":{"port":")" + base::Base64Encode(port) + R"(","host":"aA=="}})");
    ExpectRead("c-erlang-cookie").Answer(200, SecretJson("k"));
    ExpectRead("c-operator-user").Answer(200, SecretJson("o"));
    Refresh();
    return memory_.views().at("c-default-user").data;
  };
  EXPECT_TRUE(kept("5672").empty());
  EXPECT_EQ(kept("5671"), (std::map<std::string, base::Secret>{{"port", base::Secret("5671")}}));
}

TEST_F(SecretMemoryTest, TheSecretOfAUserThatIsDeclaredNoMoreIsReadWhileTheUserIsRecorded) {
  cluster_.spec.users = {{.name = "root", .password_secret_ref = api::KeyRef{"mine", "password"}}};
  once_declared_ = {"app", "root"};
  const std::string name = resources::UserSecretName("c", "app");
  for (const char* own : {"c-default-user", "c-erlang-cookie", "c-operator-user"}) {
    ExpectRead(own).Answer(200, SecretJson("x"));
  }
  ExpectRead(name).Answer(200, SecretJson("a"));
  ExpectRead("mine").Answer(200, SecretJson("m"));
  Refresh();
  EXPECT_EQ(memory_.views().at(name).state, SecretState::kPresent);
  once_declared_ = {"root"};
  Refresh();
  EXPECT_FALSE(memory_.views().contains(name));
  cluster_.spec.users.push_back({.name = "app"});
  ExpectRead(name).Answer(200, SecretJson("a"));
  Refresh();  // at once, however lately it was read before
  EXPECT_EQ(memory_.views().at(name).state, SecretState::kPresent);
}

TEST_F(SecretMemoryTest, AReferencedSecretIsReadAgainEachDriftInterval) {
  cluster_.spec.users = {{.name = "root", .password_secret_ref = api::KeyRef{"mine", "password"}}};
  ExpectRead("mine").Answer(200, SecretJson("old"));
  Refresh(/*new_here=*/true);
  now_ += seconds(16);
  ExpectRead("c-default-user").Answer(404, kMissing);
  ExpectRead("c-erlang-cookie").Answer(404, kMissing);
  ExpectRead("c-operator-user").Answer(404, kMissing);
  ExpectRead("mine").Answer(200, SecretJson("new"));
  Refresh();
  EXPECT_EQ(memory_.views().at("mine").data.at("password"), base::Secret("new"));
  EXPECT_EQ(memory_.views().at("c-erlang-cookie").state, SecretState::kAbsent);
}

// What a person is asked to mend is looked at each time, however old a look may be otherwise.
TEST_F(SecretMemoryTest, CertificatesAreReadAgainEachDriftIntervalWholeAndUntilAllKeysAreThere) {
  const auto secret = [](const std::string& more) {
    return R"({"metadata":{"uid":"s1"},"data":{"tls.crt":"YQ==","tls.key":"YQ==")" + more + "}}";
  };
  const auto refresh = [&] {
    memory_.Refresh(cluster_, once_declared_, /*new_here=*/true, client_, now_,
                    {.deadline = now_ + seconds(10)}, {{.secret = "web", .ca = {"web", "ca.crt"}}});
  };
  // Its own are read as well once something is known.
  for (const char* own : {"c-erlang-cookie", "c-operator-user", "c-default-user"}) {
    memory_.Learn(own, {.state = SecretState::kPresent}, now_ + seconds(600));
  }
  ExpectRead("web").Answer(200, secret(""));
  refresh();
  ExpectRead("web").Answer(200, secret(R"(,"ca.crt":"YQ==")"));
  refresh();
  refresh();
  EXPECT_EQ(memory_.views().at("web").data.at("ca.crt"), base::Secret("a"));
  now_ += seconds(16);
  ExpectRead("web").Answer(200, secret(R"(,"ca.crt":"Yg==")"));
  refresh();
  EXPECT_EQ(memory_.views().at("web").data.at("ca.crt"), base::Secret("b"));
}

TEST_F(SecretMemoryTest, OfCertificatesThatAreGoneWhatIsPublicStaysAndNothingElse) {
  const auto refresh = [&] {
    memory_.Refresh(cluster_, once_declared_, /*new_here=*/true, client_, now_,
                    {.deadline = now_ + seconds(10)}, {{.secret = "web", .ca = {"web", "ca.crt"}}});
  };
  for (const char* own : {"c-erlang-cookie", "c-operator-user", "c-default-user"}) {
    memory_.Learn(own, {.state = SecretState::kPresent}, now_ + seconds(600));
  }
  ExpectRead("web").Answer(
      200,
      R"({"metadata":{"uid":"s1"},"data":{"tls.crt":"YQ==","tls.key":"Yg==","ca.crt":"Yw==","x":"ZA=="}})");
  refresh();
  EXPECT_FALSE(memory_.views().at("web").data.contains("x")) << "nobody asked for it";
  for (int i = 0; i < 2; ++i) {
    now_ += seconds(16);
    ExpectRead("web").Answer(404, kMissing);
    refresh();
    const SecretView& gone = memory_.views().at("web");
    EXPECT_EQ(gone.state, SecretState::kAbsent);
    EXPECT_EQ(gone.data, (std::map<std::string, base::Secret>{{"tls.crt", base::Secret("a")},
                                                              {"ca.crt", base::Secret("c")}}));
  }
}

TEST_F(SecretMemoryTest, OfAPasswordThatIsGoneNothingStays) {
  cluster_.spec.users = {{.name = "root", .password_secret_ref = api::KeyRef{"mine", "password"}}};
  ExpectRead("mine").Answer(200, SecretJson("old"));
  Refresh(/*new_here=*/true);
  now_ += seconds(16);
  for (const char* own : {"c-default-user", "c-erlang-cookie", "c-operator-user", "mine"}) {
    ExpectRead(own).Answer(404, kMissing);
  }
  Refresh();
  EXPECT_TRUE(memory_.views().at("mine").data.empty());
}

TEST_F(SecretMemoryTest, ASecretThatDoesNotServeYetIsReadAgainEachTime) {
  cluster_.spec.drift_interval = std::chrono::hours(1);
  cluster_.spec.users = {{.name = "root", .password_secret_ref = api::KeyRef{"mine", "pass"}},
                         {.name = "app", .password_secret_ref = api::KeyRef{"mine", "password"}}};
  const auto refresh = [&](const std::string& secret) {
    ExpectRead("mine").Answer(200, secret);
    Refresh(/*new_here=*/true);
    memory_.Learn("c-erlang-cookie", {.state = SecretState::kPresent}, now_);
    memory_.Learn("c-operator-user", {.state = SecretState::kPresent}, now_);
    memory_.Learn("c-default-user", {.state = SecretState::kPresent}, now_);
  };
  refresh(SecretJson("p"));
  refresh(R"({"metadata":{"uid":"s1"},"data":{"password":"cA==","pass":""}})");
  refresh(R"({"metadata":{"uid":"s1"},"data":{"password":"cA==","pass":"cA=="}})");
  Refresh();  // an unexpected call would fail the test
}

TEST_F(SecretMemoryTest, OfOneThatWasChangedWhatIsReferredToIsHeldStill) {
  const auto all_are = [](const char* value) {
    SecretView view{.state = SecretState::kPresent, .uid = "s1", .data = {}, .trouble = {}};
    for (const char* key : {"password", "host", "other"}) view.data[key] = base::Secret(value);
    return view;
  };
  cluster_.spec.users = {
      {.name = "app", .password_secret_ref = api::KeyRef{"c-default-user", "host"}}};
  ExpectRead("c-default-user")
      .Answer(200, R"({"metadata":{"uid":"s1"},"data":{"password":"cA==","host":"aA=="}})");
  Refresh(/*new_here=*/true);
  memory_.Learn("c-default-user", all_are("new"), now_);
  const SecretView& held = memory_.views().at("c-default-user");
  EXPECT_EQ(held.data.at("host"), base::Secret("new"));
  EXPECT_EQ(held.data.at("password"), base::Secret("new"));
  EXPECT_FALSE(held.data.contains("other"));
}

TEST_F(SecretMemoryTest, AnOwnSecretThatSomebodyElseHasIsReadAgainEachTime) {
  const std::string theirs = R"({"metadata":{"uid":"s1"},"data":{"password":"cA=="}})";
  ExpectRead("c-default-user").Answer(200, theirs);
  ExpectRead("c-erlang-cookie").Answer(200, SecretJson("k"));
  ExpectRead("c-operator-user").Answer(200, SecretJson("o"));
  Refresh();
  EXPECT_EQ(memory_.views().at("c-default-user").state, SecretState::kForeign);
  ExpectRead("c-default-user").Answer(200, SecretJson("d"));
  Refresh();
  EXPECT_EQ(memory_.views().at("c-default-user").state, SecretState::kPresent);
  Refresh();
}

TEST_F(SecretMemoryTest, AFailedReadIsUnknownNotAbsent) {
  cluster_.spec.users = {{.name = "root", .password_secret_ref = api::KeyRef{"mine", "password"}}};
  ExpectRead("mine").Refuse();
  Refresh(/*new_here=*/true);
  EXPECT_EQ(memory_.views().at("mine").state, SecretState::kUnknown);
  EXPECT_NE(memory_.views().at("mine").trouble, "");
}

TEST_F(SecretMemoryTest, AForeignSecretIsToldFromOurs) {
  const auto view = ParseSecret(R"({"metadata":{"uid":"s"},"data":{"a":"YQ=="}})");
  ASSERT_TRUE(view);
  EXPECT_EQ(view->state, SecretState::kForeign);
  const auto controlled = ParseSecret(
      R"({"metadata":{"uid":"s","labels":{"app.kubernetes.io/managed-by":"rabbit-operator"},
          "ownerReferences":[{"kind":"Vault","name":"v","uid":"v1","controller":true}]}})");
  ASSERT_TRUE(controlled);
  EXPECT_EQ(controlled->state, SecretState::kForeign);
}

}  // namespace
}  // namespace rabbit::observe
