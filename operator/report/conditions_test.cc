#include "operator/report/conditions.h"

#include <cctype>

#include "operator/report/report_fixture.h"

namespace rabbit::report {
namespace {

using plan::Aspect;
using testing::HasSubstr;

class ConditionsTest : public ReportTest {
 protected:
  // What holds of every report whatsoever.
  void ExpectSound() {
    int exclusive = 0;
    bool all = true;
    for (const api::Condition& condition : report_.status.conditions) {
      const bool is_true = condition.status == api::ConditionStatus::kTrue;
      const bool of_kstatus = condition.type == api::kReady ||
                              condition.type == api::kReconciling ||
                              condition.type == api::kStalled;
      if (of_kstatus) {
        exclusive += is_true ? 1 : 0;
      } else {
        all = all && is_true;
      }
      EXPECT_EQ(condition.observed_generation, cluster_.meta.generation);
      EXPECT_TRUE(std::isupper(condition.reason[0])) << condition.type << " " << condition.reason;
      EXPECT_EQ(condition.reason.find(' '), std::string::npos) << condition.reason;
      EXPECT_NE(condition.last_transition_time, base::WallTime{});
    }
    EXPECT_EQ(report_.status.conditions.size(), 9U);
    EXPECT_EQ(exclusive, 1);
    if (Condition("Ready").status == api::ConditionStatus::kTrue) {
      EXPECT_TRUE(all);
    }
  }
};

TEST_F(ConditionsTest, AClusterInEffectIsReady) {
  Make();
  ExpectSound();
  EXPECT_EQ(Says("Ready"), "True/InEffect");
  EXPECT_EQ(Says("Reconciling"), "False/Settled");
  EXPECT_EQ(Says("Stalled"), "False/NotStalled");
  for (const char* type : {"Available", "NodesReady", "TopologySynced", "QueuesReplicated",
                           "LoadBalancerSynced", "FieldsInEffect"}) {
    EXPECT_EQ(Condition(type).status, api::ConditionStatus::kTrue) << type;
  }
}

// One change of the world each, and what one condition makes of it.
class ConditionTable : public ConditionsTest {
 public:
  using ConditionsTest::ExpectSound;
  using ReportTest::broker_;
  using ReportTest::BrokerIsSilent;
  using ReportTest::cluster_;
  using ReportTest::Condition;
  using ReportTest::Create;
  using ReportTest::Declare;
  using ReportTest::Did;
  using ReportTest::Failed;
  using ReportTest::Make;
  using ReportTest::NoBrokerAnsweredYet;
  using ReportTest::NodeIsNotReady;
  using ReportTest::now_;
  using ReportTest::plan_;
  using ReportTest::Problem;
  using ReportTest::Queues;
  using ReportTest::Says;
  using ReportTest::seen_;
  using ReportTest::Wait;
  void TestBody() override {}  // rows make worlds of their own
};

struct Row {
  const char* name;
  void (*change)(ConditionTable&);
  const char* type;
  const char* says;
  const char* kstatus;  // which of Ready, Reconciling and Stalled is True
};

const Row kRows[] = {
    // Nodes.
    {"a node that is not ready", [](ConditionTable& t) { t.NodeIsNotReady(1); }, "NodesReady",
     "False/NodesStarting", "Reconciling"},
    {"the planner's reason for it",
     [](ConditionTable& t) {
       t.NodeIsNotReady(1);
       t.Wait(Aspect::kNodes, "NodesInTrouble", "c-node-1: ImagePullBackOff");
     },
     "NodesReady", "False/NodesInTrouble", "Reconciling"},
    {"a node that does not run in the cluster",
     [](ConditionTable& t) { (*t.broker_.nodes)[2].running = false; }, "NodesReady",
     "False/NodesStarting", "Reconciling"},
    {"a node that the cluster does not know",
     [](ConditionTable& t) { t.broker_.nodes->pop_back(); }, "NodesReady", "False/NodesStarting",
     "Reconciling"},
    {"a member that is gone",
     [](ConditionTable& t) { t.broker_.nodes->push_back({.name = "rabbit@old"}); }, "NodesReady",
     "False/GhostMembers", "Stalled"},
    {"a member that is not declared, with its disk",
     [](ConditionTable& t) {
       t.broker_.nodes->push_back({.name = resources::NodeName("c", "ns", 4)});
       t.seen_.claims.push_back({.name = resources::ClaimName("c", 4)});
     },
     "NodesReady", "False/GhostMembers", "Stalled"},
    {"a partition",
     [](ConditionTable& t) { (*t.broker_.nodes)[0].partitions = {"rabbit@c-node-1"}; },
     "NodesReady", "False/Partitioned", "Stalled"},
    {"an alarm", [](ConditionTable& t) { (*t.broker_.nodes)[0].mem_alarm = true; }, "NodesReady",
     "False/ResourceAlarm", "Reconciling"},
    {"a silent broker", [](ConditionTable& t) { t.BrokerIsSilent(); }, "NodesReady",
     "Unknown/BrokerNotAnswering", "Reconciling"},
    {"a broker that never answered", [](ConditionTable& t) { t.NoBrokerAnsweredYet(); },
     "NodesReady", "Unknown/BrokerNotAnswering", "Reconciling"},
    {"an answer that is too old",
     [](ConditionTable& t) { t.seen_.broker.at = t.now_ - std::chrono::hours(1); }, "NodesReady",
     "Unknown/BrokerNotAnswering", "Reconciling"},
    {"members that could not be read",
     [](ConditionTable& t) {
       t.broker_.nodes = base::Error{base::ErrorKind::kRetry, "500"};
     },
     "NodesReady", "Unknown/NodesUnknown", "Reconciling"},
    {"a refused scale-down",
     [](ConditionTable& t) { t.Problem(Aspect::kNodes, "ScaleDownRefused", "cannot"); },
     "NodesReady", "False/ScaleDownRefused", "Stalled"},
    // Available.
    {"no ready node",
     [](ConditionTable& t) {
       for (std::size_t i = 0; i < 3; ++i) t.NodeIsNotReady(i);
     },
     "Available", "False/NoNodeReady", "Reconciling"},
    {"a minority",
     [](ConditionTable& t) {
       (*t.broker_.nodes)[1].running = false;
       (*t.broker_.nodes)[2].running = false;
     },
     "Available", "False/NoMajority", "Reconciling"},
    {"a majority", [](ConditionTable& t) { (*t.broker_.nodes)[2].running = false; }, "Available",
     "True/Serving", "Reconciling"},
    {"a cluster whose broker is silent", [](ConditionTable& t) { t.BrokerIsSilent(); }, "Available",
     "Unknown/BrokerNotAnswering", "Reconciling"},
    {"no ready proxy",
     [](ConditionTable& t) {
       for (observe::Pod& proxy : t.seen_.proxies) proxy.ready = false;
       t.Wait(Aspect::kLoadBalancer, "ProxiesStarting", "0 of 2 proxies are ready");
     },
     "Available", "False/NoProxyReady", "Reconciling"},
    {"proxies that do not answer", [](ConditionTable& t) { t.seen_.proxy_looks.clear(); },
     "Available", "Unknown/ProxyNotAnswering", "Reconciling"},
    {"proxies that reach no node",
     [](ConditionTable& t) {
       for (observe::ProxyLook& look : t.seen_.proxy_looks) {
         look.view = std::make_shared<haproxy::ProxyView>();
       }
       t.Wait(Aspect::kLoadBalancer, "BackendsDown", "all");
     },
     "Available", "False/NoNodeReached", "Reconciling"},
    {"no load balancer and no proxies",
     [](ConditionTable& t) {
       t.cluster_.spec.load_balancer.enabled = false;
       t.seen_.proxies.clear();
       t.seen_.proxy_looks.clear();
       t.seen_.proxy_deployment.reset();
     },
     "Available", "True/Serving", "Ready"},
    // Topology.
    {"a policy that this broker cannot have",
     [](ConditionTable& t) {
       t.Wait(Aspect::kTopology, "SecretUnknown", "user app: …");
       t.Problem(Aspect::kTopology, "MirroringUnsupported", "policy half in vhost /: …");
     },
     "TopologySynced", "False/MirroringUnsupported", "Stalled"},
    {"a policy that was written a moment ago",
     [](ConditionTable& t) { t.Did(plan::PutPolicy{.vhost = "/", .name = "half"}); },
     "TopologySynced", "False/Applying", "Reconciling"},
    {"a policy that the broker refuses",
     [](ConditionTable& t) {
       t.Failed(plan::PutPolicy{.vhost = "/", .name = "half"}, base::ErrorKind::kInvalid, "400");
     },
     "TopologySynced", "False/StepRefused", "Stalled"},
    {"a policy that could not be written",
     [](ConditionTable& t) {
       t.Failed(plan::PutPolicy{.vhost = "/", .name = "half"}, base::ErrorKind::kRetry, "503");
     },
     "TopologySynced", "False/StepFailed", "Reconciling"},
    {"topology behind a silent broker",
     [](ConditionTable& t) {
       t.BrokerIsSilent();
       t.Wait(Aspect::kTopology, "BrokerNotAnswering", "waiting for a broker");
     },
     "TopologySynced", "Unknown/BrokerNotAnswering", "Reconciling"},
    {"a bad entry behind a silent broker",
     [](ConditionTable& t) {
       t.BrokerIsSilent();
       t.Problem(Aspect::kTopology, "InvalidEntry", "spec.users[0]: bad");
     },
     "TopologySynced", "False/InvalidEntry", "Stalled"},
    {"a broker that refuses the operator",
     [](ConditionTable& t) {
       t.seen_.broker.denied = true;
       t.seen_.broker.trouble = "401";
       t.Problem(Aspect::kTopology, "BrokerDenied", "set the password");
     },
     "TopologySynced", "False/BrokerDenied", "Stalled"},
    {"a cluster that is forming",
     [](ConditionTable& t) { t.Wait(Aspect::kTopology, "ClusterForming", "2 of 3"); },
     "TopologySynced", "False/ClusterForming", "Reconciling"},
    // Queues.
    {"queues with all their copies",
     [](ConditionTable& t) { t.Queues() = {.total = 5, .mirrored = 2, .mirrors_in_sync = 2}; },
     "QueuesReplicated", "True/AllReplicated", "Ready"},
    {"queues without", [](ConditionTable& t) { t.Queues() = {.total = 5, .under_replicated = 1}; },
     "QueuesReplicated", "False/UnderReplicated", "Reconciling"},
    {"queues that nobody counted",
     [](ConditionTable& t) {
       t.broker_.queues = base::Error{base::ErrorKind::kRetry, "timeout"};
     },
     "QueuesReplicated", "Unknown/QueuesUnknown", "Reconciling"},
    // Load balancer.
    {"another configuration",
     [](ConditionTable& t) { t.Wait(Aspect::kLoadBalancer, "ProxiesRolling", "one"); },
     "LoadBalancerSynced", "False/ProxiesRolling", "Reconciling"},
    {"a proxy whose look failed",
     [](ConditionTable& t) { t.Wait(Aspect::kLoadBalancer, "ProxiesNotAnswering", "a (refused)"); },
     "LoadBalancerSynced", "Unknown/ProxiesNotAnswering", "Reconciling"},
    {"a proxy that nobody has looked at", [](ConditionTable& t) { t.seen_.proxy_looks.pop_back(); },
     "LoadBalancerSynced", "Unknown/ProxiesNotAnswering", "Reconciling"},
    {"a proxy's object that was applied",
     [](ConditionTable& t) {
       t.Did(plan::ApplyObject{kube::kConfigMaps, "c-haproxy", "uid", "{}"}, "changed");
     },
     "LoadBalancerSynced", "False/Applying", "Reconciling"},
    // Fields.
    {"a field without effect",
     [](ConditionTable& t) { t.plan_.fields_without_effect = {"spec.tls"}; }, "FieldsInEffect",
     "False/FieldsWithoutEffect", "Stalled"},
    // What has no condition of its own.
    {"a taken name",
     [](ConditionTable& t) { t.Problem(Aspect::kChildren, "NameTaken", "Service c belongs to x"); },
     "Stalled", "True/NameTaken", "Stalled"},
    {"children that were created", [](ConditionTable& t) { t.Did(t.Create(kube::kServices, "c")); },
     "Ready", "False/Applying", "Reconciling"},
    {"a right that the operator lacks",
     [](ConditionTable& t) {
       t.Failed(t.Create(kube::kServices, "c"), base::ErrorKind::kDenied, "403");
     },
     "Stalled", "True/StepRefused", "Stalled"},
    {"a conflict, which is looked at again",
     [](ConditionTable& t) {
       t.Failed(t.Create(kube::kServices, "c"), base::ErrorKind::kConflict, "409");
     },
     "Ready", "False/Applying", "Reconciling"},
    {"a paused cluster with something to do",
     [](ConditionTable& t) {
       t.plan_.held.push_back({plan::PutVhost{"v"}, "does not exist"});
     },
     "TopologySynced", "False/Paused", "Stalled"},
    {"a spec that makes no sense",
     [](ConditionTable& t) {
       t.plan_.unplanned = {"InvalidSpec", "the spec is not valid"};
       t.Problem(Aspect::kSpec, "InvalidSpec", "spec.replicas: 0: must be between 1 and 99");
     },
     "Stalled", "True/InvalidSpec", "Stalled"},
};

TEST(ConditionTableTest, SaysWhatIsTheMatter) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.name);
    ConditionTable world;
    row.change(world);
    world.Make();
    world.ExpectSound();
    EXPECT_EQ(world.Says(row.type), row.says);
    EXPECT_EQ(world.Condition(row.kstatus).status, api::ConditionStatus::kTrue)
        << world.Condition("Ready").message;
  }
}

