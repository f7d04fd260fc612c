// operator/resources/inventory.h: ConfigMap C-inventory: what cannot be read off the world, written
// down before it is acted on. The guard in each broker pod mounts its key `formed`. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "operator/observe/observation.h"
#include "operator/resources/children.h"

namespace rabbit::resources {

inline constexpr const char* kFormedKey = "formed";  // "true" or "false"

// All keys, also of what is empty: a key that vanished would have to be taken back from the server.
// REQUIRES: count and storage are set.
[[nodiscard]] std::map<std::string, std::string> InventoryToData(
    const observe::Inventory& inventory);

// kInvalid names the key that is not there, or whose text was never written by InventoryToData:
// somebody edited it, and a guess could cost data. Volumes without `formed` are read as formed.
[[nodiscard]] base::Result<observe::Inventory> InventoryFromData(
    const std::map<std::string, std::string>& data);

// What the claims of the StatefulSet were made with, as recorded; else will be, as declared.
[[nodiscard]] observe::StorageRecord StorageOf(const api::RabbitCluster& cluster,
                                               const std::optional<observe::Inventory>& recorded);

// What is recorded of a broker of this version with these plugins once all its stable feature flags
// are enabled: "4.3.6 rabbitmq_shovel rabbitmq_top".
[[nodiscard]] std::string FlagsRecord(const std::string& version, std::vector<std::string> plugins);

[[nodiscard]] DesiredChild BuildInventory(const ChildInputs& inputs);

}  // namespace rabbit::resources
