#include "operator/observe/observer.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/json.h"
#include "kube/metadata.h"
#include "operator/observe/stranger.h"
#include "operator/observe/targets.h"
#include "operator/resources/made_of.h"
#include "operator/resources/names.h"
#include "operator/resources/pod_hash.h"

namespace rabbit::observe {
namespace {

constexpr std::chrono::seconds kReadDeadline(10);
// A write that no watch has shown for so long is not believed any more.
constexpr std::chrono::seconds kWrittenAge(30);
// How long a name that was taken is left alone before it is looked at again.
constexpr std::chrono::seconds kStrangerAge(30);

}  // namespace

void OverlayWritten(ClusterMemory& memory, Observation& seen, base::TimePoint now) {
  std::vector<CachedChild> shown;
  std::erase_if(memory.written, [&](const ClusterMemory::Written& written) {
    CachedChild child = written.child.Unpack();
    const auto cached = seen.children.find(child.id);
    const std::string version =
        cached == seen.children.end() ? "" : cached->second.resource_version;
    if (version != written.replaced_version || now - written.at > kWrittenAge) return true;
    shown.push_back(std::move(child));
    return false;
  });
  if (memory.written.empty()) memory.written.shrink_to_fit();
  for (CachedChild& child : shown) {
    ApplyState(child, child.cluster.name, seen);
    seen.children.insert_or_assign(std::move(child.id), std::move(child.child));
  }
}

void RememberPreparing(ClusterMemory& memory, Observation& seen, base::TimePoint now) {
  std::map<std::string, base::TimePoint> preparing;
  for (Pod& pod : seen.nodes) {
    if (!pod.preparing) continue;
    const auto known = memory.preparing.find(pod.uid);
    pod.preparing_since = known == memory.preparing.end() ? now : known->second;
    preparing[pod.uid] = pod.preparing_since;
  }
  memory.preparing = std::move(preparing);
}

void RememberMissingPods(ClusterMemory& memory, Observation& seen, base::TimePoint now) {
  const bool some_miss =
      seen.stateful_set && std::cmp_less(seen.nodes.size(), seen.stateful_set->replicas);
  memory.pods_missing = some_miss ? std::optional(memory.pods_missing.value_or(now)) : std::nullopt;
  seen.pods_missing_since = memory.pods_missing;
}

void DropStatesOfOthers(const api::RabbitCluster& cluster, Observation& seen) {
  const std::string& name = cluster.meta.key.name;
  const auto is_others = [&](const ChildId& id) {
    const auto child = seen.children.find(id);
    return child != seen.children.end() && !child->second.owner_uid.empty() &&
           child->second.owner_uid != cluster.meta.uid;
  };
  if (is_others({kube::kConfigMaps, resources::InventoryName(name)})) {
    seen.inventory.reset();
    seen.inventory_trouble.clear();
  }
  if (is_others({kube::kStatefulSets, resources::NodeSetName(name)})) seen.stateful_set.reset();
  if (is_others({kube::kDeployments, resources::ProxyName(name)})) seen.proxy_deployment.reset();
}

void JudgeOwnedClaims(const api::RabbitCluster& cluster, const base::Result<std::string>& node_set,
                      Observation& seen) {
  const std::string& name = cluster.meta.key.name;
  const auto let_go = [&seen] {
    for (VolumeClaim& claim : seen.claims) claim.deleting = claim.deleting || claim.owned;
  };
  if (!node_set) {
    if (node_set.error().kind == base::ErrorKind::kNotFound) return let_go();
    seen.node_set_trouble = node_set.error().message;
    return;
  }
  auto found = ProjectChild(kube::kStatefulSets, *node_set);
  const auto meta = kube::ParseMeta(std::string_view(*node_set));
  if (!found || !meta) {
    seen.node_set_trouble = (found ? meta.error() : found.error()).message;
    return;
  }
  if (meta->owner.kind == api::kRabbitClusters.kind() && meta->owner.name == name &&
      meta->owner.uid != cluster.meta.uid) {
    return let_go();  // of an earlier cluster of this name: it goes, and they go with it
  }
  const ChildId id = found->id;
  if (auto who = StrangerIn(*node_set, name, cluster.meta.uid)) {
    seen.strangers[id] = std::move(*who);
    return;
  }
  found->child.applied_hash.clear();  // so that it is compared, and its labels are put back
  found->child.body = std::make_shared<const std::string>(*node_set);
  ApplyState(*found, name, seen);
  seen.children[id] = std::move(found->child);
}

Observation Observer::Observe(const api::RabbitCluster& cluster, ClusterMemory& memory,
                              const http::CallOptions& options) {
  const base::TimePoint now = clock_.Now();
  const kube::ObjectKey& key = cluster.meta.key;
  Observation seen = caches_.Look(key);
  OverlayWritten(memory, seen, now);
  RememberPreparing(memory, seen, now);
  http::CallOptions left = options;
  LookAtStrangers(cluster, memory, seen, left);
  for (const auto& [id, stranger] : memory.strangers) seen.strangers[id] = stranger.who;

  seen.broker = brokers_.Latest(key);
  seen.broker.outdated = seen.broker.view != nullptr && seen.broker.at < memory.broker_written_at;
  seen.proxy_looks = proxies_.Latest(key).looks;
  seen.waiting_since = memory.waiting;
  seen.attempts = memory.attempts;
  if (seen.broker.denied) memory.secrets.Doubt();
  // Over disks of an earlier cluster its Secrets are needed: they are looked for before any is
  // made.
  const std::vector<std::string> nobody;
  const bool new_here = seen.first_sight && seen.claims.empty();
  memory.secrets.Refresh(
      cluster, seen.inventory ? seen.inventory->users : nobody, new_here, client_, now,
      {.deadline = std::min(now + kReadDeadline, options.deadline), .stop = options.stop},
      TlsOf(cluster, seen));
  seen.secrets = memory.secrets.views();
  memory.definitions.Refresh(
      cluster, seen.secrets, seen.inventory && !seen.inventory->definitions.empty(), client_, now,
      {.deadline = std::min(now + kReadDeadline, options.deadline), .stop = options.stop});
  seen.definitions = memory.definitions.view();
  seen.verified = memory.verified;
  ReadUnknownBodies(key, memory, seen, left);
  LookAtOwnedClaims(cluster, seen, left);
  DropStatesOfOthers(cluster, seen);
  ReadEarlierPods(key, memory, seen, left);
  RememberMissingPods(memory, seen, now);
  seen.wall_now = clock_.WallNow();
  return seen;
}

base::Result<std::string> Observer::Read(const ChildId& id, const std::string& ns,
                                         http::CallOptions& left) {
  const base::TimePoint now = clock_.Now();
  if (now >= left.deadline) return base::Fail(base::ErrorKind::kRetry, "no time is left to read");
  const base::TimePoint deadline = std::min(now + kReadDeadline, left.deadline);
  auto text = client_.Get(id.type, {ns, id.name}, {.deadline = deadline, .stop = left.stop});
  // One that does not answer now would only take as long for the next.
  if (!text && text.error().kind == base::ErrorKind::kRetry && text.error().http_status == 0) {
    left.deadline = clock_.Now();
  }
  return text;
}

void Observer::LookAtStrangers(const api::RabbitCluster& cluster, ClusterMemory& memory,
                               const Observation& seen, http::CallOptions& left) {
  std::erase_if(memory.strangers,
                [&](const auto& stranger) { return seen.children.contains(stranger.first); });
  const base::TimePoint now = clock_.Now();
  for (auto it = memory.strangers.begin(); it != memory.strangers.end();) {
    const auto stranger = it++;
    if (now - stranger->second.seen_at <= kStrangerAge) continue;
    const ChildId& id = stranger->first;
    const auto text = Read(id, cluster.meta.key.ns, left);
    if (!text && text.error().kind != base::ErrorKind::kNotFound) continue;  // as it was
    auto who = text ? StrangerIn(*text, cluster.meta.key.name, cluster.meta.uid) : std::nullopt;
    if (who) {
      stranger->second = {.who = std::move(*who), .seen_at = now};
    } else {
      memory.strangers.erase(stranger);
    }
  }
}

void Observer::ReadEarlierPods(const kube::ObjectKey& cluster, ClusterMemory& memory,
                               Observation& seen, http::CallOptions& left) {
  std::vector<ClusterMemory::EarlierPod> known;
  for (const Pod& pod : seen.nodes) {
    if (!seen.stateful_set || pod.deleting) continue;
    if (!resources::IsOfEarlierSpec(pod, *seen.stateful_set)) continue;
    const auto before = std::ranges::find_if(memory.earlier_pods, [&](const auto& one) {
      return one.uid == pod.uid && one.config_hash == pod.config_hash;
    });
    std::shared_ptr<const MadeOf> made_of;
    if (before != memory.earlier_pods.end()) {
      made_of = before->made_of;
    } else if (const auto text = Read({kube::kPods, pod.name}, cluster.ns, left)) {
      const auto object = base::ParseJson(*text);
      if (object && base::FindString(*object, {"metadata", "uid"}) == pod.uid) {
        made_of = std::make_shared<const MadeOf>(resources::MadeOfRunning(*object));
      }
    }
    if (made_of == nullptr) continue;  // the message says less then
    seen.made_of[pod.name] = made_of;
    known.push_back({.uid = pod.uid, .config_hash = pod.config_hash, .made_of = made_of});
  }
  memory.earlier_pods = std::move(known);
}

void Observer::ReadUnknownBodies(const kube::ObjectKey& cluster, const ClusterMemory& memory,
                                 Observation& seen, http::CallOptions& left) {
  for (auto& [id, child] : seen.children) {
    // Without a hash we never applied it, or found it where none was seen.
    if (!child.applied_hash.empty() &&
        memory.verified.Holds(id, child.applied_hash, child.content_hash)) {
      continue;
    }
    auto text = Read(id, cluster.ns, left);
    if (!text) continue;  // gone, or not readable now: the plan does without
    // What was read may be newer than the cache: what is compared is what is remembered.
    if (const auto read = ProjectChild(id.type, *text)) {
      // Another object has the name now: the cache will show it, with all that belongs to it.
      if (read->child.uid != child.uid) continue;
      child = read->child;
      ApplyState(*read, cluster.name, seen);
      child.body = std::make_shared<const std::string>(std::move(*text));
    }
  }
}

void Observer::LookAtOwnedClaims(const api::RabbitCluster& cluster, Observation& seen,
                                 http::CallOptions& left) {
  const ChildId id{kube::kStatefulSets, resources::NodeSetName(cluster.meta.key.name)};
  const bool any_owned = std::ranges::any_of(seen.claims, &VolumeClaim::owned);
  if (!any_owned || seen.children.contains(id) || seen.strangers.contains(id)) return;
  JudgeOwnedClaims(cluster, Read(id, cluster.meta.key.ns, left), seen);
}

void Observer::Follow(const api::RabbitCluster& cluster, const Observation& seen,
                      base::Duration interval) {
  const kube::ObjectKey& key = cluster.meta.key;
  if (const auto target = BrokerTargetOf(cluster, seen, domain_)) {
    brokers_.Want(key, *target, interval);
  } else {
    brokers_.Drop(key);
  }
  if (const auto target = ProxyTargetOf(cluster, seen)) {
    proxies_.Want(key, *target, interval);
  } else {
    proxies_.Drop(key);
  }
}

void Observer::Forget(const kube::ObjectKey& cluster) {
  brokers_.Drop(cluster);
  proxies_.Drop(cluster);
}

}  // namespace rabbit::observe
