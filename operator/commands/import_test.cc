// The whole command but for its printing, against a server that answers as a broker does.
#include "operator/commands/import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "base/hash.h"
#include "http/server.h"
#include "http/test_server.h"
#include "http/test_support.h"

namespace rabbit::commands {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kOverview =
    R"({"cluster_name":"old","rabbitmq_version":"3.10.8","node":"n"})";

class ImportTest : public testing::Test {
 protected:
  ImportTest() {
    for (const char* list : {"vhosts", "vhost-limits", "users", "user-limits", "permissions",
                             "topic-permissions", "policies", "operator-policies", "nodes"}) {
      answers_["/api/" + std::string(list)] = {.status = 200, .body = "[]"};
    }
    answers_["/api/overview"] = {.status = 200, .body = kOverview};
    answers_["/api/nodes"].body = R"([{"name":"rabbit@a","running":true,"type":"disc"}])";
    answers_["/api/vhosts"].body = R"([{"name":"/"},{"name":"a b"}])";
    options_.username = "root";
    variables_[kPasswordVariable] = "s3cret";
  }

  void Start() {
    server_ = http::Server::Start({.address = "127.0.0.1"}, [this](const http::Request& request,
                                                                   auto& writer) {
                static_cast<void>(writer.Send(Answer(request)));
              }).value();
    options_.from = "http://localhost:" + std::to_string(server_->port()) + path_;
  }

  http::Response Answer(const http::Request& request) {
    if (http::FindHeader(request.headers, "Authorization") !=
        "Basic " + base::Base64Encode("root:s3cret")) {
      return {.status = 401, .body = R"({"error":"not_authorised","reason":"Login failed"})"};
    }
    std::string target = request.target.substr(0, request.target.find('?'));
    if (!target.starts_with(path_)) return {.status = 404};
    const auto found = answers_.find(target.substr(path_.size()));
    return found == answers_.end() ? http::Response{.status = 404, .body = "<html>"}
                                   : found->second;
  }

  // The YAML, or "KIND: MESSAGE".
  std::string Run() {
    const auto made = ImportFrom(
        options_,
        [this](const std::string& name) -> std::optional<std::string> {
          const auto found = variables_.find(name);
          if (found == variables_.end()) return std::nullopt;
          return found->second;
        },
        http::InTime());
    if (made) return made->yaml;
    EXPECT_THAT(made.error().message, Not(HasSubstr("s3cret")));
    EXPECT_THAT(made.error().message, Not(HasSubstr("\n")));
    return std::string(base::Name(made.error().kind)) + ": " + made.error().message;
  }

  static std::string File(const std::string& name, const std::string& content) {
    const std::string path = testing::TempDir() + "/import-" + name;
    std::ofstream(path) << content;
    return path;
  }

