// Tests of the small parts of Observe: strangers, Secrets, targets, and looks at brokers and
// proxies over a scripted transport.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/hash.h"
#include "http/certificate.h"
#include "http/test_server.h"
#include "kube/credentials.h"
#include "operator/observe/broker_watch.h"
#include "operator/observe/secrets.h"
#include "operator/observe/stranger.h"
#include "operator/observe/targets.h"
#include "operator/resources/names.h"
#include "test/fakes/scripted_transport.h"

namespace rabbit::observe {
namespace {

using std::chrono::seconds;

// ---- strangers

TEST(StrangerIn, AnObjectWithOurLabelAndOurOwnerIsOurs) {
  EXPECT_EQ(
      StrangerIn(
          R"({"metadata":{"name":"x","labels":{"app.kubernetes.io/managed-by":"rabbit-operator"},
    "ownerReferences":[{"kind":"RabbitCluster","name":"c","uid":"u1","controller":true}]}})",
          "c", "u1"),
      std::nullopt);
}

TEST(StrangerIn, AnotherControllerIsAStrangerEvenWithOurLabel) {
  EXPECT_EQ(
      StrangerIn(
          R"({"metadata":{"name":"x","labels":{"app.kubernetes.io/managed-by":"rabbit-operator"},
    "ownerReferences":[{"kind":"RabbitCluster","name":"old","uid":"u0","controller":true}]}})",
          "c", "u1"),
      "RabbitCluster old, its controller");
}

TEST(StrangerIn, OurOwnerIsOursWhateverWasDoneToTheLabels) {
  EXPECT_EQ(StrangerIn(
                R"({"metadata":{"name":"x","labels":{"app.kubernetes.io/instance":"other"},
    "ownerReferences":[{"kind":"RabbitCluster","name":"c","uid":"u1","controller":true}]}})",
                "c", "u1"),
            std::nullopt);
}

TEST(StrangerIn, WithoutAnOwnerTheLabelsTell) {
  const auto stranger = [](const std::string& labels) {
    return StrangerIn(R"({"metadata":{"name":"x","labels":)" + labels + "}}", "c", "u1");
  };
  EXPECT_EQ(stranger("{}"), "somebody else: it carries no label of the operator");
  EXPECT_EQ(stranger(R"({"app.kubernetes.io/managed-by":"Helm"})"), "Helm");
  EXPECT_EQ(stranger(R"({"app.kubernetes.io/managed-by":"rabbit-operator"})"),
            "somebody else: its labels name no cluster");
  EXPECT_EQ(stranger(R"({"app.kubernetes.io/managed-by":"rabbit-operator",
                         "app.kubernetes.io/instance":"other"})"),
            "RabbitCluster other, by its labels");
  EXPECT_EQ(stranger(R"({"app.kubernetes.io/managed-by":"rabbit-operator",
                         "app.kubernetes.io/instance":"c"})"),
            std::nullopt);
}

// ---- Secrets

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

// ---- targets

Observation SeenNodes() {
  Observation seen;
  seen.nodes = {{.name = "c-node-0", .ip = "10.0.0.1", .ready = true},
                {.name = "c-node-1", .ip = "10.0.0.2", .ready = false},
                {.name = "c-node-2", .ip = "10.0.0.3", .ready = true, .deleting = true}};
  seen.secrets["c-operator-user"] = {.state = SecretState::kPresent,
                                     .data = {{"password", base::Secret("p")}}};
  return seen;
}

TEST(BrokerTargetOf, OnlyNodesThatServeAreAsked) {
  api::RabbitCluster cluster;
  cluster.meta.key = {"ns", "c"};
  const auto target = BrokerTargetOf(cluster, SeenNodes());
  ASSERT_TRUE(target);
  EXPECT_EQ(target->nodes, (std::vector<BrokerTarget::Node>{{"c-node-0", "10.0.0.1"}}));
  EXPECT_EQ(target->password, base::Secret("p"));
}

TEST(BrokerTargetOf, WithoutAPasswordNobodyIsAsked) {
  api::RabbitCluster cluster;
  cluster.meta.key = {"ns", "c"};
  Observation seen = SeenNodes();
  seen.secrets.clear();
  EXPECT_EQ(BrokerTargetOf(cluster, seen), std::nullopt);
}

TEST(BrokerToWriteTo, IsAskedFirstWhereTheLastLookWasAnswered) {
  api::RabbitCluster cluster;
  cluster.meta.key = {"ns", "c"};
  Observation seen = SeenNodes();
  seen.nodes[1].ready = true;
  const BrokerTarget::Node first{"c-node-0", "10.0.0.1"}, second{"c-node-1", "10.0.0.2"};
  EXPECT_EQ(BrokerToWriteTo(cluster, seen).nodes, (std::vector{first, second}));
  seen.broker.ask_first = "c-node-1";
  EXPECT_EQ(BrokerToWriteTo(cluster, seen).nodes, (std::vector{second, first}));
  seen.secrets.clear();
  EXPECT_EQ(BrokerToWriteTo(cluster, seen), BrokerTarget{});
}

std::shared_ptr<const rabbitmq::BrokerView> Runs(const std::string& version) {
  auto view = std::make_shared<rabbitmq::BrokerView>();
  view->version = version;
  return view;
}