TEST_F(ConditionsTest, ABadSpecSaysNothingOfWhatItDeclares) {
  plan_.unplanned = {"InvalidSpec", "the spec is not valid"};
  Problem(Aspect::kSpec, "InvalidSpec", "spec.replicas: 0: must be between 1 and 99");
  Make();
  EXPECT_EQ(Says("Available"), "True/Serving");  // what runs keeps running
  EXPECT_EQ(Says("TopologySynced"), "Unknown/InvalidSpec");
  EXPECT_EQ(Says("LoadBalancerSynced"), "Unknown/InvalidSpec");
  EXPECT_EQ(Says("FieldsInEffect"), "Unknown/InvalidSpec");
  EXPECT_THAT(Condition("Ready").message, HasSubstr("spec.replicas: 0: must be between 1 and 99"));
}

TEST_F(ConditionsTest, NothingIsCalledInEffectThatWasNotPlanned) {
  plan_.unplanned = {"InventoryUnreadable", "ConfigMap c-inventory cannot be read"};
  Problem(Aspect::kChildren, "InventoryUnreadable", "ConfigMap c-inventory: key volumes …");
  Make();
  EXPECT_EQ(Says("Available"), "True/Serving");  // what runs keeps running
  EXPECT_EQ(Says("TopologySynced"), "Unknown/InventoryUnreadable");
  EXPECT_EQ(Says("LoadBalancerSynced"), "Unknown/InventoryUnreadable");
  EXPECT_EQ(Condition("TopologySynced").message,
            "not judged: ConfigMap c-inventory cannot be read");
  EXPECT_EQ(Says("Ready"), "False/InventoryUnreadable");
  EXPECT_EQ(Says("Stalled"), "True/InventoryUnreadable");
}

