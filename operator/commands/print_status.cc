#include "operator/commands/print_status.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/clock.h"
#include "base/json.h"
#include "operator/api/conditions.h"
#include "operator/plan/words.h"
#include "operator/resources/names.h"

namespace rabbit::commands {
namespace {

using plan::Counted;

constexpr std::size_t kLongest = 32 << 10;

// What is printed comes from elsewhere, and must not steer a terminal.
std::string Clean(std::string_view text) { return plan::Shortened(text, kLongest); }

std::string Or(std::string_view text, std::string_view otherwise) {
  return Clean(text.empty() ? otherwise : text);
}

std::string Number(const std::optional<std::int32_t>& number) {
  return number ? std::to_string(*number) : "?";
}

std::string Joined(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) joined += (joined.empty() ? "" : ", ") + text;
  return Or(joined, "-");
}

std::string Head(const api::RabbitCluster& cluster) {
  const api::Status& status = cluster.status;
  std::string line = "RabbitCluster " + cluster.meta.key.ToString() + ": ";
  const auto is = [&](std::string_view type) { return api::IsTrue(status.conditions, type); };
  line += is(api::kReady)         ? "ready"
          : is(api::kStalled)     ? "needs a person"
          : is(api::kReconciling) ? "on its way"
                                  : "the operator has not said anything yet";
  if (!status.version.empty()) line += ", RabbitMQ " + Clean(status.version);
  if (!status.cluster_name.empty()) line += ", cluster " + Clean(status.cluster_name);
  if (cluster.spec.paused) line += "; paused";
  line += '\n';
  if (!status.conditions.empty() && status.observed_generation != cluster.meta.generation) {
    line += "what follows speaks of generation " + std::to_string(status.observed_generation) +
            ", the spec is at " + std::to_string(cluster.meta.generation) + "\n";
  }
  return line;
}

std::string Conditions(const api::Status& status) {
  std::vector<std::vector<std::string>> rows = {
      {"CONDITION", "STATUS", "SINCE", "REASON", "MESSAGE"}};
  for (const api::Condition& condition : status.conditions) {
    rows.push_back({Clean(condition.type), std::string(api::Name(condition.status)),
                    base::FormatTime(condition.last_transition_time), Clean(condition.reason),
                    Clean(condition.message)});
  }
  return rows.size() == 1 ? "" : "\n" + Table(rows);
}

std::string Nodes(const api::Status& status) {
  if (status.nodes.empty()) return {};
  std::vector<std::vector<std::string>> rows = {
      {"NODE", "POD", "RUNNING", "TYPE", "ALARMS", "PARTITIONS", "IMAGE"}};
  for (const api::NodeStatus& node : status.nodes) {
    rows.push_back({Clean(node.name), Or(node.pod, "-"), node.running ? "yes" : "no",
                    Or(node.type, "?"), Joined(node.alarms), Joined(node.partitions),
                    Or(node.image, "?")});
  }
  return "\n" + Table(rows);
}

std::string Topology(const api::Status& status) {
  std::string text;
  if (const auto& queues = status.queues) {
    text += "queues: " + std::to_string(queues->total) + " (" + std::to_string(queues->mirrored) +
            " mirrored with " + std::to_string(queues->mirrors_in_sync) + " mirrors in sync, " +
            std::to_string(queues->quorum) + " quorum), " +
            std::to_string(queues->under_replicated) + " without all their copies\n";
  }
  if (const auto& policies = status.policies) {
    text += "policies: " + std::to_string(policies->synced) + " of " +
            std::to_string(policies->total) + " in effect\n";
    for (const api::UnhealthyPolicy& policy : policies->unhealthy) {
      text += "  " + Clean(policy.name) + " in vhost " + Clean(policy.vhost) + ": " +
              Clean(policy.message);
      if (policy.queues && policy.in_sync) {
        text += " (" + std::to_string(*policy.in_sync) + " of " +
                Counted(static_cast<std::size_t>(*policy.queues), "queue") + " in sync)";
      }
      text += '\n';
    }
    if (policies->unhealthy_not_listed > 0) {
      text += "  and " + std::to_string(policies->unhealthy_not_listed) + " more\n";
    }
  }
  return text;
}

std::string Balancer(const api::LoadBalancerStatus& balancer) {
  if (!balancer.replicas && !balancer.ready_replicas) return {};
  std::string text = "load balancer: " + Number(balancer.ready_replicas) + " of " +
                     Number(balancer.replicas) + " proxies ready";
  if (balancer.backends_up) text += ", " + Number(balancer.backends_up) + " nodes up behind them";
  if (!balancer.config_hash.empty()) {
    text += balancer.live_hash == balancer.config_hash
                ? ", all with the declared configuration"
                : ", not all with the declared configuration";
  }
  return text + '\n';
}

std::string Rest(const api::Status& status) {
  std::string text;
  if (const auto& operation = status.operation) {
    text += "operation: " + std::string(api::Name(operation->type));
    if (!operation->node.empty()) text += " of " + Clean(operation->node);
    if (!operation->step.empty()) text += ", " + Clean(operation->step);
    if (!operation->message.empty()) text += ": " + Clean(operation->message);
    text += " (since " + base::FormatTime(operation->started_at) + ")\n";
  }
  const api::Endpoints& endpoints = status.endpoints;
  const std::pair<const char*, const std::string*> all[] = {{"amqp", &endpoints.amqp},
                                                            {"amqps", &endpoints.amqps},
                                                            {"management", &endpoints.management},
                                                            {"stats", &endpoints.stats},
                                                            {"metrics", &endpoints.metrics}};
  for (const auto& [name, address] : all) {
    if (!address->empty()) text += std::string(name) + ": " + Clean(*address) + "\n";
  }
  if (!status.binding_name.empty()) {
    text += "clients log in with Secret " + Clean(status.binding_name) + "\n";
  }
  return text;
}

// Of a Deployment: NAME-haproxy-HASH-RANDOM. A StatefulSet's pods end in a number behind -node-.
bool IsProxyPod(std::string_view cluster, std::string_view pod) {
  const std::string start = resources::ProxyName(cluster) + "-";
  if (!pod.starts_with(start)) return false;
  const std::string_view rest = pod.substr(start.size());
  return !rest.starts_with("node-") && std::ranges::count(rest, '-') <= 1;
}

}  // namespace

