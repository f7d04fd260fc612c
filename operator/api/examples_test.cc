// Every example is a cluster that could be applied as it is.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/json.h"
#include "base/yaml.h"
#include "operator/api/fields_in_effect.h"
#include "operator/api/parse.h"

namespace rabbit::api {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;

const std::filesystem::path kExamples =
    std::filesystem::path(RABBIT_SOURCE_DIR) / "manifests" / "examples";

// The RabbitClusters of one file; what else is in it is left to Kubernetes.
std::vector<RabbitCluster> ClustersOf(const std::filesystem::path& file) {
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  const auto documents = base::ParseYaml(text.str());
  EXPECT_TRUE(documents.has_value()) << file << (documents ? "" : documents.error().message);
  std::vector<RabbitCluster> clusters;
  for (const base::Json& document : documents.value_or(std::vector<base::Json>{})) {
    if (base::FindString(document, {"kind"}) != kRabbitClusters.kind()) continue;
    auto cluster = ParseRabbitCluster(base::Dump(document));
    EXPECT_TRUE(cluster.has_value()) << file;
    if (cluster) clusters.push_back(*std::move(cluster));
  }
  return clusters;
}

TEST(Examples, AreAllWithoutFaultAndInEffect) {
  int seen = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kExamples)) {
    if (entry.path().extension() != ".yaml") continue;
    for (const RabbitCluster& cluster : ClustersOf(entry.path())) {
      ++seen;
      EXPECT_EQ(cluster.findings, Findings()) << entry.path();
      EXPECT_THAT(FieldsNotInEffect(cluster.spec), IsEmpty()) << entry.path();
    }
  }
  EXPECT_GE(seen, 2);
}

TEST(Examples, HoldTheClusterOfTheDesign) {
  const std::vector<RabbitCluster> clusters = ClustersOf(kExamples / "rabbitcluster.yaml");
  ASSERT_EQ(clusters.size(), 1U);
  Spec expected;
  expected.replicas = 3;
  expected.cluster_name = "rabbitcluster";
  expected.image = "rabbitmq:3.13-management";
  expected.users = {{.name = "root",
                     .password_secret_ref = KeyRef{"rabbit-root", "password"},
                     .tags = {"administrator"},
                     .permissions = {{.vhost = "/", .read = ".*"}}}};
  expected.policies = {{.vhost = "/",
                        .name = "half",
                        .pattern = "^queue.*1$",
                        .apply_to = ApplyTo::kQueues,
                        .definition = R"({"ha-mode":"exactly","ha-params":2})"}};
  expected.load_balancer.balance = Balance::kRoundRobin;
  expected.load_balancer.health_check.interval = 5s;
  expected.load_balancer.timeouts = {.connect = 5s, .client = 60s, .server = 60s};
  expected.load_balancer.max_connections_per_listener = 2000;
  EXPECT_EQ(clusters[0].spec, expected);
}

// They say what the defaults are, so the spec alone would not show that a line is gone.
TEST(Examples, TheClusterOfTheDesignSaysItsLimitAndStatisticsItself) {
  std::ifstream file(kExamples / "rabbitcluster.yaml");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  EXPECT_THAT(text, HasSubstr("\n    maxConnections: 5120\n"));
  EXPECT_THAT(text, HasSubstr("\n    stats: {port: 9000, path: /rabbitmq-stats, refresh: 5s}\n"));
}

}  // namespace
}  // namespace rabbit::api