TEST(PartsToRead, OfAClusterThatDeclaresNoneOfItNothingMoreIsAsked) {
  api::RabbitCluster cluster;
  cluster.spec.vhosts = {{.name = "v", .tags = {"t"}, .description = "d"}};
  cluster.spec.users = {{.name = "u", .permissions = {{.vhost = "/"}}}};
  cluster.spec.policies = {{.vhost = "/", .name = "p"}};
  cluster.spec.ownership.users = api::Ownership::kExclusive;
  Observation seen;
  EXPECT_EQ(PartsToRead(cluster, seen), rabbitmq::ViewParts{});
  seen.inventory = Inventory{.users = {"u"},
                             .policies = {{"/", "p"}},
                             .vhosts = {{"v", api::OnRemove::kDeleteIfEmpty}},
                             .flags_version = "3.10.8"};
  seen.broker.view = Runs("3.10.8");
  EXPECT_EQ(PartsToRead(cluster, seen), rabbitmq::ViewParts{});
}

TEST(PartsToRead, FeatureFlagsAreAskedForUntilNoneIsLeftOfTheVersionAndThePluginsThatRunThere) {
  const auto is_asked = [](const std::string& recorded, const std::string& version,
                           std::vector<std::string> plugins = {}) {
    api::RabbitCluster cluster;
    cluster.spec.plugins = std::move(plugins);
    Observation seen;
    seen.inventory = Inventory{.flags_version = recorded};
    if (!version.empty()) seen.broker.view = Runs(version);
    return PartsToRead(cluster, seen).flags_to_enable;
  };
  EXPECT_FALSE(is_asked("4.3.6", "4.3.6"));
  EXPECT_TRUE(is_asked("4.0.5", "4.3.6"));
  EXPECT_TRUE(is_asked("4.3.6", "")) << "the first look: another version may run by now";
  EXPECT_TRUE(is_asked("4.3.6", "4.3.6", {"rabbitmq_top"}));
  EXPECT_FALSE(
      is_asked("4.3.6 rabbitmq_shovel rabbitmq_top", "4.3.6", {"rabbitmq_top", "rabbitmq_shovel"}));
  EXPECT_TRUE(is_asked("4.3.6 rabbitmq_shovel rabbitmq_top", "4.3.6", {"rabbitmq_top"}));
}

TEST(PartsToRead, EachIsAskedForByWhatStandsOnIt) {
  using rabbitmq::ViewParts;
  const struct {
    const char* what;
    void (*change)(api::Spec&, Inventory&);
    ViewParts parts;
  } rows[] = {
      {"a limit of a vhost",
       [](api::Spec& spec, Inventory&) {
         spec.vhosts = {{.name = "v", .limits = {.max_queues = 0}}};
       },
       {.vhost_limits = true}},
      {"a limit of a user",
       [](api::Spec& spec, Inventory&) {
         spec.users = {{.name = "u", .limits = {.max_connections = 1}}};
       },
       {.user_limits = true}},
      {"a limit of a vhost of before",
       [](api::Spec&, Inventory& recorded) { recorded.vhost_limits = {"v"}; },
       {.vhost_limits = true}},
      {"a limit of a user of before",
       [](api::Spec&, Inventory& recorded) { recorded.user_limits = {"u"}; },
       {.user_limits = true}},
      {"a topic permission",
       [](api::Spec& spec, Inventory&) {
         spec.users = {{.name = "u", .topic_permissions = {{"/", "x"}}}};
       },
       {.topic_permissions = true}},
      {"a topic permission of before",
       [](api::Spec&, Inventory& recorded) { recorded.topic_permissions = {"u"}; },
       {.topic_permissions = true}},
      {"an operator policy",
       [](api::Spec& spec, Inventory&) { spec.operator_policies = {{.vhost = "/", .name = "p"}}; },
       {.operator_policies = true}},
      {"an operator policy of before",
       [](api::Spec&, Inventory& recorded) {
         recorded.operator_policies = {{"/", "p"}};
       },
       {.operator_policies = true}},
      {"ownership of policies",
       [](api::Spec& spec, Inventory&) { spec.ownership.policies = api::Ownership::kExclusive; },
       {.operator_policies = true}},
      {"vhosts of before",
       [](api::Spec& spec, Inventory& recorded) {
         recorded.vhosts = {{"a", api::OnRemove::kDeleteIfEmpty},
                            {"b", api::OnRemove::kDeleteIfEmpty},
                            {"c", api::OnRemove::kDelete},
                            {"d", api::OnRemove::kRetain},
                            {"e", api::OnRemove::kDeleteIfEmpty}};
         spec.vhosts = {{.name = "b"}};
       },
       {.queues_of = {"a", "e"}}},
      {"a plugin",
       [](api::Spec& spec, Inventory& recorded) {
         spec.plugins = {"rabbitmq_top"};
         recorded.flags_version = "3.10.8 rabbitmq_top";
       },
       {.running_plugins = true}},
      {"feature flags that were never seen",
       [](api::Spec&, Inventory& recorded) { recorded.flags_version.clear(); },
       {.flags_to_enable = true}},
  };
  for (const auto& [what, change, parts] : rows) {
    SCOPED_TRACE(what);
    api::RabbitCluster cluster;
    Observation seen;
    seen.inventory = Inventory{.flags_version = "3.10.8"};
    seen.broker.view = Runs("3.10.8");
    change(cluster.spec, *seen.inventory);
    EXPECT_EQ(PartsToRead(cluster, seen), parts);
  }
}

