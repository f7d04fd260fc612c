#include "rabbitmq/parse.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "base/json.h"
#include "rabbitmq/client.h"

namespace rabbit::rabbitmq {
namespace {

using base::ErrorKind;
using base::Fail;
using base::FindBool;
using base::FindInt;
using base::FindString;
using base::Json;
using base::Result;

constexpr std::size_t kMaxReason = 512;

Result<Json> ParseObject(std::string_view text, std::string_view what) {
  auto json = base::ParseJson(text);
  if (!json) return base::FailWrapped(json.error(), what);
  if (!json->is_object()) {
    return Fail(ErrorKind::kInternal, std::string(what) + ": is not an object");
  }
  return json;
}

Result<Json> ParseNamed(std::string_view text, std::string_view what,
                        std::initializer_list<std::string_view> names) {
  auto json = ParseObject(text, what);
  if (!json) return json;
  for (const std::string_view name : names) {
    const Json* value = base::Find(*json, {name});
    if (value == nullptr || !value->is_string()) {
      return Fail(ErrorKind::kInternal, std::string(what) + ": has no " + std::string(name));
    }
  }
  return json;
}

// Of an array of strings, or of a text with commas, as old versions write tags.
std::vector<std::string> Strings(const Json& object, std::string_view name) {
  std::vector<std::string> strings;
  const Json* value = base::Find(object, {name});
  if (value == nullptr) return strings;
  if (value->is_array()) {
    for (const Json& item : *value) {
      if (item.is_string()) strings.push_back(item.get<std::string>());
    }
  } else if (value->is_string()) {
    std::string_view rest = value->get_ref<const std::string&>();
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      if (comma != 0) strings.emplace_back(rest.substr(0, comma));
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    }
  }
  std::ranges::sort(strings);
  return strings;
}

std::uint32_t Count(const Json& object, std::string_view name) {
  const Json* value = base::Find(object, {name});
  return value != nullptr && value->is_array() ? static_cast<std::uint32_t>(value->size()) : 0;
}

// A text of Erlang's is at times a list of its characters.
std::string CharacterList(const Json& list) {
  std::string text;
  for (const Json& item : list) {
    const bool character = item.is_number_unsigned() && item.get<std::uint64_t>() < 0x7f &&
                           item.get<std::uint64_t>() >= 0x20;
    if (!character) return {};
    text += static_cast<char>(item.get<int>());
  }
  return text;
}

std::string Flatten(const Json& value, int depth = 0) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array() || depth == 8) return base::Dump(value);
  if (std::string text = CharacterList(value); !text.empty()) return text;
  std::string joined;
  for (const Json& item : value) {
    if (!joined.empty()) joined += ' ';
    joined += Flatten(item, depth + 1);
  }
  return joined;
}

