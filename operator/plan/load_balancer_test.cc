#include "operator/plan/load_balancer.h"

#include <gmock/gmock.h>

#include "operator/plan/fixture.h"

namespace rabbit::plan {
namespace {

using haproxy::ServerState;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class LoadBalancerTest : public PlanTest {
 protected:
  LoadBalancerTest() {
    seen_.proxy_deployment = observe::DeploymentState{
        .replicas = 2, .ready_replicas = 2, .updated_replicas = 2, .settled = true};
    for (std::size_t i = 0; i < 2; ++i) {
      observe::Pod pod;
      pod.name = "p" + std::to_string(i);
      pod.ready = true;
      seen_.proxies.push_back(pod);
      See(i, "hash");
    }
  }

  // What proxy `i` says of itself; all servers up but `down`.
  void See(std::size_t i, const std::string& hash, const std::string& down = "",
           ServerState state = ServerState::kDown) {
    haproxy::ProxyView view;
    view.config_hash = hash;
    for (int n = 0; n < 3; ++n) {
      haproxy::ServerView server;
      server.name = resources::PodName("c", n);
      server.state = server.name == down ? state : ServerState::kUp;
      server.status = server.name == down ? "DOWN" : "UP";
      view.servers.push_back(server);
    }
    seen_.proxy_looks.resize(std::max(seen_.proxy_looks.size(), i + 1));
    seen_.proxy_looks[i] = {.pod = "p" + std::to_string(i),
                            .view = std::make_shared<const haproxy::ProxyView>(std::move(view)),
                            .trouble = {}};
  }

  std::vector<std::string> Waits() {
    Plan plan;
    PlanLoadBalancer(cluster_, Seen(), "hash", plan);
    return PlanTest::Waits(plan);
  }
  std::string WhyWait(int members = 3) {
    const auto wait = WhyProxiesWait(cluster_, Seen(), members);
    return wait ? wait->message : "";
  }
};

TEST_F(LoadBalancerTest, IsInEffectWhenAllProxiesRunTheDeclaredConfigurationAndSeeAllBrokers) {
  EXPECT_THAT(Waits(), IsEmpty());
}

TEST_F(LoadBalancerTest, WaitsForItsProxiesAndTellsTheirTrouble) {
  seen_.proxy_deployment->ready_replicas = 1;
  EXPECT_THAT(Waits(), ElementsAre("ProxiesStarting: 1 of 2 proxies are ready"));
  seen_.proxies[1].ready = false;
  seen_.proxies[1].trouble = "ImagePullBackOff: no such image";
  EXPECT_THAT(Waits(), ElementsAre("ProxiesInTrouble: 1 of 2 proxies are ready: p1: "
                                   "ImagePullBackOff: no such image"));
  seen_.proxy_deployment.reset();
  EXPECT_THAT(Waits(), ElementsAre(HasSubstr("0 of 2 proxies are ready")));
}

TEST_F(LoadBalancerTest, WaitsUntilTheLastOldProxyIsReplaced) {
  seen_.proxy_deployment->settled = false;
  EXPECT_THAT(Waits(), ElementsAre(HasSubstr("ProxiesRolling")));
}

TEST_F(LoadBalancerTest, BelievesTheConfigurationThatAProxySaysItRuns) {
  See(1, "hash-of-before");
  EXPECT_THAT(Waits(), ElementsAre("ProxiesRolling: p1 runs another configuration than the declared "
                                   "one"));
}

TEST_F(LoadBalancerTest, ABrokerThatServesButIsDownForAProxyIsTold) {
  See(0, "hash", "c-node-1");
  EXPECT_THAT(Waits(), ElementsAre("BackendsDown: p0 sees c-node-1 as DOWN"));
}

TEST_F(LoadBalancerTest, ABrokerThatDoesNotServeIsRightlyDown) {
  See(0, "hash", "c-node-1");
  Pod(1).ready = false;
  EXPECT_THAT(Waits(), IsEmpty());
}

TEST_F(LoadBalancerTest, AProxyThatDoesNotAnswerIsWaitedFor) {
  seen_.proxy_looks[0].view = nullptr;
  seen_.proxy_looks[0].trouble = "connection refused";
  EXPECT_THAT(Waits(), ElementsAre(HasSubstr("p0 (connection refused)")));
}

TEST_F(LoadBalancerTest, AProxyThatIsGoingSaysNothingOfInterest) {
  See(0, "hash-of-before");
  seen_.proxies[0].deleting = true;
  EXPECT_THAT(Waits(), IsEmpty());
}

TEST_F(LoadBalancerTest, ThatIsOffIsNothingToWaitFor) {
  cluster_.spec.load_balancer.enabled = false;
  seen_.proxy_deployment.reset();
  EXPECT_THAT(Waits(), IsEmpty());
}

TEST_F(LoadBalancerTest, ProxiesAreStartedWhenTheirBrokersHaveAddresses) {
  for (int i = 0; i < 3; ++i) Pod(i).ready = false;
  EXPECT_EQ(WhyWait(), "");
  Pod(2).ip = "";
  EXPECT_THAT(WhyWait(), HasSubstr("2 of 3"));
  Pod(0).ready = true;  // one serves: the others may never come
  EXPECT_EQ(WhyWait(), "");
  seen_.nodes.clear();
  EXPECT_THAT(WhyWait(), HasSubstr("0 of 3"));
}

}  // namespace
}  // namespace rabbit::plan
