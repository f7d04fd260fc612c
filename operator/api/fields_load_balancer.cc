#include "operator/api/fields.h"

// The fields of spec.loadBalancer, and those that it has in common with the brokers.
// The functions are static rather than in an unnamed namespace: fields.h finds them by their
// arguments, and that look-up does not see unnamed namespaces.
namespace rabbit::api {

using namespace std::chrono_literals;

// Texts of haproxy.cfg: the size is bounded here, the content by an allowlist (validate.h).
static constexpr Rule kRawLines = Text(0, 16384);

static constexpr Rule JsonArray(std::int64_t max) {
  return {.kind = Rule::Kind::kJsonArray, .max = max};
}

static void Fields(Visitor& v, HealthCheck& check) {
  v.Field("interval", check.interval, Between(100ms, 1h));
  v.Field("timeout", check.timeout, Between(10ms, 1min));
  v.Field("rise", check.rise, Between(1, 100));
  v.Field("fall", check.fall, Between(1, 100));
  v.Field("type", check.type, WordOf<HealthCheckType>());
}

static void Fields(Visitor& v, ProxyTimeouts& timeouts) {
  v.Field("connect", timeouts.connect, Between(10ms, 5min));
  v.Field("client", timeouts.client, Between(1s, 168h));
  v.Field("server", timeouts.server, Between(1s, 168h));
}

static void Fields(Visitor& v, ProxyStats& stats) {
  v.Field("enabled", stats.enabled, kBool);
  v.Field("port", stats.port, Between(1024, 65535));
  v.Field("path", stats.path, kStatsPath);
  v.Field("refresh", stats.refresh, Between(1s, 1h));
  v.Object("userSecretRef", stats.user_secret_ref);
  v.Object("passwordSecretRef", stats.password_secret_ref);
}

static void Fields(Visitor& v, ProxyTls& tls) {
  v.Field("mode", tls.mode, WordOf<ProxyTlsMode>());
  v.Group("secretRef",
          [&](Visitor& w) { w.Field("name", tls.secret_name, Required(kObjectName)); });
}

void Fields(Visitor& v, LoadBalancer& balancer) {
  v.Field("enabled", balancer.enabled, kBool);
  v.Field("replicas", balancer.replicas, Between(1, 99));
  v.Field("image", balancer.image, kImage);
  v.Field("balance", balancer.balance, WordOf<Balance>());
  v.Object("healthCheck", balancer.health_check);
  v.Object("timeouts", balancer.timeouts);
  v.Field("retries", balancer.retries, Between(0, 100));
  v.Field("maxConnections", balancer.max_connections, Between(1, 1'000'000));
  v.Field("maxConnectionsPerListener", balancer.max_connections_per_listener,
          Between(1, 1'000'000));
  v.Object("stats", balancer.stats);
  v.Object("tls", balancer.tls);
  v.Field("proxyProtocol", balancer.proxy_protocol, kBool);
  v.Field("drainTime", balancer.drain_time, Between(0s, 1h));
  v.Group("resources", [&](Visitor& w) { ResourceFields(w, balancer.resources); });
  v.Group("pod", [&](Visitor& w) { PodFields(w, balancer.pod, false); });
  v.Field("extraGlobal", balancer.extra_global, kRawLines);
  v.Field("extraDefaults", balancer.extra_defaults, kRawLines);
  v.Field("extraListen", balancer.extra_listen, kRawLines);
}

void Fields(Visitor& v, KeyRef& ref) {
  v.Field("name", ref.name, Required(kObjectName));
  v.Field("key", ref.key, Required(kDataKey));
}

void Fields(Visitor& v, EnvVar& variable) {
  Rule value = Text(0, 32768);
  value.hide = true;
  v.Field("name", variable.name, Required(kEnvName));
  v.Field("value", variable.value, value);
  v.Field("valueFrom", variable.value_from, kJsonObject);
}

void ResourceFields(Visitor& v, Resources& resources) {
  // What is absent follows from what is said: Normalise() in parse.cc.
  static constexpr Rule kEach = kQuantity;
  Rule rule = MapOf(kEach, 16);
  rule.default_in_code = true;
  v.Field("requests", resources.requests, rule);
  v.Field("limits", resources.limits, rule);
}

void PodFields(Visitor& v, Pod& pod, bool broker) {
  v.Field("labels", pod.labels, MapOf(kLabelValue, 64));
  v.Field("annotations", pod.annotations, MapOf(kAnnotationValue, 64));
  v.Field("nodeSelector", pod.node_selector, MapOf(kLabelValue, 64));
  v.Field("affinity", pod.affinity, kJsonObject);
  v.Field("tolerations", pod.tolerations, JsonArray(64));
  v.Field("topologySpreadConstraints", pod.topology_spread_constraints, JsonArray(16));
  v.Field("priorityClassName", pod.priority_class_name, kObjectName);
  v.Field("serviceAccountName", pod.service_account_name, kObjectName);
  if (broker) {
    v.Field("terminationGracePeriodSeconds", pod.termination_grace_period, Between(1, 604800));
  }
  v.Field("securityContext", pod.security_context, kJsonObject);
}

}  // namespace rabbit::api
