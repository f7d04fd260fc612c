// operator/observe/caches.h: the operator's copies of RabbitClusters, their children, pods and
// volume claims, kept by watchers (kube/watcher.h), and the key of a cluster for each change. Never
// Secrets: those are read by name. Thread-safe once started.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "kube/client.h"
#include "kube/store.h"
#include "kube/watcher.h"
#include "operator/api/types.h"
#include "operator/observe/cause.h"
#include "operator/observe/observation.h"
#include "operator/observe/projections.h"

namespace rabbit::observe {

class Caches {
 public:
  using Enqueue = std::function<void(const kube::ObjectKey& cluster, Cause cause)>;

  struct Options {
    std::string ns;  // to watch; empty: all
    kube::WatchSettings watch;
    base::Duration lasting_trouble = std::chrono::seconds(10);  // without news: not up to date
  };

  // `enqueue` is called on watcher threads whenever something of a cluster changed. Nothing is
  // owned; all must outlive the caches. `observer` may be null.
  Caches(kube::Client& client, base::Clock& clock, base::Random& random, base::Logger& logger,
         kube::WatchObserver* observer, const Options& options, Enqueue enqueue);
  ~Caches();
  Caches(const Caches&) = delete;
  Caches& operator=(const Caches&) = delete;

  void Start();
  void Stop();

  // All first lists are in.
  [[nodiscard]] bool HasSynced() const;
  // Which kinds have no first list yet, or cannot be followed any more, and why; nothing when all
  // is well: for /readyz and the log.
  [[nodiscard]] std::optional<std::string> Missing() const;

  // Null when there is no such RabbitCluster.
  [[nodiscard]] std::shared_ptr<const api::RabbitCluster> Cluster(const kube::ObjectKey& key) const;
  [[nodiscard]] std::size_t clusters() const;

  // The parts of an Observation that come from here: children (without bodies), states, pods,
  // claims, inventory, first_sight. Broker pods come by ordinal, with the uid of their volume
  // claim.
  [[nodiscard]] Observation Look(const kube::ObjectKey& cluster) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rabbit::observe
