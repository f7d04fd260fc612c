// The commands whole, against an API server of a few objects that keeps what it is asked.
#include "operator/commands/cluster_commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/mutex.h"
#include "http/server.h"

namespace rabbit::commands {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr const char* kClusterPath =
    "/apis/rabbitcluster.dev/v1beta1/namespaces/ns/rabbitclusters/c";

class ClusterCommandTest : public testing::Test {
 protected:
  ClusterCommandTest() {
    server_ = http::Server::Start({.address = "127.0.0.1"}, [this](const http::Request& request,
                                                                   http::ResponseWriter& writer) {
                Answer(request, writer);
              }).value();
    options_.kubeconfig = testing::TempDir() + "/cluster-kubeconfig-" + std::to_string(getpid());
    options_.name = "c";
    std::ofstream(options_.kubeconfig)
        << R"({"current-context": "x", "contexts": [{"name": "x", "context": {"cluster": "x", "namespace": "ns"}}],
               "clusters": [{"name": "x", "cluster": {"server": "http://127.0.0.1:)"
        << server_->port() << "\"}}]}";
    objects_[kClusterPath] = {
        {"metadata", {{"name", "c"}, {"namespace", "ns"}, {"uid", "u1"}, {"generation", 1}}},
        {"spec", json::object()},
        {"status", {{"version", "4.0.5"}}}};
  }
  ~ClusterCommandTest() override {
    static_cast<void>(server_->Stop(std::chrono::milliseconds(500)));
    std::remove(options_.kubeconfig.c_str());
  }

  Output Run(Command command) {
    return ClusterCommand(command, options_, [](const std::string&) { return std::nullopt; });
  }
  Output RunManage(std::string* said) {
    return Manage(
        options_, [](const std::string&) { return std::nullopt; },
        [said](const std::string& text) { *said = text; }, [] {});
  }
  static void ExpectRefusal(const Output& output, const std::string& part) {
    EXPECT_EQ(output.exit_code, 2);
    EXPECT_EQ(output.out, "");
    EXPECT_THAT(output.error, StartsWith("rabbit-operator: "));
    EXPECT_THAT(output.error, HasSubstr(part));
    EXPECT_EQ(std::ranges::count(output.error, '\n'), 1) << output.error;
  }
  // What would change something.
  std::vector<std::string> Writes() {
    const base::MutexLock lock(mutex_);
    return writes_;
  }
  void Runs(const std::string& pod) {
    objects_[kClusterPath]["status"]["nodes"] = {
        {{"name", "rabbit@down"}, {"pod", "c-node-0"}, {"running", false}},
        {{"name", "rabbit@" + pod}, {"pod", pod}, {"running", true}}};
    objects_["/api/v1/namespaces/ns/secrets/c-default-user"] = {
        {"metadata", {{"name", "c-default-user"}}},
        {"data", {{"username", "ZGVmYXVsdA=="}, {"password", "czNjcmV0"}}}};
  }

  ClusterOptions options_;
  std::map<std::string, json> objects_;

 private:
  void Answer(const http::Request& request, http::ResponseWriter& writer) {
    const std::string path = request.target.substr(0, request.target.find('?'));
    if (request.method != http::Method::kGet) {
      const base::MutexLock lock(mutex_);
      writes_.push_back(std::string(http::Name(request.method)) + " " + request.target + " " +
                        request.body);
    }
    const auto found = objects_.find(path);
    if (found == objects_.end()) {
      const json status = {{"kind", "Status"},
                           {"reason", "NotFound"},
                           {"code", 404},
                           {"message", path + " not found"}};
      static_cast<void>(writer.Send({.status = 404, .headers = {}, .body = status.dump()}));
      return;
    }
    static_cast<void>(writer.Send({.status = 200, .headers = {}, .body = found->second.dump()}));
  }

  std::unique_ptr<http::Server> server_;
  base::Mutex mutex_;
  std::vector<std::string> writes_ RABBIT_GUARDED_BY(mutex_);
};

TEST_F(ClusterCommandTest, StatusIsForPeopleOrPrograms) {
  EXPECT_THAT(Run(Command::kStatus).out, StartsWith("RabbitCluster ns/c: "));
  options_.json = true;
  const Output output = Run(Command::kStatus);
  EXPECT_EQ(output.exit_code, 0);
  EXPECT_EQ(json::parse(output.out), json({{"version", "4.0.5"}}));
}

TEST_F(ClusterCommandTest, AClusterThatIsNotThereIsOneLine) {
  objects_.clear();
  for (const Command command :
       {Command::kStatus, Command::kEvents, Command::kPause, Command::kResume}) {
    ExpectRefusal(Run(command), "namespace ns: ");
  }
  std::string said;
  ExpectRefusal(RunManage(&said), "namespace ns: ");
  EXPECT_THAT(Writes(), IsEmpty());
}

TEST_F(ClusterCommandTest, AKubeconfigThatIsNotThereIsOneLine) {
  options_.kubeconfig = "/nowhere/at/all";
  ExpectRefusal(Run(Command::kStatus), "/nowhere/at/all");
}

TEST_F(ClusterCommandTest, EventsAreReadPageByPage) {
  EXPECT_THAT(Run(Command::kEvents).error, HasSubstr("list events"));
  objects_["/apis/events.k8s.io/v1/namespaces/ns/events"] = {
      {"items",
       {{{"regarding", {{"kind", "Pod"}, {"name", "c-node-0"}}}, {"reason", "Pulled"}},
        {{"regarding", {{"kind", "Pod"}, {"name", "web-0"}}}, {"reason", "Killed"}}}}};
  const Output output = Run(Command::kEvents);
  EXPECT_THAT(output.out, HasSubstr("Pulled"));
  EXPECT_THAT(output.out, Not(HasSubstr("Killed")));
}

TEST_F(ClusterCommandTest, PauseAndResumeSayWhatTheyMeanAndWhenThereIsNothingToDo) {
  EXPECT_THAT(Run(Command::kResume).out, StartsWith("RabbitCluster ns/c is not paused"));
  EXPECT_THAT(Writes(), IsEmpty());
  EXPECT_THAT(Run(Command::kPause).out, testing::AllOf(StartsWith("RabbitCluster ns/c is paused: "),
                                                       HasSubstr("changes nothing")));
  objects_[kClusterPath]["spec"]["paused"] = true;
  EXPECT_THAT(Run(Command::kPause).out, StartsWith("RabbitCluster ns/c is paused already"));
  EXPECT_THAT(Run(Command::kResume).out, StartsWith("RabbitCluster ns/c is resumed: "));
  const std::string start = std::string("PATCH ") + kClusterPath + "?fieldManager=kubectl-rabbit ";
  EXPECT_THAT(Writes(), ElementsAre(start + R"({"metadata":{"uid":"u1"},"spec":{"paused":true}})",
                                    start + R"({"metadata":{"uid":"u1"},"spec":{"paused":null}})"));
}

TEST_F(ClusterCommandTest, ManageNeedsANodeThatRunsAndSaysThePasswordOnlyWhenAsked) {
  std::string said;
  ExpectRefusal(RunManage(&said), "no node of RabbitCluster ns/c runs");
  Runs("c-node-1");
  EXPECT_EQ(RunManage(&said).exit_code, 0);
  EXPECT_THAT(said, StartsWith("http://127.0.0.1:"));
  EXPECT_THAT(said, HasSubstr("pod c-node-1"));
  EXPECT_THAT(said, HasSubstr("user: default\n"));
  EXPECT_THAT(said, Not(HasSubstr("s3cret")));
  options_.show_password = true;
  EXPECT_EQ(RunManage(&said).exit_code, 0);
  EXPECT_THAT(said, HasSubstr("password: s3cret\n"));
  EXPECT_THAT(Writes(), IsEmpty());
}

TEST_F(ClusterCommandTest, ManageSaysTheWayToBrokersThatSpeakTlsAlone) {
  Runs("c-node-1");
  json& cluster = objects_[kClusterPath];
  cluster["status"]["endpoints"] = {{"management", "https://c-brokers.ns.svc:15671"},
                                    {"metrics", "https://c-brokers.ns.svc:15691/metrics"}};
  std::string said;
  ExpectRefusal(RunManage(&said), "`kubectl port-forward -n ns c-node-1 15671`");
  EXPECT_EQ(said, "");
  // Brokers that run have the plain port, too, whatever is declared meanwhile.
  cluster["spec"]["tls"] = {{"secretRef", {{"name", "web"}}}, {"mode", "Only"}};
  cluster["status"]["endpoints"]["metrics"] = "http://c-brokers.ns.svc:15692/metrics";
  EXPECT_EQ(RunManage(&said).exit_code, 0);
  EXPECT_THAT(said, StartsWith("http://127.0.0.1:"));
}

TEST_F(ClusterCommandTest, APortThatIsTakenIsOneLine) {
  Runs("c-node-1");
  const auto other =
      http::Server::Start({.address = "127.0.0.1"}, [](const auto&, auto&) {}).value();
  options_.port = other->port();
  std::string said;
  ExpectRefusal(RunManage(&said), std::to_string(options_.port));
  EXPECT_EQ(said, "");
}

}  // namespace
}  // namespace rabbit::commands
