#include "operator/resources/pod_hash.h"

#include "base/hash.h"
#include "operator/resources/inventory.h"
#include "operator/resources/tls.h"

namespace rabbit::resources {
namespace {

// Writes values one after the other, so that no two lists of values give the same text.
class Writer {
 public:
  Writer& Add(std::string_view value) {
    text_.append(std::to_string(value.size())).append(1, ':').append(value);
    return *this;
  }
  Writer& AddIf(const std::optional<std::string>& value) {
    return value ? Add("=").Add(*value) : Add("-");
  }
  template <typename Map>
  Writer& AddMap(const Map& map) {
    for (const auto& [key, value] : map) Add(key).Add(value);
    return Add(std::to_string(map.size()));
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string SpecOfBrokers(const ChildInputs& inputs) {
  const api::Spec& spec = inputs.cluster->spec;
  Writer out;
  out.Add(inputs.broker_image);
  if (spec.image_pull_policy) out.Add(api::Name(*spec.image_pull_policy));
  for (const std::string& secret : spec.image_pull_secrets) out.Add("secret").Add(secret);
  out.AddMap(spec.resources.requests).AddMap(spec.resources.limits);
  out.Add(StorageOf(*inputs.cluster, inputs.inventory).ephemeral ? "ephemeral" : "claim");
  out.Add(spec.config).Add(spec.advanced_config);
  for (const api::EnvVar& variable : spec.env) {
    out.Add("env").Add(variable.name).AddIf(variable.value).Add(variable.value_from);
  }
  if (spec.tls) {
    out.Add("tls").Add(ToText(PodTlsOf(*spec.tls)));
    out.Add(api::Name(spec.tls->client_auth)).Add(api::Name(spec.tls->min_version));
  }
  const api::Pod& pod = spec.pod;
  out.AddMap(pod.labels).AddMap(pod.annotations).AddMap(pod.node_selector);
  out.Add(pod.affinity).Add(pod.tolerations).Add(pod.topology_spread_constraints);
  out.AddIf(pod.priority_class_name).AddIf(pod.service_account_name).Add(pod.security_context);
  if (pod.termination_grace_period) out.Add(std::to_string(pod.termination_grace_period->count()));
  return out.text();
}

}  // namespace

std::string PodHash(const ChildInputs& inputs, std::string_view made) {
  return base::ShortHash(SpecOfBrokers(inputs)) + "-" + base::ShortHash(made);
}

bool SameMade(std::string_view pod_hash, std::string_view other) {
  const std::size_t dash = pod_hash.find('-');
  const std::size_t other_dash = other.find('-');
  if (dash == std::string_view::npos || other_dash == std::string_view::npos) {
    return pod_hash == other;
  }
  return pod_hash.substr(dash) == other.substr(other_dash);
}

bool SameSpec(std::string_view pod_hash, std::string_view other) {
  return pod_hash.substr(0, pod_hash.find('-')) == other.substr(0, other.find('-'));
}

bool IsOfEarlierSpec(const observe::Pod& pod, const observe::StatefulSetState& set) {
  return !SameSpec(pod.template_hash, set.template_hash) ||
         (!pod.config_hash.empty() && !SameSpec(pod.config_hash, set.config_hash));
}

}  // namespace rabbit::resources