  ImportOptions options_;
  std::map<std::string, std::string> variables_;
  std::map<std::string, http::Response> answers_;
  std::string path_;
  std::unique_ptr<http::Server> server_;
};

TEST_F(ImportTest, ReadsTheBrokerBehindAHostName) {
  Start();
  EXPECT_THAT(Run(), AllOf(HasSubstr("\n  name: old\n"), HasSubstr("\n  replicas: 1\n"),
                           HasSubstr("\n  - name: \"a b\"\n"), HasSubstr(options_.from)));
}

TEST_F(ImportTest, TakesNameAndNamespace) {
  Start();
  options_.name = "mine";
  options_.ns = "prod";
  EXPECT_THAT(Run(), HasSubstr("metadata:\n  name: mine\n  namespace: prod\n"));
}

TEST_F(ImportTest, TheApiMayLieBelowAPath) {
  path_ = "/rabbit";
  Start();
  EXPECT_THAT(Run(), HasSubstr("name: old"));
}

TEST_F(ImportTest, ThePasswordMayComeFromAFileAndTheUserFromTheEnvironment) {
  Start();
  options_.username.clear();
  variables_ = {{kUsernameVariable, "root"}, {kPasswordVariable, "wrong"}};
  options_.password_file = File("password", "s3cret\n");
  EXPECT_THAT(Run(), HasSubstr("name: old"));
}

TEST_F(ImportTest, ReadsOverTlsWithTheGivenAuthority) {
  const http::TestTls tls{http::Ca().Issue("broker", "DNS:localhost"), {}};
  const http::TestServer server(
      [this](http::Peer& peer) {
        if (!peer.Handshake()) return;
        for (std::string text = peer.ReadRequest(); !text.empty(); text = peer.ReadRequest()) {
          const std::size_t from = text.find(' ') + 1;
          const std::string target = text.substr(from, text.find_first_of("? ", from) - from);
          if (!peer.Answer(answers_[target].body)) return;
        }
      },
      &tls);
  options_.from = "https://localhost:" + std::to_string(server.port());
  EXPECT_EQ(Run(), "Invalid: https needs --ca-file");
  options_.ca_file = File("ca.pem", http::Ca().pem());
  EXPECT_THAT(Run(), HasSubstr("name: old"));
  options_.ca_file = File("other.pem", http::TestCa("other").pem());
  EXPECT_THAT(Run(), HasSubstr("cannot be reached: "));
  options_.ca_file = File("bad.pem", "nonsense");
  EXPECT_THAT(Run(), StartsWith("Invalid: --ca-file: "));
}

TEST_F(ImportTest, WhatIsWrongIsSaidOnOneLine) {
  Start();
  const std::string from = options_.from;
  variables_[kPasswordVariable] = "wrong";
  EXPECT_THAT(Run(), AllOf(StartsWith("Denied: " + from + ": the broker refuses user root"),
                           HasSubstr("401")));
  variables_.clear();
  EXPECT_THAT(Run(), StartsWith("Invalid: no password: "));
  options_.password_file = "/not/there";
  EXPECT_THAT(Run(), StartsWith("Invalid: --password-file: cannot read /not/there"));
  options_.password_file = File("empty", "\n");
  EXPECT_THAT(Run(), StartsWith("Invalid: no password: "));
  options_.password_file.clear();
  variables_[kPasswordVariable] = "s3cret";
  options_.from = from + "/elsewhere";
  EXPECT_THAT(Run(), AllOf(StartsWith("NotFound: "), HasSubstr("no management API of RabbitMQ")));
  answers_["/api/overview"] = {.status = 200, .body = "<html>hello</html>"};
  options_.from = from;
  EXPECT_THAT(Run(), AllOf(StartsWith("Internal: "), HasSubstr("no management API of RabbitMQ")));
  options_.from = "ftp://x";
  EXPECT_THAT(Run(), StartsWith("Invalid: --from: "));
}

TEST_F(ImportTest, APartThatIsRefusedEndsItAll) {
  answers_["/api/users"] = {
      .status = 401, .body = R"({"error":"not_authorised","reason":"User not administrator"})"};
  Start();
  EXPECT_THAT(Run(), AllOf(StartsWith("Denied: "), HasSubstr("needs the tag administrator"),
                           HasSubstr("/api/users")));
  answers_["/api/users"] = {.status = 500, .body = ""};
  EXPECT_THAT(Run(), AllOf(StartsWith("Retry: "), HasSubstr("/api/users: 500")));
}

TEST_F(ImportTest, ABrokerThatIsNotThereIsSaidSo) {
  Start();
  static_cast<void>(server_->Stop(std::chrono::milliseconds(200)));
  EXPECT_THAT(Run(), AllOf(StartsWith("Retry: "), HasSubstr("cannot be reached: ")));
}

TEST(WhyServerSide, IsSaidOfDocumentsThatAnAnnotationMayNotHold) {
  EXPECT_EQ(WhyServerSide(200'000), std::nullopt);
  EXPECT_NE(WhyServerSide(200'001)->find("the document has 200 kB: apply it with kubectl apply "
                                         "--server-side"),
            std::string::npos);
}

}  // namespace
}  // namespace rabbit::commands
