// lib/rabbitmq/parse.h: one entry of a management API's list, from JSON to a value. Pure.
// Internal to the module. Every function takes one object's text and is strict about what names an
// entry, lenient about what only describes it: versions add, drop and null fields.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "rabbitmq/view.h"

namespace rabbit::rabbitmq {

struct ParsedOverview {
  std::string cluster_name, version, node;
};

// A queue as the counter needs it.
struct QueueEntry {
  std::string vhost, name;
  std::string type;     // "classic", "quorum", "stream"
  std::string policy;   // that applies; empty: none
  std::string state;    // "live" and "running" are well
  std::string home;     // leader, or the node of a classic queue
  bool counted = true;  // durable, not exclusive, not auto-delete
  std::uint32_t mirrors = 0, synced_mirrors = 0;
  std::uint32_t members = 0, online = 0;
  std::uint32_t wanted_members = 0;  // x-quorum-initial-group-size; 0: not given
};

// How many mirrors a policy means.
struct MirrorRule {
  enum class Mode { kNone, kAll, kExactly, kNodes };
  Mode mode = Mode::kNone;
  std::uint32_t count = 0;         // kExactly: copies, the leader's included
  std::vector<std::string> nodes;  // kNodes
};

[[nodiscard]] base::Result<ParsedOverview> ParseOverview(std::string_view json);
// `running_plugins`: the applications that are listed tell which plugins run. `running`, unless
// null, gets the names of all of them.
[[nodiscard]] base::Result<Node> ParseNode(std::string_view json, bool running_plugins = true,
                                           std::set<std::string>* running = nullptr);
[[nodiscard]] base::Result<Vhost> ParseVhost(std::string_view json);
// Entries of vhost-limits and user-limits. Any number below zero means "no limit" to the broker.
[[nodiscard]] base::Result<VhostLimits> ParseVhostLimits(std::string_view json);
[[nodiscard]] base::Result<UserLimits> ParseUserLimits(std::string_view json);
// Of one page of a list: how many entries there are on all pages.
[[nodiscard]] base::Result<std::size_t> ParseTotalCount(std::string_view json);
[[nodiscard]] base::Result<User> ParseUser(std::string_view json);
[[nodiscard]] base::Result<Permission> ParsePermission(std::string_view json);
[[nodiscard]] base::Result<TopicPermission> ParseTopicPermission(std::string_view json);
[[nodiscard]] base::Result<Policy> ParsePolicy(std::string_view json);
struct ParsedFlag {
  std::string name, state, stability, provided_by;
};
[[nodiscard]] base::Result<ParsedFlag> ParseFlag(std::string_view json);
[[nodiscard]] base::Result<QueueEntry> ParseQueue(std::string_view json);
// Of a policy's definition; kNone for anything that is no mirroring.
[[nodiscard]] MirrorRule ParseMirrorRule(std::string_view definition);

// The columns of GET /api/queues that ParseQueue reads.
inline constexpr std::string_view kQueueColumns =
    "vhost,name,type,durable,exclusive,auto_delete,node,slave_nodes,synchronised_slave_nodes,"
    "leader,members,online,policy,state,arguments.x-quorum-initial-group-size";

// What a refusal says: {"error": "bad_request", "reason": "…"} as one clean line each.
struct Refusal {
  std::string error, reason;
};
[[nodiscard]] Refusal ParseRefusal(std::string_view body);

}  // namespace rabbit::rabbitmq
