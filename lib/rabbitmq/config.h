// lib/rabbitmq/config.h: the files that a broker boots from: rabbitmq.conf and enabled_plugins.
// Pure, thread-safe. The list of what the operator owns, and users may not set, lives here.
// cluster_name is left out on purpose: in the file it would overwrite, at every boot, the name that
// was set by the API. First-boot credentials are left out too: the file lies in a ConfigMap.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "rabbitmq/version.h"

namespace rabbit::rabbitmq {

struct BrokerConfig {
  std::vector<std::string> nodes;  // every member's node name, by ordinal, the reader included
  std::optional<Version> version;  // promised by the image; unknown is treated like the oldest
  std::optional<std::uint64_t> memory_limit_bytes;  // of the container
  std::optional<std::uint64_t> volume_bytes;        // of the data volume
  std::string user_lines;                           // spec.config; see ParseConf
};

// kInvalid names the first user line that is no `key = value` or sets an owned key. A user's key
// takes the place of our default for it; owned keys are written last in their own block.
[[nodiscard]] base::Result<std::string> RenderConf(const BrokerConfig& config);

// "[rabbitmq_management,rabbitmq_prometheus].", sorted, those two always among them.
// kInvalid for a name that is not ^[a-z][a-z0-9_]{0,127}$.
[[nodiscard]] base::Result<std::string> RenderEnabledPlugins(
    const std::vector<std::string>& plugins);

struct ConfLine {
  std::string key, value;
  int line = 0;  // from 1
};
// rabbitmq.conf: `key = value` lines, `#` comments, empty lines.
[[nodiscard]] base::Result<std::vector<ConfLine>> ParseConf(std::string_view text);

// Why the operator keeps this key of rabbitmq.conf, or this environment variable, to itself
// ("the cluster's name is spec.clusterName"); nothing when users may set it. With spec.tls it
// keeps more.
[[nodiscard]] std::optional<std::string_view> OwnedKey(std::string_view key, bool with_tls = false);
[[nodiscard]] std::optional<std::string_view> OwnedVariable(std::string_view name);

// Why these lines together would keep the operator's own user out, beginning with "line 3: ";
// nothing when they do not: backends that check passwords elsewhere go beside `internal`, not in
// its place.
[[nodiscard]] std::optional<std::string> LockedOut(const std::vector<ConfLine>& lines);

// The memory that the broker is told it has: the limit less some room for what it does not count.
[[nodiscard]] std::uint64_t BrokerMemory(std::uint64_t limit_bytes);

}  // namespace rabbit::rabbitmq
