#include "rabbitmq/config.h"

#include <algorithm>
#include <set>

#include "rabbitmq/view.h"

namespace rabbit::rabbitmq {
namespace {

using base::ErrorKind;
using base::Fail;
using base::Result;

constexpr std::uint64_t kMiB = 1ULL << 20;
constexpr std::uint64_t kGiB = 1ULL << 30;
constexpr std::size_t kMaxConfBytes = 256 << 10;

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// Keys are words joined by dots; a part may be a name of the user's ("federation-1", "amqp@x").
bool IsKey(std::string_view key) {
  return !key.empty() && std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._-@/\\$").find(c) != std::string_view::npos;
  });
}

// A default of ours that a user's line with the same key takes the place of; with `family`, also
// one with a key below it: the broker wants one member of such a family.
struct Default {
  std::string_view key;
  std::string line;
  bool family = false;
};

std::vector<Default> Defaults(const BrokerConfig& config) {
  std::vector<Default> defaults = {
      {"log.console", "log.console = true"},
      {"log.file", "log.file = false"},
      // The minority pauses instead of going on alone; without effect where Khepri decides.
      {"cluster_partition_handling", "cluster_partition_handling = pause_minority"},
  };
  // The broker's own default of 50 MB is gone in a second, and then the node with it.
  std::uint64_t disk_free = 2 * kGiB;
  if (config.volume_bytes) disk_free = std::clamp(*config.volume_bytes / 5, 200 * kMiB, disk_free);
  defaults.push_back(
      {"disk_free_limit", "disk_free_limit.absolute = " + std::to_string(disk_free), true});
  // The quorum queues' log is held in memory up to 512 MiB: too much for a small node.
  if (config.memory_limit_bytes && *config.memory_limit_bytes < 2 * kGiB) {
    const std::uint64_t log = std::max(*config.memory_limit_bytes / 8, 32 * kMiB);
    defaults.push_back(
        {"raft.wal_max_size_bytes", "raft.wal_max_size_bytes = " + std::to_string(log)});
  }
  return defaults;
}

bool Replaces(std::string_view key, const Default& line) {
  return key == line.key ||
         (line.family && key.starts_with(line.key) && key[line.key.size()] == '.');
}

void AppendOwned(std::string& text, const BrokerConfig& config) {
  text += "listeners.tcp.default = 5672\n";
  // Clients come from anywhere in the cluster; the guest user does not exist.
  text += "loopback_users = none\n";
  if (config.memory_limit_bytes) {
    text += "total_memory_available_override_value = " +
            std::to_string(BrokerMemory(*config.memory_limit_bytes)) + '\n';
  }
  text += "cluster_formation.peer_discovery_backend = classic_config\n";
  for (std::size_t i = 0; i < config.nodes.size(); ++i) {
    text += "cluster_formation.classic_config.nodes." + std::to_string(i + 1) + " = " +
            config.nodes[i] + '\n';
  }
  if (!config.version || KnowsClusterSize(*config.version)) {
    text += "cluster_formation.target_cluster_size_hint = " + std::to_string(config.nodes.size()) +
            '\n';
  }
  if (config.version && CanRetryDiscovery(*config.version)) {
    text +=
        "# A blank node that the cluster still remembers waits, and never starts a second one.\n";
    text += "cluster_formation.discovery_retry_interval = 1000\n";
    text += "cluster_formation.discovery_retry_limit = 1000000\n";
  }
}

bool IsNodeName(std::string_view name) {
  return name.find('@') != std::string_view::npos && name.size() <= 255 &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view("@._-").find(c) != std::string_view::npos;
         });
}

}  // namespace

std::uint64_t BrokerMemory(std::uint64_t limit_bytes) {
  return limit_bytes - std::min(limit_bytes / 5, 2 * kGiB);
}

Result<std::vector<ConfLine>> ParseConf(std::string_view text) {
  if (text.size() > kMaxConfBytes) {
    return Fail(ErrorKind::kInvalid,
                "longer than " + std::to_string(kMaxConfBytes / 1024) + " KiB");
  }
  std::vector<ConfLine> lines;
  int number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = text.find('\n');
    const std::string_view line = Trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const auto fail = [&](std::string_view what) {
      return Fail(ErrorKind::kInvalid, "line " + std::to_string(number) + ": " + std::string(what));
    };
    if (std::ranges::any_of(line, [](char c) {
          return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7f';
        })) {
      return fail("holds a control character");
    }
    if (line.empty() || line.front() == '#') continue;
    const std::size_t equals = line.find('=');
    const std::string_view key = Trim(line.substr(0, equals));
    if (equals == std::string_view::npos || !IsKey(key)) {
      return fail("is not `key = value`");  // the line itself may hold a secret
    }
    const std::string_view value = Trim(line.substr(equals + 1));
    if (value.empty()) return fail("`" + std::string(key) + "` has no value");
    lines.push_back({.key = std::string(key), .value = std::string(value), .line = number});
  }
  return lines;
}

Result<std::string> RenderConf(const BrokerConfig& config) {
  for (const std::string& node : config.nodes) {
    if (!IsNodeName(node)) return Fail(ErrorKind::kInternal, "node name " + node + " is none");
  }
  const auto user_lines = ParseConf(config.user_lines);
  if (!user_lines) return tl::unexpected(user_lines.error());
  for (const ConfLine& line : *user_lines) {
    if (const auto why = OwnedKey(line.key)) {
      return Fail(ErrorKind::kInvalid, "line " + std::to_string(line.line) + ": `" + line.key +
                                           "` belongs to the operator: " + std::string(*why));
    }
  }
  if (const auto why = LockedOut(*user_lines)) return Fail(ErrorKind::kInvalid, *why);
  std::string text =
      "# Written by rabbit-operator. A change made here is undone.\n"
      "# Defaults; a line of spec.config takes the place of the one here.\n";
  for (const Default& line : Defaults(config)) {
    const bool replaced = std::ranges::any_of(
        *user_lines, [&](const ConfLine& user) { return Replaces(user.key, line); });
    if (!replaced) text += line.line + '\n';
  }
  if (!user_lines->empty()) text += "\n# spec.config\n";
  for (const ConfLine& line : *user_lines) text += line.key + " = " + line.value + '\n';
  text += "\n# What the operator keeps to itself.\n";
  AppendOwned(text, config);
  return text;
}

Result<std::string> RenderEnabledPlugins(const std::vector<std::string>& plugins) {
  std::set<std::string> names{std::string(kManagementPlugin), std::string(kPrometheusPlugin)};
  for (const std::string& plugin : plugins) {
    const bool well = !plugin.empty() && plugin.size() <= 128 && plugin[0] >= 'a' &&
                      plugin[0] <= 'z' && std::ranges::all_of(plugin, [](char c) {
                        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
                      });
    if (!well) {
      return Fail(ErrorKind::kInvalid,
                  "plugin \"" + plugin.substr(0, 100) + "\": is not the name of a plugin");
    }
    names.insert(plugin);
  }
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "[" : ",") + name;
  return text + "].\n";
}

}  // namespace rabbit::rabbitmq