TEST_F(ConditionsTest, ATransitionTimeMovesOnlyWithTheStatus) {
  Make();
  const auto since = Condition("Ready").last_transition_time;
  Advance(std::chrono::seconds(90));
  Queues() = {.total = 1, .quorum = 1};
  Make();
  EXPECT_EQ(Condition("Ready").last_transition_time, since);
  NodeIsNotReady(0);
  Make();
  EXPECT_EQ(Condition("Ready").last_transition_time, since + std::chrono::seconds(90));
}

TEST_F(ConditionsTest, WarningsAreToldWithoutHoldingReadyBack) {
  plan_.warnings.push_back({"PolicyWarning", "policy half in vhost /: 5 of 3 nodes"});
  cluster_.findings.warnings.push_back({"spec.replicas", "is even"});
  cluster_.findings.unknown_fields.push_back("spec.replica");
  Make();
  EXPECT_EQ(Condition("Ready").message,
            "all that is declared is in effect; warning: policy half in vhost /: 5 of 3 nodes; "
            "warning: spec.replicas: is even; warning: spec.replica: no such field; it has no "
            "effect");
  EXPECT_EQ(Says("Ready"), "True/InEffect");
}

TEST_F(ConditionsTest, AllProblemsOfThePartAreNamed) {
  Problem(Aspect::kTopology, "SecretMissing", "user a: Secret s does not exist");
  Problem(Aspect::kTopology, "VhostMissing", "policy p in vhost v: the vhost does not exist");
  Make();
  EXPECT_EQ(Condition("TopologySynced").message,
            "user a: Secret s does not exist; policy p in vhost v: the vhost does not exist");
  EXPECT_EQ(Condition("Stalled").message, Condition("TopologySynced").message);
}

