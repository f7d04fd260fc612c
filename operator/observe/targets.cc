#include "operator/observe/targets.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "haproxy/render.h"
#include "http/certificate.h"
#include "operator/resources/inventory.h"
#include "operator/resources/names.h"

namespace rabbit::observe {
namespace {

std::string ValueOf(const Observation& seen, const std::string& secret, const std::string& key) {
  const auto view = seen.secrets.find(secret);
  if (view == seen.secrets.end()) return {};
  const auto value = view->second.data.find(key);
  return value == view->second.data.end() ? std::string() : std::string(value->second.Reveal());
}

// How to speak TLS with nodes. Certificates are parsed once for all that were made alike.
class Trusts {
 public:
  Trusts(const api::RabbitCluster& cluster, const Observation& seen, std::string_view domain)
      : cluster_(cluster), seen_(seen), domain_(domain) {}

  // The certificate in the Secret is the node's own, and so is what it was known by before; one
  // that was put there since is trusted when the authorities answer for it under one of the node's
  // names. Without TLS are asked those alone that were made without. With nothing to trust no look
  // comes about, and says so: a password in clear would be had by who can delete a Secret.
  BrokerTarget::Node Of(const Pod& pod) {
    BrokerTarget::Node node{.pod = pod.name, .address = pod.ip};
    const auto tls = resources::PodTlsFrom(pod.tls);
    const auto ordinal = resources::OrdinalOf(cluster_.meta.key.name, pod.name);
    if (!tls || !ordinal) return node;
    const Base& base = BaseOf(*tls);
    auto settings = std::make_shared<http::TlsSettings>();
    settings->ca_pem = base.ca_pem;
    settings->own_certificate = base.own_certificate;
    if (const std::string shown = ShownBy(pod); shown != base.own_certificate) {
      settings->earlier_certificate = shown;
    }
    settings->also_named = resources::NodeTlsNames(cluster_.meta.key, *ordinal, domain_);
    settings->server_name = settings->also_named.front();
    node.tls = std::move(settings);
    node.can_show_own = base.fits;
    return node;
  }

 private:
  struct Base {
    resources::PodTls tls;
    std::string ca_pem, own_certificate;  // each empty where it is not known
    bool fits = true;                     // unless the key is known to belong to another one
  };

  const Base& BaseOf(const resources::PodTls& tls) {
    const auto known = std::ranges::find(bases_, tls, &Base::tls);
    if (known != bases_.end()) return *known;
    Base base{.tls = tls, .ca_pem = ValueOf(seen_, tls.ca.name, tls.ca.key), .own_certificate = {}};
    if (!http::CheckCertificates(base.ca_pem)) base.ca_pem.clear();
    const std::string pem = ValueOf(seen_, tls.secret, resources::kTlsCertificateKey);
    const base::Secret key(ValueOf(seen_, tls.secret, resources::kTlsPrivateKeyKey));
    if (const auto own = http::ReadCertificate(pem)) {
      base.own_certificate = own->fingerprint;
      base.fits = key.empty() || http::CheckKey(pem, key);
    }
    return bases_.emplace_back(std::move(base));
  }

  [[nodiscard]] std::string ShownBy(const Pod& pod) const {
    if (seen_.broker.served == nullptr) return {};
    for (const ServedCertificate& one : *seen_.broker.served) {
      if (one.pod == pod.name && one.address == pod.ip) return one.fingerprint;
    }
    return {};
  }

