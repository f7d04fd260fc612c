// lib/haproxy/stats.h: what a running proxy says of itself, from one GET.
// The statistics CSV gives the servers; every answer of the admin port carries the header
// kHashHeader with the hash of the configuration that is live, so text and state belong together.
//   GET http://<pod>:<admin port><StatsCsvTarget(config)>
// Pure functions and values, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace rabbit::haproxy {

inline constexpr std::string_view kHashHeader = "x-config-hash";

enum class ServerState {
  kUp,
  kDown,         // checks fail, or a first check is not done yet
  kDraining,     // weight 0: takes no new connections
  kMaintenance,  // also while its name does not resolve
  kUnknown,      // a word that this code does not know
};
[[nodiscard]] std::string_view Name(ServerState state);  // "Up"

struct ServerView {
  std::string name;
  ServerState state = ServerState::kUnknown;
  std::string status;          // HAProxy's own words: "UP", "DOWN 1/2", "MAINT (resolution)"
  std::string last_check;      // why, as HAProxy tells it: "L4CON", "L7TOUT"; empty: none yet
  std::uint64_t sessions = 0;  // AMQP connections now
  bool operator==(const ServerView&) const = default;
};

struct ProxyView {
  std::string config_hash;          // empty: not a configuration of ours
  std::vector<ServerView> servers;  // of the AMQP back end, in the order of the configuration
  bool operator==(const ProxyView&) const = default;
};

// Reads the CSV. kInternal when it is not one, or has no such back end; at most kMaxServers rows.
[[nodiscard]] base::Result<ProxyView> ParseStats(std::string_view csv,
                                                 std::string_view hash_header);
inline constexpr std::size_t kMaxServers = 1'000;

// Servers that take new connections.
[[nodiscard]] std::size_t CountUp(const ProxyView& view);

// Whether both say the same but for the session counts, which move by themselves.
[[nodiscard]] bool SameState(const ProxyView& a, const ProxyView& b);

}  // namespace rabbit::haproxy
