#include "operator/commands/print_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/api/parse.h"

namespace rabbit::commands {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kWhole = R"({
  "metadata": {"name": "shop", "namespace": "ns", "uid": "u", "generation": 7},
  "spec": {"paused": true},
  "status": {
    "observedGeneration": 7, "version": "4.0.5", "clusterName": "shop",
    "conditions": [
      {"type": "Ready", "status": "False", "reason": "LostDisk", "message": "shop-node-1 is held",
       "observedGeneration": 7, "lastTransitionTime": "2026-01-02T03:04:05Z"},
      {"type": "Stalled", "status": "True", "reason": "LostDisk", "message": "forget\u001b[31m it",
       "observedGeneration": 7, "lastTransitionTime": "2026-01-02T03:04:05Z"}],
    "nodes": [
      {"name": "rabbit@shop-node-0.shop-nodes.ns", "pod": "shop-node-0", "running": true,
       "type": "disc", "image": "rabbitmq:4.0", "alarms": ["memory", "disk"]},
      {"name": "rabbit@ghost", "running": false}],
    "queues": {"total": 5, "mirrored": 2, "mirrorsInSync": 3, "quorum": 1, "underReplicated": 1},
    "policies": {"total": 3, "synced": 2, "unhealthyNotListed": 1, "unhealthy": [
      {"vhost": "/", "name": "half", "message": "behind", "queues": 4, "inSync": 3}]},
    "loadBalancer": {"replicas": 2, "readyReplicas": 1, "backendsUp": 3, "configHash": "a",
                     "liveHash": "a"},
    "operation": {"type": "ScaleDown", "node": "shop-node-2", "step": "Drain", "message": "waits",
                  "startedAt": "2026-01-02T03:04:06Z"},
    "endpoints": {"amqp": "shop.ns.svc:5672", "management": "http://shop-brokers.ns.svc:15672"},
    "binding": {"name": "shop-default-user"}
  }})";

std::string Of(const char* json) {
  auto cluster = api::ParseRabbitCluster(json);
  return cluster ? PrintStatus(*cluster) : cluster.error().message;
}

TEST(PrintStatus, SaysAllThatIsThere) {
  EXPECT_EQ(Of(kWhole),
            "RabbitCluster ns/shop: needs a person, RabbitMQ 4.0.5, cluster shop; paused\n"
            "\n"
            "CONDITION  STATUS  SINCE                 REASON    MESSAGE\n"
            "Ready      False   2026-01-02T03:04:05Z  LostDisk  shop-node-1 is held\n"
            "Stalled    True    2026-01-02T03:04:05Z  LostDisk  forget?[31m it\n"
            "\n"
            "NODE                              POD          RUNNING  TYPE  ALARMS        "
            "PARTITIONS  IMAGE\n"
            "rabbit@shop-node-0.shop-nodes.ns  shop-node-0  yes      disc  memory, disk  "
            "-           rabbitmq:4.0\n"
            "rabbit@ghost                      -            no       ?     -             "
            "-           ?\n"
            "\n"
            "queues: 5 (2 mirrored with 3 mirrors in sync, 1 quorum), 1 without all their copies\n"
            "policies: 2 of 3 in effect\n"
            "  half in vhost /: behind (3 of 4 queues in sync)\n"
            "  and 1 more\n"
            "load balancer: 1 of 2 proxies ready, 3 nodes up behind them, all with the declared "
            "configuration\n"
            "operation: ScaleDown of shop-node-2, Drain: waits (since 2026-01-02T03:04:06Z)\n"
            "amqp: shop.ns.svc:5672\n"
            "management: http://shop-brokers.ns.svc:15672\n"
            "clients log in with Secret shop-default-user\n");
}

TEST(PrintStatus, OfANewClusterSaysThatNothingIsKnown) {
  EXPECT_EQ(Of(R"({"metadata": {"name": "c", "namespace": "ns", "uid": "u", "generation": 1},
                   "spec": {}})"),
            "RabbitCluster ns/c: the operator has not said anything yet\n");
}

