#include "operator/resources/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rabbit::resources {
namespace {

using enum api::Listener;
using testing::ElementsAre;

TEST(PodTls, ComesBackFromItsTextAsItWas) {
  const PodTls own = PodTlsOf({.secret_name = "web-tls"});
  EXPECT_EQ(ToText(own), "Both web-tls web-tls/ca.crt");
  EXPECT_EQ(PodTlsFrom(ToText(own)), own);
  const PodTls other = PodTlsOf({.secret_name = "web-tls",
                                 .ca_secret_ref = api::KeyRef{"roots", "bundle.pem"},
                                 .mode = api::TlsMode::kOnly});
  EXPECT_EQ(ToText(other), "Only web-tls roots/bundle.pem");
  EXPECT_EQ(PodTlsFrom(ToText(other)), other);
}

TEST(PodTls, WhatNoOperatorWroteIsNothing) {
  for (const char* text :
       {"", "Both", "Both a", "Both a b", "Some a a/b", "Both a a/b c", "Both  a/b"}) {
    EXPECT_EQ(PodTlsFrom(text), std::nullopt) << text;
  }
}

TEST(NodeTlsNames, BeginWithTheMostExactOne) {
  EXPECT_THAT(
      NodeTlsNames({"ns", "c"}, 1, "cluster.local"),
      ElementsAre("c-node-1.c-nodes.ns.svc.cluster.local", "c-node-1.c-nodes.ns.svc",
                  "c-node-1.c-nodes.ns", "c-brokers.ns.svc.cluster.local", "c-brokers.ns.svc",
                  "c-brokers.ns", "c-brokers", "c.ns.svc.cluster.local", "c.ns.svc", "c.ns", "c"));
}

class ListeningTest : public testing::Test {
 protected:
  void Declare(api::TlsMode mode) {
    cluster_.spec.tls = api::Tls{.secret_name = "t", .mode = mode};
  }
  void Runs(const std::string& tls, bool deleting = false) {
    observe::Pod pod;
    pod.tls = tls;
    pod.deleting = deleting;
    pods_.push_back(pod);
  }
  [[nodiscard]] Listening Now() const { return ListeningOf(cluster_, pods_); }

  api::RabbitCluster cluster_;
  std::vector<observe::Pod> pods_;
};

TEST_F(ListeningTest, OfAClusterWithoutPodsIsAsDeclared) {
  EXPECT_EQ(Now(), (Listening{true, false}));
  Declare(api::TlsMode::kBoth);
  EXPECT_EQ(Now(), (Listening{true, true}));
  Declare(api::TlsMode::kOnly);
  EXPECT_EQ(Now(), (Listening{false, true}));
}

TEST_F(ListeningTest, APodThatIsYetToChangeIsStillFoundWhereItIs) {
  Declare(api::TlsMode::kOnly);
  Runs("Only t t/ca.crt");
  Runs("", /*deleting=*/true);
  EXPECT_EQ(Now(), (Listening{false, true}));
  Runs("");
  EXPECT_EQ(Now(), (Listening{true, true, true, true}));
}

// Nothing rolls by itself: what is declared may be far from what runs, for as long as one likes.
TEST_F(ListeningTest, WhatRunsDecidesNotWhatIsDeclared) {
  Runs("Only t t/ca.crt");
  EXPECT_EQ(Now(), (Listening{.plain = false, .tls = true}));
  Declare(api::TlsMode::kBoth);
  EXPECT_EQ(Now(), (Listening{.plain = false, .tls = true}));
  pods_.clear();
  Runs("");
  EXPECT_EQ(Now(), (Listening{.plain = true, .tls = false}));
}

TEST_F(ListeningTest, PodsThatAreAllGoingStillTellWhatComesBack) {
  Runs("Only t t/ca.crt", /*deleting=*/true);
  EXPECT_EQ(Now(), (Listening{.plain = false, .tls = true}));
}

TEST_F(ListeningTest, ExposedIsWhatIsListenedOn) {
  const auto exposed = [this](std::vector<api::Listener> expose) {
    cluster_.spec.service.expose = std::move(expose);
    return ExposedListeners(cluster_.spec, Now());
  };
  EXPECT_THAT(exposed({kAmqp, kManagement}), ElementsAre(kAmqp, kManagement));
  Declare(api::TlsMode::kBoth);
  EXPECT_THAT(exposed({kAmqp, kAmqps}), ElementsAre(kAmqp, kAmqps));
  EXPECT_THAT(exposed({kAmqp}), ElementsAre(kAmqp));
  Declare(api::TlsMode::kOnly);
  EXPECT_THAT(exposed({kAmqp, kAmqps, kManagement}), ElementsAre(kAmqps, kManagementTls));
  Runs("");  // before it is made anew
  EXPECT_THAT(exposed({kAmqp}), ElementsAre(kAmqp));
  Runs("Only t t/ca.crt");
  EXPECT_THAT(exposed({kAmqp}), ElementsAre(kAmqp, kAmqps));
  for (const bool declared : {true, false}) {  // on the way back
    if (declared) Declare(api::TlsMode::kBoth);
    if (!declared) cluster_.spec.tls.reset();
    EXPECT_THAT(exposed({kAmqp, kManagement}),
                ElementsAre(kAmqp, kAmqps, kManagement, kManagementTls));
  }
  pods_.erase(pods_.begin());
  EXPECT_THAT(exposed({kAmqp, kManagement}), ElementsAre(kAmqps, kManagementTls));
}

}  // namespace
}  // namespace rabbit::resources