TEST(PartsToRead, AVhostThatMayBeDeclaredIsNotCounted) {
  api::RabbitCluster cluster;
  cluster.findings.entries = {{.list = "vhosts", .name = "v", .error = {}}};
  Observation seen;
  seen.inventory =
      Inventory{.vhosts = {{"v", api::OnRemove::kDeleteIfEmpty}}, .flags_version = "3.10.8"};
  seen.broker.view = Runs("3.10.8");
  EXPECT_EQ(PartsToRead(cluster, seen), rabbitmq::ViewParts{});
}

// What is to be asked besides is no reason to wait for the next look.
TEST(BrokerTargetOf, WhoIsToBeAskedForMoreIsAnotherTarget) {
  api::RabbitCluster cluster;
  cluster.meta.key = {"ns", "c"};
  const auto before = BrokerTargetOf(cluster, SeenNodes());
  cluster.spec.operator_policies = {{.vhost = "/", .name = "p"}};
  const auto after = BrokerTargetOf(cluster, SeenNodes());
  EXPECT_NE(before, after);
  EXPECT_TRUE(after->parts.operator_policies);
}

TEST(ProxyTargetOf, NobodyIsAskedWhenTheBalancerIsOff) {
  api::RabbitCluster cluster;
  cluster.meta.key = {"ns", "c"};
  Observation seen;
  seen.proxies = {{.name = "p", .ip = "10.0.0.9", .ready = true}};
  ASSERT_TRUE(ProxyTargetOf(cluster, seen));
  EXPECT_EQ(ProxyTargetOf(cluster, seen)->csv_target, "/rabbitmq-stats;csv");
  cluster.spec.load_balancer.enabled = false;
  EXPECT_EQ(ProxyTargetOf(cluster, seen), std::nullopt);
}

// One that does not listen yet would slow the looks at those that do; and when it listens, the
// target is another one, which is looked at at once.
TEST(ProxyTargetOf, OnlyProxiesThatServeAreAsked) {
  api::RabbitCluster cluster;
  cluster.meta.key = {"ns", "c"};
  Observation seen;
  seen.proxies = {{.name = "p-0", .ip = "10.0.0.7", .ready = true},
                  {.name = "p-1", .ip = "10.0.0.8", .ready = false},
                  {.name = "p-2", .ip = "10.0.0.9", .ready = true, .deleting = true}};
  ASSERT_TRUE(ProxyTargetOf(cluster, seen));
  EXPECT_EQ(ProxyTargetOf(cluster, seen)->proxies,
            (std::vector<ProxyTarget::Proxy>{{"p-0", "10.0.0.7"}}));
  seen.proxies[0].ready = false;
  EXPECT_EQ(ProxyTargetOf(cluster, seen), std::nullopt);
}

// ---- looks

class LookTest : public testing::Test {
 protected:
  // Every address is served by a scripted transport of its own.
  Connections connections_{[this](const std::string& address,
                                  std::uint16_t) -> base::Result<std::unique_ptr<http::Transport>> {
    ++connects_[address];
    return std::make_unique<Forward>(servers_[address]);
  }};
  class Forward final : public http::Transport {
   public:
    explicit Forward(fakes::ScriptedTransport& to) : to_(to) {}
    base::Result<http::Response> Send(const http::Request& request,
                                      const http::CallOptions& options) override {
      return to_.Send(request, options);
    }
    base::Result<void> Stream(const http::Request& request, const http::CallOptions& options,
                              http::BodySink& sink) override {
      return to_.Stream(request, options, sink);
    }

   private:
    fakes::ScriptedTransport& to_;
  };

  // A node that answers the parts of a view; `nodes` is what it says of the members. It hangs when
  // it is asked for what begins with `hangs_at`.
  void Serve(const std::string& address, int status, const std::string& nodes,
             const std::string& hangs_at = "nowhere") {
    servers_[address].Otherwise([=](const http::Request& request) -> base::Result<http::Response> {
      if (request.target.starts_with(hangs_at)) {
        return base::Fail(base::ErrorKind::kRetry, "deadline exceeded");
      }
      if (status != 200) return http::Response{.status = status, .headers = {}, .body = "{}"};
      std::string body = "[]";
      if (request.target.starts_with("/api/nodes")) body = nodes;
      if (request.target.starts_with("/api/queues/")) body = R"({"total_count":3})";
      if (request.target.starts_with("/api/overview")) {
        body = R"({"cluster_name":"c","rabbitmq_version":"3.10.8","node":"rabbit@c"})";
      }
      return http::Response{.status = 200, .headers = {}, .body = body};
    });
  }
  void Break(const std::string& address) {
    servers_[address].Otherwise([](const http::Request&) -> base::Result<http::Response> {
      return base::Fail(base::ErrorKind::kRetry, "connection refused");
    });
  }
  BrokerWatch::Answer Look(const BrokerLook& before = {}) {
    return LookAtBroker(connections_, clock_,
                        {.nodes = {{"c-node-0", "10.0.0.1"}, {"c-node-1", "10.0.0.2"}},
                         .user = "rabbit-operator",
                         .password = base::Secret("p"),
                         .parts = parts_},
                        before, {});
  }