TEST(PrintStatus, SaysWhenTheSpecIsNewer) {
  const std::string text =
      Of(R"({"metadata": {"name": "c", "namespace": "ns", "uid": "u", "generation": 3}, "spec": {},
             "status": {"observedGeneration": 2, "conditions": [
               {"type": "Ready", "status": "True", "reason": "InEffect",
                "lastTransitionTime": "2026-01-02T03:04:05Z"}]}})");
  EXPECT_THAT(text, HasSubstr("RabbitCluster ns/c: ready\nwhat follows speaks of generation 2, the "
                              "spec is at 3\n"));
}

TEST(EventsOfACluster, AreThoseOfWhatTheOperatorNames) {
  constexpr std::pair<const char*, const char*> kOurs[] = {
      {"RabbitCluster", "c"},
      {"Pod", "c-node-0"},
      {"Pod", "c-node-12"},
      {"Pod", "c-haproxy-5d9c-x2x"},
      {"ReplicaSet", "c-haproxy-5d9c"},
      {"Deployment", "c-haproxy"},
      {"StatefulSet", "c-node"},
      {"PersistentVolumeClaim", "data-c-node-0"}};
  for (const auto& [kind, name] : kOurs) EXPECT_TRUE(IsOfCluster("c", kind, name)) << kind << name;
  constexpr std::pair<const char*, const char*> kOthers[] = {
      {"RabbitCluster", "c2"},
      {"Pod", "c"},
      {"Pod", "cc-node-0"},
      {"Pod", "c-node-x"},
      {"Pod", "c-b-node-0"},
      {"Pod", "c-haproxy-node-0"},
      {"Pod", "c-haproxy-haproxy-5d9c-x2x"},
      {"Deployment", "c"},
      {"PersistentVolumeClaim", "other-c-node-0"},
      {"Secret", "c-operator-user"}};
  for (const auto& [kind, name] : kOthers) {
    EXPECT_FALSE(IsOfCluster("c", kind, name)) << kind << name;
  }
}

TEST(EventsOfACluster, AreSortedByTheirLastTime) {
  const auto page = EventsOf("c", R"({"metadata": {"continue": "more"}, "items": [
    {"regarding": {"kind": "Pod", "name": "c-node-0"}, "type": "Normal", "reason": "Pulled",
     "note": "pulled", "eventTime": null, "deprecatedLastTimestamp": "2026-01-01T00:00:03Z",
     "deprecatedCount": 4},
    {"regarding": {"kind": "Pod", "name": "other"}, "type": "Normal", "reason": "Pulled"},
    {"regarding": {"kind": "RabbitCluster", "name": "c"}, "type": "Warning", "reason": "LostDisk",
     "note": "gone", "eventTime": "2026-01-01T00:00:01.500000Z",
     "series": {"count": 2, "lastObservedTime": "2026-01-01T00:00:05.100000Z"}},
    {"regarding": {"kind": "RabbitCluster", "name": "c"}, "type": "Normal", "reason": "Created",
     "note": "made", "eventTime": "2026-01-01T00:00:02.000000Z"}]})");
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(page->next, "more");
  EXPECT_EQ(PrintEvents(page->events),
            "TIME                  TYPE     REASON    OBJECT           MESSAGE\n"
            "2026-01-01T00:00:02Z  Normal   Created   RabbitCluster c  made\n"
            "2026-01-01T00:00:03Z  Normal   Pulled    Pod c-node-0     pulled (4 times)\n"
            "2026-01-01T00:00:05Z  Warning  LostDisk  RabbitCluster c  gone (2 times)\n");
}

TEST(EventsOfACluster, OfAnAnswerThatIsNoneIsAnError) {
  EXPECT_FALSE(EventsOf("c", "{"));
  EXPECT_TRUE(EventsOf("c", "{}")->events.empty());
}

}  // namespace
}  // namespace rabbit::commands
