#include "operator/api/validate.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/quantity.h"
#include "operator/api/advanced_config.h"
#include "operator/api/duration.h"
#include "operator/api/handed_on.h"
#include "rabbitmq/config.h"
#include "rabbitmq/policy_check.h"

namespace rabbit::api {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kLongestName = 47;  // C-node-98 and its like stay below 63
constexpr std::size_t kLongestKeyName = 63;
constexpr Duration kDefaultHeartbeat = 60s;  // the broker's, if spec.config does not say another
// Ports that proxies listen on, or that lead to brokers by them.
constexpr std::array<std::int32_t, 12> kProxyPorts{1883,  5551,  5552,  5671,  5672,  8883,
                                                   15671, 15672, 15674, 15675, 61613, 61614};

// "path[step]" and "path.step".
std::string Entry(const std::string& path, const std::string& step) {
  return path + "[" + step + "]";
}
std::string Member(const std::string& path, const std::string& step) { return path + "." + step; }

class Validator {
 public:
  Validator(const kube::ObjectMeta& meta, Spec& spec, Findings& findings)
      : meta_(meta), spec_(spec), findings_(findings) {}

  void Run() {
    CheckName();
    CheckNodes();
    CheckResources("spec.resources", spec_.resources);
    CheckResources("spec.loadBalancer.resources", spec_.load_balancer.resources);
    CheckTexts();
    CheckEnvironment();
    CheckReferences();
    CheckLoadBalancer();
    CheckService();
    CheckPod("spec.pod", spec_.pod);
    CheckPod("spec.loadBalancer.pod", spec_.load_balancer.pod);
    CheckKeys("spec.service.labels", spec_.service.labels);
    CheckKeys("spec.service.annotations", spec_.service.annotations);
    CheckKeys("spec.monitoring.labels", spec_.monitoring.labels);
    CheckTopology();
  }

 private:
  void Refuse(std::string path, std::string value, std::string rule) {
    findings_.structural.push_back({std::move(path), std::move(value), std::move(rule)});
  }
  void Warn(std::string path, std::string message) {
    findings_.warnings.push_back({std::move(path), std::move(message)});
  }

  void CheckName() {
    const std::string& name = meta_.key.name;
    const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
    const auto inner = [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '-'; };
    if (name.empty() || name.size() > kLongestName || !letter(name.front()) || name.back() == '-' ||
        !std::all_of(name.begin(), name.end(), inner)) {
      Refuse(
          "metadata.name", name,
          "must be at most 47 lower-case letters, digits and '-', a letter first and no '-' last");
    }
  }

  void CheckNodes() {
    if (!spec_.replicas) return;
    if (spec_.ram_nodes >= *spec_.replicas) {
      Refuse("spec.ramNodes", std::to_string(spec_.ram_nodes),
             "must be less than spec.replicas (" + std::to_string(*spec_.replicas) +
                 "): one node at least keeps its data on disk");
    }
    if (*spec_.replicas % 2 == 0) {
      Warn("spec.replicas", "an even number of nodes survives no more failures than " +
                                std::to_string(*spec_.replicas - 1) +
                                ", and a network that splits it in halves stops both");
    }
  }

  void CheckResources(const std::string& path, const Resources& resources) {
    const std::string requests = path + ".requests", limits = path + ".limits";
    for (const auto& [name, limit] : resources.limits) {
      const auto request = resources.requests.find(name);
      if (request == resources.requests.end()) continue;
      if (name == "memory" && !base::SameQuantity(request->second, limit)) {
        Refuse(Member(requests, name), request->second,
               "must be equal to limits.memory (" + limit + ")");
      } else if (base::LessQuantity(limit, request->second)) {
        Refuse(Member(requests, name), request->second,
               "must not exceed limits." + name + " (" + limit + ")");
      }
    }
    if (const auto memory = resources.limits.find("memory");
        memory != resources.limits.end() && base::QuantityValue(memory->second) < 1) {
      Refuse(Member(limits, "memory"), memory->second, "must be more than nothing");
    }
  }

