// operator/observe/observer.h: puts together what is known of one cluster: caches, Secrets, the
// latest looks at broker and proxies, and what was learnt by writing that the caches do not show
// yet.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "http/transport.h"
#include "kube/client.h"
#include "operator/api/types.h"
#include "operator/observe/broker_watch.h"
#include "operator/observe/caches.h"
#include "operator/observe/definitions.h"
#include "operator/observe/observation.h"
#include "operator/observe/packed.h"
#include "operator/observe/secrets.h"

namespace rabbit::observe {

// What is remembered of one cluster between reconciles: it saves calls and decides nothing. Lost
// with the process. Not thread-safe: one key is never reconciled twice at once.
struct ClusterMemory {
  SecretMemory secrets;
  VerifiedChildren verified;

  // A child as the server answered our write, until the cache shows that answer or a later state.
  struct Written {
    Packed<CachedChild> child;
    std::string replaced_version;  // resourceVersion in the cache before; empty: it was not there
    base::TimePoint at;
  };
  std::vector<Written> written;  // one for each child

  struct Stranger {
    std::string who;
    base::TimePoint seen_at;
  };
  std::map<ChildId, Stranger> strangers;

  // Of pods that wait for a restart: read once, since a pod stays what it was made of.
  struct EarlierPod {
    std::string uid, config_hash;
    std::shared_ptr<const MadeOf> made_of;
  };
  std::vector<EarlierPod> earlier_pods;

  std::map<std::string, base::TimePoint> preparing;  // uid of a node's pod: since when
  std::optional<base::TimePoint> pods_missing;       // since when

  std::map<std::string, base::TimePoint> waiting;  // Report::waiting of the last one
  std::map<std::string, Attempt> attempts;         // by Step::attempt
  DefinitionsMemory definitions;

  base::TimePoint broker_written_at{};  // when the last write at the broker had come back
};

class Observer {
 public:
  // Nothing is owned; all must outlive the observer. Thread-safe, each memory apart.
  // `domain` is the cluster's, which certificates of brokers name.
  Observer(kube::Client& client, Caches& caches, BrokerWatch& brokers, ProxyWatch& proxies,
           base::Clock& clock, std::string domain = "cluster.local")
      : client_(client),
        caches_(caches),
        brokers_(brokers),
        proxies_(proxies),
        clock_(clock),
        domain_(std::move(domain)) {}

  // Reads what is needed and not known yet: Secrets, and children whose content was never compared.
  // What cannot be read stays unknown, with the reason. Each read has ten seconds, and all of them
  // end by options.deadline; after a child that nobody answered for no more are tried.
  [[nodiscard]] Observation Observe(const api::RabbitCluster& cluster, ClusterMemory& memory,
                                    const http::CallOptions& options);

  // Has the pollers look at this cluster's nodes and proxies from now on.
  void Follow(const api::RabbitCluster& cluster, const Observation& seen, base::Duration interval);
  // Ends that.
  void Forget(const kube::ObjectKey& cluster);

 private:
  // Whether names that were taken still are: they are remembered until they are free, or ours.
  void LookAtStrangers(const api::RabbitCluster& cluster, ClusterMemory& memory,
                       const Observation& seen, http::CallOptions& left);
  void ReadEarlierPods(const kube::ObjectKey& cluster, ClusterMemory& memory, Observation& seen,
                       http::CallOptions& left);
  void ReadUnknownBodies(const kube::ObjectKey& cluster, const ClusterMemory& memory,
                         Observation& seen, http::CallOptions& left);
  // Claims that belong to the nodes' StatefulSet, and no such set in the caches: it is asked for.
  void LookAtOwnedClaims(const api::RabbitCluster& cluster, Observation& seen,
                         http::CallOptions& left);
  // Reads one object, if there is time left. There is none any more once nobody answered.
  base::Result<std::string> Read(const ChildId& id, const std::string& ns, http::CallOptions& left);

  kube::Client& client_;
  Caches& caches_;
  BrokerWatch& brokers_;
  ProxyWatch& proxies_;
  base::Clock& clock_;
  const std::string domain_;
};

// Fills preparing_since of the nodes' pods. Pure.
void RememberPreparing(ClusterMemory& memory, Observation& seen, base::TimePoint now);

// Fills pods_missing_since. Pure.
void RememberMissingPods(ClusterMemory& memory, Observation& seen, base::TimePoint now);

// Puts what was written over what the caches show, and forgets what they have caught up with. Pure.
void OverlayWritten(ClusterMemory& memory, Observation& seen, base::TimePoint now);

// What the server says of the nodes' StatefulSet that the caches do not show, although claims
// belong to one: it is there, and only lacks the labels that they select by; or somebody else's; or
// it is gone, or goes with an earlier cluster: then its claims are `deleting`, although nothing
// marks them yet. Where the server did not say, `node_set_trouble` does: nothing may be made of the
// claims. Pure.
void JudgeOwnedClaims(const api::RabbitCluster& cluster, const base::Result<std::string>& node_set,
                      Observation& seen);

// Takes out what the inventory and the states of StatefulSet and Deployment say when they are not
// those of the cluster with this uid: an earlier one of its name, or somebody, owns them. The
// children themselves stay. Pure.
void DropStatesOfOthers(const api::RabbitCluster& cluster, Observation& seen);

}  // namespace rabbit::observe
