#include "operator/resources/inventory.h"

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
constexpr const char* kVolumes = "volumes";
constexpr const char* kStorage = "storage";

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

bool ReadUsers(std::string_view text, Inventory& out) {
  const auto json = base::ParseJson(text);
  if (!json || !json->is_array()) return false;
  for (const Json& user : *json) {
    if (!user.is_string()) return false;
    out.users.push_back(user.get<std::string>());
  }
  return true;
}

bool ReadPolicies(std::string_view text, Inventory& out) {
  const auto json = base::ParseJson(text);
  if (!json || !json->is_array()) return false;
  for (const Json& pair : *json) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string()) {
      return false;
    }
    out.policies.emplace_back(pair[0].get<std::string>(), pair[1].get<std::string>());
  }
  return true;
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
  Json policies = Json::array();
  for (const auto& [vhost, name] : inventory.policies) {
    policies.push_back(Json::array({vhost, name}));
  }
  data[kPolicies] = base::Dump(policies);
  Json volumes = Json::object();
  for (const auto& [ordinal, uid] : inventory.volumes) volumes[std::to_string(ordinal)] = uid;
  data[kVolumes] = base::Dump(volumes);
  if (inventory.storage) data[kStorage] = base::Dump(StorageToJson(*inventory.storage));
  return data;
}

base::Result<Inventory> InventoryFromData(const std::map<std::string, std::string>& data) {
  constexpr std::pair<const char*, bool (*)(std::string_view, Inventory&)> kReaders[] = {
      {kReplicas, ReadReplicas}, {kFormedKey, ReadFormed},  {kReforming, ReadReforming},
      {kUsers, ReadUsers},       {kPolicies, ReadPolicies}, {kVolumes, ReadVolumes},
      {kStorage, ReadStorage}};
  Inventory inventory;
  for (const auto& [key, read] : kReaders) {
    const auto entry = data.find(key);
    // An earlier operator did not write this one, and absent it keeps blank disks held.
    if (entry == data.end() && std::string_view(key) == kReforming) continue;
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

DesiredChild BuildInventory(const ChildInputs& inputs) {
  const std::string name = InventoryName(inputs.cluster->meta.key.name);
  Json object = NewObject(*inputs.cluster, kube::kConfigMaps, name, kBrokerComponent);
  object["data"] = InventoryToData(inputs.inventory);
  return Finish({kube::kConfigMaps, name}, std::move(object));
}

}  // namespace rabbit::resources
