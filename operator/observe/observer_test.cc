// Tests of Observe as a whole: writes that the cache has not shown yet, and what is read again,
// over a scripted API server. The caches are empty, and nothing is polled.
#include "operator/observe/observer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <regex>
#include <string>

#include "kube/credentials.h"
#include "test/fakes/scripted_transport.h"

namespace rabbit::observe {
namespace {

using std::chrono::seconds;

// ---- writes that the cache has not shown yet

class OverlayTest : public testing::Test {
 protected:
  const ChildId id_{kube::kServices, "c"};
  void Wrote(const std::string& version, const std::string& replaced) {
    memory_.written = {
        {.child = Packed<CachedChild>({.cluster = {"ns", "c"},
                                       .id = id_,
                                       .child = {.uid = "u", .resource_version = version},
                                       .state = {}}),
         .replaced_version = replaced,
         .at = now_}};
  }
  std::string VersionSeen(const std::string& cached) {
    Observation seen;
    if (!cached.empty()) seen.children[id_] = {.uid = "u", .resource_version = cached};
    OverlayWritten(memory_, seen, now_);
    return seen.children.contains(id_) ? seen.children[id_].resource_version : "";
  }
  ClusterMemory memory_;
  base::TimePoint now_{std::chrono::hours(1)};
};

TEST_F(OverlayTest, ACreatedChildIsThereBeforeTheCacheShowsIt) {
  Wrote("5", "");
  EXPECT_EQ(VersionSeen(""), "5");
  EXPECT_EQ(VersionSeen("5"), "5");  // the cache has caught up
  EXPECT_TRUE(memory_.written.empty());
  EXPECT_EQ(VersionSeen(""), "");  // and when it is deleted later, it is gone
}

TEST_F(OverlayTest, AnAppliedChildHidesTheVersionItReplaced) {
  Wrote("6", "5");
  EXPECT_EQ(VersionSeen("5"), "6");
  EXPECT_EQ(VersionSeen("7"), "7");  // somebody was later than we
}

TEST_F(OverlayTest, AWriteThatNoWatchEverShowsIsNotBelievedForEver) {
  Wrote("5", "");
  now_ += seconds(31);
  EXPECT_EQ(VersionSeen(""), "");
}

// ---- states of others

TEST(RememberPreparing, CountsFromTheFirstSightOfEachPod) {
  ClusterMemory memory;
  base::TimePoint now{std::chrono::hours(1)};
  const auto since = [&](std::vector<std::string> uids) {
    Observation seen;
    for (const std::string& uid : uids) {
      seen.nodes.emplace_back();
      seen.nodes.back().uid = uid;
      seen.nodes.back().preparing = true;
    }
    seen.nodes.emplace_back();  // another, which is not
    RememberPreparing(memory, seen, now);
    return now - seen.nodes.at(0).preparing_since;
  };
  EXPECT_EQ(since({"a"}), seconds(0));
  now += seconds(40);
  EXPECT_EQ(since({"a", "b"}), seconds(40));
  EXPECT_EQ(since({"b"}), seconds(0));
  EXPECT_EQ(since({"a"}), seconds(0)) << "it was not seen so in between";
  EXPECT_EQ(memory.preparing.size(), 1U);
}

TEST(RememberMissingPods, CountsFromTheFirstSightUntilAllAreThere) {
  ClusterMemory memory;
  base::TimePoint now{std::chrono::hours(1)};
  const auto since = [&](std::optional<int> wanted, std::size_t pods) {
    Observation seen;
    if (wanted) seen.stateful_set = StatefulSetState{.replicas = *wanted};
    seen.nodes.resize(pods);
    RememberMissingPods(memory, seen, now);
    return seen.pods_missing_since ? std::optional(now - *seen.pods_missing_since) : std::nullopt;
  };
  EXPECT_EQ(since(3, 0), seconds(0));
  now += seconds(40);
  EXPECT_EQ(since(3, 2), seconds(40));
  EXPECT_EQ(since(3, 3), std::nullopt);
  EXPECT_EQ(since(3, 2), seconds(0)) << "all were there in between";
  EXPECT_EQ(since({}, 0), std::nullopt);
  EXPECT_EQ(memory.pods_missing, std::nullopt);
}

TEST(JudgeOwnedClaims, AStatefulSetThatTheCachesDoNotShowIsGoneOrOursOrSomebodyElses) {
  api::RabbitCluster cluster;
  cluster.meta.key = {"ns", "c"};
  cluster.meta.uid = "u1";
  const ChildId id{kube::kStatefulSets, "c-node"};
  Observation before;
  before.claims = {{.name = "data-c-node-0", .bound = true, .owned = true},
                   {.name = "data-c-node-1", .bound = true}};  // retained
  const auto judged = [&](const base::Result<std::string>& node_set) {
    Observation seen = before;
    JudgeOwnedClaims(cluster, node_set, seen);
    return seen;
  };
  const Observation gone = judged(base::Fail(base::ErrorKind::kNotFound, "404"));
  EXPECT_TRUE(gone.claims[0].deleting);
  EXPECT_FALSE(gone.claims[1].deleting);

  const Observation unknown = judged(base::Fail(base::ErrorKind::kRetry, "timeout"));
  EXPECT_EQ(unknown.claims, before.claims);
  EXPECT_EQ(unknown.node_set_trouble, "timeout");
  EXPECT_NE(judged(std::string("{")).node_set_trouble, "");

  const auto set_of = [](const std::string& uid) {
    return R"({"metadata":{"name":"c-node","namespace":"ns","uid":"s1","annotations":{
      "rabbitcluster.dev/applied-hash":"h1"},"ownerReferences":[{"controller":true,"name":"c",
      "apiVersion":"rabbitcluster.dev/v1beta1","kind":"RabbitCluster","uid":")" +
           uid + R"("}]},"spec":{"replicas":3}})";
  };
  const Observation ours = judged(set_of("u1"));  // without our labels
  EXPECT_EQ(ours.claims, before.claims);
  ASSERT_TRUE(ours.children.contains(id));
  EXPECT_EQ(ours.children.at(id).applied_hash, "");
  ASSERT_TRUE(ours.stateful_set);
  EXPECT_EQ(ours.stateful_set->replicas, 3);

  const Observation leaving = judged(set_of("u0"));  // of an earlier cluster of this name
  EXPECT_TRUE(leaving.claims[0].deleting);
  EXPECT_FALSE(leaving.strangers.contains(id) || leaving.children.contains(id));

  const Observation foreign =
      judged(std::regex_replace(set_of("w1"), std::regex("RabbitCluster"), "Deployment"));
  EXPECT_EQ(foreign.claims, before.claims);
  EXPECT_TRUE(foreign.strangers.contains(id));
  EXPECT_FALSE(foreign.children.contains(id));
}