  void CheckTexts() {
    if (const auto lines = rabbitmq::ParseConf(spec_.config); !lines) {
      Refuse("spec.config", "", lines.error().message);
    } else {
      if (const auto error = rabbitmq::LockedOut(*lines)) Refuse("spec.config", "", *error);
      for (const rabbitmq::ConfLine& line : *lines) {
        if (const auto owned = rabbitmq::OwnedKey(line.key, spec_.tls.has_value())) {
          Refuse("spec.config", line.key,
                 "line " + std::to_string(line.line) + ": " + std::string(*owned));
        }
        if (line.key == "heartbeat") {
          // 0 switches heartbeats off: idle connections then have no sign of life at all.
          if (const auto seconds = ParseDuration(line.value + "s"); seconds && *seconds > 0s) {
            heartbeat_ = *seconds;
          }
        }
      }
    }
    if (const auto error = AdvancedConfigError(spec_.advanced_config)) {
      Refuse("spec.advancedConfig", "", *error);
    }
    if (const auto size = base::QuantityValue(spec_.storage.size); !size || *size < 1) {
      Refuse("spec.storage.size", spec_.storage.size, "must be more than nothing");
    }
  }

  void CheckEnvironment() {
    for (std::size_t i = 0; i < spec_.env.size(); ++i) {
      const EnvVar& variable = spec_.env[i];
      const std::string path = Entry("spec.env", std::to_string(i));
      if (const auto owned = rabbitmq::OwnedVariable(variable.name)) {
        Refuse(path + ".name", variable.name, std::string(*owned));
      }
      if (variable.value && !variable.value_from.empty()) {
        Refuse(path, variable.name, "must have value or valueFrom, not both");
      }
      if (const auto error = ValueFromError(variable.value_from)) {
        Refuse(path + ".valueFrom", "", *error);
      }
    }
  }

  void CheckReferences() {
    if (const auto& definitions = spec_.definitions;
        definitions &&
        definitions->config_map_ref.has_value() == definitions->secret_ref.has_value()) {
      Refuse("spec.definitions", "", "must have exactly one of configMapRef and secretRef");
    }
    if (spec_.tls && spec_.tls->client_auth != ClientAuth::kNone && !spec_.tls->ca_secret_ref) {
      Refuse("spec.tls.caSecretRef", "",
             "is required with clientAuth " + std::string(Name(spec_.tls->client_auth)));
    }
    const std::string cluster = meta_.key.name + "-";
    for (std::size_t i = 0; i < spec_.overrides.size(); ++i) {
      const std::string& name = spec_.overrides[i].name;
      if (name != meta_.key.name && !name.starts_with(cluster)) {
        Refuse(Member(Entry("spec.overrides", std::to_string(i)), "name"), name,
               "must be an object of this cluster: " + meta_.key.name + " or " + cluster + "…");
      }
      if (const auto error = OverrideError(spec_.overrides[i].patch)) {
        Refuse(Member(Entry("spec.overrides", std::to_string(i)), "patch"), error->first,
               error->second);
      }
    }
  }

  void CheckLoadBalancer() {
    const LoadBalancer& balancer = spec_.load_balancer;
    if (balancer.stats.user_secret_ref.has_value() !=
        balancer.stats.password_secret_ref.has_value()) {
      Refuse("spec.loadBalancer.stats", "",
             "must have both of userSecretRef and passwordSecretRef, or neither");
    }
    if (std::find(kProxyPorts.begin(), kProxyPorts.end(), balancer.stats.port) !=
        kProxyPorts.end()) {
      Refuse("spec.loadBalancer.stats.port", std::to_string(balancer.stats.port),
             "must not be a port of the brokers' protocols");
    }
    if (balancer.tls && balancer.tls->mode != ProxyTlsMode::kPassthrough &&
        !balancer.tls->secret_name) {
      Refuse("spec.loadBalancer.tls.secretRef", "",
             "is required with mode " + std::string(Name(balancer.tls->mode)));
    }
    if (!balancer.enabled) return;
    for (const auto& [name, timeout] : {std::pair{"server", balancer.timeouts.server},
                                        std::pair{"client", balancer.timeouts.client}}) {
      if (timeout < heartbeat_) {
        Warn(std::string("spec.loadBalancer.timeouts.") + name,
             FormatDuration(timeout) + " is below the heartbeat of " + FormatDuration(heartbeat_) +
                 ": idle clients will be cut off; use at least that, or a shorter heartbeat");
      }
    }
    if (balancer.max_connections_per_listener > balancer.max_connections) {
      Warn("spec.loadBalancer.maxConnectionsPerListener",
           "has no effect above maxConnections (" + std::to_string(balancer.max_connections) + ")");
    }
    if (balancer.health_check.timeout > balancer.health_check.interval) {
      Warn("spec.loadBalancer.healthCheck.timeout",
           "is longer than the interval, so checks come later than asked");
    }
  }

