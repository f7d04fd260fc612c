#include "operator/resources/names.h"

#include <charconv>

#include "base/hash.h"
#include "rabbitmq/node_name.h"

namespace rabbit::resources {
namespace {

std::string Joined(std::string_view cluster, std::string_view suffix) {
  std::string name;
  name.reserve(cluster.size() + suffix.size());
  return name.append(cluster).append(suffix);
}

// What is left of `text` in a DNS label: "Payments (EU)" is "payments-eu".
std::string Slug(std::string_view text) {
  constexpr std::size_t kMost = 20;
  std::string slug;
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (kept) {
      slug += c;
    } else if (!slug.empty() && slug.back() != '-') {
      slug += '-';
    }
    if (slug.size() == kMost) break;
  }
  while (!slug.empty() && slug.back() == '-') slug.pop_back();
  return slug;
}

// NS.svc.DOMAIN: of the Services of a namespace, and the head of its pods' search list.
std::string ServicesDomain(std::string_view ns, std::string_view domain) {
  return std::string(ns) + ".svc." + std::string(domain);
}

}  // namespace

std::string NodeSetName(std::string_view cluster) { return Joined(cluster, "-node"); }

std::string PodName(std::string_view cluster, int ordinal) {
  return Joined(cluster, "-node-" + std::to_string(ordinal));
}

std::optional<int> OrdinalOf(std::string_view cluster, std::string_view pod) {
  const std::string prefix = Joined(cluster, "-node-");
  if (!pod.starts_with(prefix)) return std::nullopt;
  const std::string_view digits = pod.substr(prefix.size());
  if (digits.empty() || digits.size() > 6 || (digits.size() > 1 && digits[0] == '0')) {
    return std::nullopt;
  }
  int ordinal = 0;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), ordinal);
  if (error != std::errc() || end != digits.end() || ordinal < 0) return std::nullopt;
  return ordinal;
}

std::string NodesServiceName(std::string_view cluster) { return Joined(cluster, "-nodes"); }
std::string BrokersServiceName(std::string_view cluster) { return Joined(cluster, "-brokers"); }
std::string ProxyName(std::string_view cluster) { return Joined(cluster, "-haproxy"); }
std::string ProxyAdminServiceName(std::string_view cluster) {
  return Joined(cluster, "-haproxy-admin");
}
std::string ConfigName(std::string_view cluster) { return Joined(cluster, "-config"); }
std::string InventoryName(std::string_view cluster) { return Joined(cluster, "-inventory"); }
std::string CookieSecretName(std::string_view cluster) { return Joined(cluster, "-erlang-cookie"); }
std::string OperatorUserSecretName(std::string_view cluster) {
  return Joined(cluster, "-operator-user");
}
std::string DefaultUserSecretName(std::string_view cluster) {
  return Joined(cluster, "-default-user");
}

std::string UserSecretName(std::string_view cluster, std::string_view user) {
  const std::string slug = Slug(user);
  std::string name = Joined(cluster, "-user-");
  if (!slug.empty()) name.append(slug).append("-");
  return name.append(base::ShortHash(user).substr(0, 8));
}

std::string ClaimName(std::string_view cluster, int ordinal) {
  return std::string(kDataVolume) + "-" + PodName(cluster, ordinal);
}

std::string NodeName(std::string_view cluster, std::string_view ns, int ordinal) {
  return rabbitmq::NodeAddress{PodName(cluster, ordinal), NodesServiceName(cluster),
                               std::string(ns)}
      .NodeName();
}

std::string HostName(std::string_view cluster, std::string_view ns, int ordinal,
                     std::string_view domain) {
  return PodName(cluster, ordinal) + "." + NodesServiceName(cluster) + "." +
         ServicesDomain(ns, domain);
}

std::string FirstSearchedName(std::string_view cluster, std::string_view ns, int ordinal,
                              std::string_view domain) {
  const std::string node = NodeName(cluster, ns, ordinal);
  return node.substr(node.find('@') + 1) + "." + ServicesDomain(ns, domain);
}

}  // namespace rabbit::resources
