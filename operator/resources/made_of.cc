#include "operator/resources/made_of.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/quantity.h"
#include "operator/resources/names.h"
#include "operator/resources/stateful_set.h"
#include "operator/resources/tls.h"
#include "rabbitmq/config.h"

namespace rabbit::resources {
namespace {

using base::Json;

constexpr std::string_view kConfKey = "rabbitmq.conf key ";
// Of no interest to a node that runs.
constexpr std::string_view kNodeList[] = {"cluster_formation.classic_config.nodes.",
                                          "cluster_formation.target_cluster_size_hint"};
// The kubelet keeps 4096 bytes of what a container says at its end.
constexpr std::size_t kLongestText = 3'500;

// Short: a digest of a password in a configuration must not be worth a guess.
std::string Digest(std::string_view value) { return base::ShortHash(value).substr(0, 4); }

const Json* Named(const Json* list, std::string_view name) {
  if (list == nullptr || !list->is_array()) return nullptr;
  const auto found = std::ranges::find_if(
      *list, [&](const Json& entry) { return base::FindString(entry, {"name"}) == name; });
  return found == list->end() ? nullptr : &*found;
}

void AddQuantities(MadeOf& parts, const std::string& prefix, const Json* object) {
  if (object == nullptr || !object->is_object()) return;
  for (const auto& [key, value] : object->items()) {
    const bool text = value.is_string();
    parts[prefix + key] =
        Digest(text ? base::PlainQuantity(value.get_ref<const std::string&>()) : base::Dump(value));
  }
}

// As it was declared: the API server writes out what it takes for what was not said.
Json WithoutDefaults(Json variable) {
  if (base::FindString(variable, {"value"}).empty()) variable.erase("value");
  if (!variable.contains("valueFrom")) return variable;
  Json& source = variable["valueFrom"];
  if (base::FindString(source, {"fieldRef", "apiVersion"}) == "v1") {
    source["fieldRef"].erase("apiVersion");
  }
  if (base::FindString(source, {"resourceFieldRef", "divisor"}) == "0") {
    source["resourceFieldRef"].erase("divisor");
  }
  return variable;
}

void AddContainer(MadeOf& parts, const Json& container) {
  parts["image"] = Digest(base::FindString(container, {"image"}));
  AddQuantities(parts, "resources.requests.", base::Find(container, {"resources", "requests"}));
  AddQuantities(parts, "resources.limits.", base::Find(container, {"resources", "limits"}));
  const Json* env = base::Find(container, {"env"});
  if (env == nullptr || !env->is_array()) return;
  for (const Json& variable : *env) {
    parts["env " + base::FindString(variable, {"name"})] =
        Digest(base::Dump(WithoutDefaults(variable)));
  }
}

bool IsOfFiles(std::string_view part) {
  return part.starts_with(kConfKey) || part == kConfFile || part == kAdvancedFile;
}

std::string ConfDigest(const MadeOf& files) {
  std::string all;
  for (const auto& [part, digest] : files) {
    if (part.starts_with(kConfKey)) all.append(part).append(digest);
  }
  return Digest(all);
}

}  // namespace

MadeOf MadeOfPod(const Json& pod) {
  MadeOf parts;
  const Json* containers = base::Find(pod, {"spec", "containers"});
  if (const Json* broker = Named(containers, kBrokerContainer)) AddContainer(parts, *broker);
  for (const char* field :
       {"nodeSelector", "affinity", "topologySpreadConstraints", "priorityClassName",
        "serviceAccountName", "terminationGracePeriodSeconds", "securityContext"}) {
    const Json* value = base::Find(pod, {"spec", field});
    if (value != nullptr) parts[std::string("pod.") + field] = Digest(base::Dump(*value));
  }
  std::string tls = base::FindString(pod, {"metadata", "annotations", kTlsAnnotation});
  if (const Json* guard = Named(base::Find(pod, {"spec", "initContainers"}), kGuardContainer)) {
    const Json* conf = Named(base::Find(*guard, {"env"}), "TLS_CONF");
    if (conf != nullptr) tls += base::Dump(*conf);
  }
  if (!tls.empty()) parts["tls"] = Digest(tls);
  return parts;
}

MadeOf MadeOfFiles(const BrokerFiles& files) {
  MadeOf parts;
  const auto lines = rabbitmq::ParseConf(files.conf);
  for (const rabbitmq::ConfLine& line : lines.value_or(std::vector<rabbitmq::ConfLine>())) {
    const bool is_list = std::ranges::any_of(
        kNodeList, [&](std::string_view list) { return line.key.starts_with(list); });
    // Of a key that is said twice the last one counts.
    if (!is_list) parts[std::string(kConfKey) + line.key] = Digest(line.value);
  }
  parts[kAdvancedFile] = Digest(files.advanced);
  return parts;
}

std::string DigestText(const MadeOf& files) {
  std::string text;
  std::string keys;
  for (const auto& [part, digest] : files) {
    std::string_view name = part;
    if (name.starts_with(kConfKey)) {
      name.remove_prefix(kConfKey.size());
      keys.append(".").append(name).append("=").append(digest).append(" ");
    } else {
      text.append(name).append("=").append(digest).append(" ");
    }
  }
  if (text.size() + keys.size() <= kLongestText) return text + keys;
  return text + kConfFile + "=" + ConfDigest(files) + " ";
}

MadeOf MadeOfDeclared(const ChildInputs& inputs) {
  const auto body = base::ParseJson(BuildStatefulSet(inputs).body);
  const auto files = MakeBrokerFiles(inputs);
  const Json* pod = body ? base::Find(*body, {"spec", "template"}) : nullptr;
  if (pod == nullptr || !files) return {};
  MadeOf parts = MadeOfPod(*pod);
  parts.merge(MadeOfFiles(*files));
  return parts;
}

MadeOf MadeOfRunning(const Json& pod) {
  MadeOf parts = MadeOfPod(pod);
  const Json* guard = Named(base::Find(pod, {"status", "initContainerStatuses"}), kGuardContainer);
  if (guard == nullptr) return parts;
  const std::string told = base::FindString(*guard, {"state", "terminated", "message"});
  std::string_view text = told;
  text.remove_prefix(std::min(text.find('\n'), text.size()));
  while (!text.empty()) {
    text.remove_prefix(1);
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    const std::size_t equals = word.rfind('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = word.substr(0, equals);
    std::string part(name);
    if (name.starts_with('.')) part = std::string(kConfKey).append(name.substr(1));
    parts[std::move(part)] = word.substr(equals + 1);
  }
  return parts;
}

std::vector<std::string> Differences(const MadeOf& running, const MadeOf& declared) {
  const bool files_known = running.contains(kAdvancedFile);
  const auto conf = running.find(kConfFile);  // told as a whole
  const auto is_known = [&](std::string_view part) {
    if (part.starts_with(kConfKey) && conf != running.end()) return false;
    return files_known || !IsOfFiles(part);
  };
  std::vector<std::string> differ;
  for (const auto& [part, digest] : declared) {
    const auto found = running.find(part);
    if (is_known(part) && (found == running.end() || found->second != digest)) {
      differ.push_back(part);
    }
  }
  for (const auto& [part, digest] : running) {
    if (declared.contains(part) || part == kConfFile) continue;
    // Others add theirs to a pod (limits, service accounts), but not to these.
    const bool ours_alone = IsOfFiles(part) || part == "tls" || part.starts_with("env ");
    if (ours_alone && is_known(part)) differ.push_back(part);
  }
  if (conf != running.end() && conf->second != ConfDigest(declared)) {
    differ.emplace_back(kConfFile);
  }
  std::ranges::sort(differ);
  return differ;
}

}  // namespace rabbit::resources
