#include "rabbitmq/client.h"

#include <algorithm>
#include <tuple>

#include "base/hash.h"
#include "rabbitmq/array_scanner.h"
#include "rabbitmq/parse.h"
#include "rabbitmq/queue_counter.h"
#include "rabbitmq/refusal.h"

namespace rabbit::rabbitmq {
namespace {

using base::ErrorKind;
using base::Fail;
using base::FailWrapped;
using base::Result;

constexpr std::size_t kMaxRefusalBytes = 64 << 10;
constexpr std::size_t kMaxFlags = 1'000;
// The application that is the broker itself: who provides a flag that no plugin brings.
constexpr std::string_view kBroker = "rabbit";
// What a broker answers below /api that it does not know (cowboy 2.6 serves it from static files,
// and asks for the type before it looks for the file).
constexpr int kNotAcceptable = 406;

// GET /api/nodes keeps its statistics: without them partitions and alarms are missing.
constexpr std::string_view kNodes =
    "/api/nodes?columns=name,running,type,partitions,mem_alarm,disk_free_alarm,being_drained,"
    "enabled_plugins";
constexpr std::string_view kVhosts =
    "/api/vhosts?disable_stats=true&columns=name,description,tags,default_queue_type,cluster_state";
// No enable_queue_totals: it empties synchronised_slave_nodes.
constexpr std::string_view kQueues = "/api/queues?disable_stats=true&columns=";

// Streams a 200 into a scanner, and keeps the beginning of anything else.
class ListSink final : public http::BodySink {
 public:
  explicit ListSink(ArrayScanner scanner) : scanner_(std::move(scanner)) {}

  Result<void> OnHead(const http::ResponseHead& head) override {
    status_ = head.status;
    return {};
  }
  Result<void> OnData(std::string_view data) override {
    if (status_ == 200) return scanner_.Feed(data);
    refusal_ += data.substr(0, kMaxRefusalBytes - std::min(kMaxRefusalBytes, refusal_.size()));
    return {};
  }
  [[nodiscard]] Result<void> Finish() const {
    if (status_ == 200) return scanner_.Finish();
    return tl::unexpected(ErrorOfAnswer(status_, refusal_));
  }

