#include "operator/resources/inventory.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/json.h"
#include "operator/resources/names.h"
#include "operator/resources/object.h"

namespace rabbit::resources {
namespace {

using base::Json;
using observe::Inventory;

constexpr const char* kReplicas = "replicas";
constexpr const char* kReforming = "reforming";
constexpr const char* kUsers = "users";
constexpr const char* kPolicies = "policies";
constexpr const char* kOperatorPolicies = "operatorPolicies";
constexpr const char* kTopicPermissions = "topicPermissions";
constexpr const char* kPermissions = "permissions";
constexpr const char* kVhostLimits = "vhostLimits";
constexpr const char* kUserLimits = "userLimits";
constexpr const char* kVhosts = "vhosts";
constexpr const char* kVolumes = "volumes";
constexpr const char* kStorage = "storage";
constexpr const char* kDefinitions = "definitions";
constexpr const char* kFlagsVersion = "featureFlagsOf";

std::optional<int> ParseInt(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.begin(), text.end(), value);
  if (error != std::errc() || end != text.end() || value < 0) return std::nullopt;
  return value;
}

Json StorageToJson(const observe::StorageRecord& storage) {
  if (storage.ephemeral) return {{"ephemeral", true}};
  Json json = {{"size", storage.size}};
  if (storage.class_name) json["className"] = *storage.class_name;
  return json;
}

bool ReadReplicas(std::string_view text, Inventory& out) {
  out.replicas = ParseInt(text);
  return out.replicas.has_value();
}

bool ReadFormed(std::string_view text, Inventory& out) {
  out.formed = text == "true";
  return out.formed || text == "false";
}

bool ReadReforming(std::string_view text, Inventory& out) {
  out.reforming = text == "true";
  return out.reforming || text == "false";
}

bool ReadNames(std::string_view text, std::vector<std::string>& out) {
  const auto json = base::ParseJson(text);
  if (!json || !json->is_array()) return false;
  for (const Json& name : *json) {
    if (!name.is_string()) return false;
    out.push_back(name.get<std::string>());
  }
  return true;
}

bool ReadUsers(std::string_view text, Inventory& out) { return ReadNames(text, out.users); }

bool ReadTopicPermissions(std::string_view text, Inventory& out) {
  return ReadNames(text, out.topic_permissions);
}

bool ReadVhostLimits(std::string_view text, Inventory& out) {
  return ReadNames(text, out.vhost_limits);
}

bool ReadUserLimits(std::string_view text, Inventory& out) {
  return ReadNames(text, out.user_limits);
}

bool ReadVhosts(std::string_view text, Inventory& out) {
  const auto json = base::ParseJson(text);
  if (!json || !json->is_object()) return false;
  for (const auto& [name, word] : json->items()) {
    if (!word.is_string()) return false;
    const auto on_remove = api::FromName<api::OnRemove>(word.get<std::string>());
    if (!on_remove) return false;
    out.vhosts[name] = *on_remove;
  }
  return true;
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

bool ReadPairs(std::string_view text, Pairs& out) {
  const auto json = base::ParseJson(text);
  if (!json || !json->is_array()) return false;
  for (const Json& pair : *json) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string()) {
      return false;
    }
    out.emplace_back(pair[0].get<std::string>(), pair[1].get<std::string>());
  }
  return true;
}

bool ReadPolicies(std::string_view text, Inventory& out) { return ReadPairs(text, out.policies); }

bool ReadOperatorPolicies(std::string_view text, Inventory& out) {
  return ReadPairs(text, out.operator_policies);
}

bool ReadPermissions(std::string_view text, Inventory& out) {
  return ReadPairs(text, out.permissions);
}

Json PairsToJson(const Pairs& pairs) {
  Json json = Json::array();
  for (const auto& [first, second] : pairs) json.push_back(Json::array({first, second}));
  return json;
}

bool ReadVolumes(std::string_view text, Inventory& out) {
  const auto json = base::ParseJson(text);
  if (!json || !json->is_object()) return false;
  for (const auto& [key, uid] : json->items()) {
    const std::optional<int> ordinal = ParseInt(key);
    if (!ordinal || !uid.is_string()) return false;
    out.volumes[*ordinal] = uid.get<std::string>();
  }
  return true;
}

bool ReadFlagsVersion(std::string_view text, Inventory& out) {
  out.flags_version = text;
  return true;
}

bool ReadDefinitions(std::string_view text, Inventory& out) {
  out.definitions = text;
  return true;
}

bool ReadStorage(std::string_view text, Inventory& out) {
  const auto json = base::ParseJson(text);
  if (!json || !json->is_object()) return false;
  observe::StorageRecord storage{.size = base::FindString(*json, {"size"}),
                                 .class_name = std::nullopt,
                                 .ephemeral = base::FindBool(*json, {"ephemeral"})};
  if (json->contains("className")) storage.class_name = base::FindString(*json, {"className"});
  if (storage.size.empty() != storage.ephemeral) return false;
  out.storage = std::move(storage);
  return true;
}

}  // namespace