// Whoever is told to forget a member whose disk is there would throw its data away.
TEST_F(ConditionsTest, AMemberWhoseDiskIsThereIsNotToBeForgotten) {
  broker_.nodes->push_back({.name = resources::NodeName("c", "ns", 4)});
  broker_.nodes->push_back({.name = "rabbit@old"});
  seen_.claims = {{.name = resources::ClaimName("c", 4)}};
  Make();
  EXPECT_EQ(Condition("NodesReady").message,
            "the cluster counts members that are not declared, and whose disks are there: "
            "rabbit@c-node-4.c-nodes.ns: set spec.replicas to 5 to have them back");
  seen_.claims[0].deleting = true;
  Advance(std::chrono::seconds(10));  // progress is not written at once
  Make();
  EXPECT_EQ(Condition("NodesReady").message,
            "the cluster counts members that are gone: rabbit@c-node-4.c-nodes.ns and rabbit@old: "
            "forget them (rabbitmqctl forget_cluster_node)");
}

TEST_F(ConditionsTest, FieldsWithoutEffectAreNamed) {
  plan_.fields_without_effect = {"spec.scaleDown", "spec.tls"};
  Make();
  EXPECT_THAT(Condition("FieldsInEffect").message, HasSubstr("spec.scaleDown and spec.tls"));
}

}  // namespace
}  // namespace rabbit::report