TEST(DropStatesOfOthers, AnEarlierClusterDecidesNothing) {
  api::RabbitCluster cluster;
  cluster.meta.key = {"ns", "c"};
  cluster.meta.uid = "u1";
  const auto seen_with_owner = [&](const std::string& uid) {
    Observation seen;
    for (const ChildId& id : {ChildId{kube::kConfigMaps, "c-inventory"},
                              {kube::kStatefulSets, "c-node"},
                              {kube::kDeployments, "c-haproxy"}}) {
      seen.children[id].owner_uid = uid;
    }
    seen.inventory = Inventory{.replicas = 5};
    seen.stateful_set = StatefulSetState{.replicas = 5};
    seen.proxy_deployment = DeploymentState{.replicas = 5};
    DropStatesOfOthers(cluster, seen);
    return seen;
  };
  for (const char* ours : {"u1", ""}) {  // none: it is taken up again
    const Observation seen = seen_with_owner(ours);
    EXPECT_TRUE(seen.inventory && seen.stateful_set && seen.proxy_deployment);
  }
  const Observation seen = seen_with_owner("u0");
  EXPECT_FALSE(seen.inventory || seen.stateful_set || seen.proxy_deployment);
  EXPECT_EQ(seen.children.size(), 3U);
}

// ---- what is read again