std::map<std::string, std::string> InventoryToData(const Inventory& inventory) {
  std::map<std::string, std::string> data;
  if (inventory.replicas) data[kReplicas] = std::to_string(*inventory.replicas);
  data[kFormedKey] = inventory.formed ? "true" : "false";
  data[kReforming] = inventory.reforming ? "true" : "false";
  data[kUsers] = base::Dump(Json(inventory.users));
  data[kPolicies] = base::Dump(PairsToJson(inventory.policies));
  data[kOperatorPolicies] = base::Dump(PairsToJson(inventory.operator_policies));
  data[kTopicPermissions] = base::Dump(Json(inventory.topic_permissions));
  data[kPermissions] = base::Dump(PairsToJson(inventory.permissions));
  data[kVhostLimits] = base::Dump(Json(inventory.vhost_limits));
  data[kUserLimits] = base::Dump(Json(inventory.user_limits));
  data[kDefinitions] = inventory.definitions;
  data[kFlagsVersion] = inventory.flags_version;
  Json vhosts = Json::object();
  for (const auto& [name, on_remove] : inventory.vhosts) vhosts[name] = api::Name(on_remove);
  data[kVhosts] = base::Dump(vhosts);
  Json volumes = Json::object();
  for (const auto& [ordinal, uid] : inventory.volumes) volumes[std::to_string(ordinal)] = uid;
  data[kVolumes] = base::Dump(volumes);
  if (inventory.storage) data[kStorage] = base::Dump(StorageToJson(*inventory.storage));
  return data;
}

base::Result<Inventory> InventoryFromData(const std::map<std::string, std::string>& data) {
  struct Reader {
    const char* key;
    bool (*read)(std::string_view, Inventory&);
    bool is_later = false;  // an earlier operator did not write it
  };
  constexpr Reader kReaders[] = {
      {kReplicas, ReadReplicas},
      {kFormedKey, ReadFormed},
      {kReforming, ReadReforming, true},
      {kUsers, ReadUsers},
      {kPolicies, ReadPolicies},
      {kVolumes, ReadVolumes},
      {kStorage, ReadStorage},
      {kVhosts, ReadVhosts, true},
      {kOperatorPolicies, ReadOperatorPolicies, true},
      {kTopicPermissions, ReadTopicPermissions, true},
      {kPermissions, ReadPermissions, true},
      {kVhostLimits, ReadVhostLimits, true},
      {kUserLimits, ReadUserLimits, true},
      {kDefinitions, ReadDefinitions, true},
      {kFlagsVersion, ReadFlagsVersion, true},
  };
  Inventory inventory;
  for (const auto& [key, read, is_later] : kReaders) {
    const auto entry = data.find(key);
    // Absent, these keep blank disks held, and what is at the broker there.
    if (entry == data.end() && is_later) continue;
    // Each other is always written, and an empty part is no harmless guess: without volumes a lost
    // disk passes for a new one.
    if (entry == data.end()) {
      return base::Fail(base::ErrorKind::kInvalid, std::string("key ") + key + " is not there");
    }
    if (!read(entry->second, inventory)) {
      return base::Fail(base::ErrorKind::kInvalid,
                        std::string("key ") + key + " does not hold what the operator wrote there");
    }
  }
  // Volumes are recorded only once the cluster has formed: who wrote `false` beside them opened the
  // guard by hand. Read as it was, it is put back like any other drift, and the guard closes again.
  if (!inventory.volumes.empty()) inventory.formed = true;
  return inventory;
}

observe::StorageRecord StorageOf(const api::RabbitCluster& cluster,
                                 const std::optional<Inventory>& recorded) {
  if (recorded && recorded->storage) return *recorded->storage;
  const api::Storage& storage = cluster.spec.storage;
  if (storage.ephemeral) return {.size = {}, .class_name = {}, .ephemeral = true};
  return {.size = storage.size, .class_name = storage.class_name, .ephemeral = false};
}

std::string FlagsRecord(const std::string& version, std::vector<std::string> plugins) {
  std::ranges::sort(plugins);
  plugins.erase(std::unique(plugins.begin(), plugins.end()), plugins.end());
  std::string record = version;
  for (const std::string& plugin : plugins) record += " " + plugin;
  return record;
}

DesiredChild BuildInventory(const ChildInputs& inputs) {
  const std::string name = InventoryName(inputs.cluster->meta.key.name);
  Json object = NewObject(*inputs.cluster, kube::kConfigMaps, name, kBrokerComponent);
  object["data"] = InventoryToData(inputs.inventory);
  return Finish({kube::kConfigMaps, name}, std::move(object));
}

}  // namespace rabbit::resources
