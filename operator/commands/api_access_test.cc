#include "operator/commands/api_access.h"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <fstream>
#include <thread>

#include "http/test_support.h"

namespace rabbit::commands {
namespace {

TEST(LoadConfig, WhatAKubeconfigNamesIsReadAtTheStart) {
  const std::string path = testing::TempDir() + "/kubeconfig-without-its-ca";
  std::ofstream(path) << R"({"current-context": "dev",
    "contexts": [{"name": "dev", "context": {"cluster": "c", "user": "u"}}],
    "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1",
                                           "certificate-authority": "/nowhere/ca.pem"}}],
    "users": [{"name": "u", "user": {}}]})";
  RunOptions options;
  options.kubeconfig = path;
  const auto config = LoadConfig(options, [](const std::string&) { return std::nullopt; });
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().kind, base::ErrorKind::kInvalid);
  EXPECT_EQ(config.error().message,
            "context dev of " + path +
                ": certificate-authority: cannot read /nowhere/ca.pem: No such file or directory");
}

TEST(ApiAccess, AfterAnAddressThatDoesNotAnswerTheNextOneIsTried) {
  http::TestServer server(http::AnswerAll("{}"));
  base::ManualClock clock;
  ApiAccess api({.server = {false, "api.test", server.port(), ""}}, clock, base::NullLogger(),
                nullptr, 1,
                std::make_unique<http::Resolver>(1, [](const std::string&, std::string&) {
                  return std::vector<std::string>{"127.0.0.9", "127.0.0.1"};
                }));
  EXPECT_FALSE(api.calls().Get(kube::kPods, {"ns", "x"}, http::Soon()));
  clock.Advance(kube::ReloadingTransport::kReconnect);
  const auto answer = api.calls().Get(kube::kPods, {"ns", "x"}, http::Soon());
  ASSERT_TRUE(answer) << answer.error().message;
}

TEST(ApiAccess, TheConnectionsOfAllWorkersAreKept) {
  constexpr int kWorkers = 40;
  std::barrier asked(kWorkers);
  http::TestServer server([&](http::Peer& peer) {
    while (!peer.ReadRequest().empty()) {
      asked.arrive_and_wait();  // nobody is answered before everybody has asked
      peer.Answer("{}");
    }
  });
  base::RealClock clock;
  ApiAccess api({.server = {false, "127.0.0.1", server.port(), ""}}, clock, base::NullLogger(),
                nullptr, kWorkers);
  std::barrier answered(kWorkers);
  std::atomic<int> good = 0;
  {
    std::vector<std::jthread> workers;
    for (int i = 0; i < kWorkers; ++i) {
      workers.emplace_back([&] {
        for (int round = 0; round < 3; ++round) {
          if (api.calls().Get(kube::kPods, {"ns", "x"}, http::Soon())) ++good;
          answered.arrive_and_wait();
        }
      });
    }
  }
  EXPECT_EQ(good, 3 * kWorkers);
  EXPECT_EQ(server.connections(), kWorkers);
}

}  // namespace
}  // namespace rabbit::commands