class ObserverTest : public testing::Test {
 protected:
  ObserverTest() {
    cluster_.meta.key = {"ns", "c"};
    cluster_.meta.uid = "u1";
  }
  // c-config is in the caches, as far as Observe can tell.
  void Holds(const CachedChild& child) {
    memory_.written = {{.child = Packed<CachedChild>(child), .replaced_version = "", .at = now()}};
  }
  static CachedChild Config(const std::string& applied_hash) {
    return {.cluster = {"ns", "c"},
            .id = ConfigId(),
            .child = {.uid = "m1",
                      .resource_version = "5",
                      .owner_uid = "u1",
                      .applied_hash = applied_hash,
                      .content_hash = 7},
            .state = {}};
  }
  static ChildId ConfigId() { return {kube::kConfigMaps, "c-config"}; }
  fakes::ScriptedTransport::Call& ExpectRead() {
    return server_.Expect("GET /api/v1/namespaces/ns/configmaps/c-config");
  }
  static std::string ConfigJson(const std::string& uid, const std::string& owner_uid) {
    return R"({"metadata":{"name":"c-config","namespace":"ns","uid":")" + uid +
           R"(","resourceVersion":"6","annotations":{"rabbitcluster.dev/applied-hash":"h1"},
             "ownerReferences":[{"apiVersion":"rabbitcluster.dev/v1beta1","kind":"RabbitCluster",
             "name":"c","uid":")" +
           owner_uid + R"(","controller":true}]},"data":{"a":"b"}})";
  }
  static constexpr const char* kMissing =
      R"({"kind":"Status","status":"Failure","reason":"NotFound","message":"not found","code":404})";

  void Taken() { memory_.strangers[ConfigId()] = {.who = "Deployment web", .seen_at = now()}; }
  // Who has the name c-config, as a planner is told.
  std::optional<std::string> Stranger() {
    const Observation seen = Observe();
    const auto found = seen.strangers.find(ConfigId());
    return found == seen.strangers.end() ? std::nullopt : std::optional(found->second);
  }
  Observation Observe() {
    return observer_.Observe(cluster_, memory_, {.deadline = now() + limit_});
  }
  // Nobody answers: each call takes all the time it has.
  void Hang() {
    server_.Otherwise([this](const http::Request&) -> base::Result<http::Response> {
      clock_.Advance(std::max(base::Duration(0), server_.seen().back().deadline - now()));
      return base::Fail(base::ErrorKind::kRetry, "timeout");
    });
  }
  base::TimePoint now() const { return clock_.Now(); }

  base::ManualClock clock_;
  base::SequenceRandom random_;
  fakes::ScriptedTransport server_;
  kube::StaticCredentials credentials_;
  kube::Client client_{server_, credentials_, nullptr};
  Caches caches_{client_,
                 clock_,
                 random_,
                 base::NullLogger(),
                 nullptr,
                 {},
                 [](const kube::ObjectKey&, Cause) {}};
  BrokerWatch brokers_{clock_, random_, {}, {}};
  ProxyWatch proxies_{clock_, random_, {}, {}};
  Observer observer_{client_, caches_, brokers_, proxies_, clock_};
  api::RabbitCluster cluster_;
  ClusterMemory memory_;
  base::Duration limit_ = seconds(60);
};

TEST_F(ObserverTest, AnApiServerThatDoesNotAnswerIsNotAskedForEachChild) {
  for (const char* name : {"c-config", "c-haproxy", "c-inventory"}) {
    CachedChild child = Config("");
    child.id.name = name;
    memory_.written.push_back(
        {.child = Packed<CachedChild>(child), .replaced_version = "", .at = now()});
    memory_.strangers[{kube::kServices, name}] = {.who = "web", .seen_at = now() - seconds(31)};
  }
  Hang();
  const base::TimePoint begin = now();
  const Observation seen = Observe();
  EXPECT_LE(now() - begin, seconds(20)) << "one read of a name that is taken, one of a child";
  EXPECT_EQ(seen.strangers.size(), 3U) << "as before";
}

