#include "operator/report/status.h"

#include <algorithm>
#include <optional>
#include <set>

#include "haproxy/stats.h"
#include "operator/resources/names.h"
#include "operator/resources/tls.h"

namespace rabbit::report {
namespace {

std::string Fraction(std::size_t part, std::size_t whole) {
  return std::to_string(part) + "/" + std::to_string(whole);
}

// Ready, and, where the broker says so, running in the cluster.
std::size_t CountGoodNodes(const Facts& facts) {
  std::size_t good = 0;
  for (int i = 0; i < facts.declared; ++i) {
    const observe::Pod* pod = PodOf(facts, i);
    if (pod == nullptr || !pod->ready || pod->deleting) continue;
    if (facts.broker != nullptr && facts.broker->nodes) {
      const rabbitmq::Node* member = MemberOf(facts, i);
      if (member == nullptr || !member->running) continue;
    }
    ++good;
  }
  return good;
}

api::StatusSummary MakeSummary(const Facts& facts) {
  api::StatusSummary summary;
  summary.nodes = Fraction(CountGoodNodes(facts), static_cast<std::size_t>(facts.declared));
  if (facts.broker != nullptr && facts.broker->queues) {
    const rabbitmq::QueueCounts& all = facts.broker->queues->all;
    summary.mirrors = Fraction(all.mirrors_in_sync, all.mirrored);
  }
  const api::LoadBalancer& balancer = facts.cluster.spec.load_balancer;
  if (balancer.enabled && facts.seen.proxy_deployment) {
    summary.proxies =
        Fraction(static_cast<std::size_t>(facts.seen.proxy_deployment->ready_replicas),
                 static_cast<std::size_t>(balancer.replicas));
  }
  return summary;
}

std::optional<api::QueuesStatus> MakeQueues(const Facts& facts) {
  if (facts.broker == nullptr || !facts.broker->queues) return std::nullopt;
  const rabbitmq::QueueCounts& all = facts.broker->queues->all;
  return api::QueuesStatus{.total = all.total,
                           .mirrored = all.mirrored,
                           .mirrors_in_sync = all.mirrors_in_sync,
                           .quorum = all.quorum,
                           .under_replicated = all.under_replicated};
}

std::string Selector(std::string_view cluster) {
  std::string selector;
  selector.append(resources::kComponentLabel).append("=").append(resources::kBrokerComponent);
  selector.append(",").append(resources::kInstanceLabel).append("=").append(cluster);
  selector.append(",").append(resources::kManagedByLabel).append("=");
  selector.append(resources::kFieldManager);
  return selector;
}

std::string BindingSecret(const api::RabbitCluster& cluster) {
  const std::string& name = cluster.meta.key.name;
  const auto& user = cluster.spec.binding.user;
  if (!user) return resources::DefaultUserSecretName(name);
  const auto declared = std::ranges::find(cluster.spec.users, *user, &api::User::name);
  if (declared == cluster.spec.users.end()) return {};
  return declared->password_secret_ref ? declared->password_secret_ref->name
                                       : resources::UserSecretName(name, *user);
}

void AddBrokersWords(api::NodeStatus& status, const rabbitmq::Node& member) {
  status.running = member.running;
  status.type = member.type == rabbitmq::NodeType::kRam ? "ram" : "disc";
  status.partitions = member.partitions;
  if (member.mem_alarm) status.alarms.emplace_back("memory");
  if (member.disk_free_alarm) status.alarms.emplace_back("disk");
}

void AddPod(api::NodeStatus& status, const observe::Pod& pod) {
  status.pod = pod.name;
  status.volume_uid = pod.volume_uid;
  status.image = pod.image;
  status.config_hash = pod.config_hash;
}

// Pinned is the first image, and then each that as many pods as declared were seen to run, all of
// them: whoever takes another one out of the spec again goes back to what runs.
void Pin(const std::string& resolved, const std::optional<std::string>& declared,
         const std::vector<observe::Pod>& pods, int declared_pods, std::string& pinned) {
  if (pinned.empty()) pinned = resolved.empty() ? declared.value_or("") : resolved;
  const bool runs = !resolved.empty() && std::cmp_greater_equal(pods.size(), declared_pods) &&
                    std::ranges::all_of(pods, [&](const observe::Pod& pod) {
                      return pod.ready && !pod.deleting && pod.image == resolved;
                    });
  if (runs) pinned = resolved;
}

}  // namespace

std::vector<api::NodeStatus> MakeNodes(const Facts& facts) {
  const kube::ObjectKey& key = facts.cluster.meta.key;
  std::vector<api::NodeStatus> nodes;
  std::set<std::string> with_pod;
  for (const observe::Pod& pod : facts.seen.nodes) {
    const auto ordinal = resources::OrdinalOf(key.name, pod.name);
    if (!ordinal) continue;
    api::NodeStatus status;
    status.name = resources::NodeName(key.name, key.ns, *ordinal);
    AddPod(status, pod);
    if (facts.broker != nullptr && facts.broker->nodes) {
      const rabbitmq::Node* member = rabbitmq::FindNode(*facts.broker->nodes, status.name);
      if (member != nullptr) AddBrokersWords(status, *member);
    }
    with_pod.insert(status.name);
    nodes.push_back(std::move(status));
  }
  if (facts.broker != nullptr && facts.broker->nodes) {
    for (const rabbitmq::Node& member : *facts.broker->nodes) {
      if (with_pod.contains(member.name)) continue;
      api::NodeStatus status;
      status.name = member.name;
      AddBrokersWords(status, member);
      nodes.push_back(std::move(status));
    }
  }
  return nodes;
}

api::LoadBalancerStatus MakeLoadBalancer(const Facts& facts) {
  const api::LoadBalancer& balancer = facts.cluster.spec.load_balancer;
  api::LoadBalancerStatus status;
  status.image = facts.cluster.status.load_balancer.image;
  if (!balancer.enabled) return status;
  Pin(facts.plan.declared.proxy_image, balancer.image, facts.seen.proxies, balancer.replicas,
      status.image);
  if (const auto& deployment = facts.seen.proxy_deployment) {
    status.replicas = deployment->replicas;
    status.ready_replicas = deployment->ready_replicas;
  }
  status.config_hash = WantedProxyHash(facts);
  bool first = true;
  bool all_alike = true;
  for (const observe::Pod& proxy : facts.seen.proxies) {
    if (!proxy.ready || proxy.deleting) continue;  // it serves nobody
    const haproxy::ProxyView* view = ViewOf(facts, proxy);
    if (view == nullptr) {
      all_alike = false;
      continue;
    }
    const auto up = static_cast<std::int32_t>(haproxy::CountUp(*view));
    status.backends_up = first ? up : std::min(*status.backends_up, up);
    if (first) status.live_hash = view->config_hash;
    all_alike = all_alike && status.live_hash == view->config_hash;
    first = false;
  }
  if (!all_alike) status.live_hash.clear();
  return status;
}

api::Endpoints MakeEndpoints(const api::RabbitCluster& cluster,
                             const std::vector<observe::Pod>& nodes) {
  const std::string& name = cluster.meta.key.name;
  const std::string domain = "." + cluster.meta.key.ns + ".svc:";
  const resources::Listening listening = resources::ListeningOf(cluster, nodes);
  const std::vector<api::Listener> exposed = resources::ExposedListeners(cluster.spec, listening);
  const auto exposes = [&](api::Listener listener) {
    return std::ranges::find(exposed, listener) != exposed.end();
  };
  api::Endpoints endpoints;
  if (exposes(api::Listener::kAmqp)) endpoints.amqp = name + domain + "5672";
  if (exposes(api::Listener::kAmqps)) endpoints.amqps = name + domain + "5671";
  const std::string brokers = resources::BrokersServiceName(name) + domain;
  // With TLS, unless some broker is yet to speak it.
  if (!listening.plain_alone) {
    endpoints.management =
        "https://" + (exposes(api::Listener::kManagementTls) ? name + domain : brokers) + "15671";
  } else {
    endpoints.management =
        "http://" + (exposes(api::Listener::kManagement) ? name + domain : brokers) + "15672";
  }
  endpoints.metrics = listening.plain ? "http://" + brokers + "15692/metrics"
                                      : "https://" + brokers + "15691/metrics";
  const api::LoadBalancer& balancer = cluster.spec.load_balancer;
  if (balancer.enabled && balancer.stats.enabled) {
    endpoints.stats = "http://" + resources::ProxyAdminServiceName(name) + domain +
                      std::to_string(balancer.stats.port) + balancer.stats.path;
  }
  return endpoints;
}

api::Status MakeStatus(const Facts& facts) {
  const api::RabbitCluster& cluster = facts.cluster;
  api::Status status = cluster.status;  // what nobody here speaks of stays: operation, conditions
  status.observed_generation = cluster.meta.generation;
  status.summary = MakeSummary(facts);
  status.nodes = MakeNodes(facts);
  status.queues = MakeQueues(facts);
  status.selector = Selector(cluster.meta.key.name);
  status.replicas.reset();
  status.ready_replicas.reset();
  if (facts.seen.stateful_set) {
    status.replicas = static_cast<std::int32_t>(facts.seen.nodes.size());
    status.ready_replicas =
        static_cast<std::int32_t>(std::ranges::count_if(facts.seen.nodes, &observe::Pod::ready));
  }
  if (facts.broker != nullptr) {
    if (facts.broker->version) status.version = *facts.broker->version;
    if (facts.broker->cluster_name) status.cluster_name = *facts.broker->cluster_name;
  }
  // Without a plan nothing is known of images, policies and addresses: they stay.
  if (facts.plan.unplanned) return status;
  Pin(facts.plan.declared.broker_image, cluster.spec.image, facts.seen.nodes,
      facts.plan.declared.replicas.value_or(1), status.image);
  status.policies = MakePolicies(facts);
  status.load_balancer = MakeLoadBalancer(facts);
  status.endpoints = MakeEndpoints(cluster, facts.seen.nodes);
  status.binding_name = BindingSecret(cluster);
  return status;
}

}  // namespace rabbit::report