 private:
  ArrayScanner scanner_;
  int status_ = 0;
  std::string refusal_;
};

Result<void> List(http::Transport& transport, http::Headers headers, std::string target,
                  const http::CallOptions& options, ArrayScanner::OnElement on_element) {
  const http::Request request{.target = std::move(target), .headers = std::move(headers)};
  ListSink sink{ArrayScanner(std::move(on_element))};
  auto done = transport.Stream(request, options, sink);
  if (done) done = sink.Finish();
  if (!done) return FailWrapped(done.error(), CallName(request.method, request.target));
  return {};
}

template <typename Parse, typename Less>
auto ListOf(http::Transport& transport, http::Headers headers, std::string_view target,
            const http::CallOptions& options, Parse parse, std::size_t most, Less less) {
  using T = typename std::invoke_result_t<Parse, std::string_view>::value_type;
  std::vector<T> all;
  auto done = List(transport, std::move(headers), std::string(target), options,
                   [&](std::string_view text) -> Result<void> {
                     auto one = parse(text);
                     if (!one) return tl::unexpected(one.error());
                     if (all.size() == most) {
                       return Fail(ErrorKind::kInternal, "more than " + std::to_string(most) +
                                                             " entries: too many to keep");
                     }
                     all.push_back(std::move(*one));
                     return {};
                   });
  if (!done) return Result<std::vector<T>>(tl::unexpected(done.error()));
  std::ranges::sort(all, less);
  return Result<std::vector<T>>(std::move(all));
}

constexpr auto kByName = [](const auto& a, const auto& b) { return a.name < b.name; };
constexpr auto kByVhost = [](const auto& a, const auto& b) { return a.vhost < b.vhost; };
constexpr auto kByUser = [](const auto& a, const auto& b) { return a.user < b.user; };
constexpr auto kByVhostAndName = [](const auto& a, const auto& b) {
  return std::tie(a.vhost, a.name) < std::tie(b.vhost, b.name);
};
constexpr auto kByUserAndVhost = [](const auto& a, const auto& b) {
  return std::tie(a.user, a.vhost) < std::tie(b.user, b.vhost);
};
constexpr auto kByUserVhostAndExchange = [](const auto& a, const auto& b) {
  return std::tie(a.user, a.vhost, a.exchange) < std::tie(b.user, b.vhost, b.exchange);
};

// A failure after which asking for the other parts would only take as long again.
bool IsHopeless(const base::Error& error) {
  return error.kind == ErrorKind::kCancelled || IsBadCredentials(error) ||
         (error.kind == ErrorKind::kRetry && error.http_status == 0);
}

}  // namespace

ManagementClient::ManagementClient(http::Transport& transport, std::string_view user,
                                   const base::Secret& password)
    : transport_(transport),
      authorization_("Basic " +
                     base::Base64Encode(std::string(user) + ':' + std::string(password.Reveal()))) {
}

http::Headers ManagementClient::MakeHeaders(std::string_view accept) const {
  return {{"Authorization", std::string(authorization_.Reveal())}, {"Accept", std::string(accept)}};
}

Result<ManagementClient::Overview> ManagementClient::GetOverview(const http::CallOptions& options) {
  const http::Request request{
      .target = "/api/overview?disable_stats=true&columns=cluster_name,rabbitmq_version,node",
      .headers = MakeHeaders()};
  const auto response = transport_.Send(request, options);
  if (!response) return FailWrapped(response.error(), CallName(request.method, request.target));
  if (response->status != 200) {
    return FailWrapped(ErrorOfAnswer(response->status, response->body),
                       CallName(request.method, request.target));
  }
  auto overview = ParseOverview(response->body);
  if (!overview) return FailWrapped(overview.error(), CallName(request.method, request.target));
  return Overview{std::move(overview->cluster_name), std::move(overview->version),
                  std::move(overview->node)};
}

Result<std::vector<Node>> ManagementClient::GetNodes(const http::CallOptions& options,
                                                     bool running_plugins,
                                                     std::set<std::string>* running) {
  std::string target(kNodes);
  if (running_plugins || running != nullptr) target += ",applications.name";
  if (running != nullptr) target += ",applications.version";
  const auto parse = [&](std::string_view json) {
    return ParseNode(json, running_plugins, running);
  };
  return ListOf(transport_, MakeHeaders(), target, options, parse, kMaxNodes, kByName);
}

Result<std::vector<Vhost>> ManagementClient::GetVhosts(const http::CallOptions& options) {
  return ListOf(transport_, MakeHeaders(), kVhosts, options, ParseVhost, kMaxVhosts, kByName);
}

Result<std::vector<User>> ManagementClient::GetUsers(const http::CallOptions& options) {
  return ListOf(transport_, MakeHeaders(), "/api/users", options, ParseUser, kMaxUsers, kByName);
}

Result<std::vector<VhostLimits>> ManagementClient::GetVhostLimits(
    const http::CallOptions& options) {
  auto limits = ListOf(transport_, MakeHeaders(), "/api/vhost-limits", options, ParseVhostLimits,
                       kMaxVhosts, kByVhost);
  // A vhost stays in the list when its last limit has been deleted.
  if (limits) {
    std::erase_if(*limits,
                  [](const VhostLimits& one) { return !one.max_connections && !one.max_queues; });
  }
  return limits;
}

Result<std::vector<UserLimits>> ManagementClient::GetUserLimits(const http::CallOptions& options) {
  auto limits = ListOf(transport_, MakeHeaders(), "/api/user-limits", options, ParseUserLimits,
                       kMaxUsers, kByUser);
  if (limits) {
    std::erase_if(*limits,
                  [](const UserLimits& one) { return !one.max_connections && !one.max_channels; });
  } else if (limits.error().http_status == kNotAcceptable) {
    limits.error().kind = ErrorKind::kNotFound;
  }
  return limits;
}

Result<std::size_t> ManagementClient::CountQueues(std::string_view vhost,
                                                  const http::CallOptions& options) {
  const http::Request request{
      .target = ApiPath("queues", {vhost}) + "?page=1&page_size=1&columns=name",
      .headers = MakeHeaders()};
  const std::string what = CallName(request.method, request.target);
  const auto response = transport_.Send(request, options);
  if (!response) return FailWrapped(response.error(), what);
  // The broker says in JSON that there is no such vhost. A 404 without it may be anybody's, and
  // "no queues" would have the vhost deleted.
  if (response->status == 404 && !ParseRefusal(response->body).error.empty()) return 0;
  if (response->status != 200) {
    return FailWrapped(ErrorOfAnswer(response->status, response->body), what);
  }
  auto count = ParseTotalCount(response->body);
  if (!count) return FailWrapped(count.error(), what);
  return count;
}

Result<std::vector<Permission>> ManagementClient::GetPermissions(const http::CallOptions& options) {
  return ListOf(transport_, MakeHeaders(), "/api/permissions", options, ParsePermission,
                kMaxPermissions, kByUserAndVhost);
}

Result<std::vector<TopicPermission>> ManagementClient::GetTopicPermissions(
    const http::CallOptions& options) {
  return ListOf(transport_, MakeHeaders(), "/api/topic-permissions", options, ParseTopicPermission,
                kMaxPermissions, kByUserVhostAndExchange);
}

Result<std::vector<Policy>> ManagementClient::GetPolicies(const http::CallOptions& options) {
  return ListOf(transport_, MakeHeaders(), "/api/policies", options, ParsePolicy, kMaxPolicies,
                kByVhostAndName);
}

Result<std::vector<Policy>> ManagementClient::GetOperatorPolicies(
    const http::CallOptions& options) {
  return ListOf(transport_, MakeHeaders(), "/api/operator-policies", options, ParsePolicy,
                kMaxPolicies, kByVhostAndName);
}

Result<std::vector<FeatureFlag>> ManagementClient::GetFlagsToEnable(
    const std::set<std::string>& running, const http::CallOptions& options) {
  constexpr std::string_view kFlags = "/api/feature-flags?columns=name,state,stability,provided_by";
  const auto flags =
      ListOf(transport_, MakeHeaders(), kFlags, options, ParseFlag, kMaxFlags, kByName);
  if (!flags) return tl::unexpected(flags.error());
  std::vector<FeatureFlag> to_enable;
  for (const ParsedFlag& flag : *flags) {
    if (flag.state == "enabled" || flag.stability != "stable") continue;
    // A plugin that was disabled leaves its flags behind until the node boots; to enable one of
    // them then may keep a node from starting (3.13).
    const bool of_plugin = !flag.provided_by.empty() && flag.provided_by != kBroker;
    if (of_plugin && !running.contains(flag.provided_by)) continue;
    to_enable.push_back({.name = flag.name, .disabled = flag.state == "disabled"});
  }
  return to_enable;
}

Result<MissingDefinitions> ManagementClient::FindMissing(
    const std::shared_ptr<const Definitions>& wanted, const http::CallOptions& options) {
  // Streams a 200 into a finder, and keeps the beginning of anything else.
  class Sink final : public http::BodySink {
   public:
    explicit Sink(const Definitions& wanted) : finder_(wanted) {}
    Result<void> OnHead(const http::ResponseHead& head) override {
      status_ = head.status;
      return {};
    }
    Result<void> OnData(std::string_view data) override {
      if (status_ == 200) return finder_.Feed(data);
      refusal_ += data.substr(0, kMaxRefusalBytes - std::min(kMaxRefusalBytes, refusal_.size()));
      return {};
    }
    [[nodiscard]] Result<std::vector<DefinitionKey>> Finish() const {
      if (status_ == 200) return finder_.Finish();
      return tl::unexpected(ErrorOfAnswer(status_, refusal_));
    }

   private:
    DefinitionsFinder finder_;
    int status_ = 0;
    std::string refusal_;
  };
  const http::Request request{.target = "/api/definitions", .headers = MakeHeaders()};
  Sink sink(*wanted);
  const auto done = transport_.Stream(request, options, sink);
  auto missing =
      done ? sink.Finish() : Result<std::vector<DefinitionKey>>(tl::unexpected(done.error()));
  if (!missing) return FailWrapped(missing.error(), CallName(request.method, request.target));
  return MissingDefinitions{.of = wanted, .keys = std::move(*missing)};
}

Result<QueueSummary> ManagementClient::GetQueueSummary(
    const std::vector<Policy>& policies, const std::vector<Node>& nodes,
    const http::CallOptions& options, std::map<std::string, std::size_t>* in_vhosts) {
  QueueCounter counter(policies, nodes);
  const auto done =
      List(transport_, MakeHeaders(), std::string(kQueues) + std::string(kQueueColumns), options,
           [&](std::string_view text) -> Result<void> {
             const auto queue = ParseQueue(text);
             if (!queue) return tl::unexpected(queue.error());
             counter.Add(*queue);
             if (in_vhosts == nullptr) return {};
             const auto vhost = in_vhosts->find(queue->vhost);
             if (vhost != in_vhosts->end()) ++vhost->second;
             return {};
           });
  if (!done) return tl::unexpected(done.error());
  return counter.Take();
}

BrokerView ManagementClient::Read(const ViewParts& parts, const http::CallOptions& options,
                                  std::optional<base::TimePoint> nodes_by) {
  BrokerView view;
  std::optional<base::Error> hopeless;  // then nothing more is asked
  const auto read = [&](auto& part, auto get) {
    if (hopeless) {
      part = *hopeless;
      return;
    }
    auto result = get();
    if (!result && IsHopeless(result.error())) hopeless = result.error();
    part = std::move(result);
  };

  http::CallOptions at_first = options;
  at_first.deadline = nodes_by.value_or(options.deadline);
  Part<Overview> overview;
  read(overview, [&] { return GetOverview(at_first); });
  if (overview) {
    view.cluster_name = overview->cluster_name;
    view.version = overview->version;
  } else {
    const base::Error error{.kind = overview.kind(), .message = overview.why()};
    view.cluster_name = error;
    view.version = error;
  }
  std::set<std::string> running;
  read(view.nodes, [&] {
    return GetNodes(at_first, parts.running_plugins, parts.flags_to_enable ? &running : nullptr);
  });
  read(view.vhosts, [&] { return GetVhosts(options); });
  if (parts.vhost_limits) read(view.vhost_limits, [&] { return GetVhostLimits(options); });
  read(view.users, [&] { return GetUsers(options); });
  if (parts.user_limits) read(view.user_limits, [&] { return GetUserLimits(options); });
  read(view.permissions, [&] { return GetPermissions(options); });
  if (parts.topic_permissions) {
    read(view.topic_permissions, [&] { return GetTopicPermissions(options); });
  }
  read(view.policies, [&] { return GetPolicies(options); });
  if (parts.operator_policies) {
    read(view.operator_policies, [&] { return GetOperatorPolicies(options); });
  }
  if (parts.flags_to_enable) {
    read(view.flags_to_enable, [&] { return GetFlagsToEnable(running, options); });
  }
  for (const std::string& vhost : parts.counted_apart) {
    read(view.vhost_queues[vhost], [&] { return CountQueues(vhost, options); });
  }
  if (!parts.queues) return view;
  std::map<std::string, std::size_t> in_vhosts;
  for (const std::string& vhost : parts.queues_of) in_vhosts[vhost] = 0;
  if (!view.nodes || !view.policies) {
    view.queues = base::Error{
        .kind = view.nodes ? view.policies.kind() : view.nodes.kind(),
        .message = "cannot be judged: " + (view.nodes ? view.policies.why() : view.nodes.why())};
  } else {
    read(view.queues,
         [&] { return GetQueueSummary(*view.policies, *view.nodes, options, &in_vhosts); });
  }
  for (const auto& [vhost, count] : in_vhosts) {
    if (view.queues) {
      view.vhost_queues[vhost] = count;
    } else {
      view.vhost_queues.try_emplace(
          vhost, base::Error{.kind = view.queues.kind(), .message = view.queues.why()});
    }
  }
  return view;
}

}  // namespace rabbit::rabbitmq