std::string Table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text.append(widths[i] - row[i].size() + 2, ' ');
    }
    text += '\n';
  }
  return text;
}

std::string PrintStatus(const api::RabbitCluster& cluster) {
  const std::string tail =
      Topology(cluster.status) + Balancer(cluster.status.load_balancer) + Rest(cluster.status);
  return Head(cluster) + Conditions(cluster.status) + Nodes(cluster.status) +
         (tail.empty() ? "" : "\n" + tail);
}

bool IsOfCluster(std::string_view cluster, std::string_view kind, std::string_view name) {
  if (kind == "RabbitCluster") return name == cluster;
  const std::string proxy = resources::ProxyName(cluster);
  if (kind == "Pod") return resources::OrdinalOf(cluster, name) || IsProxyPod(cluster, name);
  if (kind == "StatefulSet") return name == resources::NodeSetName(cluster);
  if (kind == "Deployment") return name == proxy;
  if (kind == "ReplicaSet") return IsProxyPod(cluster, name);
  if (kind == "PersistentVolumeClaim") {
    const std::string start(std::string(resources::kDataVolume) + "-");
    return name.starts_with(start) && resources::OrdinalOf(cluster, name.substr(start.size()));
  }
  if (kind == "PodDisruptionBudget") {
    return name == resources::NodeSetName(cluster) || name == proxy;
  }
  return false;
}

base::Result<EventPage> EventsOf(std::string_view cluster, std::string_view json) {
  const auto list = base::ParseJson(json);
  if (!list) return base::FailWrapped(list.error(), "events");
  EventPage page{.events = {}, .next = base::FindString(*list, {"metadata", "continue"})};
  const base::Json* items = base::Find(*list, {"items"});
  if (items == nullptr || !items->is_array()) return page;
  for (const base::Json& item : *items) {
    const std::string kind = base::FindString(item, {"regarding", "kind"});
    const std::string name = base::FindString(item, {"regarding", "name"});
    if (!IsOfCluster(cluster, kind, name)) continue;
    // Kubernetes' own components fill in one or another of them.
    std::string time;
    for (const auto& path : {std::vector<std::string_view>{"series", "lastObservedTime"},
                             {"deprecatedLastTimestamp"},
                             {"eventTime"},
                             {"metadata", "creationTimestamp"}}) {
      if (time.empty()) {
        time = path.size() == 2 ? base::FindString(item, {path[0], path[1]})
                                : base::FindString(item, {path[0]});
      }
    }
    if (const auto fraction = time.find('.'); fraction != std::string::npos) {
      time = time.substr(0, fraction) + "Z";
    }
    const std::int64_t count = std::max(base::FindInt(item, {"series", "count"}, 0),
                                        base::FindInt(item, {"deprecatedCount"}, 0));
    std::string note = Clean(base::FindString(item, {"note"}));
    if (count > 1) note += " (" + std::to_string(count) + " times)";
    page.events.push_back({.time = Clean(time),
                           .type = Clean(base::FindString(item, {"type"})),
                           .reason = Clean(base::FindString(item, {"reason"})),
                           .object = Clean(kind + " " + name),
                           .note = std::move(note)});
  }
  return page;
}

std::string PrintEvents(std::vector<EventLine> events) {
  std::ranges::stable_sort(events, {}, &EventLine::time);
  std::vector<std::vector<std::string>> rows = {{"TIME", "TYPE", "REASON", "OBJECT", "MESSAGE"}};
  for (EventLine& event : events) {
    rows.push_back({std::move(event.time), std::move(event.type), std::move(event.reason),
                    std::move(event.object), std::move(event.note)});
  }
  return Table(rows);
}

}  // namespace rabbit::commands
