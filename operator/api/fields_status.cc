#include "operator/api/fields.h"

// The fields of the status. The operator writes them, so the rules are few: what the schema needs.
// The functions are static rather than in an unnamed namespace: fields.h finds them by their
// arguments, and that look-up does not see unnamed namespaces.
namespace rabbit::api {

static constexpr std::string_view kByType[] = {"type"};
static constexpr std::string_view kByName[] = {"name"};
static constexpr std::string_view kByVhostAndName[] = {"vhost", "name"};

static void Fields(Visitor& v, Condition& condition) {
  v.Field("type", condition.type, Required(Text(1, 316)));
  v.Field("status", condition.status, Required(WordOf<ConditionStatus>()));
  v.Field("reason", condition.reason, Required(Text(1, 1024)));
  v.Field("message", condition.message, Text(0, 32768));
  v.Field("observedGeneration", condition.observed_generation, kAnyInteger);
  v.Field("lastTransitionTime", condition.last_transition_time, Required(kTime));
}

static void Fields(Visitor& v, StatusSummary& summary) {
  v.Field("nodes", summary.nodes, kAnyText);
  v.Field("mirrors", summary.mirrors, kAnyText);
  v.Field("proxies", summary.proxies, kAnyText);
}

static void Fields(Visitor& v, NodeStatus& node) {
  static constexpr Rule kNode = kAnyText;
  v.Field("name", node.name, Required(kAnyText));
  v.Field("pod", node.pod, kAnyText);
  v.Field("volumeUID", node.volume_uid, kAnyText);
  v.Field("image", node.image, kAnyText);
  v.Field("configHash", node.config_hash, kAnyText);
  v.Field("running", node.running, kBool);
  v.Field("type", node.type, kAnyText);
  v.Field("partitions", node.partitions, SetOf(kNode, 99));
  v.Field("alarms", node.alarms, SetOf(kNode, 16));
}

static void Fields(Visitor& v, QueuesStatus& queues) {
  v.Field("total", queues.total, kAnyInteger);
  v.Field("mirrored", queues.mirrored, kAnyInteger);
  v.Field("mirrorsInSync", queues.mirrors_in_sync, kAnyInteger);
  v.Field("quorum", queues.quorum, kAnyInteger);
  v.Field("underReplicated", queues.under_replicated, kAnyInteger);
}

static void Fields(Visitor& v, UnhealthyPolicy& policy) {
  v.Field("vhost", policy.vhost, Required(kAnyText));
  v.Field("name", policy.name, Required(kAnyText));
  v.Field("message", policy.message, kAnyText);
  v.Field("queues", policy.queues, kAnyInteger);
  v.Field("inSync", policy.in_sync, kAnyInteger);
}

static void Fields(Visitor& v, PoliciesStatus& policies) {
  v.Field("total", policies.total, kAnyInteger);
  v.Field("synced", policies.synced, kAnyInteger);
  v.List("unhealthy", policies.unhealthy, ListBy(kByVhostAndName, PoliciesStatus::kMostListed));
  v.Field("unhealthyNotListed", policies.unhealthy_not_listed, kAnyInteger);
}

static void Fields(Visitor& v, LoadBalancerStatus& balancer) {
  v.Field("image", balancer.image, kAnyText);
  v.Field("replicas", balancer.replicas, kAnyInteger);
  v.Field("readyReplicas", balancer.ready_replicas, kAnyInteger);
  v.Field("configHash", balancer.config_hash, kAnyText);
  v.Field("liveHash", balancer.live_hash, kAnyText);
  v.Field("backendsUp", balancer.backends_up, kAnyInteger);
}

static void Fields(Visitor& v, Operation& operation) {
  v.Field("type", operation.type, Required(WordOf<OperationType>()));
  v.Field("node", operation.node, kAnyText);
  v.Field("step", operation.step, kAnyText);
  v.Field("message", operation.message, kAnyText);
  v.Field("startedAt", operation.started_at, kTime);
}

static void Fields(Visitor& v, Endpoints& endpoints) {
  v.Field("amqp", endpoints.amqp, kAnyText);
  v.Field("amqps", endpoints.amqps, kAnyText);
  v.Field("management", endpoints.management, kAnyText);
  v.Field("stats", endpoints.stats, kAnyText);
  v.Field("metrics", endpoints.metrics, kAnyText);
}

void Fields(Visitor& v, Status& status) {
  v.Field("observedGeneration", status.observed_generation, kAnyInteger);
  v.List("conditions", status.conditions, ListBy(kByType, 32));
  v.Object("summary", status.summary);
  v.Field("replicas", status.replicas, kAnyInteger);
  v.Field("readyReplicas", status.ready_replicas, kAnyInteger);
  v.Field("selector", status.selector, kAnyText);
  v.Field("image", status.image, kAnyText);
  v.Field("version", status.version, kAnyText);
  v.Field("clusterName", status.cluster_name, kAnyText);
  v.List("nodes", status.nodes, ListBy(kByName, 999));
  v.Object("queues", status.queues);
  v.Object("policies", status.policies);
  v.Object("loadBalancer", status.load_balancer);
  v.Object("operation", status.operation);
  v.Object("endpoints", status.endpoints);
  v.Field("countedAt", status.counted_at, kTime);
  v.Group("binding", [&](Visitor& w) { w.Field("name", status.binding_name, kAnyText); });
}

}  // namespace rabbit::api
