// The command whole, against an API server of one page that keeps what it is asked.
#include "operator/commands/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <regex>

#include "base/mutex.h"
#include "http/server.h"
#include "http/test_support.h"
#include "operator/commands/read_only.h"

namespace rabbit::commands {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kClusterYaml = R"(
apiVersion: v1
kind: Secret
metadata: {name: root}
stringData: {password: s3cret}
---
apiVersion: rabbitcluster.dev/v1beta1
kind: RabbitCluster
metadata: {name: c}
spec:
  replicas: 3
  users:
  - {name: root, passwordSecretRef: {name: root, key: password}}
)";

class PlanTest : public testing::Test {
 protected:
  PlanTest() {
    server_ = http::Server::Start({.address = "127.0.0.1", .max_threads = 32},
                                  [this](const http::Request& request,
                                         http::ResponseWriter& writer) { Answer(request, writer); })
                  .value();
    options_.kubeconfig = testing::TempDir() + "/plan-kubeconfig-" + std::to_string(getpid());
    std::ofstream(options_.kubeconfig)
        << R"({"current-context": "x", "contexts": [{"name": "x", "context": {"cluster": "x", "namespace": "ns"}}],
               "clusters": [{"name": "x", "cluster": {"server": "http://127.0.0.1:)"
        << server_->port() << "\"}}]}";
  }
  ~PlanTest() override {
    static_cast<void>(server_->Stop(std::chrono::milliseconds(500)));
    // Whatever a test was about.
    for (const http::Request& request : Requests()) {
      EXPECT_TRUE(ChangesNothing(request)) << http::Name(request.method) << " " << request.target;
    }
    std::remove(options_.kubeconfig.c_str());
  }

  // The plan of what standard input holds.
  Output OfFile(const std::string& text) {
    options_.file = "-";
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> input(
        fmemopen(const_cast<char*>(text.data()), std::max<std::size_t>(text.size(), 1), "r"),
        &std::fclose);
    return Run(input.get());
  }
  Output OfName(const std::string& name) {
    options_.name = name;
    return Run(nullptr);
  }
  Output Run(std::FILE* input) {
    Output output = Plan(
        options_,
        [this](const std::string& name) -> std::optional<std::string> {
          const auto found = environment_.find(name);
          return found == environment_.end() ? std::nullopt : std::optional(found->second);
        },
        terminal_, input);
    EXPECT_THAT(output.out + output.error, Not(HasSubstr("s3cret")));
    return output;
  }
  // An error is one line, and nothing else.
  static void ExpectRefusal(const Output& output, const std::string& part) {
    EXPECT_EQ(output.exit_code, 2);
    EXPECT_EQ(output.out, "");
    EXPECT_THAT(output.error, StartsWith("rabbit-operator: "));
    EXPECT_THAT(output.error, HasSubstr(part));
    EXPECT_EQ(std::ranges::count(output.error, '\n'), 1) << output.error;
  }

  std::vector<http::Request> Requests() {
    const base::MutexLock lock(mutex_);
    return requests_;
  }

  // What there is: path of the object, JSON.
  void Put(const std::string& path, json object) {
    const std::string name = path.substr(path.rfind('/') + 1);
    object["metadata"]["name"] = name;
    object["metadata"]["namespace"] = "ns";
    if (!object["metadata"].contains("uid")) object["metadata"]["uid"] = "uid-of-" + name;
    object["metadata"]["resourceVersion"] = "5";
    objects_[path] = std::move(object);
  }
  static json Labels(const std::string& component) {
    return {{"app.kubernetes.io/managed-by", "rabbit-operator"},
            {"app.kubernetes.io/instance", "c"},
            {"app.kubernetes.io/component", component}};
  }
  void PutCluster(const json& spec) {
    Put(clusters_path_ + "/c", {{"apiVersion", "rabbitcluster.dev/v1beta1"},
                                {"kind", "RabbitCluster"},
                                {"metadata", {{"generation", 1}}},
                                {"spec", spec}});
  }
  void PutReadyNode() {
    Put(core_path_ + "services/c-nodes", {{"metadata", {{"labels", Labels("broker")}}}});
    Put(core_path_ + "secrets/c-operator-user",
        {{"metadata", {{"labels", Labels("broker")}}}, {"data", {{"password", "czNjcmV0"}}}});
    Put(core_path_ + "pods/c-node-0",
        {{"metadata", {{"labels", Labels("broker")}}},
         {"spec", {{"containers", {{{"name", "rabbitmq"}, {"image", "i"}}}}}},
         {"status",
          {{"podIP", "10.1.2.3"}, {"conditions", {{{"type", "Ready"}, {"status", "True"}}}}}}});
  }

  const std::string clusters_path_ = "/apis/rabbitcluster.dev/v1beta1/namespaces/ns/rabbitclusters";
  const std::string core_path_ = "/api/v1/namespaces/ns/";
  PlanOptions options_;
  std::map<std::string, std::string> environment_;
  bool terminal_ = false;
  std::map<std::string, http::Response> refusals_;  // by a part of the target

 private:
  void Answer(const http::Request& request, http::ResponseWriter& writer) {
    {
      const base::MutexLock lock(mutex_);
      requests_.push_back(request);
    }
    const auto send = [&writer](int status, const std::string& body) {
      static_cast<void>(writer.Send({status, {{"Content-Type", "application/json"}}, body}));
    };
    const auto asks = [&request](std::string_view part) {
      return request.target.find(part) != std::string::npos;
    };
    for (const auto& [part, answer] : refusals_) {
      if (asks(part)) return static_cast<void>(writer.Send(answer));
    }
    if (asks("watch=")) {
      static_cast<void>(writer.Start({200, {{"Content-Type", "application/json"}}}));
      base::Mutex mutex;
      base::CondVar never;
      const base::MutexLock lock(mutex);
      while (!writer.stop().stop_requested()) never.WaitUntil(mutex, writer.stop(), http::InTime());
      return;
    }
    const std::string path = request.target.substr(0, request.target.find('?'));
    if (request.method != http::Method::kGet) {
      json object = json::parse(request.body);
      object["metadata"]["uid"] = "uid-of-the-dry-run";
      object["metadata"]["generation"] = 1;
      return send(200, object.dump());
    }
    if (asks("limit=")) {
      json items = json::array();
      for (const auto& [place, object] : objects_) {
        if (place.substr(0, place.rfind('/')) == path) items.push_back(object);
      }
      return send(200, json{{"metadata", {{"resourceVersion", "1"}}}, {"items", items}}.dump());
    }
    const auto found = objects_.find(path);
    if (found == objects_.end()) return send(404, R"({"reason":"NotFound","message":"not found"})");
    send(200, found->second.dump());
  }

  std::map<std::string, json> objects_;
  base::Mutex mutex_;
  std::vector<http::Request> requests_ RABBIT_GUARDED_BY(mutex_);
  std::unique_ptr<http::Server> server_;
};

TEST_F(PlanTest, ANewClusterOfAFileShowsAllThatIsMade) {
  const Output output = OfFile(kClusterYaml);
  EXPECT_EQ(output.error, "");
  EXPECT_EQ(output.exit_code, 1);
  EXPECT_THAT(output.out, StartsWith("RabbitCluster ns/c as of standard input\n"
                                     "the file creates this RabbitCluster\n"));
  EXPECT_THAT(output.out, HasSubstr("+ create Secret c-erlang-cookie"));
  EXPECT_THAT(output.out, HasSubstr("+ create ConfigMap c-inventory"));
  EXPECT_THAT(output.out, HasSubstr("+ create StatefulSet c-node, after "));
  EXPECT_THAT(output.out, HasSubstr("and then looks again"));
  EXPECT_THAT(output.out, Not(HasSubstr("Secret root")));  // the file has it
}

TEST_F(PlanTest, ASecretThatNeitherTheFileNorTheClusterHasIsMissed) {
  const std::string yaml = kClusterYaml;
  const Output output = OfFile(yaml.substr(yaml.find("---")));
  EXPECT_EQ(output.exit_code, 1);
}

TEST_F(PlanTest, JsonIsForPrograms) {
  options_.json = true;
  terminal_ = true;
  const Output output = OfFile(kClusterYaml);
  EXPECT_EQ(output.exit_code, 1);
  const json parsed = json::parse(output.out);
  const json& cluster = parsed.at("clusters").at(0);
  EXPECT_EQ(cluster.at("new"), true);
  EXPECT_EQ(cluster.at("steps").at(0).at("action"), "create");
}

TEST_F(PlanTest, ColoursAreForATerminalThatWantsThem) {
  EXPECT_THAT(OfFile(kClusterYaml).out, Not(HasSubstr("\033")));
  terminal_ = true;
  EXPECT_THAT(OfFile(kClusterYaml).out, HasSubstr("\033"));
  environment_ = {{"NO_COLOR", ""}};
  EXPECT_THAT(OfFile(kClusterYaml).out, HasSubstr("\033"));
  environment_ = {{"NO_COLOR", "1"}};
  EXPECT_THAT(OfFile(kClusterYaml).out, Not(HasSubstr("\033")));
  environment_ = {{"TERM", "dumb"}};
  EXPECT_THAT(OfFile(kClusterYaml).out, Not(HasSubstr("\033")));
}

TEST_F(PlanTest, AClusterAsItStandsIsReadByItsName) {
  PutCluster({{"replicas", 1}});
  const Output output = OfName("c");
  EXPECT_EQ(output.exit_code, 1) << output.error;
  EXPECT_THAT(output.out, StartsWith("RabbitCluster ns/c\n"));
  EXPECT_THAT(output.out, HasSubstr("+ create StatefulSet c-node"));
  for (const http::Request& request : Requests()) EXPECT_EQ(request.method, http::Method::kGet);
}

TEST_F(PlanTest, AFileOverAClusterShowsWhatItChanges) {
  PutCluster({{"replicas", 1}});
  const Output output = OfFile(kClusterYaml);
  EXPECT_EQ(output.exit_code, 1);
  EXPECT_THAT(output.out,
              HasSubstr("the file changes what is declared:\n  spec.replicas: 1 -> 3\n"));
  EXPECT_THAT(output.out, HasSubstr("what the file leaves out stays"));
}

TEST_F(PlanTest, OutsideOfTheClusterTheBrokerIsAskedThroughTheApiServer) {
  PutCluster({{"replicas", 1}});
  PutReadyNode();
  refusals_["/portforward"] = {
      403, {}, R"({"reason":"Forbidden","message":"you cannot get pods/portforward"})"};
  const Output output = OfName("c");
  EXPECT_THAT(output.out, HasSubstr("broker not looked at: c-node-0: "));
  EXPECT_THAT(output.out,
              HasSubstr("port-forward to pod ns/c-node-0: 403 Forbidden: you cannot get "
                        "pods/portforward\n"));
  EXPECT_THAT(output.out, HasSubstr("+ create ConfigMap c-inventory"));  // the rest is planned
  EXPECT_THAT(output.out, Not(HasSubstr("BrokerDenied")));               // that is another matter
  const auto requests = Requests();
  EXPECT_TRUE(std::ranges::any_of(requests, [](const http::Request& request) {
    return request.target == "/api/v1/namespaces/ns/pods/c-node-0/portforward?ports=15672" &&
           http::FindHeader(request.headers, "Sec-WebSocket-Protocol") == "v4.channel.k8s.io";
  }));
}

TEST_F(PlanTest, WithoutTheOperatorsPasswordItSaysSo) {
  PutCluster({{"replicas", 1}});
  PutReadyNode();
  refusals_["/secrets/"] = {403, {}, R"({"reason":"Forbidden","message":"no Secrets for you"})"};
  const Output output = OfName("c");
  EXPECT_THAT(output.out, HasSubstr("403 Forbidden: no Secrets for you\n"));
  EXPECT_THAT(output.out, HasSubstr("broker not looked at: Secret c-operator-user, with which "
                                    "the operator logs in, cannot be read: get Secret "));
}

TEST_F(PlanTest, WhatDoesNotWorkIsOneLineAndExitCodeTwo) {
  ExpectRefusal(OfFile("a: [b\n"), "standard input: ");
  ExpectRefusal(OfFile("a: b\n"), "standard input: holds an object without apiVersion");
  ExpectRefusal(OfFile("# nothing\n"), "standard input: holds no RabbitCluster");
  options_.file = "/nowhere/c.yaml";
  ExpectRefusal(Run(nullptr), "/nowhere/c.yaml: cannot be opened");
  options_.file.clear();
  ExpectRefusal(OfName("x"), "get RabbitCluster ns/x: 404 NotFound: not found");
  options_.name.clear();
  options_.context = "y";
  ExpectRefusal(OfFile(kClusterYaml), "y");
}

TEST_F(PlanTest, WhatTheApiServerRefusesIsInItsWords) {
  refusals_["dryRun=All"] = {
      422, {}, R"({"reason":"Invalid","message":"spec.replicas:\n must be at most 99"})"};
  const Output output = OfFile(kClusterYaml);
  ExpectRefusal(output, "RabbitCluster ns/c: 422 Invalid: spec.replicas:");
}

TEST_F(PlanTest, WhatCannotBeListedIsNamed) {
  PutCluster({{"replicas", 1}});
  refusals_["/configmaps?"] = {403, {}, R"({"reason":"Forbidden","message":"no lists for you"})"};
  ExpectRefusal(OfName("c"), "namespace ns: cannot list configmaps: ");
}

TEST_F(PlanTest, ASpecThatMakesNoSenseIsAnErrorThatIsPrinted) {
  PutCluster({{"replicas", "many"}});
  const Output output = OfName("c");
  EXPECT_EQ(output.exit_code, 2);
  EXPECT_THAT(output.out, HasSubstr("InvalidSpec (needs a person): "));
  EXPECT_THAT(output.out, HasSubstr("nothing is planned: the spec is not valid\n"));
}

}  // namespace
}  // namespace rabbit::commands
