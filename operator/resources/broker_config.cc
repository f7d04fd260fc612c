#include "operator/resources/broker_config.h"

#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "base/quantity.h"
#include "operator/resources/inventory.h"
#include "operator/resources/made_of.h"
#include "operator/resources/names.h"
#include "operator/resources/object.h"
#include "operator/resources/pod_hash.h"
#include "rabbitmq/config.h"
#include "rabbitmq/version.h"

namespace rabbit::resources {
namespace {

std::optional<std::uint64_t> Bytes(const std::string& quantity) {
  const std::optional<std::int64_t> bytes = base::QuantityValue(quantity);
  if (!bytes || *bytes <= 0) return std::nullopt;
  return static_cast<std::uint64_t>(*bytes);
}

std::string WithoutNodes(const std::string& conf) {
  std::string kept;
  std::istringstream lines(conf);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("cluster_formation.classic_config.nodes.") ||
        line.starts_with("cluster_formation.target_cluster_size_hint")) {
      continue;
    }
    kept.append(line).append(1, '\n');
  }
  return kept;
}

}  // namespace

base::Result<BrokerFiles> MakeBrokerFiles(const ChildInputs& inputs) {
  const api::RabbitCluster& cluster = *inputs.cluster;
  rabbitmq::BrokerConfig config;
  for (int i = 0; i < inputs.replicas; ++i) {
    config.nodes.push_back(NodeName(cluster.meta.key.name, cluster.meta.key.ns, i));
  }
  config.version = rabbitmq::VersionOfImage(inputs.broker_image);
  const auto& limits = cluster.spec.resources.limits;
  if (const auto memory = limits.find("memory"); memory != limits.end()) {
    config.memory_limit_bytes = Bytes(memory->second);
  }
  const observe::StorageRecord storage = StorageOf(cluster, inputs.inventory);
  config.volume_bytes = Bytes(storage.ephemeral ? cluster.spec.storage.size : storage.size);
  config.user_lines = cluster.spec.config;

  base::Result<std::string> conf = rabbitmq::RenderConf(config);
  if (!conf) return base::FailWrapped(conf.error(), "spec.config");
  base::Result<std::string> plugins = rabbitmq::RenderEnabledPlugins(cluster.spec.plugins);
  if (!plugins) return base::FailWrapped(plugins.error(), "spec.plugins");

  BrokerFiles files;
  files.conf = std::move(*conf);
  files.plugins = std::move(*plugins);
  // Always there, so that the list of files in the pod template does not depend on it.
  files.advanced = cluster.spec.advanced_config.empty() ? "[].\n" : cluster.spec.advanced_config;
  // Without what is put into effect without a restart. (Of a spec without plugins this is the hash
  // that earlier operators made.)
  const std::string no_plugins = rabbitmq::RenderEnabledPlugins({}).value();
  files.hash =
      PodHash(inputs, WithoutNodes(files.conf) + '\0' + no_plugins + '\0' + files.advanced);
  return files;
}

DesiredChild BuildBrokerConfig(const ChildInputs& inputs) {
  const observe::ChildId id{kube::kConfigMaps, ConfigName(inputs.cluster->meta.key.name)};
  base::Result<BrokerFiles> files = MakeBrokerFiles(inputs);
  if (!files) return {.id = id, .body = {}, .hash = {}, .problem = files.error().message};
  base::Json object = NewObject(*inputs.cluster, id.type, id.name, kBrokerComponent);
  // Behind the hash, part by part: the guard tells all of it, and so what a node booted from.
  std::string hash = files->hash + "\n" + DigestText(MadeOfFiles(*files));
  object["data"] = {{kConfFile, std::move(files->conf)},
                    {kAdvancedFile, std::move(files->advanced)},
                    {kPluginsFile, std::move(files->plugins)},
                    {kHashFile, std::move(hash)}};
  return Finish(id, std::move(object));
}

}  // namespace rabbit::resources