  base::ManualClock clock_;
  std::map<std::string, fakes::ScriptedTransport> servers_;
  std::map<std::string, int> connects_;
  rabbitmq::ViewParts parts_;
  static constexpr const char* kNodes = R"([{"name":"rabbit@c","running":true,"type":"disc"}])";
};

TEST_F(LookTest, TheFirstNodeThatAnswersIsEnough) {
  Serve("10.0.0.1", 200, kNodes);
  const auto answer = Look();
  ASSERT_TRUE(answer.succeeded) << answer.look.trouble;
  EXPECT_EQ(answer.look.view->nodes->size(), 1U);
  EXPECT_EQ(connects_.count("10.0.0.2"), 0U);
}

TEST_F(LookTest, WhatNobodyAskedForIsNotReadAndTheRestIs) {
  Serve("10.0.0.1", 200, kNodes);
  auto view = Look().look.view;
  EXPECT_FALSE(view->operator_policies);
  EXPECT_FALSE(view->vhost_limits);
  const std::size_t calls = servers_["10.0.0.1"].lines().size();
  EXPECT_EQ(calls, 7U);
  parts_.operator_policies = true;
  parts_.vhost_limits = true;
  view = Look().look.view;
  EXPECT_TRUE(view->operator_policies) << view->operator_policies.why();
  EXPECT_TRUE(view->vhost_limits) << view->vhost_limits.why();
  EXPECT_EQ(servers_["10.0.0.1"].lines().size(), calls * 2 + 2);
}

TEST_F(LookTest, ADeadNodeIsPassedOverAndItsConnectionForgotten) {
  Break("10.0.0.1");
  Serve("10.0.0.2", 200, kNodes);
  ASSERT_TRUE(Look().succeeded);
  ASSERT_TRUE(Look().succeeded);
  EXPECT_EQ(connects_["10.0.0.1"], 2);
  EXPECT_EQ(connects_["10.0.0.2"], 1);  // kept alive
}

TEST_F(LookTest, ANodeThatAnswersHasAllTheTimeThatIsLeft) {
  Serve("10.0.0.1", 200, kNodes);
  const base::TimePoint began = clock_.Now();
  ASSERT_TRUE(Look().succeeded);
  for (const auto& call : servers_["10.0.0.1"].seen()) {
    const bool first = call.request.target.starts_with("/api/overview") ||
                       call.request.target.starts_with("/api/nodes");
    EXPECT_EQ(call.deadline - began, std::chrono::seconds(first ? 2 : 4)) << call.request.target;
  }
}

TEST_F(LookTest, DefinitionsAreReadLastInATimeOfTheirOwnAndSpoilNothing) {
  parts_.definitions = std::make_shared<const rabbitmq::Definitions>();
  for (const char* hangs_at : {"/api/definitions", "/api/queues"}) {
    SCOPED_TRACE(hangs_at);
    Serve("10.0.0.1", 200, kNodes, hangs_at);
    const BrokerLook look = Look().look;
    const auto last = servers_["10.0.0.1"].seen().back();
    EXPECT_EQ(last.request.target, "/api/definitions");
    EXPECT_EQ(last.deadline - clock_.Now(), std::chrono::seconds(8));
    const bool slow_export = std::string_view(hangs_at) == "/api/definitions";
    EXPECT_EQ(look.view->queues.has_value(), slow_export);
    EXPECT_EQ(look.ask_first == "", slow_export) << "another node would take as long";
  }
  Serve("10.0.0.1", 200, kNodes, "/api/users");
  EXPECT_NE(Look().look.view->missing_definitions.why(), rabbitmq::kNotAsked);
  EXPECT_NE(servers_["10.0.0.1"].seen().back().request.target, "/api/definitions");
}

TEST_F(LookTest, AfterANodeThatHungHalfWayAnotherIsAskedFromThenOn) {
  Serve("10.0.0.1", 200, kNodes, "/api/users");
  Serve("10.0.0.2", 200, kNodes);
  BrokerLook look = Look().look;
  EXPECT_FALSE(look.view->users);
  for (int i = 0; i < 3; ++i) {
    look = Look(look).look;
    EXPECT_TRUE(look.view->users) << i;
  }
  // Until that one fails.
  Break("10.0.0.2");
  Serve("10.0.0.1", 200, kNodes);
  look = Look(look).look;
  const std::size_t calls = servers_["10.0.0.2"].lines().size();
  EXPECT_TRUE(Look(look).look.view->users);
  EXPECT_EQ(servers_["10.0.0.2"].lines().size(), calls);
}

TEST_F(LookTest, ANodeThatHangsIsNotAskedFirstEachTime) {
  Break("10.0.0.1");
  Serve("10.0.0.2", 200, kNodes);
  Look(Look().look);
  EXPECT_EQ(servers_["10.0.0.1"].lines().size(), 1U);
}