  void CheckService() {
    const Service& service = spec_.service;
    const bool outside = service.type != ServiceType::kClusterIp;
    const bool balanced = service.type == ServiceType::kLoadBalancer;
    if (service.load_balancer_class && !balanced) {
      Refuse("spec.service.loadBalancerClass", *service.load_balancer_class,
             "needs type LoadBalancer");
    }
    if (!service.source_ranges.empty() && !balanced) {
      Refuse("spec.service.sourceRanges", "", "needs type LoadBalancer");
    }
    if (service.external_traffic_policy && !outside) {
      Refuse("spec.service.externalTrafficPolicy",
             std::string(Name(*service.external_traffic_policy)),
             "needs type NodePort or LoadBalancer");
    }
    for (std::size_t i = 0; i < service.source_ranges.size(); ++i) {
      if (!IsAddressRange(service.source_ranges[i])) {
        Refuse(Entry("spec.service.sourceRanges", std::to_string(i)), service.source_ranges[i],
               "must be an address range as 10.0.0.0/8");
      }
    }
  }

  static bool IsAddressRange(const std::string& range) {
    const std::size_t slash = range.find('/');
    const std::string address = range.substr(0, slash);
    int bits = -1;
    const char* end = range.data() + range.size();
    const auto parsed = std::from_chars(range.data() + slash + 1, end, bits);
    if (slash == std::string::npos || parsed.ptr != end || bits < 0) return false;
    std::array<unsigned char, sizeof(in6_addr)> ignored{};
    if (inet_pton(AF_INET, address.c_str(), ignored.data()) == 1) return bits <= 32;
    return inet_pton(AF_INET6, address.c_str(), ignored.data()) == 1 && bits <= 128;
  }

  void CheckPod(const std::string& path, const Pod& pod) {
    CheckKeys(path + ".labels", pod.labels);
    CheckKeys(path + ".annotations", pod.annotations);
    CheckKeys(path + ".nodeSelector", pod.node_selector, /*own=*/false);
  }

  // Keys of labels and annotations. `own`: they land on objects that the operator finds by labels.
  void CheckKeys(const std::string& path, const StringMap& map, bool own = true) {
    const auto inner = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '-' || c == '_' || c == '.';
    };
    for (const auto& [key, value] : map) {
      const std::size_t slash = key.find('/');
      const std::string prefix = slash == std::string::npos ? "" : key.substr(0, slash);
      const std::string name = slash == std::string::npos ? key : key.substr(slash + 1);
      if (name.empty() || name.size() > kLongestKeyName || slash == 0 ||
          !std::all_of(name.begin(), name.end(), inner) ||
          !std::all_of(prefix.begin(), prefix.end(), inner)) {
        Refuse(Entry(path, key), "",
               "must have a key of letters, digits, '-', '_' and '.', "
               "perhaps after a prefix and '/'");
      } else if (own && (prefix == "app.kubernetes.io" || prefix == "rabbitcluster.dev")) {
        Refuse(Entry(path, key), value, "belongs to the operator");
      }
    }
  }

  // What is wrong here concerns one entry: it is dropped, the others go on.
  void CheckTopology() {
    Drop(spec_.users, "users", [](const User& user, FieldError& error) {
      return ReservedName(user, error) || BadPermission(user.permissions, "permissions", error) ||
             BadPermission(user.topic_permissions, "topicPermissions", error);
    });
    const auto bad_policy = [](const Policy& policy, FieldError& error) {
      return BadPattern("pattern", policy.pattern, error);
    };
    Drop(spec_.policies, "policies", bad_policy);
    Drop(spec_.operator_policies, "operatorPolicies", bad_policy);
    if (spec_.binding.user &&
        std::none_of(spec_.users.begin(), spec_.users.end(),
                     [&](const User& user) { return user.name == *spec_.binding.user; }) &&
        !findings_.Broken("users", "", *spec_.binding.user)) {
      Refuse("spec.binding.user", *spec_.binding.user, "must be one of spec.users");
    }
  }

