// That a pod which waits for a restart is read, once, for what it was made of; and no other.
#include <gtest/gtest.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/random.h"
#include "kube/credentials.h"
#include "operator/observe/caches.h"
#include "operator/observe/observer.h"

namespace rabbit::observe {
namespace {

constexpr const char* kOwned =
    R"("ownerReferences":[{"controller":true,"name":"c","kind":"RabbitCluster","uid":"u1",
       "apiVersion":"rabbitcluster.dev/v1beta1"}])";

class ApiServer final : public http::Transport {
 public:
  std::string config = "old-c";  // that the pod booted from
  bool readable = true;
  int asked = 0;  // for the pod

  base::Result<http::Response> Send(const http::Request& request,
                                    const http::CallOptions&) override {
    if (request.target.find("/pods/c-node-0") == std::string::npos) {
      return http::Response{.status = 404, .headers = {}, .body = "{}"};
    }
    ++asked;
    if (!readable) return http::Response{.status = 403, .headers = {}, .body = "{}"};
    return http::Response{.status = 200, .headers = {}, .body = Pod()};
  }
  base::Result<void> Stream(const http::Request& request, const http::CallOptions& call,
                            http::BodySink& sink) override {
    if (auto head = sink.OnHead({.status = 200, .headers = {}}); !head) return head;
    if (request.target.find("watch=") != std::string::npos) {
      const base::MutexLock lock(mutex_);
      while (!call.stop.stop_requested()) never_.WaitUntil(mutex_, call.stop, call.deadline);
      return base::Fail(base::ErrorKind::kCancelled, "stopped");
    }
    std::string items;
    if (request.target.find("/pods") != std::string::npos) items = Pod();
    if (request.target.find("/statefulsets") != std::string::npos) items = Set();
    return sink.OnData(R"({"metadata":{"resourceVersion":"9"},"items":[)" + items + "]}");
  }

 private:
  static std::string Meta(const std::string& name, const std::string& more) {
    return R"("metadata":{"name":")" + name + R"(","namespace":"ns","uid":"uid-of-)" + name +
           R"(","resourceVersion":"5","labels":{"app.kubernetes.io/instance":"c",
           "app.kubernetes.io/component":"broker","app.kubernetes.io/managed-by":"rabbit-operator"},)" +
           more + "}";
  }
  static std::string Set() {
    return "{" +
           Meta("c-node",
                std::string(R"("annotations":{"rabbitcluster.dev/applied-hash":"h"},)") + kOwned) +
           R"(,"spec":{"replicas":1,"template":{"metadata":{"annotations":{
             "rabbitcluster.dev/template-hash":"spec-t","rabbitcluster.dev/config-hash":"spec-c"}}}}})";
  }
  [[nodiscard]] std::string Pod() const {
    return "{" + Meta("c-node-0", R"("annotations":{"rabbitcluster.dev/template-hash":"spec-t"})") +
           R"(,"spec":{"containers":[{"name":"rabbitmq","image":"rabbitmq:3.13"}]},
             "status":{"initContainerStatuses":[{"name":"prepare","state":{"terminated":{"message":")" +
           config + R"(\n.heartbeat=1a2b advanced.config=ffff "}}}]}})";
  }

  base::Mutex mutex_;
  base::CondVar never_;
};

class EarlierPodsTest : public testing::Test {
 protected:
  // As a reconcile sees it once the caches have all lists; the memory stays.
  Observation Observe() {
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
    Observation seen =
        observer.Observe(cluster, memory_, {.deadline = clock.Now() + std::chrono::seconds(60)});
    caches.Stop();
    return seen;
  }

  ApiServer server_;
  ClusterMemory memory_;
};

TEST_F(EarlierPodsTest, OneThatWaitsForARestartIsReadOnceForWhatItWasMadeOf) {
  const Observation seen = Observe();
  ASSERT_TRUE(seen.made_of.contains("c-node-0"));
  EXPECT_EQ(seen.made_of.at("c-node-0")->at("rabbitmq.conf key heartbeat"), "1a2b");
  EXPECT_TRUE(seen.made_of.at("c-node-0")->contains("image"));
  EXPECT_EQ(seen.nodes.at(0).config_hash, "old-c") << "no more of what the guard said is kept";
  EXPECT_TRUE(Observe().made_of.contains("c-node-0"));
  EXPECT_EQ(server_.asked, 1);
  server_.config = "older-c";  // it has started again, from something else
  EXPECT_TRUE(Observe().made_of.contains("c-node-0"));
  EXPECT_EQ(server_.asked, 2);
}

TEST_F(EarlierPodsTest, OneThatIsOfNowIsNotRead) {
  server_.config = "spec-c";
  EXPECT_TRUE(Observe().made_of.empty());
  server_.config = "spec-of-an-earlier-operator";
  EXPECT_TRUE(Observe().made_of.empty());
  EXPECT_EQ(server_.asked, 0);
}

TEST_F(EarlierPodsTest, WhatCannotBeReadIsTriedAgainNextTime) {
  server_.readable = false;
  EXPECT_TRUE(Observe().made_of.empty());
  server_.readable = true;
  EXPECT_TRUE(Observe().made_of.contains("c-node-0"));
}

}  // namespace
}  // namespace rabbit::observe