TEST_F(LookTest, OnlyWhileTheListOfQueuesCannotBeReadAreSomeVhostsCountedByThemselves) {
  const auto counted = [this] {
    std::string vhosts;
    for (const std::string& line : servers_["10.0.0.1"].lines()) {
      const std::string start = "GET /api/queues/";
      if (line.starts_with(start)) vhosts += line[start.size()];
    }
    return vhosts;
  };
  for (char vhost = 'a'; vhost <= 'j'; ++vhost) parts_.queues_of.emplace_back(1, vhost);
  Serve("10.0.0.1", 200, kNodes);
  Break("10.0.0.2");
  const BrokerLook whole = Look().look;
  EXPECT_EQ(*whole.view->vhost_queues.at("a"), 0U);

  // A list that takes too long: what was known stays until it has been counted again.
  Serve("10.0.0.1", 200, kNodes, "/api/queues?");
  BrokerLook look = Look(whole).look;
  EXPECT_FALSE(look.view->queues);
  EXPECT_EQ(*look.view->vhost_queues.at("a"), 0U);
  EXPECT_EQ(counted(), "");
  look = Look(look).look;
  EXPECT_EQ(*look.view->vhost_queues.at("a"), 3U);
  EXPECT_EQ(*look.view->vhost_queues.at("j"), 0U);
  EXPECT_EQ(counted(), "abcdefgh");
  look = Look(look).look;
  EXPECT_EQ(*look.view->vhost_queues.at("j"), 3U);
  EXPECT_EQ(counted(), "abcdefghijabcdef");
  // And until the list can be read again.
  Serve("10.0.0.1", 200, kNodes);
  look = Look(Look(look).look).look;
  EXPECT_EQ(*look.view->vhost_queues.at("j"), 0U);
  EXPECT_EQ(counted().size(), 3 * 8U);
}

TEST_F(LookTest, ACountThatFailedIsNotTheOneBefore) {
  parts_.queues_of = {"a"};
  Serve("10.0.0.1", 200, kNodes, "/api/queues");
  rabbitmq::BrokerView view;
  view.vhost_queues["a"] = std::size_t{0};
  BrokerLook before;
  before.view = std::make_shared<const rabbitmq::BrokerView>(view);
  EXPECT_FALSE(Look(before).look.view->vhost_queues.at("a"));
}

TEST_F(LookTest, WhoIsToBeAskedFirstAndIsGoneIsNotWaitedFor) {
  Serve("10.0.0.1", 200, kNodes);
  BrokerLook before;
  before.ask_first = "c-node-7";
  EXPECT_EQ(Look(before).look.ask_first, "");
  EXPECT_EQ(connects_.count("10.0.0.2"), 0U);
}

TEST_F(LookTest, WhenNobodyAnswersTheOldViewStaysBesideTheTrouble) {
  Serve("10.0.0.1", 200, kNodes);
  const BrokerLook before = Look().look;
  Break("10.0.0.1");
  Break("10.0.0.2");
  const auto answer = Look(before);
  EXPECT_FALSE(answer.succeeded);
  EXPECT_EQ(answer.look.view, before.view);
  EXPECT_NE(answer.look.trouble.find("c-node-1"), std::string::npos);
  EXPECT_EQ(Compare(before, answer.look), News::kNow);
}

TEST_F(LookTest, ARefusedPasswordIsToldApart) {
  Serve("10.0.0.1", 401, "");
  const auto answer = Look();
  EXPECT_FALSE(answer.succeeded);
  EXPECT_TRUE(answer.look.denied);
  EXPECT_EQ(answer.look.denied_at, clock_.Now());
  EXPECT_EQ(connects_.count("10.0.0.2"), 0U);  // it has the same users
}

TEST_F(LookTest, WhoIsNoAdministratorIsDeniedAndSeesTheNodesAllTheSame) {
  servers_["10.0.0.1"].Otherwise([](const http::Request& request) -> base::Result<http::Response> {
    if (request.target.starts_with("/api/users")) {
      return http::Response{.status = 401, .headers = {}, .body = R"({"error":"not_authorised",
                                        "reason":"Not administrator user"})"};
    }
    const bool nodes = request.target.starts_with("/api/nodes");
    return http::Response{.status = 200, .headers = {}, .body = nodes ? kNodes : "[]"};
  });
  const auto answer = Look();
  EXPECT_TRUE(answer.succeeded);
  EXPECT_TRUE(answer.look.denied);
  EXPECT_EQ(answer.look.denied_at, clock_.Now());
  EXPECT_EQ(answer.look.trouble, "");
  ASSERT_NE(answer.look.view, nullptr);
  EXPECT_TRUE(answer.look.view->nodes);
  EXPECT_EQ(Compare(answer.look, Look(answer.look).look), News::kNone);
}

TEST_F(LookTest, TheSameViewAgainIsNoNews) {
  Serve("10.0.0.1", 200, kNodes);
  const BrokerLook a = Look().look;
  const BrokerLook b = Look().look;
  EXPECT_EQ(Compare(a, b), News::kNone);
  Serve("10.0.0.1", 200, "[]");
  EXPECT_EQ(Compare(a, Look().look), News::kNow);
}

TEST_F(LookTest, ThatNobodyAnswersYetIsNoHurry) {
  Break("10.0.0.1");
  Break("10.0.0.2");
  const BrokerLook nobody = Look().look;
  EXPECT_EQ(Compare({}, nobody), News::kLater);
  EXPECT_EQ(Compare(nobody, Look().look), News::kNone);
  Serve("10.0.0.2", 200, kNodes);
  EXPECT_EQ(Compare(nobody, Look().look), News::kNow);
  EXPECT_EQ(Compare(nobody, {.trouble = nobody.trouble, .denied = true}), News::kNow);
}