  static bool ReservedName(const User& user, FieldError& error) {
    if (user.name != kOperatorUser) return false;
    error = {"name", user.name, "must be another name: this is the operator's own user"};
    return true;
  }

  static bool BadPattern(std::string field, const std::string& pattern, FieldError& error) {
    const auto wrong = rabbitmq::PatternError(pattern);
    if (!wrong) return false;
    error = {std::move(field), pattern, "must be a regular expression: " + *wrong};
    return true;
  }

  template <typename T>
  static bool BadPermission(const std::vector<T>& permissions, const std::string& list,
                            FieldError& error) {
    for (std::size_t i = 0; i < permissions.size(); ++i) {
      const std::string path = list + "[" + std::to_string(i) + "].";
      if constexpr (requires { permissions[i].configure; }) {
        if (BadPattern(path + "configure", permissions[i].configure, error)) return true;
      } else if (permissions[i].exchange == kUnnamedExchangeInPaths) {
        error = {path + "exchange", permissions[i].exchange,
                 "must be the name of an exchange: this stands for the one without a name, which "
                 "knows no topics"};
        return true;
      }
      if (BadPattern(path + "write", permissions[i].write, error)) return true;
      if (BadPattern(path + "read", permissions[i].read, error)) return true;
    }
    return false;
  }

  // Removes the entries for which `bad` fills in an error, whose path it gives from the entry on.
  template <typename T, typename F>
  void Drop(std::vector<T>& entries, const std::string& list, F bad) {
    std::vector<T> good;
    std::size_t index = 0;
    for (T& entry : entries) {
      index = NextDeclared(list, index);
      FieldError error;
      if (bad(entry, error)) {
        error.path = "spec." + list + "[" + std::to_string(index) + "]." + error.path;
        std::string vhost;
        if constexpr (requires { entry.vhost; }) vhost = entry.vhost;
        found_.push_back({list, index, vhost, entry.name, std::move(error)});
      } else {
        good.push_back(std::move(entry));
      }
      ++index;
    }
    entries = std::move(good);
    std::move(found_.begin(), found_.end(), std::back_inserter(findings_.entries));
    found_.clear();
  }

  // The index, as declared, of the first entry from `index` on that reading did not drop.
  std::size_t NextDeclared(const std::string& list, std::size_t index) const {
    while (std::any_of(findings_.entries.begin(), findings_.entries.end(),
                       [&](const EntryError& e) { return e.list == list && e.index == index; })) {
      ++index;
    }
    return index;
  }

  const kube::ObjectMeta& meta_;
  Spec& spec_;
  Findings& findings_;
  Duration heartbeat_ = kDefaultHeartbeat;
  std::vector<EntryError> found_;  // of the list that Drop() walks
};

}  // namespace

void Validate(const kube::ObjectMeta& meta, Spec& spec, Findings& findings) {
  Validator(meta, spec, findings).Run();
}

std::vector<FieldError> ValidateStorageChange(const Storage& now, const Storage& then) {
  std::vector<FieldError> errors;
  if (base::LessQuantity(now.size, then.size)) {
    errors.push_back({"spec.storage.size", now.size, "must not shrink (it is " + then.size + ")"});
  }
  // Where it is left open the volumes have the class that they have.
  if (now.class_name && now.class_name != then.class_name) {
    const std::string was = then.class_name.value_or("the default");
    errors.push_back({"spec.storage.className", now.class_name.value_or(""),
                      "must not change (it is " + (was.empty() ? "none" : was) + ")"});
  }
  if (now.ephemeral != then.ephemeral) {
    errors.push_back(
        {"spec.storage.ephemeral", now.ephemeral ? "true" : "false", "must not change"});
  }
  return errors;
}

}  // namespace rabbit::api
