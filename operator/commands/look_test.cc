// A look at a cluster whose API server and broker are one server of the test.
#include "operator/commands/look.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/hash.h"
#include "base/mutex.h"
#include "http/beast_transport.h"
#include "http/server.h"
#include "http/test_support.h"
#include "kube/credentials.h"
#include "operator/api/parse.h"
#include "operator/plan/make_plan.h"
#include "operator/resources/inventory.h"
#include "rabbitmq/password_hash.h"

namespace rabbit::commands {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kCluster = R"({
  "apiVersion": "rabbitcluster.dev/v1beta1", "kind": "RabbitCluster",
  "metadata": {"name": "c", "namespace": "ns", "uid": "u", "generation": 1},
  "spec": {"replicas": 1, "storage": {"ephemeral": true}, "users": [
    {"name": "root", "passwordSecretRef": {"name": "root", "key": "password"}}]}})";

class LookerTest : public testing::Test {
 protected:
  LookerTest() {
    server_ = http::Server::Start({.address = "127.0.0.1", .max_threads = 32},
                                  [this](const http::Request& request,
                                         http::ResponseWriter& writer) { Answer(request, writer); })
                  .value();
    api_ = Connect();
    client_ = std::make_unique<kube::Client>(*api_, credentials_, nullptr);
    objects_["/api/v1/namespaces/ns/secrets/c-operator-user"] = {
        {"metadata", {{"name", "c-operator-user"}, {"labels", Labels()}}},
        {"data", {{"password", "b3Bz"}}}};
    objects_["/api/v1/namespaces/ns/pods/c-node-0"] = {
        {"metadata",
         {{"name", "c-node-0"},
          {"namespace", "ns"},
          {"uid", "p"},
          {"resourceVersion", "5"},
          {"labels", Labels()}}},
        {"spec", {{"containers", {{{"name", "rabbitmq"}, {"image", "i"}}}}}},
        {"status",
         {{"podIP", "10.1.2.3"}, {"conditions", {{{"type", "Ready"}, {"status", "True"}}}}}}};
    // The cluster is not a new one, which has no Secrets yet.
    objects_["/api/v1/namespaces/ns/services/c-nodes"] = {{"metadata",
                                                           {{"name", "c-nodes"},
                                                            {"namespace", "ns"},
                                                            {"uid", "n"},
                                                            {"resourceVersion", "5"},
                                                            {"labels", Labels()}}}};
    broker_["overview"] = {{"cluster_name", "c"}, {"rabbitmq_version", "4.0.5"}};
    broker_["nodes"] = {{{"name", "rabbit@c-node-0.c-nodes.ns"},
                         {"running", true},
                         {"enabled_plugins", {"rabbitmq_management", "rabbitmq_prometheus"}},
                         {"applications", {{{"name", "rabbit"}, {"version", "4.0.5"}}}}}};
    broker_["feature-flags"] = {{{"name", "rabbitmq_4.0.0"},
                                 {"state", "disabled"},
                                 {"stability", "stable"},
                                 {"provided_by", "rabbit"}}};
    broker_["vhosts"] = {{{"name", "/"}}};
    base::SequenceRandom random;
    const auto hash =
        rabbitmq::HashPassword(base::Secret("at the broker"), rabbitmq::kSha256, random);
    broker_["users"] = {{{"name", "root"},
                         {"password_hash", std::string(hash->Reveal())},
                         {"hashing_algorithm", std::string(rabbitmq::kSha256)},
                         {"tags", ""}}};
  }
  ~LookerTest() override { static_cast<void>(server_->Stop(std::chrono::milliseconds(500))); }

  void InCluster(const std::string& password) {
    objects_["/api/v1/namespaces/ns/secrets/root"] = {
        {"metadata", {{"name", "root"}, {"uid", "s"}}},
        {"data", {{"password", base::Base64Encode(password)}}}};
  }
  void InFile(const std::string& password, const std::string& ns = "ns") {
    observe::SecretView view;
    view.state = observe::SecretState::kForeign;  // as a file's are: no label of ours
    view.data["password"] = base::Secret(password);
    file_[{ns, "root"}] = std::move(view);
  }
  // The cluster was once seen to have all feature flags of this version enabled.
  void HadAllFlagsOf(const std::string& version) {
    observe::Inventory inventory;
    inventory.replicas = 1;
    inventory.formed = true;
    inventory.storage = {.size = {}, .class_name = {}, .ephemeral = true};
    inventory.flags_version = version;
    objects_["/api/v1/namespaces/ns/configmaps/c-inventory"] = {
        {"metadata",
         {{"name", "c-inventory"},
          {"namespace", "ns"},
          {"uid", "i"},
          {"resourceVersion", "5"},
          {"labels", Labels()}}},
        {"data", resources::InventoryToData(inventory)}};
  }
  // What is planned for the users and flags at the broker, and what keeps something from being
  // planned.
  std::vector<std::string> Planned() {
    Looker looker(*client_, clock_, random_, *logger_,
                  [this](const kube::ObjectKey&, const std::string&, std::uint16_t,
                         const http::TlsSettings*) {
                    return base::Result<std::unique_ptr<http::Transport>>(Connect());
                  });
    const auto cluster = api::ParseRabbitCluster(kCluster);
    const auto look = looker.At(cluster.value(), file_);
    if (!look) return {look.error().message};
    EXPECT_EQ(look->broker, "RabbitMQ 4.0.5, cluster c") << look->broker_trouble;
    plan::PlanMemo memo;
    const plan::Plan plan = plan::MakePlan(*cluster, look->seen, {}, memo, clock_.Now());
    std::vector<std::string> lines;
    for (const plan::Step& step : plan.steps) {
      if (std::holds_alternative<plan::EnableFlag>(step.action)) lines.push_back(Describe(step));
      const auto* put = std::get_if<plan::PutUser>(&step.action);
      if (put == nullptr) continue;
      lines.push_back(put->name + " is given " +
                      (put->password ? std::string(put->password->Reveal()) : "nothing"));
    }
    for (const plan::Problem& problem : plan.problems) {
      if (problem.aspect == plan::Aspect::kTopology) lines.push_back(problem.reason);
    }
    return lines;
  }

