#include "operator/observe/caches.h"

#include <algorithm>
#include <array>
#include <utility>

#include "operator/api/parse.h"
#include "operator/observe/packed.h"
#include "operator/resources/names.h"

namespace rabbit::observe {
namespace {

constexpr std::array kChildTypes = {
    kube::kServices,     kube::kConfigMaps,  kube::kServiceAccounts,
    kube::kStatefulSets, kube::kDeployments, kube::kPodDisruptionBudgets,
};

template <typename T>
base::Result<Packed<T>> PackedFrom(base::Result<T> value) {
  if (!value) return tl::unexpected(std::move(value).error());
  return Packed<T>(*value);
}

// Of "ns/name": a namespace has no slash.
kube::ObjectKey KeyFrom(const std::string& text) {
  const std::size_t slash = text.find('/');
  return {text.substr(0, slash), text.substr(slash + 1)};
}

std::string OwnLabel() {
  return std::string(resources::kManagedByLabel) + "=" + std::string(resources::kFieldManager);
}

}  // namespace

struct Caches::Impl {
  Impl(kube::Client& client, base::Clock& clock, base::Random& random, base::Logger& logger,
       kube::WatchObserver* observer, const Options& options, Enqueue enqueue_key)
      : enqueue(std::move(enqueue_key)), lasting_trouble(options.lasting_trouble) {
    AddClusters();
    for (const kube::ResourceType& type : kChildTypes) {
      stores.push_back(std::make_unique<kube::Store<Packed<CachedChild>>>(IndexOf<CachedChild>));
      Route(*stores.back());
      Feed(*stores.back(),
           [type](std::string_view text) { return PackedFrom(ProjectChild(type, text)); });
      targets.push_back({type, OwnLabel(), feeds.back().get()});
    }
    Route(pods);
    Feed(pods, [](std::string_view text) { return PackedFrom(ProjectPod(text)); });
    targets.push_back({kube::kPods, OwnLabel(), feeds.back().get()});
    Route(claims);
    Feed(claims, [](std::string_view text) { return PackedFrom(ProjectClaim(text)); });
    targets.push_back({kube::kPersistentVolumeClaims, OwnLabel(), feeds.back().get()});

    for (const Target& target : targets) {
      watchers.push_back(std::make_unique<kube::Watcher>(
          client, clock, random, logger, observer,
          kube::WatchTarget{target.type, {.ns = options.ns, .label_selector = target.labels}},
          *target.feed, options.watch));
    }
  }

  template <typename T>
  static std::string IndexOf(const Packed<T>& value) {
    return value.cluster();
  }

  void AddClusters() {
    clusters.AddHandler([this](const kube::Store<api::RabbitCluster>::Change& change) {
      enqueue(change.key, CauseOf(change.before.get(), change.after.get()));
    });
    Feed(clusters, api::ParseRabbitCluster);
    targets.push_back({api::kRabbitClusters, "", feeds.back().get()});
  }

  template <typename T>
  void Feed(kube::Store<T>& store, typename kube::StoreFeed<T>::Project project) {
    feeds.push_back(std::make_unique<kube::StoreFeed<T>>(store, std::move(project)));
  }

  // A change belongs to the cluster that the labels name now, and to the one they named before.
  template <typename T>
  void Route(kube::Store<Packed<T>>& store) {
    store.AddHandler([this](const typename kube::Store<Packed<T>>::Change& change) {
      const std::string before = change.before == nullptr ? "" : change.before->cluster();
      const std::string after = change.after == nullptr ? "" : change.after->cluster();
      const std::optional<Cause> cause = CauseOf(change.before.get(), change.after.get());
      if (!cause) return;
      if (!before.empty()) enqueue(KeyFrom(before), *cause);
      if (!after.empty() && after != before) enqueue(KeyFrom(after), *cause);
    });
  }

  struct Target {
    kube::ResourceType type;
    std::string labels;
    kube::ObjectSink* feed;
  };

