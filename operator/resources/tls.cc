#include "operator/resources/tls.h"

#include <algorithm>

#include "operator/resources/names.h"

namespace rabbit::resources {
namespace {

// Until the next blank.
std::string_view Word(std::string_view& text) {
  const std::size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

}  // namespace

PodTls PodTlsOf(const api::Tls& tls) {
  return {.mode = tls.mode,
          .secret = tls.secret_name,
          .ca = tls.ca_secret_ref.value_or(api::KeyRef{tls.secret_name, kCaKey})};
}

// Neither names nor keys hold a blank or a slash.
std::string ToText(const PodTls& tls) {
  return std::string(api::Name(tls.mode)) + " " + tls.secret + " " + tls.ca.name + "/" + tls.ca.key;
}

std::optional<PodTls> PodTlsFrom(std::string_view text) {
  PodTls tls;
  const std::string_view mode = Word(text);
  if (mode == api::Name(api::TlsMode::kOnly)) {
    tls.mode = api::TlsMode::kOnly;
  } else if (mode != api::Name(api::TlsMode::kBoth)) {
    return std::nullopt;
  }
  tls.secret = Word(text);
  const std::string_view ca = Word(text);
  const std::size_t slash = ca.find('/');
  if (tls.secret.empty() || slash == std::string_view::npos || !text.empty()) return std::nullopt;
  tls.ca = {std::string(ca.substr(0, slash)), std::string(ca.substr(slash + 1))};
  return tls;
}

std::vector<std::string> NodeTlsNames(const kube::ObjectKey& cluster, int ordinal,
                                      std::string_view domain) {
  const std::string& name = cluster.name;
  std::vector<std::string> names;
  const auto add = [&](const std::string& host) {
    const std::string in_namespace = host + "." + cluster.ns;
    names.push_back(in_namespace + ".svc." + std::string(domain));
    names.push_back(in_namespace + ".svc");
    names.push_back(in_namespace);
  };
  add(PodName(name, ordinal) + "." + NodesServiceName(name));
  add(BrokersServiceName(name));
  names.push_back(BrokersServiceName(name));
  add(name);
  names.push_back(name);
  return names;
}

std::string WantedTlsNames(const kube::ObjectKey& cluster) {
  const std::string end = "." + cluster.ns + ".svc";
  return cluster.name + end + " for clients, " + BrokersServiceName(cluster.name) + end +
         " and *." + NodesServiceName(cluster.name) + end;
}

Listening ListeningOf(const api::RabbitCluster& cluster, const std::vector<observe::Pod>& nodes) {
  Listening listening{.plain = false, .tls = false, .plain_alone = false, .tls_alone = false};
  const auto add = [&listening](const std::optional<PodTls>& speaks) {
    const bool only = speaks && speaks->mode == api::TlsMode::kOnly;
    listening.plain = listening.plain || !only;
    listening.tls = listening.tls || speaks;
    listening.plain_alone = listening.plain_alone || !speaks;
    listening.tls_alone = listening.tls_alone || only;
  };
  // Those in whose place come others that are made as they were, if all are going.
  const bool all_go = std::ranges::all_of(nodes, &observe::Pod::deleting);
  for (const observe::Pod& pod : nodes) {
    if (!pod.deleting || all_go) add(PodTlsFrom(pod.tls));
  }
  const auto& declared = cluster.spec.tls;
  if (nodes.empty()) add(declared ? std::optional(PodTlsOf(*declared)) : std::nullopt);
  return listening;
}

std::vector<api::Listener> ExposedListeners(const api::Spec& spec, const Listening& listening) {
  using enum api::Listener;
  std::vector<api::Listener> exposed;
  const auto add = [&](api::Listener listener) {
    if (std::ranges::find(exposed, listener) == exposed.end()) exposed.push_back(listener);
  };
  for (const api::Listener listener : spec.service.expose) {
    const bool has_twin = listener == kAmqp || listener == kManagement;
    if (!has_twin || listening.plain) add(listener);
    if (has_twin && listening.tls_alone) add(listener == kAmqp ? kAmqps : kManagementTls);
  }
  return exposed;
}

}  // namespace rabbit::resources