 private:
  static json Labels() {
    return {{"app.kubernetes.io/managed-by", "rabbit-operator"},
            {"app.kubernetes.io/instance", "c"},
            {"app.kubernetes.io/component", "broker"}};
  }
  std::unique_ptr<http::Transport> Connect() {
    return http::MakeBeastTransport({.tls = false,
                                     .address = "127.0.0.1",
                                     .port = server_->port(),
                                     .host_header = "localhost"},
                                    {}, {.keep = 4})
        .value();
  }
  void Answer(const http::Request& request, http::ResponseWriter& writer) {
    const std::string path = request.target.substr(0, request.target.find('?'));
    const auto send = [&](int status, const json& body) {
      static_cast<void>(writer.Send({status, {{"Content-Type", "application/json"}}, body.dump()}));
    };
    if (request.target.find("watch=") != std::string::npos) {
      static_cast<void>(writer.Start({200, {{"Content-Type", "application/json"}}}));
      base::Mutex mutex;
      base::CondVar never;
      const base::MutexLock lock(mutex);
      while (!writer.stop().stop_requested()) never.WaitUntil(mutex, writer.stop(), http::InTime());
      return;
    }
    if (request.target.find("limit=") != std::string::npos &&
        path.find("/namespaces/") != std::string::npos) {
      json items = json::array();
      for (const auto& [place, object] : objects_) {
        if (place.substr(0, place.rfind('/')) == path) items.push_back(object);
      }
      return send(200, {{"metadata", {{"resourceVersion", "1"}}}, {"items", items}});
    }
    if (path.starts_with("/api/") && !path.starts_with("/api/v1/")) {
      const auto found = broker_.find(path.substr(5));
      return send(200, found == broker_.end() ? json::array() : found->second);
    }
    const auto found = objects_.find(path);
    if (found == objects_.end()) {
      return send(404, {{"reason", "NotFound"}, {"message", "not found"}});
    }
    send(200, found->second);
  }

  std::unique_ptr<http::Server> server_;
  std::map<std::string, json> objects_, broker_;
  std::map<kube::ObjectKey, observe::SecretView> file_;
  kube::StaticCredentials credentials_;
  std::unique_ptr<http::Transport> api_;
  std::unique_ptr<kube::Client> client_;
  base::RealClock clock_;
  base::SystemRandom random_;
  const std::unique_ptr<base::Logger> logger_ =
      base::MakeLogger(base::LogLevel::kError, base::LogFormat::kText);
};

TEST_F(LookerTest, ASecretOfTheFileIsTakenForTheOneInTheCluster) {
  InCluster("at the broker");
  EXPECT_THAT(Planned(), IsEmpty());
  InFile("another one");
  EXPECT_THAT(Planned(), ElementsAre("root is given another one"));
}

TEST_F(LookerTest, AFileThatPutsThePasswordBackLeavesNothingToDo) {
  InCluster("another one");
  EXPECT_THAT(Planned(), ElementsAre("root is given another one"));
  InFile("at the broker");
  EXPECT_THAT(Planned(), IsEmpty());
}

TEST_F(LookerTest, ASecretThatOnlyTheFileHasIsThere) {
  EXPECT_THAT(Planned(), ElementsAre("SecretMissing"));
  InFile("another one");
  EXPECT_THAT(Planned(), ElementsAre("root is given another one"));
}

TEST_F(LookerTest, ASecretOfAnotherNamespaceIsAnother) {
  InCluster("at the broker");
  InFile("another one", "elsewhere");
  EXPECT_THAT(Planned(), IsEmpty());
}

TEST_F(LookerTest, FeatureFlagsThatAnUpgradeBroughtAreSeenThoughItLooksOnce) {
  InCluster("at the broker");
  HadAllFlagsOf("3.13.7");
  EXPECT_THAT(Planned(), ElementsAre("enable feature flag rabbitmq_4.0.0"));
}

}  // namespace
}  // namespace rabbit::commands