TEST(CompareProxies, OnlySilenceAfterSilenceCanWait) {
  const auto view = std::make_shared<haproxy::ProxyView>();
  const ProxyLooks nothing;
  const ProxyLooks silent{{{.pod = "p", .view = nullptr, .trouble = "refused"}}};
  const ProxyLooks answers{{{.pod = "p", .view = view, .trouble = ""}}};
  EXPECT_EQ(Compare(nothing, silent), News::kLater);
  EXPECT_EQ(Compare(silent, silent), News::kNone);
  EXPECT_EQ(Compare(silent, answers), News::kNow);
  EXPECT_EQ(Compare(answers, answers), News::kNone);
  EXPECT_EQ(Compare(answers, silent), News::kNow);
}

TEST_F(LookTest, ConnectionsAreBounded) {
  for (int i = 0; i < 2'100; ++i) {
    const std::string address = "10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250);
    ASSERT_TRUE(connections_.To(address, 15672));
  }
  EXPECT_EQ(connects_["10.1.0.0"], 1);
  ASSERT_TRUE(connections_.To("10.1.0.0", 15672));  // was the oldest
  EXPECT_EQ(connects_["10.1.0.0"], 2);
}

TEST_F(LookTest, ConnectionsThatNobodyUsesAnyMoreAreForgottenWhenThereIsANewOne) {
  ASSERT_TRUE(connections_.To("10.0.0.1", 15672));
  ASSERT_TRUE(connections_.To("10.0.0.2", 15672));
  for (std::size_t i = 0; i < 2 * Connections::kTurns; ++i) {
    ASSERT_TRUE(connections_.To("10.0.0.2", 15672));
  }
  ASSERT_TRUE(connections_.To("10.0.0.3", 15672));
  ASSERT_TRUE(connections_.To("10.0.0.2", 15672));
  EXPECT_EQ(connects_["10.0.0.2"], 1);
  ASSERT_TRUE(connections_.To("10.0.0.1", 15672));
  EXPECT_EQ(connects_["10.0.0.1"], 2);
}

TEST_F(LookTest, AProxyThatDoesNotAnswerIsTroubleOfThatProxyAlone) {
  servers_["10.0.0.8"].Otherwise([](const http::Request&) -> base::Result<http::Response> {
    return http::Response{.status = 200,
                          .headers = {{"X-Config-Hash", "abcd"}},
                          .body =
                              "# pxname,svname,scur,status,check_status,\n"
                              "rabbitmq_cluster,c-node-0,3,UP,L7OK,\n"
                              "rabbitmq_cluster,BACKEND,3,UP,,\n"};
  });
  Break("10.0.0.9");
  const auto answer = LookAtProxies(
      connections_, clock_,
      {.proxies = {{"p-1", "10.0.0.8"}, {"p-2", "10.0.0.9"}}, .csv_target = "/s;csv"}, {});
  EXPECT_TRUE(answer.succeeded) << "the looks at the other one would come less and less often";
  ASSERT_EQ(answer.look.looks.size(), 2U);
  ASSERT_NE(answer.look.looks[0].view, nullptr) << answer.look.looks[0].trouble;
  EXPECT_EQ(answer.look.looks[0].view->config_hash, "abcd");
  EXPECT_EQ(haproxy::CountUp(*answer.look.looks[0].view), 1U);
  EXPECT_NE(answer.look.looks[1].trouble, "");
}

TEST_F(LookTest, ProxiesOfWhichNoneAnswersAreAskedLessOften) {
  Break("10.0.0.9");
  EXPECT_FALSE(
      LookAtProxies(connections_, clock_, {.proxies = {{"p-2", "10.0.0.9"}}}, {}).succeeded);
}

// ---- TLS

class TlsTargetTest : public testing::Test {
 protected:
  TlsTargetTest() {
    cluster_.meta.key = {"ns", "c"};
    seen_ = SeenNodes();
  }
  void Speaks(const std::string& tls) { seen_.nodes[0].tls = tls; }
  void Has(const std::string& secret, const std::string& key, const std::string& value) {
    seen_.secrets[secret].state = SecretState::kForeign;
    seen_.secrets[secret].data[key] = base::Secret(value);
  }
  [[nodiscard]] BrokerTarget::Node Node() const {
    return BrokerTargetOf(cluster_, seen_, "k8s.test")->nodes.at(0);
  }

  api::RabbitCluster cluster_;
  Observation seen_;
  const http::TestCa ca_;
  const http::TestCertificate own_ = ca_.Issue("x", "DNS:c.ns.svc");
};

TEST_F(TlsTargetTest, APodIsAskedByWhatItSpeaksNotByWhatIsDeclared) {
  cluster_.spec.tls = api::Tls{.secret_name = "t", .mode = api::TlsMode::kOnly};
  Has("t", "tls.crt", own_.pem);
  Has("t", "ca.crt", ca_.pem());
  EXPECT_EQ(Node().tls, nullptr);
  EXPECT_EQ(Node().port(), 15672);
  cluster_.spec.tls.reset();
  Speaks("Only t t/ca.crt");
  ASSERT_NE(Node().tls, nullptr);
  EXPECT_EQ(Node().port(), 15671);
  EXPECT_EQ(Node().tls->ca_pem, ca_.pem());
  EXPECT_EQ(Node().tls->own_certificate, http::ReadCertificate(own_.pem)->fingerprint);
  EXPECT_EQ(Node().tls->server_name, "c-node-0.c-nodes.ns.svc.k8s.test");
  EXPECT_EQ(Node().tls->also_named.back(), "c");
}

