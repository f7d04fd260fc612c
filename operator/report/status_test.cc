#include "operator/report/report_fixture.h"

namespace rabbit::report {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class StatusTest : public ReportTest {
 protected:
  const api::Status& Status() { return Make().status; }
};

TEST_F(StatusTest, TheColumns) {
  Queues() = {.total = 4, .mirrored = 3, .mirrors_in_sync = 2};
  const api::Status& status = Status();
  EXPECT_EQ(status.summary,
            (api::StatusSummary{.nodes = "3/3", .mirrors = "2/3", .proxies = "2/2"}));
  EXPECT_EQ(status.version, "3.13.7");
  EXPECT_EQ(status.cluster_name, "c");
  EXPECT_EQ(status.observed_generation, 1);
}

TEST_F(StatusTest, WhatScaleNeeds) {
  NodeIsNotReady(2);
  const api::Status& status = Status();
  EXPECT_EQ(status.replicas, 3);
  EXPECT_EQ(status.ready_replicas, 2);
  EXPECT_EQ(status.selector,
            "app.kubernetes.io/component=broker,app.kubernetes.io/instance=c,"
            "app.kubernetes.io/managed-by=rabbit-operator");
}

TEST_F(StatusTest, WithoutAStatefulSetTheCountIsUnknownNotZero) {
  seen_.stateful_set.reset();
  seen_.nodes.clear();
  EXPECT_EQ(Status().replicas, std::nullopt);
}

TEST_F(StatusTest, ImagesArePinnedAsResolved) {
  EXPECT_EQ(Status().image, "rabbitmq:3.13");
  EXPECT_EQ(Status().load_balancer.image, "haproxy:3.0");
}

TEST_F(StatusTest, AnotherImageInTheSpecIsNotPinnedInPlaceOfTheFirst) {
  Make();
  cluster_.spec.image = plan_.declared.broker_image = "rabbitmq:4.0";
  cluster_.spec.load_balancer.image = plan_.declared.proxy_image = "haproxy:tpyo";
  EXPECT_EQ(Status().image, "rabbitmq:3.13");
  EXPECT_EQ(Status().load_balancer.image, "haproxy:3.0");
}

TEST_F(StatusTest, AnImageThatIsSaidWhenTheClusterIsMadeIsPinnedToo) {
  cluster_.spec.image = plan_.declared.broker_image = "rabbitmq:4.0";
  EXPECT_EQ(Status().image, "rabbitmq:4.0");
}

TEST_F(StatusTest, AnImageThatAllPodsRunIsPinnedInPlaceOfTheFirst) {
  Make();
  cluster_.spec.image = plan_.declared.broker_image = "rabbitmq:4.0";
  cluster_.spec.load_balancer.image = plan_.declared.proxy_image = "haproxy:3.2";
  for (observe::Pod& proxy : seen_.proxies) proxy.image = "haproxy:3.2";
  for (observe::Pod& node : seen_.nodes) node.image = "rabbitmq:4.0";
  seen_.nodes[2].image = "rabbitmq:3.13";
  seen_.proxies[0].ready = false;
  EXPECT_EQ(Status().image, "rabbitmq:3.13");
  EXPECT_EQ(Status().load_balancer.image, "haproxy:3.0");
  seen_.nodes[2].image = "rabbitmq:4.0";
  seen_.proxies[0].ready = true;
  const auto all = seen_.nodes;
  seen_.nodes.resize(2);
  EXPECT_EQ(Status().image, "rabbitmq:3.13") << "not all are there";
  seen_.nodes = all;
  EXPECT_EQ(Status().image, "rabbitmq:4.0");
  EXPECT_EQ(Status().load_balancer.image, "haproxy:3.2");
}

TEST_F(StatusTest, ProxiesThatAreDeclaredLaterPinTheirImageThen) {
  cluster_.spec.load_balancer.enabled = false;
  EXPECT_EQ(Status().load_balancer.image, "");
  cluster_.spec.load_balancer.enabled = true;
  EXPECT_EQ(Status().load_balancer.image, "haproxy:3.0");
}

TEST_F(StatusTest, PinnedImagesOutliveABadSpec) {
  Make();
  plan_.declared = {};
  plan_.unplanned = {"InvalidSpec", "the spec is not valid"};
  EXPECT_EQ(Status().image, "rabbitmq:3.13");
  EXPECT_EQ(Status().load_balancer.image, "haproxy:3.0");
}

TEST_F(StatusTest, ANodeIsItsPodAndWhatTheBrokerSaysOfIt) {
  (*broker_.nodes)[1].type = rabbitmq::NodeType::kRam;
  (*broker_.nodes)[1].disk_free_alarm = true;
  (*broker_.nodes)[1].partitions = {"rabbit@x"};
  EXPECT_EQ(Status().nodes[1], (api::NodeStatus{.name = "rabbit@c-node-1.c-nodes.ns",
                                                .pod = "c-node-1",
                                                .volume_uid = "volume-1",
                                                .image = "rabbitmq:3.13",
                                                .config_hash = {},
                                                .running = true,
                                                .type = "ram",
                                                .partitions = {"rabbit@x"},
                                                .alarms = {"disk"}}));
}

TEST_F(StatusTest, AGhostIsListedWithoutAPod) {
  broker_.nodes->push_back({.name = "rabbit@ghost"});
  const api::NodeStatus& ghost = Status().nodes.back();
  EXPECT_EQ(ghost.name, "rabbit@ghost");
  EXPECT_EQ(ghost.pod, "");
  EXPECT_FALSE(ghost.running);
}

TEST_F(StatusTest, ASilentBrokerLeavesNoCountsBehind) {
  Declare("half");
  Make();
  BrokerIsSilent();
  const api::Status& status = Status();
  EXPECT_EQ(status.queues, std::nullopt);
  EXPECT_EQ(status.policies, std::nullopt);
  EXPECT_EQ(status.summary.mirrors, "");
  EXPECT_FALSE(status.nodes[0].running);
  EXPECT_EQ(status.version, "3.13.7");  // a name, not a claim of now
}

TEST_F(StatusTest, PoliciesInEffectAreCounted) {
  Declare("half");
  Declare("more", /*at_broker=*/false);
  const auto policies = *Status().policies;
  EXPECT_EQ(policies.total, 2);
  EXPECT_EQ(policies.synced, 1);
  ASSERT_EQ(policies.unhealthy.size(), 1U);
  EXPECT_EQ(policies.unhealthy[0].name, "more");
  EXPECT_EQ(policies.unhealthy[0].message, "not yet at the broker");
}

TEST_F(StatusTest, ARefusedPolicyIsNotInEffectThoughTheBrokerHasOneOfItsName) {
  Declare("half");
  Problem(plan::Aspect::kTopology, "MirroringUnsupported", "policy half in vhost /: no mirrors");
  const auto policies = *Status().policies;
  EXPECT_EQ(policies.synced, 0);
  EXPECT_EQ(policies.unhealthy[0].message, "no mirrors");
}

TEST_F(StatusTest, APolicyThatTheBrokerRefusedSaysWhy) {
  Declare("half", /*at_broker=*/false);
  Failed(plan::PutPolicy{.vhost = "/", .name = "half"}, base::ErrorKind::kInvalid, "400: no");
  EXPECT_EQ(Status().policies->unhealthy[0].message, "400: no");
}

TEST_F(StatusTest, APolicyThatDiffersSaysHow) {
  Declare("half");
  broker_.policies->back().priority = 3;
  EXPECT_EQ(Status().policies->unhealthy[0].message, "priority is 3, declared is 0");
}

TEST_F(StatusTest, APolicyWithMirrorsToFillSaysHowMany) {
  Declare("half");
  broker_.queues->by_policy[{"/", "half"}] = {.total = 4, .mirrored = 4, .mirrors_in_sync = 1};
  const auto policies = *Status().policies;
  EXPECT_EQ(policies.synced, 1);
  ASSERT_EQ(policies.unhealthy.size(), 1U);
  EXPECT_EQ(policies.unhealthy[0].queues, 4);
  EXPECT_EQ(policies.unhealthy[0].in_sync, 1);
}

TEST_F(StatusTest, OperatorPoliciesAreCountedToo) {
  Declare("half");
  DeclareForOperators("cap");
  DeclareForOperators("more", /*at_broker=*/false);
  const auto policies = *Status().policies;
  EXPECT_EQ(policies.total, 3);
  EXPECT_EQ(policies.synced, 2);
  ASSERT_EQ(policies.unhealthy.size(), 1U);
  EXPECT_EQ(policies.unhealthy[0].name, "more");
  EXPECT_EQ(policies.unhealthy[0].message, "operator policy: not yet at the broker");
}

// vhost and name are the keys of the list: the server refuses one with two of the same.
TEST_F(StatusTest, APolicyAndAnOperatorPolicyOfOneNameShareAnEntry) {
  Declare("half", /*at_broker=*/false);
  DeclareForOperators("half");
  Problem(plan::Aspect::kTopology, "UnsupportedKey", "operator policy half in vhost /: no mirrors");
  Failed(plan::PutPolicy{.vhost = "/", .name = "half"}, base::ErrorKind::kInvalid, "400: no");
  const auto policies = *Status().policies;
  EXPECT_EQ(policies.synced, 0);
  ASSERT_EQ(policies.unhealthy.size(), 1U);
  EXPECT_EQ(policies.unhealthy[0].message, "400: no; operator policy: no mirrors");
}

TEST_F(StatusTest, AnOperatorPolicyThatTheBrokerRefusedSaysWhy) {
  Declare("cap");
  DeclareForOperators("cap", /*at_broker=*/false);
  plan::PutPolicy put{.vhost = "/", .name = "cap"};
  put.kind = rabbitmq::PolicyKind::kOperator;
  Failed(put, base::ErrorKind::kInvalid, "400: no");
  const auto policies = *Status().policies;
  EXPECT_EQ(policies.synced, 1);
  EXPECT_EQ(policies.unhealthy[0].message, "operator policy: 400: no");
}

TEST_F(StatusTest, OperatorPoliciesThatAreNotKnownYetAreNotInSync) {
  Declare("half");
  DeclareForOperators("cap");
  broker_.operator_policies = base::Error{base::ErrorKind::kRetry, "503"};
  const auto policies = *Status().policies;
  EXPECT_EQ(policies.total, 2);
  EXPECT_EQ(policies.synced, 1);
  EXPECT_TRUE(policies.unhealthy.empty());
}

TEST_F(StatusTest, OfManyUnhealthyPoliciesTwentyAreNamed) {
  for (int i = 0; i < 25; ++i) Declare("p" + std::to_string(i), /*at_broker=*/false);
  const auto policies = *Status().policies;
  EXPECT_EQ(policies.unhealthy.size(), 20U);
  EXPECT_EQ(policies.unhealthy_not_listed, 5);
}

TEST_F(StatusTest, TheLiveConfigurationIsTheOneThatAllProxiesRun) {
  EXPECT_EQ(Status().load_balancer.config_hash, "cfg1");
  EXPECT_EQ(Status().load_balancer.live_hash, "cfg1");
  EXPECT_EQ(Status().load_balancer.backends_up, 3);
  auto other = std::make_shared<haproxy::ProxyView>(*seen_.proxy_looks[1].view);
  other->config_hash = "cfg0";
  other->servers.pop_back();
  seen_.proxy_looks[1].view = other;
  Advance(std::chrono::minutes(2));
  EXPECT_EQ(Status().load_balancer.live_hash, "");
  EXPECT_EQ(Status().load_balancer.backends_up, 2);  // of the one that sees least
  EXPECT_EQ(Status().load_balancer.replicas, 2);
}

TEST_F(StatusTest, TheLiveConfigurationIsThatOfTheProxiesThatServe) {
  auto blind = std::make_shared<haproxy::ProxyView>(*seen_.proxy_looks[1].view);
  blind->config_hash = "cfg0";
  blind->servers.clear();
  seen_.proxy_looks[1].view = blind;
  const auto says = [this] {
    Advance(std::chrono::minutes(2));
    const api::LoadBalancerStatus& balancer = Status().load_balancer;
    return balancer.live_hash + " " + std::to_string(balancer.backends_up.value_or(-1));
  };
  EXPECT_EQ(says(), " 0");
  seen_.proxies[1].deleting = true;  // rolled, and looked at before
  EXPECT_EQ(says(), "cfg1 3");
  seen_.proxies[1].deleting = false;
  seen_.proxies[1].ready = false;
  EXPECT_EQ(says(), "cfg1 3");
  seen_.proxies.pop_back();  // gone
  EXPECT_EQ(says(), "cfg1 3");
  seen_.proxies[0].ready = false;
  EXPECT_EQ(says(), " -1") << "none serves";
  seen_.proxies[0].ready = true;
  seen_.proxy_looks.clear();  // serves, and was not looked at yet
  EXPECT_EQ(says(), " -1");
}

TEST_F(StatusTest, WithoutALoadBalancerNothingIsSaidOfOne) {
  cluster_.spec.load_balancer.enabled = false;
  const api::Status& status = Status();
  EXPECT_EQ(status.summary.proxies, "");
  EXPECT_EQ(status.load_balancer.replicas, std::nullopt);
  EXPECT_EQ(status.endpoints.stats, "");
}

TEST_F(StatusTest, EndpointsAreWhereClientsConnect) {
  EXPECT_EQ(Status().endpoints,
            (api::Endpoints{.amqp = "c.ns.svc:5672",
                            .amqps = "",
                            .management = "http://c-brokers.ns.svc:15672",
                            .stats = "http://c-haproxy-admin.ns.svc:9000/rabbitmq-stats",
                            .metrics = "http://c-brokers.ns.svc:15692/metrics"}));
}

TEST_F(StatusTest, EndpointsAreOfTheListenersThatRunNotOfThoseThatAreDeclared) {
  const auto run = [this](const std::string& tls) {
    for (observe::Pod& pod : seen_.nodes) pod.tls = tls;
  };
  run("Only t t/ca.crt");  // and spec.tls is taken out
  EXPECT_EQ(Status().endpoints.amqp, "");
  EXPECT_EQ(Status().endpoints.amqps, "c.ns.svc:5671");
  EXPECT_EQ(Status().endpoints.management, "https://c-brokers.ns.svc:15671");
  EXPECT_EQ(Status().endpoints.metrics, "https://c-brokers.ns.svc:15691/metrics");
  run("");
  cluster_.spec.tls = api::Tls{.secret_name = "t", .mode = api::TlsMode::kOnly};
  EXPECT_EQ(Status().endpoints.amqp, "c.ns.svc:5672");
  EXPECT_EQ(Status().endpoints.amqps, "");
  EXPECT_EQ(Status().endpoints.management, "http://c-brokers.ns.svc:15672");
  run("Both t t/ca.crt");
  EXPECT_EQ(Status().endpoints.management, "https://c-brokers.ns.svc:15671");
  EXPECT_EQ(Status().endpoints.metrics, "http://c-brokers.ns.svc:15692/metrics");
}

TEST_F(StatusTest, TheBindingIsTheDefaultUserOrADeclaredOne) {
  EXPECT_EQ(Status().binding_name, "c-default-user");
  api::User app;
  app.name = "app";
  cluster_.spec.users = {app};
  cluster_.spec.binding.user = "app";
  EXPECT_EQ(Status().binding_name, resources::UserSecretName("c", "app"));
  cluster_.spec.users[0].password_secret_ref = {"theirs", "password"};
  EXPECT_EQ(Status().binding_name, "theirs");
}

TEST_F(StatusTest, AnOperationThatNobodySpeaksOfStays) {
  cluster_.status.operation =
      api::Operation{.type = api::OperationType::kRejoin, .node = "n", .step = "s", .message = "m"};
  EXPECT_EQ(Status().operation->node, "n");
}

}  // namespace
}  // namespace rabbit::report