TEST_F(ObserverTest, ASpecThatIsNotValidIsObservedAllTheSame) {
  Hang();
  cluster_.spec.definitions = api::Definitions{};  // without a source, which no rule may have held
  EXPECT_EQ(Observe().definitions, nullptr);
}

TEST_F(ObserverTest, AfterAServerThatCannotBeConnectedToNobodyElseIsAsked) {
  Holds(Config(""));
  memory_.strangers[{kube::kServices, "c"}] = {.who = "web", .seen_at = now() - seconds(31)};
  std::size_t reads = 0;
  server_.Otherwise([&](const http::Request& request) -> base::Result<http::Response> {
    if (request.target.find("/secrets/") == std::string::npos) ++reads;
    clock_.Advance(seconds(5));  // of the ten that a read has
    return base::Fail(base::ErrorKind::kRetry, "connecting: the deadline passed");
  });
  static_cast<void>(Observe());
  EXPECT_EQ(reads, 1U);
}

TEST_F(ObserverTest, WhatIsReadEndsWithTheTimeThatTheReconcileHas) {
  Holds(Config(""));
  memory_.strangers[{kube::kServices, "c"}] = {.who = "web", .seen_at = now() - seconds(31)};
  cluster_.spec.users = {{.name = "root", .password_secret_ref = api::KeyRef{"mine", "password"}}};
  limit_ = seconds(4);
  Hang();
  const base::TimePoint begin = now();
  static_cast<void>(Observe());
  EXPECT_EQ(now() - begin, seconds(4));
}

TEST_F(ObserverTest, AChildThatWasComparedIsNotReadAgain) {
  Holds(Config("h1"));
  memory_.verified.Add(ConfigId(), {.desired_hash = "h1", .content_hash = 7});
  EXPECT_EQ(Observe().children.at(ConfigId()).body, nullptr);
}

TEST_F(ObserverTest, AChildThatWasFoundWhereItWasToBeCreatedIsReadAndCompared) {
  // As the executor remembers it: nobody compared it, whatever is remembered of what was written.
  Holds(Config(""));
  memory_.verified.Add(ConfigId(), {.desired_hash = "", .content_hash = 7});
  ExpectRead().Answer(200, ConfigJson("m1", "u1"));
  const Child child = Observe().children.at(ConfigId());
  EXPECT_NE(child.body, nullptr);
  EXPECT_EQ(child.applied_hash, "h1");
}

TEST_F(ObserverTest, AnObjectThatTookTheNameSinceIsNotTakenForTheChildThatWasSeen) {
  Holds(Config("h1"));
  ExpectRead().Answer(200, ConfigJson("m2", "somebody"));
  const Child child = Observe().children.at(ConfigId());
  EXPECT_EQ(child.uid, "m1");
  EXPECT_EQ(child.body, nullptr);
}

// ---- names that are taken

TEST_F(ObserverTest, ATakenNameIsBelievedForAWhileAndThenLookedAtAgain) {
  Taken();
  clock_.Advance(seconds(29));
  EXPECT_EQ(Stranger(), "Deployment web");
  clock_.Advance(seconds(2));
  ExpectRead().Answer(200, ConfigJson("x", "another"));
  EXPECT_EQ(Stranger(), "RabbitCluster c, its controller");
  clock_.Advance(seconds(29));
  EXPECT_EQ(Stranger(), "RabbitCluster c, its controller");  // another call would fail the test
}

TEST_F(ObserverTest, ATakenNameIsForgottenOnceItIsFreeOrOurs) {
  for (const bool free : {true, false}) {
    Taken();
    clock_.Advance(seconds(31));
    free ? ExpectRead().Answer(404, kMissing) : ExpectRead().Answer(200, ConfigJson("m", "u1"));
    EXPECT_EQ(Stranger(), std::nullopt);
    EXPECT_TRUE(memory_.strangers.empty());
  }
}

TEST_F(ObserverTest, ATakenNameThatCannotBeLookedAtIsTakenAsBefore) {
  Taken();
  clock_.Advance(seconds(31));
  ExpectRead().Refuse();
  EXPECT_EQ(Stranger(), "Deployment web");
}

}  // namespace
}  // namespace rabbit::observe
