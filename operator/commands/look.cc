#include "operator/commands/look.h"

#include <algorithm>
#include <stop_token>
#include <utility>

#include "base/mutex.h"
#include "operator/observe/observer.h"
#include "operator/observe/targets.h"
#include "operator/resources/names.h"

namespace rabbit::commands {
namespace {

using std::chrono::seconds;

constexpr seconds kLists{30};          // all first lists of a namespace
constexpr seconds kTroubleIsFinal{2};  // a list that is refused for so long is not waited for
constexpr seconds kObserve{30};
// More than the daemon's: the way may lead through the API server, over some network.
constexpr seconds kBrokerLook{20};
constexpr seconds kProxyLook{5};

// Whose transports are made of pods, whatever addresses they have.
class Pods {
 public:
  Pods(const kube::ObjectKey& cluster, const observe::Observation& seen) {
    for (const auto* pods : {&seen.nodes, &seen.proxies}) {
      for (const observe::Pod& pod : *pods) pods_[pod.ip] = {cluster.ns, pod.name};
    }
  }
  [[nodiscard]] kube::ObjectKey At(const std::string& address) const {
    const auto found = pods_.find(address);
    return found == pods_.end() ? kube::ObjectKey() : found->second;
  }

 private:
  std::map<std::string, kube::ObjectKey> pods_;
};

// What is known when Secrets of the file are in place.
void PutInPlace(const std::map<kube::ObjectKey, observe::SecretView>& secrets,
                const std::string& ns, observe::Observation& seen) {
  for (auto& [name, view] : seen.secrets) {
    const auto given = secrets.find({ns, name});
    if (given == secrets.end()) continue;
    view.data = given->second.data;
    view.trouble.clear();
    if (view.state != observe::SecretState::kPresent) view.state = given->second.state;
  }
}

// Why nobody can be asked, when somebody serves; empty when nobody does.
std::string WhyNobodyIsAsked(const api::RabbitCluster& cluster, const observe::Observation& seen) {
  const bool serves = std::ranges::any_of(
      seen.nodes, [](const observe::Pod& pod) { return pod.ready && !pod.deleting; });
  if (!serves) return {};
  const std::string name = resources::OperatorUserSecretName(cluster.meta.key.name);
  const auto secret = seen.secrets.find(name);
  const std::string named = "Secret " + name + ", with which the operator logs in, ";
  if (secret == seen.secrets.end() || secret->second.state == observe::SecretState::kAbsent) {
    return named + "is not there";
  }
  if (!secret->second.trouble.empty()) {
    return named + "cannot be read: " + secret->second.trouble;
  }
  return named + "has no password";
}

}  // namespace

Looker::Looker(kube::Client& client, base::Clock& clock, base::Random& random, base::Logger& logger,
               ConnectToPod connect, std::string domain)
    : client_(client),
      clock_(clock),
      random_(random),
      logger_(logger),
      connect_(std::move(connect)),
      domain_(std::move(domain)) {}

Looker::~Looker() = default;

base::Result<observe::Caches*> Looker::CachesOf(const std::string& ns) {
  if (const auto found = caches_.find(ns); found != caches_.end()) return found->second.get();
  auto caches = std::make_unique<observe::Caches>(
      client_, clock_, random_, logger_, nullptr,
      observe::Caches::Options{.ns = ns, .watch = {}, .lasting_trouble = kLists},
      [](const kube::ObjectKey&, observe::Cause) {});
  caches->Start();
  base::Mutex mutex;
  base::CondVar wake;
  const base::MutexLock lock(mutex);
  const base::TimePoint began = clock_.Now();
  std::optional<std::pair<std::string, base::TimePoint>> trouble;  // and since when
  while (!caches->HasSynced()) {
    const base::TimePoint now = clock_.Now();
    const std::string missing = caches->Missing().value_or("");
    const bool refused = missing.starts_with("cannot list");
    if (!refused) trouble.reset();
    if (refused && (!trouble || trouble->first != missing)) trouble = {missing, now};
    if ((trouble && now - trouble->second >= kTroubleIsFinal) || now - began >= kLists) {
      caches->Stop();
      return base::Fail(base::ErrorKind::kRetry, "namespace " + ns + ": " + missing);
    }
    wake.WaitUntil(mutex, now + std::chrono::milliseconds(5));
  }
  caches->Stop();  // what they hold stays
  return caches_.emplace(ns, std::move(caches)).first->second.get();
}

base::Result<Look> Looker::At(const api::RabbitCluster& cluster,
                              const std::map<kube::ObjectKey, observe::SecretView>& secrets) {
  const auto caches = CachesOf(cluster.meta.key.ns);
  if (!caches) return tl::unexpected(caches.error());
  // Never started: what they would look at is looked at here.
  observe::BrokerWatch brokers(clock_, random_, {}, {});
  observe::ProxyWatch proxies(clock_, random_, {}, {});
  observe::Observer observer(client_, **caches, brokers, proxies, clock_);
  observe::ClusterMemory memory;
  Look look;
  look.seen = observer.Observe(cluster, memory, {.deadline = clock_.Now() + kObserve, .stop = {}});
  LookAtBroker(cluster, look);
  PutInPlace(secrets, cluster.meta.key.ns, look.seen);
  return look;
}

void Looker::LookAtBroker(const api::RabbitCluster& cluster, Look& look) {
  observe::Observation& seen = look.seen;
  const Pods pods(cluster.meta.key, seen);
  observe::Connections connections(
      [&](const std::string& address, std::uint16_t port) {
        return connect_(pods.At(address), address, port, nullptr);
      },
      [&](const std::string& address, std::uint16_t port, const http::TlsSettings& tls) {
        return connect_(pods.At(address), address, port, &tls);
      });
  if (const auto target = observe::BrokerTargetOf(cluster, seen, domain_)) {
    seen.broker =
        observe::LookAtBroker(connections, clock_, *target, {}, std::stop_token(), kBrokerLook)
            .look;
    if (!seen.broker.denied) look.broker_trouble = seen.broker.trouble;
  } else {
    look.broker_trouble = WhyNobodyIsAsked(cluster, seen);
  }
  if (const rabbitmq::BrokerView* view = seen.broker.view.get()) {
    look.broker =
        "RabbitMQ " + (view->version ? *view->version : std::string("of unknown version"));
    if (view->cluster_name) look.broker += ", cluster " + *view->cluster_name;
  }
  if (const auto target = observe::ProxyTargetOf(cluster, seen)) {
    seen.proxy_looks =
        observe::LookAtProxies(connections, clock_, *target, std::stop_token(), kProxyLook)
            .look.looks;
  }
}

}  // namespace rabbit::commands
