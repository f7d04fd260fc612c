#include "operator/commands/rights.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "base/yaml.h"
#include "kube/credentials.h"
#include "test/fakes/scripted_transport.h"

namespace rabbit::commands {
namespace {

class CheckRightsTest : public testing::Test {
 protected:
  static std::string Allowed(bool allowed) {
    return std::string(R"({"status":{"allowed":)") + (allowed ? "true" : "false") + "}}";
  }
  fakes::ScriptedTransport::Call& ExpectReview() {
    return server_.Expect("POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews");
  }
  base::Result<void> Check(std::span<const Right> rights, std::string_view ns) {
    return CheckRights(client_, rights, ns, [this] {
      ++questions_;
      return http::CallOptions{.deadline = clock_.Now() + std::chrono::seconds(5)};
    });
  }
  std::size_t questions_ = 0;
  base::ManualClock clock_;
  fakes::ScriptedTransport server_;
  kube::StaticCredentials credentials_;
  kube::Client client_{server_, credentials_, nullptr};
};

TEST_F(CheckRightsTest, AllAllowedIsNoError) {
  for (std::size_t i = 0; i < LeaseRights().size(); ++i) {
    ExpectReview().WithBodyContaining(R"("namespace":"ns")").Answer(201, Allowed(true));
  }
  EXPECT_TRUE(Check(LeaseRights(), "ns"));
  EXPECT_EQ(questions_, LeaseRights().size());  // each with a deadline of its own
}

TEST_F(CheckRightsTest, EveryMissingRightIsNamedOnOneLine) {
  const std::vector<Right> rights = {
      {"get", "", "pods/exec"}, {"create", "apps", "statefulsets"}, {"get", "", "secrets"}};
  ExpectReview().WithBodyContaining(R"("subresource":"exec")").Answer(201, Allowed(false));
  ExpectReview().Answer(201, Allowed(false));
  ExpectReview().Answer(201, Allowed(true));
  const auto result = Check(rights, "");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, base::ErrorKind::kDenied);
  EXPECT_EQ(result.error().message,
            "missing rights in all namespaces: get pods/exec, create statefulsets.apps "
            "(see manifests/base/rbac.yaml)");
}

TEST_F(CheckRightsTest, AServerThatDoesNotAnswerIsNoMissingRight) {
  ExpectReview().Refuse();
  EXPECT_EQ(Check(LeaseRights(), "").error().kind, base::ErrorKind::kRetry);
}

// What is asked for at the start is what the manifests grant, no more and no less (but for
// finalizers, which only some servers want).
TEST(NeededRights, AreThoseOfTheManifests) {
  std::ifstream file(std::string(RABBIT_SOURCE_DIR) + "/manifests/base/rbac.yaml");
  std::stringstream text;
  text << file.rdbuf();
  const auto documents = base::ParseYaml(text.str());
  ASSERT_TRUE(documents);
  std::set<std::string> granted, lease_granted;
  for (const nlohmann::json& document : *documents) {
    const bool cluster_role = document["kind"] == "ClusterRole";
    if (!cluster_role && document["kind"] != "Role") continue;
    for (const nlohmann::json& rule : document["rules"]) {
      for (const auto& group : rule["apiGroups"]) {
        for (const auto& resource : rule["resources"]) {
          for (const auto& verb : rule["verbs"]) {
            if (resource == "rabbitclusters/finalizers") continue;
            (cluster_role ? granted : lease_granted)
                .insert(verb.get<std::string>() + " " + resource.get<std::string>() + "." +
                        group.get<std::string>());
          }
        }
      }
    }
  }
  const auto asked = [](std::span<const Right> rights) {
    std::set<std::string> names;
    for (const Right& right : rights) {
      names.insert(std::string(right.verb) + " " + std::string(right.resource) + "." +
                   std::string(right.group));
    }
    return names;
  };
  EXPECT_EQ(asked(NeededRights()), granted);
  EXPECT_EQ(asked(LeaseRights()), lease_granted);
}

}  // namespace
}  // namespace rabbit::commands
