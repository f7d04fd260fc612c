#include "operator/commands/api_access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <filesystem>
#include <fstream>
#include <map>
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

TEST(LoadConfig, APodWithoutItsServiceAccountIsToldWhatItLacks) {
  const auto config = LoadConfig({}, [](const std::string& name) -> std::optional<std::string> {
    if (name == "KUBERNETES_SERVICE_HOST") return "10.0.0.1";
    if (name == "KUBERNETES_SERVICE_PORT") return "443";
    return std::nullopt;
  });
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().message,
            "service account's token: cannot read "
            "/var/run/secrets/kubernetes.io/serviceaccount/token: No such file or directory");
}

TEST(LoadUserConfig, IsFoundAsKubectlFindsIt) {
  const std::string home = testing::TempDir() + "/home-of-a-user";
  std::filesystem::create_directories(home + "/.kube");
  const auto write = [](const std::string& path, const std::string& name) {
    std::ofstream(path)
        << R"({"current-context": ")" << name << R"(", "contexts": [{"name": ")" << name
        << R"(", "context": {"cluster": "c", "namespace": ")" << name
        << R"("}}], "clusters": [{"name": "c", "cluster": {"server": "http://h"}}]})";
    return path;
  };
  write(home + "/.kube/config", "usual");
  const std::string named = write(home + "/named", "named");
  const std::string listed = write(home + "/listed", "listed");
  std::map<std::string, std::string> environment{{"HOME", home}};
  const auto found = [&](const std::string& kubeconfig, const std::string& context = "") {
    const auto config = LoadUserConfig(
        kubeconfig, context, [&](const std::string& name) -> std::optional<std::string> {
          const auto value = environment.find(name);
          return value == environment.end() ? std::nullopt : std::optional(value->second);
        });
    if (!config) return config.error().message;
    EXPECT_FALSE(config->in_cluster);
    return config->config.default_namespace;
  };
  EXPECT_EQ(found(""), "usual");
  environment["KUBECONFIG"] = "/nowhere:" + listed + ":" + named;
  EXPECT_EQ(found(""), "listed");
  EXPECT_EQ(found("", "named"), "named");
  EXPECT_EQ(found(named), "named");
  environment = {{"HOME", "/nowhere"}};
  EXPECT_THAT(found(""), testing::StartsWith("there is no kubeconfig (--kubeconfig, $KUBECONFIG"));
  environment["KUBERNETES_SERVICE_HOST"] = "10.0.0.1";
  environment["KUBERNETES_SERVICE_PORT"] = "443";
  EXPECT_THAT(found(""), testing::StartsWith("service account's token: "));
}

TEST(LeaseNamespace, IsOneForAllOperators) {
  RunOptions options;
  kube::ClusterConfig config;
  std::string of_pod;
  const auto place = [&] {
    return LeaseNamespace(options, config, [&](const std::string& name) {
      return name == "POD_NAMESPACE" ? std::optional(of_pod) : std::nullopt;
    });
  };
  config.default_namespace = "account";  // as the files of the service account say
  EXPECT_EQ(place().value(), "account");
  of_pod = "pod";
  EXPECT_EQ(place().value(), "pod");
  options.lease_namespace = "named";
  EXPECT_EQ(place().value(), "named");
}

TEST(LeaseNamespace, IsNotThatOfAContext) {
  RunOptions options{.kubeconfig = "file"};
  const kube::ClusterConfig config{.default_namespace = "default"};
  const auto in_a_pod = [](const std::string& name) {
    return name == "POD_NAMESPACE" ? std::optional<std::string>("pod") : std::nullopt;
  };
  const auto place = LeaseNamespace(options, config, in_a_pod);  // which is of another cluster
  ASSERT_FALSE(place);
  EXPECT_EQ(place.error().kind, base::ErrorKind::kInvalid);
  EXPECT_THAT(place.error().message, testing::HasSubstr("needs --lease-namespace"));
  options.leader_election = false;
  EXPECT_EQ(LeaseNamespace(options, config, in_a_pod).value(), "");
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
