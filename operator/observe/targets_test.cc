#include "operator/observe/targets.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "http/certificate.h"
#include "http/test_server.h"
#include "operator/resources/names.h"

namespace rabbit::observe {
namespace {

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

}  // namespace
}  // namespace rabbit::observe
