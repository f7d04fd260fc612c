#include "operator/api/status_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "operator/api/parse.h"

namespace rabbit::api {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

constexpr base::WallTime kNoon{std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + 12h};

kube::ObjectMeta Meta() {
  kube::ObjectMeta meta;
  meta.key = {"ns", "c"};
  meta.uid = "u-1";
  return meta;
}

Status FullStatus() {
  Status status;
  status.observed_generation = 7;
  status.conditions = {{.type = "Ready",
                        .status = ConditionStatus::kTrue,
                        .reason = "InEffect",
                        .message = "all \"well\"",
                        .observed_generation = 7,
                        .last_transition_time = kNoon}};
  status.summary = {.nodes = "3/3", .mirrors = "1/1", .proxies = "2/2"};
  status.replicas = 3;
  status.ready_replicas = 3;
  status.selector = "a=b";
  status.image = "rabbitmq:3.13-management";
  status.version = "3.13.7";
  status.cluster_name = "c";
  status.nodes = {{.name = "rabbit@c-node-0.c-nodes.ns",
                   .pod = "c-node-0",
                   .volume_uid = "v",
                   .image = "i",
                   .config_hash = "h",
                   .running = true,
                   .type = "disc",
                   .partitions = {"rabbit@x"},
                   .alarms = {"memory"}},
                  {.name = "rabbit@ghost"}};
  status.queues = {.total = 2, .mirrored = 1, .mirrors_in_sync = 1, .quorum = 1};
  status.policies = {.total = 2,
                     .synced = 1,
                     .unhealthy = {{.vhost = "/", .name = "p", .message = "m", .queues = 2}},
                     .unhealthy_not_listed = 3};
  status.load_balancer = {.image = "haproxy:3.0",
                          .replicas = 2,
                          .ready_replicas = 2,
                          .backends_up = 3,
                          .config_hash = "a",
                          .live_hash = "a"};
  status.operation = Operation{.type = OperationType::kRollout,
                               .node = "c-node-2",
                               .step = "Wait",
                               .message = "why",
                               .started_at = kNoon};
  status.endpoints = {.amqp = "c.ns.svc:5672", .stats = "http://c-haproxy-admin.ns.svc:9000/s"};
  status.binding_name = "c-default-user";
  return status;
}

TEST(StatusApplyBody, ReadsBackAsTheSameStatus) {
  const auto read = ParseStatus(StatusApplyBody(Meta(), FullStatus()));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, FullStatus());
}

TEST(StatusApplyBody, NamesTheObjectAndNothingMoreOfIt) {
  const Json body = Json::parse(StatusApplyBody(Meta(), Status()));
  EXPECT_EQ(body, Json::parse(R"({"apiVersion":"rabbitcluster.dev/v1beta1","kind":"RabbitCluster",
      "metadata":{"name":"c","namespace":"ns","uid":"u-1"},"status":{"observedGeneration":0}})"));
}

// What is not said is removed by the apply; what is zero is said.
TEST(StatusApplyBody, LeavesOutWhatIsNotKnownButNotWhatIsZero) {
  Status status;
  status.queues.emplace();
  status.nodes = {{.name = "n"}};
  const Json body = Json::parse(StatusApplyBody(Meta(), status))["status"];
  EXPECT_EQ(body["queues"]["total"], 0);
  EXPECT_EQ(body["nodes"], Json::parse(R"([{"name":"n","running":false}])"));
  EXPECT_FALSE(body.contains("replicas"));
  EXPECT_FALSE(body.contains("operation"));
}

TEST(ParseStatus, TakesAMalformedPartForAbsent) {
  const auto read = ParseStatus(
      R"({"status":{"image":5,"version":"3.13.7","operation":{"type":"Dance"},"nodes":[{},{"name":"n"}]}})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->image, "");
  EXPECT_EQ(read->version, "3.13.7");
  ASSERT_EQ(read->nodes.size(), 1U);
  EXPECT_EQ(read->nodes[0].name, "n");
}

}  // namespace
}  // namespace rabbit::api
