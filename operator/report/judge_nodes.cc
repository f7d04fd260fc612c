// Whether the nodes run, and whether a client can connect.
#include <algorithm>

#include "haproxy/stats.h"
#include "operator/plan/membership/members.h"
#include "operator/plan/nodes.h"
#include "operator/plan/words.h"
#include "operator/report/conditions.h"
#include "operator/resources/names.h"
#include "rabbitmq/node_name.h"

namespace rabbit::report {
namespace {

using api::ConditionStatus;
using plan::Counted;
using plan::Listed;

Verdict False(std::string reason, std::string message, bool needs_person = false) {
  return {ConditionStatus::kFalse, std::move(reason), std::move(message), needs_person};
}

std::string Of(std::size_t some, int all, std::string_view noun) {
  return std::to_string(some) + " of " + Counted(static_cast<std::size_t>(all), noun);
}

// Members that are not declared and do not run.
struct Ghosts {
  std::vector<std::string> gone;       // nothing is left of them
  std::vector<std::string> with_disk;  // their volume claims are there
  int count_with_disks = 0;            // of nodes, with the last of those

  void Add(const Facts& facts, const std::string& member) {
    const auto address = rabbitmq::ParseNodeName(member);
    const auto ordinal =
        address ? resources::OrdinalOf(facts.cluster.meta.key.name, address->pod) : std::nullopt;
    if (!ordinal || !plan::HasClaim(facts.cluster, facts.seen, *ordinal)) {
      gone.push_back(member);
      return;
    }
    with_disk.push_back(member);
    count_with_disks = std::max(count_with_disks, *ordinal + 1);
  }
};

std::optional<Verdict> JudgeGhosts(const Ghosts& ghosts) {
  if (!ghosts.with_disk.empty()) {
    return False("GhostMembers",
                 "the cluster counts members that are not declared, and whose disks are there: " +
                     Listed(ghosts.with_disk, 3) + ": set spec.replicas to " +
                     std::to_string(ghosts.count_with_disks) + " to have them back",
                 /*needs_person=*/true);
  }
  if (!ghosts.gone.empty()) {
    return False("GhostMembers",
                 "the cluster counts members that are gone: " + Listed(ghosts.gone, 3) +
                     ": forget them (rabbitmqctl forget_cluster_node)",
                 /*needs_person=*/true);
  }
  return std::nullopt;
}

std::optional<Verdict> JudgeMembers(const Facts& facts) {
  const std::vector<rabbitmq::Node>& members = *facts.broker->nodes;
  std::vector<std::string> missing, partitioned, alarms;
  Ghosts ghosts;
  for (int i = 0; i < facts.declared; ++i) {
    const rabbitmq::Node* member = MemberOf(facts, i);
    if (member == nullptr || !member->running) {
      missing.push_back(resources::PodName(facts.cluster.meta.key.name, i));
    }
  }
  for (const rabbitmq::Node& member : members) {
    if (!member.partitions.empty()) partitioned.push_back(member.name);
    if (member.mem_alarm) alarms.push_back("memory on " + member.name);
    if (member.disk_free_alarm) alarms.push_back("disk space on " + member.name);
    bool expected = false;
    for (int i = 0; i < facts.declared && !expected; ++i) expected = MemberOf(facts, i) == &member;
    if (!expected && !member.running) ghosts.Add(facts, member.name);
  }
  if (!partitioned.empty()) {
    return False("Partitioned",
                 "a network partition was seen by " + Listed(partitioned, 3) +
                     ": restart the nodes of the smaller side",
                 /*needs_person=*/true);
  }
  if (!missing.empty()) {
    return False("NodesStarting", Of(static_cast<std::size_t>(facts.declared) - missing.size(),
                                     facts.declared, "node") +
                                      " in the cluster; waiting for " + Listed(missing, 3));
  }
  if (auto verdict = JudgeGhosts(ghosts)) return verdict;
  if (!alarms.empty()) {
    return False("ResourceAlarm", "publishers are blocked by an alarm: " + Listed(alarms, 3));
  }
  return std::nullopt;
}

// Nothing: a client finds a way. REQUIRES: the load balancer is on.
std::optional<Verdict> JudgeWayThroughProxies(const Facts& facts) {
  std::size_t ready = 0;
  std::size_t silent = 0;
  for (const observe::Pod& proxy : facts.seen.proxies) {
    if (!proxy.ready || proxy.deleting) continue;
    ++ready;
    const haproxy::ProxyView* view = ViewOf(facts, proxy);
    if (view == nullptr) {
      ++silent;
    } else if (haproxy::CountUp(*view) > 0) {
      return std::nullopt;
    }
  }
  if (ready == 0) return False("NoProxyReady", "no proxy is ready");
  if (silent > 0) {
    return Verdict{ConditionStatus::kUnknown, "ProxyNotAnswering",
                   "no proxy says that it reaches a node"};
  }
  return False("NoNodeReached", "no proxy reaches a node");
}

}  // namespace

Verdict JudgeNodes(const Facts& facts) {
  for (const Finding& finding : facts.findings) {
    if (finding.aspect != plan::Aspect::kNodes) continue;
    return False(finding.reason, finding.message, finding.weight == Finding::Weight::kPerson);
  }
  // Said by the plan, when there was one.
  if (const auto wait = plan::NodesNotReady(facts.cluster, facts.seen, facts.declared)) {
    return False(wait->reason, wait->message);
  }
  if (facts.broker == nullptr) {
    return {ConditionStatus::kUnknown, facts.broker_reason, facts.broker_message};
  }
  if (!facts.broker->nodes) {
    return {ConditionStatus::kUnknown, "NodesUnknown", facts.broker->nodes.why()};
  }
  if (auto verdict = JudgeMembers(facts)) return *verdict;
  return {ConditionStatus::kTrue, "AllRunning",
          Of(static_cast<std::size_t>(facts.declared), facts.declared, "node") + " in one cluster"};
}

Verdict JudgeAvailable(const Facts& facts) {
  const auto ready = std::ranges::count_if(
      facts.seen.nodes, [](const observe::Pod& pod) { return pod.ready && !pod.deleting; });
  if (ready == 0) return False("NoNodeReady", "no node is ready");
  if (facts.broker == nullptr) {
    return {ConditionStatus::kUnknown, facts.broker_reason, facts.broker_message};
  }
  if (!facts.broker->nodes) {
    return {ConditionStatus::kUnknown, "NodesUnknown", facts.broker->nodes.why()};
  }
  const auto running = static_cast<std::size_t>(
      std::ranges::count_if(*facts.broker->nodes, &rabbitmq::Node::running));
  const std::size_t members =
      std::max(facts.broker->nodes->size(), static_cast<std::size_t>(facts.declared));
  const std::string nodes = Of(running, static_cast<int>(members), "node") + " running";
  if (2 * running <= members) return False("NoMajority", "no majority: " + nodes);
  if (facts.cluster.spec.load_balancer.enabled) {
    if (auto verdict = JudgeWayThroughProxies(facts)) return *verdict;
  }
  return {ConditionStatus::kTrue, "Serving", "clients can connect: " + nodes};
}

}  // namespace rabbit::report
