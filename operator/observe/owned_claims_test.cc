// The look for the StatefulSet that claims belong to, over caches that hold such claims: an API
// server that lists them, watches for ever, and is asked for the StatefulSet.
#include <gtest/gtest.h>

#include <string>

#include "base/mutex.h"
#include "kube/credentials.h"
#include "operator/observe/observer.h"

namespace rabbit::observe {
namespace {

constexpr const char* kClaim =
    R"({"metadata":{"name":"data-c-node-0","namespace":"ns","uid":"v1","resourceVersion":"3",
        "labels":{"app.kubernetes.io/instance":"c"},"ownerReferences":[{"apiVersion":"apps/v1",
        "kind":"StatefulSet","name":"c-node","uid":"s1"}]},"status":{"phase":"Bound"}})";
constexpr const char* kSet =
    R"({"metadata":{"name":"c-node","namespace":"ns","uid":"s1","resourceVersion":"4",
        "labels":{"app.kubernetes.io/instance":"c"},"annotations":{
        "rabbitcluster.dev/applied-hash":"h1"},"ownerReferences":[{"controller":true,"name":"c",
        "apiVersion":"rabbitcluster.dev/v1beta1","kind":"RabbitCluster","uid":"u1"}]},
        "spec":{"replicas":1}})";

class ApiServer final : public http::Transport {
 public:
  std::string claims = kClaim;  // items of the lists
  std::string sets;
  int asked = 0;  // for the StatefulSet, which is not there

  base::Result<http::Response> Send(const http::Request& request,
                                    const http::CallOptions&) override {
    if (request.target.find("/statefulsets/c-node") != std::string::npos) ++asked;
    return http::Response{.status = 404, .headers = {}, .body = "{}"};
  }
  base::Result<void> Stream(const http::Request& request, const http::CallOptions& call,
                            http::BodySink& sink) override {
    if (auto head = sink.OnHead({.status = 200, .headers = {}}); !head) return head;
    if (request.target.find("watch=") != std::string::npos) {
      const base::MutexLock lock(mutex_);
      while (!call.stop.stop_requested()) never_.WaitUntil(mutex_, call.stop, call.deadline);
      return base::Fail(base::ErrorKind::kCancelled, "stopped");
    }
    const auto is_of = [&](const char* plural) {
      return request.target.find(plural) != std::string::npos;
    };
    const std::string items = is_of("/persistentvolumeclaims") ? claims
                              : is_of("/statefulsets")         ? sets
                                                               : "";
    return sink.OnData(R"({"metadata":{"resourceVersion":"9"},"items":[)" + items + "]}");
  }

 private:
  base::Mutex mutex_;
  base::CondVar never_;
};

class OwnedClaimsTest : public testing::Test {
 protected:
  // As a reconcile sees it once the caches have all lists.
  Observation Observe(base::Duration left = std::chrono::seconds(60)) {
    base::RealClock clock;
    base::SystemRandom random;
    kube::StaticCredentials credentials;
    kube::Client client(server_, credentials, nullptr);
    base::Mutex mutex;
    base::CondVar changed;
    Caches caches(client, clock, random, base::NullLogger(), nullptr, {},
                  [&](const kube::ObjectKey&, Cause) { changed.NotifyAll(); });
    caches.Start();
    const base::TimePoint until = clock.Now() + std::chrono::seconds(30);
    while (!caches.HasSynced() && clock.Now() < until) {
      const base::MutexLock lock(mutex);
      changed.WaitUntil(mutex, clock.Now() + std::chrono::milliseconds(5));
    }
    EXPECT_TRUE(caches.HasSynced());
    BrokerWatch brokers(clock, random, {}, {});
    ProxyWatch proxies(clock, random, {}, {});
    Observer observer(client, caches, brokers, proxies, clock);
    api::RabbitCluster cluster;
    cluster.meta.key = {"ns", "c"};
    cluster.meta.uid = "u1";
    ClusterMemory memory;
    memory.strangers = strangers_;
    for (auto& [id, stranger] : memory.strangers) stranger.seen_at = clock.Now();
    Observation seen = observer.Observe(cluster, memory, {.deadline = clock.Now() + left});
    caches.Stop();
    return seen;
  }

  ApiServer server_;
  decltype(ClusterMemory::strangers) strangers_;
};

TEST_F(OwnedClaimsTest, TheServerIsAskedWhetherTheStatefulSetIsGone) {
  const Observation seen = Observe();
  EXPECT_EQ(server_.asked, 1);
  ASSERT_EQ(seen.claims.size(), 1U);
  EXPECT_TRUE(seen.claims[0].deleting) << "they go with it";
}

TEST_F(OwnedClaimsTest, WhereThereWasNoTimeToAskNothingIsKnown) {
  const Observation seen = Observe(std::chrono::seconds(0));
  EXPECT_EQ(server_.asked, 0);
  ASSERT_EQ(seen.claims.size(), 1U);
  EXPECT_FALSE(seen.claims[0].deleting);
  EXPECT_NE(seen.node_set_trouble, "");
}

TEST_F(OwnedClaimsTest, NobodyIsAskedForAStatefulSetThatIsSeenOrIsOfSomebodyElse) {
  strangers_[{kube::kStatefulSets, "c-node"}] = {.who = "Deployment web", .seen_at = {}};
  EXPECT_FALSE(Observe().claims.at(0).deleting);
  strangers_.clear();
  server_.sets = kSet;
  const Observation seen = Observe();
  EXPECT_FALSE(seen.claims.at(0).deleting);
  EXPECT_EQ(seen.node_set_trouble, "");
  EXPECT_LE(server_.asked, 1) << "its text is read to be compared; that is not this look";
}

TEST_F(OwnedClaimsTest, NobodyIsAskedWhereAllAreRetained) {
  server_.claims =
      R"({"metadata":{"name":"data-c-node-0","namespace":"ns","uid":"v1","resourceVersion":"3",
          "labels":{"app.kubernetes.io/instance":"c"}},"status":{"phase":"Bound"}})";
  EXPECT_FALSE(Observe().claims.at(0).deleting);
  EXPECT_EQ(server_.asked, 0);
}

}  // namespace
}  // namespace rabbit::observe