  const api::RabbitCluster& cluster_;
  const Observation& seen_;
  const std::string_view domain_;
  std::vector<Base> bases_;
};

}  // namespace

std::vector<resources::PodTls> TlsOf(const api::RabbitCluster& cluster, const Observation& seen) {
  std::vector<resources::PodTls> all;
  const auto add = [&all](resources::PodTls tls) {
    if (std::ranges::find(all, tls) == all.end()) all.push_back(std::move(tls));
  };
  if (cluster.spec.tls) add(resources::PodTlsOf(*cluster.spec.tls));
  for (const Pod& pod : seen.nodes) {
    if (auto tls = resources::PodTlsFrom(pod.tls)) add(*std::move(tls));
  }
  return all;
}

std::optional<BrokerTarget> BrokerTargetOf(const api::RabbitCluster& cluster,
                                           const Observation& seen, std::string_view domain) {
  const auto secret = seen.secrets.find(resources::OperatorUserSecretName(cluster.meta.key.name));
  if (secret == seen.secrets.end()) return std::nullopt;
  const auto password = secret->second.data.find(resources::kPasswordKey);
  if (password == secret->second.data.end()) return std::nullopt;
  BrokerTarget target{.nodes = {},
                      .user = std::string(resources::kOperatorUser),
                      .password = password->second,
                      .parts = PartsToRead(cluster, seen)};
  Trusts trusts(cluster, seen, domain);
  for (const Pod& node : seen.nodes) {
    if (node.ready && !node.deleting && !node.ip.empty()) target.nodes.push_back(trusts.Of(node));
  }
  if (target.nodes.empty()) return std::nullopt;
  return target;
}

BrokerTarget BrokerToWriteTo(const api::RabbitCluster& cluster, const Observation& seen,
                             std::string_view domain) {
  BrokerTarget target = BrokerTargetOf(cluster, seen, domain).value_or(BrokerTarget{});
  target.nodes = InOrder(std::move(target.nodes), seen.broker.ask_first);
  return target;
}

rabbitmq::ViewParts PartsToRead(const api::RabbitCluster& cluster, const Observation& seen) {
  const api::Spec& spec = cluster.spec;
  const Inventory none;
  const Inventory& recorded = seen.inventory ? *seen.inventory : none;
  const auto has_limits = [](const auto& one) { return one.limits != decltype(one.limits){}; };
  rabbitmq::ViewParts parts;
  const auto& view = seen.broker.view;
  // Before the first look it is not known what runs there.
  parts.flags_to_enable =
      seen.inventory &&
      (recorded.flags_version.empty() || view == nullptr ||
       (view->version &&
        recorded.flags_version != resources::FlagsRecord(*view->version, spec.plugins)));
  // Once they are imported, and that is recorded, nothing is compared any more.
  if (seen.definitions != nullptr && seen.definitions->trouble.empty() &&
      (spec.definitions->mode == api::DefinitionsMode::kKeep || recorded.definitions.empty())) {
    parts.definitions = {seen.definitions, &seen.definitions->wanted};
  }
  parts.running_plugins = !spec.plugins.empty();
  parts.vhost_limits =
      !recorded.vhost_limits.empty() || std::ranges::any_of(spec.vhosts, has_limits);
  parts.user_limits = !recorded.user_limits.empty() || std::ranges::any_of(spec.users, has_limits);
  parts.topic_permissions = !recorded.topic_permissions.empty() ||
                            std::ranges::any_of(spec.users, [](const api::User& user) {
                              return !user.topic_permissions.empty();
                            });
  parts.operator_policies = !spec.operator_policies.empty() ||
                            !recorded.operator_policies.empty() ||
                            spec.ownership.policies == api::Ownership::kExclusive;
  std::set<std::string_view> listed;
  for (const api::Vhost& vhost : spec.vhosts) listed.insert(vhost.name);
  for (const auto& [name, on_remove] : recorded.vhosts) {
    const bool declared =
        listed.contains(name) || cluster.findings.Broken("vhosts", "", name);  // if badly
    if (!declared && on_remove == api::OnRemove::kDeleteIfEmpty) parts.queues_of.push_back(name);
  }
  return parts;
}

std::optional<ProxyTarget> ProxyTargetOf(const api::RabbitCluster& cluster,
                                         const Observation& seen) {
  const api::LoadBalancer& balancer = cluster.spec.load_balancer;
  if (!balancer.enabled) return std::nullopt;
  ProxyTarget target{.proxies = {},
                     .port = static_cast<std::uint16_t>(balancer.stats.port),
                     .csv_target = haproxy::StatsCsvTarget(
                         {.enabled = balancer.stats.enabled, .path = balancer.stats.path})};
  for (const Pod& proxy : seen.proxies) {
    if (proxy.ready && !proxy.deleting && !proxy.ip.empty()) {
      target.proxies.push_back({.pod = proxy.name, .address = proxy.ip});
    }
  }
  if (target.proxies.empty()) return std::nullopt;
  return target;
}

}  // namespace rabbit::observe
