#include "operator/api/fields.h"

// Every field of the spec but the load balancer's: name, member, rule. The order is that of the
// reference page.
// The functions are static rather than in an unnamed namespace: fields.h finds them by their
// arguments, and that look-up does not see unnamed namespaces.
namespace rabbit::api {

using namespace std::chrono_literals;
using Key = std::string_view;
static constexpr Key kByName[] = {"name"};
static constexpr Key kByVhost[] = {"vhost"};
static constexpr Key kByVhostAndName[] = {"vhost", "name"};
static constexpr Key kByVhostAndExchange[] = {"vhost", "exchange"};
static constexpr Key kByKindAndName[] = {"kind", "name"};

static constexpr std::int64_t kMost = 1'000'000'000;  // a number that limits nothing in practice

// An entry that is in error is dropped by itself.
static constexpr Rule OwnConcern(Rule rule) { return rule.own_concern = true, rule; }

static void Fields(Visitor& v, Retention& retention) {
  v.Field("whenDeleted", retention.when_deleted, WordOf<RetentionAction>());
  v.Field("whenScaled", retention.when_scaled, WordOf<RetentionAction>());
}

static void Fields(Visitor& v, Storage& storage) {
  v.Field("size", storage.size, kQuantity);
  v.Field("className", storage.class_name, kClassName);
  v.Field("ephemeral", storage.ephemeral, kBool);
  v.Object("retention", storage.retention);
}

static void Fields(Visitor& v, VhostLimits& limits) {
  v.Field("maxConnections", limits.max_connections, Between(0, kMost));
  v.Field("maxQueues", limits.max_queues, Between(0, kMost));
}

static void Fields(Visitor& v, Vhost& vhost) {
  v.Field("name", vhost.name, Required(kBrokerName));
  v.Field("onRemove", vhost.on_remove, WordOf<OnRemove>());
  v.Field("defaultQueueType", vhost.default_queue_type, WordOf<QueueType>());
  v.Object("limits", vhost.limits);
  v.Field("tags", vhost.tags, SetOf(kTag, 32));
  v.Field("description", vhost.description, kOneLine);
}

static void Fields(Visitor& v, Permission& permission) {
  v.Field("vhost", permission.vhost, Required(kBrokerName));
  v.Field("configure", permission.configure, kRegex);
  v.Field("write", permission.write, kRegex);
  v.Field("read", permission.read, kRegex);
}

static void Fields(Visitor& v, TopicPermission& permission) {
  v.Field("vhost", permission.vhost, Required(kBrokerName));
  v.Field("exchange", permission.exchange, Required(kBrokerName));
  v.Field("write", permission.write, kRegex);
  v.Field("read", permission.read, kRegex);
}

static void Fields(Visitor& v, UserLimits& limits) {
  v.Field("maxConnections", limits.max_connections, Between(0, kMost));
  v.Field("maxChannels", limits.max_channels, Between(0, kMost));
}

static void Fields(Visitor& v, User& user) {
  v.Field("name", user.name, Required(kBrokerName));
  v.Object("passwordSecretRef", user.password_secret_ref);
  v.Field("tags", user.tags, SetOf(kTag, 32));
  v.List("permissions", user.permissions, ListBy(kByVhost, 200));
  v.List("topicPermissions", user.topic_permissions, ListBy(kByVhostAndExchange, 200));
  v.Object("limits", user.limits);
}

static void Fields(Visitor& v, Policy& policy) {
  v.Field("vhost", policy.vhost, Required(kBrokerName));
  v.Field("name", policy.name, Required(kBrokerName));
  v.Field("pattern", policy.pattern, Required(kRegex));
  v.Field("applyTo", policy.apply_to, WordOf<ApplyTo>());
  v.Field("priority", policy.priority, Between(-kMost, kMost));
  v.Field("definition", policy.definition,
          {.kind = Rule::Kind::kJsonObject, .required = true, .min = 1});
}

static void Fields(Visitor& v, OwnershipSettings& ownership) {
  v.Field("users", ownership.users, WordOf<Ownership>());
  v.Field("policies", ownership.policies, WordOf<Ownership>());
}

static void Fields(Visitor& v, Definitions& definitions) {
  v.Object("configMapRef", definitions.config_map_ref);
  v.Object("secretRef", definitions.secret_ref);
  v.Field("mode", definitions.mode, WordOf<DefinitionsMode>());
}

static void Fields(Visitor& v, Tls& tls) {
  v.Group(
      "secretRef", [&](Visitor& w) { w.Field("name", tls.secret_name, Required(kObjectName)); },
      Required(kObject));
  v.Object("caSecretRef", tls.ca_secret_ref);
  v.Field("mode", tls.mode, WordOf<TlsMode>());
  v.Field("clientAuth", tls.client_auth, WordOf<ClientAuth>());
  v.Field("minVersion", tls.min_version, WordOf<TlsVersion>());
}

static void Fields(Visitor& v, Service& service) {
  static constexpr Rule kListener = WordOf<Listener>();
  v.Field("type", service.type, WordOf<ServiceType>());
  v.Field("annotations", service.annotations, MapOf(kAnnotationValue, 64));
  v.Field("labels", service.labels, MapOf(kLabelValue, 64));
  v.Field("loadBalancerClass", service.load_balancer_class,
          Text(1, 253, "^[-A-Za-z0-9_./]+$", "a class name such as example.com/internal"));
  v.Field("sourceRanges", service.source_ranges, SetOf(kCidr, 64));
  v.Field("externalTrafficPolicy", service.external_traffic_policy, WordOf<TrafficPolicy>());
  v.Field("ipFamilyPolicy", service.ip_family_policy, WordOf<IpFamilyPolicy>());
  v.Field("expose", service.expose, SetOf(kListener, 16, 1));
}

static void Fields(Visitor& v, Rollout& rollout) {
  v.Field("gateTimeout", rollout.gate_timeout, Between(10s, 24h));
  v.Field("onOperatorChange", rollout.on_operator_change, WordOf<OnOperatorChange>());
  v.Field("growQuorumQueues", rollout.grow_quorum_queues, kBool);
  v.Field("featureFlags", rollout.feature_flags, WordOf<FeatureFlags>());
}

static void Fields(Visitor& v, Binding& binding) {
  v.Field("user", binding.user, kBrokerName);
  v.Field("vhost", binding.vhost, kBrokerName);
}

static void Fields(Visitor& v, Override& override) {
  v.Field("kind", override.kind, Required(WordOf<OverrideKind>()));
  v.Field("name", override.name, Required(kObjectName));
  v.Field("patch", override.patch, {.kind = Rule::Kind::kJsonObject, .required = true, .min = 1});
}

static void Fields(Visitor& v, Monitoring& monitoring) {
  v.Field("podMonitor", monitoring.pod_monitor, kBool);
  v.Field("serviceMonitor", monitoring.service_monitor, kBool);
  v.Field("labels", monitoring.labels, MapOf(kLabelValue, 64));
  v.Field("interval", monitoring.interval, Between(1s, 1h));
}

void Fields(Visitor& v, Spec& spec) {
  v.Field("replicas", spec.replicas, Between(1, kMostNodes));
  v.Field("stopped", spec.stopped, kBool);
  v.Field("paused", spec.paused, kBool);
  v.Field("clusterName", spec.cluster_name, kBrokerName);
  v.Field("image", spec.image, kImage);
  v.Field("imagePullPolicy", spec.image_pull_policy, WordOf<PullPolicy>());
  v.List("imagePullSecrets", spec.image_pull_secrets, ListBy(kByName, 16),
         [](Visitor& w, std::string& name) { w.Field("name", name, Required(kObjectName)); });
  v.Group("resources", [&](Visitor& w) { ResourceFields(w, spec.resources); });
  v.Object("storage", spec.storage);
  v.Field("plugins", spec.plugins, SetOf(kPlugin, 64));
  v.Field("config", spec.config, Text(0, 65536));
  v.Field("advancedConfig", spec.advanced_config, Text(0, 65536));
  v.List("env", spec.env, ListBy(kByName, 100));
  v.Field("ramNodes", spec.ram_nodes, Between(0, kMostNodes - 1));
  v.List("vhosts", spec.vhosts, OwnConcern(ListBy(kByName, 1000)));
  v.List("users", spec.users, OwnConcern(ListBy(kByName, 1000)));
  v.List("policies", spec.policies, OwnConcern(ListBy(kByVhostAndName, 1000)));
  v.List("operatorPolicies", spec.operator_policies, OwnConcern(ListBy(kByVhostAndName, 1000)));
  v.Object("ownership", spec.ownership);
  v.Object("definitions", spec.definitions);
  v.Object("tls", spec.tls);
  v.Object("loadBalancer", spec.load_balancer);
  v.Object("service", spec.service);
  v.Group("scaleDown",
          [&](Visitor& w) { w.Field("onDataLoss", spec.on_data_loss, WordOf<OnDataLoss>()); });
  v.Group("recovery", [&](Visitor& w) {
    w.Field("onLostVolume", spec.on_lost_volume, WordOf<OnLostVolume>());
  });
  v.Object("rollout", spec.rollout);
  v.Group("drift", [&](Visitor& w) { w.Field("interval", spec.drift_interval, Between(1s, 1h)); });
  v.Object("binding", spec.binding);
  v.Group("pod", [&](Visitor& w) { PodFields(w, spec.pod, true); });
  v.List("overrides", spec.overrides, ListBy(kByKindAndName, 16));
  v.Object("monitoring", spec.monitoring);
}

}  // namespace rabbit::api
