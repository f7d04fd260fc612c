#include "operator/resources/object.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/hash.h"
#include "operator/resources/names.h"

namespace rabbit::resources {

using base::Json;

Json SelectorLabels(std::string_view cluster, std::string_view component) {
  return {
      {kManagedByLabel, kFieldManager}, {kInstanceLabel, cluster}, {kComponentLabel, component}};
}

Json Labels(std::string_view cluster, std::string_view component) {
  Json labels = SelectorLabels(cluster, component);
  labels["app.kubernetes.io/name"] = component == kProxyComponent ? "haproxy" : "rabbitmq";
  labels["app.kubernetes.io/part-of"] = cluster;
  return labels;
}

Json OwnerReferences(const api::RabbitCluster& cluster) {
  return Json::array({{{"apiVersion", api::kRabbitClusters.ApiVersion()},
                       {"kind", api::kRabbitClusters.kind()},
                       {"name", cluster.meta.key.name},
                       {"uid", cluster.meta.uid},
                       {"controller", true},
                       {"blockOwnerDeletion", true}}});
}

Json NewObject(const api::RabbitCluster& cluster, const kube::ResourceType& type,
               std::string_view name, std::string_view component) {
  return {{"apiVersion", type.ApiVersion()},
          {"kind", type.kind()},
          {"metadata",
           {{"name", name},
            {"namespace", cluster.meta.key.ns},
            {"labels", Labels(cluster.meta.key.name, component)},
            {"ownerReferences", OwnerReferences(cluster)}}}};
}

DesiredChild Finish(const observe::ChildId& id, Json object) {
  DesiredChild child{
      .id = id, .body = {}, .hash = base::ShortHash(base::Dump(object)), .problem = {}};
  object["metadata"]["annotations"][std::string(kAppliedHashAnnotation)] = child.hash;
  child.body = base::Dump(object);
  return child;
}

void AddMissing(Json& target, const api::StringMap& from) {
  for (const auto& [key, value] : from) {
    if (!target.contains(key)) target[key] = value;
  }
}

void SetUnlessEmpty(Json& target, const char* key, Json value) {
  if (!value.empty()) target[key] = std::move(value);
}

Json ToJson(const api::Resources& resources) {
  Json json = Json::object();
  SetUnlessEmpty(json, "requests", resources.requests);
  SetUnlessEmpty(json, "limits", resources.limits);
  return json;
}

Json RestrictedContainer() {
  return {{"allowPrivilegeEscalation", false},
          {"readOnlyRootFilesystem", true},
          {"capabilities", {{"drop", {"ALL"}}}}};
}

namespace {

// Texts were validated when the cluster was parsed.
Json Parsed(const api::JsonText& text, Json otherwise = nullptr) {
  if (text.empty()) return otherwise;
  return base::ParseJson(text).value_or(std::move(otherwise));
}

Json DefaultSpread(std::string_view cluster, std::string_view component) {
  Json spread = Json::array();
  for (const char* key : {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}) {
    spread.push_back({{"maxSkew", 1},
                      {"topologyKey", key},
                      {"whenUnsatisfiable", "ScheduleAnyway"},
                      {"labelSelector", {{"matchLabels", SelectorLabels(cluster, component)}}}});
  }
  return spread;
}

Json DefaultSecurity(int uid) {
  return {{"runAsNonRoot", true},
          {"runAsUser", uid},
          {"runAsGroup", uid},
          {"fsGroup", uid},
          // Not each file of a large volume at each start.
          {"fsGroupChangePolicy", "OnRootMismatch"},
          {"seccompProfile", {{"type", "RuntimeDefault"}}}};
}

}  // namespace

void AddPodSettings(Json& pod_spec, const api::RabbitCluster& cluster, const api::Pod& pod,
                    std::string_view component, int uid) {
  pod_spec["automountServiceAccountToken"] = false;
  // A Service named "rabbitmq-node" would set RABBITMQ_NODE_PORT, which the broker reads.
  pod_spec["enableServiceLinks"] = false;
  SetUnlessEmpty(pod_spec, "securityContext", Parsed(pod.security_context, DefaultSecurity(uid)));
  SetUnlessEmpty(pod_spec, "nodeSelector", pod.node_selector);
  SetUnlessEmpty(pod_spec, "affinity", Parsed(pod.affinity));
  SetUnlessEmpty(pod_spec, "tolerations", Parsed(pod.tolerations));
  SetUnlessEmpty(
      pod_spec, "topologySpreadConstraints",
      Parsed(pod.topology_spread_constraints, DefaultSpread(cluster.meta.key.name, component)));
  if (pod.priority_class_name) pod_spec["priorityClassName"] = *pod.priority_class_name;
  for (const std::string& secret : cluster.spec.image_pull_secrets) {
    pod_spec["imagePullSecrets"].push_back({{"name", secret}});
  }
}

}  // namespace rabbit::resources