  Enqueue enqueue;
  const base::Duration lasting_trouble;
  kube::Store<api::RabbitCluster> clusters;
  std::vector<std::unique_ptr<kube::Store<Packed<CachedChild>>>> stores;  // one each of kChildTypes
  kube::Store<Packed<CachedPod>> pods{IndexOf<CachedPod>};
  kube::Store<Packed<CachedClaim>> claims{IndexOf<CachedClaim>};
  std::vector<std::unique_ptr<kube::ObjectSink>> feeds;
  std::vector<Target> targets;                           // in the order of `watchers`
  std::vector<std::unique_ptr<kube::Watcher>> watchers;  // last: their threads use all the above
};

Caches::Caches(kube::Client& client, base::Clock& clock, base::Random& random, base::Logger& logger,
               kube::WatchObserver* observer, const Options& options, Enqueue enqueue)
    : impl_(std::make_unique<Impl>(client, clock, random, logger, observer, options,
                                   std::move(enqueue))) {}

Caches::~Caches() { Stop(); }

void Caches::Start() {
  for (const auto& watcher : impl_->watchers) watcher->Start();
}

void Caches::Stop() {
  for (const auto& watcher : impl_->watchers) watcher->RequestStop();
  for (const auto& watcher : impl_->watchers) watcher->Stop();
}

bool Caches::HasSynced() const {
  return impl_->clusters.HasSynced() && impl_->pods.HasSynced() && impl_->claims.HasSynced() &&
         std::all_of(impl_->stores.begin(), impl_->stores.end(),
                     [](const auto& store) { return store->HasSynced(); });
}

std::optional<std::string> Caches::Missing() const {
  if (HasSynced()) {
    for (const auto& watcher : impl_->watchers) {
      if (const auto trouble = watcher->LastingTrouble(impl_->lasting_trouble)) {
        return "copies may be out of date: cannot " + trouble->message;
      }
    }
    return std::nullopt;
  }
  for (std::size_t i = 0; i < impl_->watchers.size(); ++i) {
    if (const auto trouble = impl_->watchers[i]->Trouble()) {
      return "cannot list " + std::string(impl_->targets[i].type.plural()) + ": " +
             trouble->message;
    }
  }
  return "the first lists are not in yet";
}

std::shared_ptr<const api::RabbitCluster> Caches::Cluster(const kube::ObjectKey& key) const {
  return impl_->clusters.Get(key);
}

std::size_t Caches::clusters() const { return impl_->clusters.size(); }

Observation Caches::Look(const kube::ObjectKey& cluster) const {
  const std::string index = cluster.ToString();
  Observation seen;
  for (const auto& store : impl_->stores) {
    for (const auto& packed : store->Indexed(index)) {
      CachedChild cached = packed->Unpack();
      ApplyState(cached, cluster.name, seen);
      seen.children.emplace(std::move(cached.id), std::move(cached.child));
    }
  }
  std::map<std::string, std::string> volumes;  // claim name -> uid
  for (const auto& packed : impl_->claims.Indexed(index)) {
    CachedClaim cached = packed->Unpack();
    volumes[cached.claim.name] = cached.claim.uid;
    seen.claims.push_back(std::move(cached.claim));
  }
  std::map<int, Pod> nodes;
  for (const auto& packed : impl_->pods.Indexed(index)) {
    CachedPod cached = packed->Unpack();
    if (!cached.broker) {
      seen.proxies.push_back(std::move(cached.pod));
    } else if (const auto ordinal = resources::OrdinalOf(cluster.name, cached.pod.name)) {
      cached.pod.volume_uid = volumes[resources::ClaimName(cluster.name, *ordinal)];
      nodes[*ordinal] = std::move(cached.pod);
    }
  }
  for (auto& [ordinal, node] : nodes) seen.nodes.push_back(std::move(node));
  seen.first_sight = seen.children.empty() && seen.claims.empty();
  return seen;
}

}  // namespace rabbit::observe
