#include "operator/plan/membership/members.h"

#include <algorithm>

#include "operator/resources/names.h"
#include "rabbitmq/node_name.h"

namespace rabbit::plan {

const std::vector<rabbitmq::Node>* KnownMembers(const observe::Observation& seen) {
  const observe::BrokerLook& look = seen.broker;
  if (!look.view || !look.trouble.empty() || !look.view->nodes) return nullptr;
  const std::vector<rabbitmq::Node>& members = *look.view->nodes;
  return members.empty() ? nullptr : &members;  // who answers is a member
}

std::string NodeNameOf(const api::RabbitCluster& cluster, int ordinal) {
  return resources::NodeName(cluster.meta.key.name, cluster.meta.key.ns, ordinal);
}

std::vector<std::string> MembersFrom(const api::RabbitCluster& cluster,
                                     const std::vector<rabbitmq::Node>& members, int from) {
  std::vector<std::string> pods;
  for (const rabbitmq::Node& member : members) {
    const auto address = rabbitmq::ParseNodeName(member.name);
    if (!address) continue;
    const auto ordinal = resources::OrdinalOf(cluster.meta.key.name, address->pod);
    if (ordinal && *ordinal >= from) pods.push_back(address->pod);
  }
  return pods;
}

bool MajorityRuns(const std::vector<rabbitmq::Node>& members) {
  const auto running = std::ranges::count_if(members, &rabbitmq::Node::running);
  return static_cast<std::size_t>(running) * 2 > members.size();
}

std::string VolumeOf(const observe::StorageRecord& storage, const observe::Pod& pod) {
  // An emptyDir lives and dies with its pod.
  return storage.ephemeral ? pod.uid : pod.volume_uid;
}

bool HasClaim(const api::RabbitCluster& cluster, const observe::Observation& seen, int ordinal) {
  const std::string name = resources::ClaimName(cluster.meta.key.name, ordinal);
  return std::ranges::any_of(seen.claims, [&](const observe::VolumeClaim& claim) {
    return claim.name == name && !claim.deleting;
  });
}

}  // namespace rabbit::plan
