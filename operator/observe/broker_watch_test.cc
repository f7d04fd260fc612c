#include "operator/observe/broker_watch.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "test/fakes/scripted_transport.h"

namespace rabbit::observe {
namespace {

using std::chrono::seconds;

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