void ReplaceAll(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

// One bounded line without control bytes, HTML escapes undone.
std::string OneLine(std::string text) {
  ReplaceAll(text, "&lt;", "<");
  ReplaceAll(text, "&gt;", ">");
  ReplaceAll(text, "&quot;", "\"");
  ReplaceAll(text, "&amp;", "&");
  std::string line;
  for (const char c : text) {
    const bool control = static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
    if (!control) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
    if (line.size() == kMaxReason) break;
  }
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

// The limit `name` of an entry's "value". Without any limit 3.8 to 3.13 write a list there, which
// is empty; so does 4.0 with an empty object.
Result<std::optional<std::int64_t>> Limit(const Json& entry, std::string_view name) {
  const Json* limits = base::Find(entry, {"value"});
  const bool proper =
      limits != nullptr && (limits->is_object() || (limits->is_array() && limits->empty()));
  if (!proper) return Fail(ErrorKind::kInternal, "limits: have no value");
  const Json* limit = base::Find(*limits, {name});
  if (limit == nullptr || limit->is_null()) return std::nullopt;
  // The broker takes integers of any length; beyond 64 bits they arrive here as a float.
  if (!limit->is_number()) {
    return Fail(ErrorKind::kInternal, "limits: " + std::string(name) + " is not a number");
  }
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  if (limit->is_number_float()) {
    return limit->get<double>() < 0 ? std::nullopt : std::optional(kMost);
  }
  if (limit->is_number_unsigned() && limit->get<std::uint64_t>() > kMost) return kMost;
  const auto value = limit->get<std::int64_t>();
  return value < 0 ? std::nullopt : std::optional(value);
}

std::string KnownOrEmpty(std::string_view text) {
  return std::string(text == "undefined" ? std::string_view() : text);
}

}  // namespace

Result<ParsedOverview> ParseOverview(std::string_view json) {
  const auto object = ParseNamed(json, "overview", {"rabbitmq_version"});
  if (!object) return tl::unexpected(object.error());
  return ParsedOverview{.cluster_name = FindString(*object, {"cluster_name"}),
                        .version = FindString(*object, {"rabbitmq_version"}),
                        .node = FindString(*object, {"node"})};
}

namespace {

// What the node's list of enabled plugins says beside the two that are always there; `running`,
// when it is there, says which of them run. (The list is what the file says, also of what does not
// exist: 3.8.9 to 4.3.6 boot all the same.)
std::vector<Plugin> PluginsIn(std::vector<std::string> enabled,
                              const std::set<std::string>* running) {
  std::set<std::string> own{std::string(kManagementPlugin), std::string(kPrometheusPlugin)};
  std::vector<Plugin> plugins;
  for (std::string& name : enabled) {
    const bool idle = running != nullptr && !running->contains(name);
    const bool is_own = own.erase(name) > 0;
    if (is_own && !idle) continue;
    plugins.push_back({std::move(name), idle ? Plugin::State::kIdle : Plugin::State::kEnabled});
  }
  for (const std::string& name : own) plugins.push_back({name, Plugin::State::kOff});
  std::ranges::sort(plugins, {}, &Plugin::name);
  return plugins;
}

}  // namespace

Result<Node> ParseNode(std::string_view json, bool running_plugins,
                       std::set<std::string>* running) {
  const auto object = ParseNamed(json, "node", {"name"});
  if (!object) return tl::unexpected(object.error());
  const Json* alarm = base::Find(*object, {"mem_alarm"});
  const Json* enabled = base::Find(*object, {"enabled_plugins"});
  bool plugins_known = enabled != nullptr && enabled->is_array() && !enabled->empty();
  const Json* applications = base::Find(*object, {"applications"});
  const bool applications_told = applications != nullptr && applications->is_array();
  std::string version;
  std::set<std::string> runs;
  if (applications_told) {
    for (const Json& application : *applications) {
      const std::string name = FindString(application, {"name"});
      if (name == "rabbit") version = FindString(application, {"version"});
      runs.insert(name);
    }
    // A node that has just booted lists no plugins at first, and then what ran in the middle of its
    // boot: this one, which tells all of it, not yet (seen on 3.8.9 and 4.3.6).
    plugins_known = plugins_known && runs.contains("rabbitmq_management_agent");
  }
  if (running != nullptr) running->insert(runs.begin(), runs.end());
  return Node{
      .name = FindString(*object, {"name"}),
      .running = FindBool(*object, {"running"}),
      .type = FindString(*object, {"type"}) == "ram" ? NodeType::kRam : NodeType::kDisc,
      .partitions = Strings(*object, "partitions"),
      .mem_alarm = FindBool(*object, {"mem_alarm"}),
      .disk_free_alarm = FindBool(*object, {"disk_free_alarm"}),
      .being_drained = FindBool(*object, {"being_drained"}),
      .details_known = alarm != nullptr && alarm->is_boolean(),
      .plugins_known = plugins_known,
      .plugins = plugins_known ? PluginsIn(Strings(*object, "enabled_plugins"),
                                           running_plugins && applications_told ? &runs : nullptr)
                               : std::vector<Plugin>{},
      .version = std::move(version),
  };
}

Result<Vhost> ParseVhost(std::string_view json) {
  const auto object = ParseNamed(json, "vhost", {"name"});
  if (!object) return tl::unexpected(object.error());
  Vhost vhost{.name = FindString(*object, {"name"}),
              .description = FindString(*object, {"description"}),
              .tags = Strings(*object, "tags"),
              .default_queue_type = KnownOrEmpty(FindString(*object, {"default_queue_type"}))};
  const Json* states = base::Find(*object, {"cluster_state"});
  if (states != nullptr && states->is_object()) {
    for (const auto& [node, state] : states->items()) {  // sorted by key
      if (state != "running") vhost.not_running_on.push_back(node);
    }
  }
  return vhost;
}

Result<ParsedFlag> ParseFlag(std::string_view json) {
  const auto object = ParseNamed(json, "feature flag", {"name", "state"});
  if (!object) return tl::unexpected(object.error());
  return ParsedFlag{.name = FindString(*object, {"name"}),
                    .state = FindString(*object, {"state"}),
                    .stability = FindString(*object, {"stability"}),
                    .provided_by = FindString(*object, {"provided_by"})};
}

Result<VhostLimits> ParseVhostLimits(std::string_view json) {
  const auto object = ParseNamed(json, "vhost limits", {"vhost"});
  if (!object) return tl::unexpected(object.error());
  const auto connections = Limit(*object, kMaxConnections);
  if (!connections) return tl::unexpected(connections.error());
  const auto queues = Limit(*object, kMaxQueues);
  if (!queues) return tl::unexpected(queues.error());
  return VhostLimits{.vhost = FindString(*object, {"vhost"}),
                     .max_connections = *connections,
                     .max_queues = *queues};
}

Result<UserLimits> ParseUserLimits(std::string_view json) {
  const auto object = ParseNamed(json, "user limits", {"user"});
  if (!object) return tl::unexpected(object.error());
  const auto connections = Limit(*object, kMaxConnections);
  if (!connections) return tl::unexpected(connections.error());
  const auto channels = Limit(*object, kMaxChannels);
  if (!channels) return tl::unexpected(channels.error());
  return UserLimits{.user = FindString(*object, {"user"}),
                    .max_connections = *connections,
                    .max_channels = *channels};
}

Result<std::size_t> ParseTotalCount(std::string_view json) {
  const auto object = ParseObject(json, "page");
  if (!object) return tl::unexpected(object.error());
  const Json* count = base::Find(*object, {"total_count"});
  if (count == nullptr || !count->is_number_unsigned()) {
    return Fail(ErrorKind::kInternal, "page: has no total_count");
  }
  return count->get<std::size_t>();
}

Result<User> ParseUser(std::string_view json) {
  const auto object = ParseNamed(json, "user", {"name"});
  if (!object) return tl::unexpected(object.error());
  return User{.name = FindString(*object, {"name"}),
              .tags = Strings(*object, "tags"),
              .password_hash = base::Secret(FindString(*object, {"password_hash"})),
              .hashing_algorithm = FindString(*object, {"hashing_algorithm"})};
}

Result<Permission> ParsePermission(std::string_view json) {
  const auto object =
      ParseNamed(json, "permission", {"user", "vhost", "configure", "write", "read"});
  if (!object) return tl::unexpected(object.error());
  return Permission{.user = FindString(*object, {"user"}),
                    .vhost = FindString(*object, {"vhost"}),
                    .configure = FindString(*object, {"configure"}),
                    .write = FindString(*object, {"write"}),
                    .read = FindString(*object, {"read"})};
}

Result<TopicPermission> ParseTopicPermission(std::string_view json) {
  const auto object =
      ParseNamed(json, "topic permission", {"user", "vhost", "exchange", "write", "read"});
  if (!object) return tl::unexpected(object.error());
  return TopicPermission{.user = FindString(*object, {"user"}),
                         .vhost = FindString(*object, {"vhost"}),
                         .exchange = FindString(*object, {"exchange"}),
                         .write = FindString(*object, {"write"}),
                         .read = FindString(*object, {"read"})};
}

Result<Policy> ParsePolicy(std::string_view json) {
  const auto object = ParseNamed(json, "policy", {"vhost", "name", "pattern"});
  if (!object) return tl::unexpected(object.error());
  const Json* definition = base::Find(*object, {"definition"});
  if (definition == nullptr || !definition->is_object()) {
    return Fail(ErrorKind::kInternal, "policy: has no definition");
  }
  return Policy{.vhost = FindString(*object, {"vhost"}),
                .name = FindString(*object, {"name"}),
                .pattern = FindString(*object, {"pattern"}),
                .apply_to = FindString(*object, {"apply-to"}, "all"),
                .priority = FindInt(*object, {"priority"}),
                .definition = base::Dump(*definition)};
}

Result<QueueEntry> ParseQueue(std::string_view json) {
  const auto object = ParseNamed(json, "queue", {"vhost", "name"});
  if (!object) return tl::unexpected(object.error());
  QueueEntry queue{.vhost = FindString(*object, {"vhost"}),
                   .name = FindString(*object, {"name"}),
                   .type = FindString(*object, {"type"}, "classic"),
                   .policy = FindString(*object, {"policy"}),
                   .state = FindString(*object, {"state"}),
                   .home = FindString(*object, {"leader"}, FindString(*object, {"node"})),
                   .counted = FindBool(*object, {"durable"}) && !FindBool(*object, {"exclusive"}) &&
                              !FindBool(*object, {"auto_delete"}),
                   .mirrors = Count(*object, "slave_nodes"),
                   .synced_mirrors = Count(*object, "synchronised_slave_nodes"),
                   .members = Count(*object, "members"),
                   .online = Count(*object, "online")};
  const std::int64_t wanted = FindInt(*object, {"arguments", "x-quorum-initial-group-size"});
  if (wanted > 0 && wanted < std::numeric_limits<std::uint32_t>::max()) {
    queue.wanted_members = static_cast<std::uint32_t>(wanted);
  }
  return queue;
}

MirrorRule ParseMirrorRule(std::string_view definition) {
  const auto object = ParseObject(definition, "definition");
  if (!object) return {};
  const std::string mode = FindString(*object, {"ha-mode"});
  if (mode == "all") return {.mode = MirrorRule::Mode::kAll};
  if (mode == "exactly") {
    const std::int64_t count = std::clamp<std::int64_t>(FindInt(*object, {"ha-params"}), 1, 10'000);
    return {.mode = MirrorRule::Mode::kExactly, .count = static_cast<std::uint32_t>(count)};
  }
  if (mode == "nodes") {
    return {.mode = MirrorRule::Mode::kNodes, .nodes = Strings(*object, "ha-params")};
  }
  return {};
}

Refusal ParseRefusal(std::string_view body) {
  const auto json = base::ParseJson(body);
  if (!json || !json->is_object()) return {.reason = OneLine(std::string(body.substr(0, 4096)))};
  Refusal refusal{.error = OneLine(FindString(*json, {"error"}))};
  if (const Json* reason = base::Find(*json, {"reason"}); reason != nullptr) {
    refusal.reason = OneLine(Flatten(*reason));
  }
  return refusal;
}

}  // namespace rabbit::rabbitmq