TEST_F(TlsTargetTest, TheSameTrustTwiceIsTheSameTarget) {
  Speaks("Both t t/ca.crt");
  Has("t", "ca.crt", ca_.pem());
  EXPECT_EQ(Node(), Node());
  const auto before = Node();
  Has("t", "ca.crt", ca_.pem() + ca_.pem());
  EXPECT_FALSE(Node() == before);
}

TEST_F(TlsTargetTest, AnAuthorityThatCannotBeReadTakesNothingFromTheRest) {
  Speaks("Only t t/ca.crt");
  Has("t", "tls.crt", own_.pem);
  Has("t", "ca.crt", "nonsense");
  EXPECT_EQ(Node().tls->ca_pem, "");
  EXPECT_EQ(Node().tls->own_certificate, http::ReadCertificate(own_.pem)->fingerprint);
}

// Else whoever can delete a Secret could have the operator's password told in clear.
TEST_F(TlsTargetTest, APodThatSpeaksTlsIsNeverAskedWithoutEvenWithNothingToTrust) {
  for (const char* tls : {"Both t t/ca.crt", "Only t t/ca.crt"}) {
    Speaks(tls);
    ASSERT_NE(Node().tls, nullptr) << tls;
    EXPECT_EQ(Node().port(), 15671) << tls;
    EXPECT_EQ(Node().tls->ca_pem, "") << tls;
    EXPECT_EQ(Node().tls->own_certificate, "") << tls;
  }
}

// A renewed pair of another authority reaches brokers minutes after the Secret.
TEST_F(TlsTargetTest, WhatANodeWasKnownByBeforeIsItsOwnUntilItShowsTheNext) {
  Speaks("Only t t/ca.crt");
  Has("t", "tls.crt", own_.pem);
  const std::string own = Node().tls->own_certificate;
  const auto showed = [this](const std::string& address, const std::string& fingerprint) {
    std::vector<ServedCertificate> served = {
        {.pod = "c-node-0", .address = address, .fingerprint = fingerprint, .trouble = {}}};
    seen_.broker.served = std::make_shared<const std::vector<ServedCertificate>>(std::move(served));
    return Node().tls->earlier_certificate;
  };
  const std::string address = seen_.nodes[0].ip;
  EXPECT_EQ(showed(address, "of before"), "of before");
  EXPECT_EQ(showed("10.9.9.9", "of before"), "") << "another pod's";
  EXPECT_EQ(showed(address, own), "") << "no other target for nothing";
}

TEST_F(TlsTargetTest, ACertificateWithTheKeyOfAnotherCannotBeShown) {
  Speaks("Only t t/ca.crt");
  Has("t", "tls.crt", own_.pem);
  EXPECT_TRUE(Node().can_show_own) << "as far as is known";
  Has("t", "tls.key", own_.key_pem);
  EXPECT_TRUE(Node().can_show_own);
  Has("t", "tls.key", ca_.Issue("x", "").key_pem);
  EXPECT_FALSE(Node().can_show_own);
  EXPECT_NE(Node().tls->own_certificate, "") << "it may be shown with the key of before";
}

TEST_F(TlsTargetTest, CertificatesAreReadOfWhatIsDeclaredAndOfWhatPodsSpeakEachOnce) {
  EXPECT_TRUE(TlsOf(cluster_, seen_).empty());
  cluster_.spec.tls = api::Tls{.secret_name = "new"};
  for (Pod& pod : seen_.nodes) pod.tls = "Both old old/ca.crt";
  seen_.nodes[2].tls = "Both new new/ca.crt";
  const auto all = TlsOf(cluster_, seen_);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].secret, "new");
  EXPECT_EQ(all[1].secret, "old");
}

class TlsLookTest : public LookTest {
 protected:
  class Shows final : public http::Transport {
   public:
    Shows(fakes::ScriptedTransport& to, std::string certificate)
        : to_(to), certificate_(std::move(certificate)) {}
    base::Result<http::Response> Send(const http::Request& request,
                                      const http::CallOptions& options) override {
      return to_.Send(request, options);
    }
    base::Result<void> Stream(const http::Request& request, const http::CallOptions& options,
                              http::BodySink& sink) override {
      return to_.Stream(request, options, sink);
    }
    [[nodiscard]] std::string PeerCertificate() const override { return certificate_; }

   private:
    fakes::ScriptedTransport& to_;
    const std::string certificate_;
  };
  TlsLookTest() {
    Serve("10.0.0.1", 200, kNodes);
    Serve("10.0.0.2", 200, kNodes);
  }
  BrokerLook TlsLook(const std::string& own, const BrokerLook& before = {}) {
    auto tls = std::make_shared<http::TlsSettings>();
    tls->own_certificate = own;
    return LookAtBroker(tls_connections_, clock_,
                        {.nodes = {{"c-node-0", "10.0.0.1", tls, can_show_own_},
                                   {"c-node-1", "10.0.0.2", tls, can_show_own_}},
                         .user = "rabbit-operator",
                         .password = base::Secret("p"),
                         .parts = parts_},
                        before, {})
        .look;
  }
  // As somebody who writes to that node.
  void Trust(const std::string& own, int node) {
    auto tls = std::make_shared<http::TlsSettings>();
    tls->own_certificate = own;
    ASSERT_TRUE(tls_connections_.To("10.0.0." + std::to_string(node + 1), 15671, tls));
  }
  std::string Shown(const BrokerLook& look) {
    std::string text;
    for (const auto& node : *look.served) text += node.pod + "=" + node.fingerprint + " ";
    return text;
  }

