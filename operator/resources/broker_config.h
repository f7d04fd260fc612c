// operator/resources/broker_config.h: ConfigMap C-config: the files that brokers boot from. Pure.
#pragma once

#include <string>

#include "base/error.h"
#include "operator/resources/children.h"

namespace rabbit::resources {

inline constexpr const char* kConfFile = "rabbitmq.conf";
inline constexpr const char* kAdvancedFile = "advanced.config";
inline constexpr const char* kPluginsFile = "enabled_plugins";
inline constexpr const char* kHashFile = "hash";  // of BrokerFiles, for prepare.sh to tell

struct BrokerFiles {
  std::string conf, advanced, plugins;
  // Of all three, without the list of nodes: only a blank node reads that, so that a new node makes
  // no running one out of date. See operator/resources/pod_hash.h.
  std::string hash;
};

// kInvalid says which line of spec.config, or which plugin, is not to be had.
[[nodiscard]] base::Result<BrokerFiles> MakeBrokerFiles(const ChildInputs& inputs);

[[nodiscard]] DesiredChild BuildBrokerConfig(const ChildInputs& inputs);

}  // namespace rabbit::resources