  std::string shown_ = "old";
  bool can_show_own_ = true;
  Connections tls_connections_{
      [](const std::string&, std::uint16_t) -> base::Result<std::unique_ptr<http::Transport>> {
        return base::Fail(base::ErrorKind::kInvalid, "plain");
      },
      [this](const std::string& address, std::uint16_t port,
             const http::TlsSettings&) -> base::Result<std::unique_ptr<http::Transport>> {
        EXPECT_EQ(port, 15671);
        ++connects_[address];
        return std::make_unique<Shows>(servers_[address], shown_);
      }};
};

TEST_F(TlsLookTest, EachNodeIsGreetedUntilItShowsTheCertificateInItsSecret) {
  BrokerLook look = TlsLook("old");
  EXPECT_EQ(Shown(look), "c-node-0=old c-node-1=old ");
  const auto connects = connects_;
  const BrokerLook again = TlsLook("old", look);
  EXPECT_EQ(connects_, connects) << "who shows it is not greeted again";
  EXPECT_EQ(Compare(look, again), News::kNone);

  look = TlsLook("new", again);  // the Secret has changed, the brokers have not read it yet
  EXPECT_EQ(Shown(look), "c-node-0=old c-node-1=old ");
  shown_ = "new";
  clock_.Advance(std::chrono::seconds(5));
  const BrokerLook live = TlsLook("new", look);
  EXPECT_EQ(Shown(live), "c-node-0=new c-node-1=new ");
  EXPECT_EQ(Compare(look, live), News::kNow);
}

TEST_F(TlsLookTest, WhoNeverShowsItIsGreetedLessAndLessOften) {
  BrokerLook look = TlsLook("new");
  int greetings = 0;
  int in_the_first_minute = 0;
  for (int passed = 5; passed <= 3'600; passed += 5) {
    clock_.Advance(seconds(5));
    const int before = connects_["10.0.0.2"];
    look = TlsLook("new", look);
    greetings += connects_["10.0.0.2"] - before;
    if (passed == 60) in_the_first_minute = greetings;
  }
  EXPECT_EQ(in_the_first_minute, 4);  // after 5, 15, 30 and 50 seconds
  EXPECT_LT(greetings, 40);
  const int before = connects_["10.0.0.2"];
  TlsLook("newest", look);
  EXPECT_EQ(connects_["10.0.0.2"], before + 1) << "another one may be shown at once";
}

TEST_F(TlsLookTest, WhoCannotShowItIsGreetedOnce) {
  can_show_own_ = false;
  BrokerLook look = TlsLook("new");
  EXPECT_EQ(Shown(look), "c-node-0=old c-node-1=old ");
  const auto connects = connects_;
  clock_.Advance(std::chrono::hours(1));
  TlsLook("new", look);
  EXPECT_EQ(connects_, connects);
}

TEST_F(TlsLookTest, OnlyTheConnectionToTheNodeThatIsAskedIsKept) {
  const BrokerLook look = TlsLook("old");
  EXPECT_EQ(connects_["10.0.0.1"], 2);  // asked, and greeted
  EXPECT_EQ(connects_["10.0.0.2"], 1);
  Trust("old", 0);
  EXPECT_EQ(connects_["10.0.0.1"], 2);
  Trust("old", 1);
  EXPECT_EQ(connects_["10.0.0.2"], 2);
}

TEST_F(TlsLookTest, NodesAreGreetedBeforeAnExportTakesAllTheTime) {
  parts_.definitions = std::make_shared<const rabbitmq::Definitions>();
  EXPECT_EQ(Shown(TlsLook("old")), "c-node-0=old c-node-1=old ");
  EXPECT_EQ(servers_["10.0.0.1"].seen().back().request.target, "/api/definitions");
}

TEST_F(TlsLookTest, ANodeThatDoesNotAnswerSaysWhyAndHoldsNobodyBack) {
  Break("10.0.0.2");
  const BrokerLook look = TlsLook("old");
  EXPECT_NE(look.view, nullptr);
  EXPECT_EQ(Shown(look), "c-node-0=old c-node-1= ");
  EXPECT_NE(look.served->at(1).trouble, "");
}

TEST_F(TlsLookTest, OtherTrustMakesAnotherConnection) {
  const auto trust = [](const char* name) {
    auto tls = std::make_shared<http::TlsSettings>();
    tls->server_name = name;
    return tls;
  };
  ASSERT_TRUE(tls_connections_.To("10.0.0.1", 15671, trust("a")));
  ASSERT_TRUE(tls_connections_.To("10.0.0.1", 15671, trust("a")));
  EXPECT_EQ(connects_["10.0.0.1"], 1);
  ASSERT_TRUE(tls_connections_.To("10.0.0.1", 15671, trust("b")));
  EXPECT_EQ(connects_["10.0.0.1"], 2);
}

TEST_F(LookTest, OfNodesWithoutTlsNoCertificateIsLookedFor) {
  Serve("10.0.0.1", 200, kNodes);
  EXPECT_EQ(Look().look.served, nullptr);
}

}  // namespace
}  // namespace rabbit::observe
