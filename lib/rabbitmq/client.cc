#include "rabbitmq/client.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/json.h"
#include "rabbitmq/array_scanner.h"
#include "rabbitmq/parse.h"
#include "rabbitmq/queue_counter.h"
#include "rabbitmq/refusal.h"

namespace rabbit::rabbitmq {
namespace {

using base::ErrorKind;
using base::Fail;
using base::FailWrapped;
using base::Json;
using base::Result;

constexpr std::size_t kMaxRefusalBytes = 64 << 10;

// GET /api/nodes keeps its statistics: without them partitions and alarms are missing.
constexpr std::string_view kNodes =
    "/api/nodes?columns=name,running,type,partitions,mem_alarm,disk_free_alarm,being_drained";
constexpr std::string_view kVhosts =
    "/api/vhosts?disable_stats=true&columns=name,description,tags,default_queue_type,cluster_state";
// No enable_queue_totals: it empties synchronised_slave_nodes.
constexpr std::string_view kQueues = "/api/queues?disable_stats=true&columns=";

std::string What(http::Method method, std::string_view target) {
  return std::string(http::Name(method)) + ' ' + std::string(target.substr(0, target.find('?')));
}

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
  if (!done) return FailWrapped(done.error(), What(request.method, request.target));
  return {};
}

template <typename T, typename Less>
Result<std::vector<T>> ListOf(http::Transport& transport, http::Headers headers,
                              std::string_view target, const http::CallOptions& options,
                              Result<T> (*parse)(std::string_view), std::size_t most, Less less) {
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
  if (!done) return tl::unexpected(done.error());
  std::ranges::sort(all, less);
  return all;
}

constexpr auto kByName = [](const auto& a, const auto& b) { return a.name < b.name; };
constexpr auto kByVhostAndName = [](const auto& a, const auto& b) {
  return std::tie(a.vhost, a.name) < std::tie(b.vhost, b.name);
};
constexpr auto kByUserAndVhost = [](const auto& a, const auto& b) {
  return std::tie(a.user, a.vhost) < std::tie(b.user, b.vhost);
};
constexpr auto kByUserVhostAndExchange = [](const auto& a, const auto& b) {
  return std::tie(a.user, a.vhost, a.exchange) < std::tie(b.user, b.vhost, b.exchange);
};

std::string Path(std::string_view collection, std::initializer_list<std::string_view> names) {
  std::string path = "/api/" + std::string(collection);
  for (const std::string_view name : names) path += '/' + http::Escape(name);
  return path;
}

Result<std::string> PolicyBody(const Policy& policy) {
  auto definition = base::ParseJson(policy.definition);
  if (!definition || !definition->is_object() || definition->empty()) {
    return Fail(ErrorKind::kInvalid, "policy " + policy.name + " in vhost " + policy.vhost +
                                         ": its definition is no object, or is empty");
  }
  return base::Dump(Json{{"pattern", policy.pattern},
                         {"apply-to", policy.apply_to},
                         {"priority", policy.priority},
                         {"definition", std::move(*definition)}});
}

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

http::Headers ManagementClient::MakeHeaders() const {
  return {{"Authorization", std::string(authorization_.Reveal())}, {"Accept", "application/json"}};
}

Result<void> ManagementClient::Put(std::string target, std::string body,
                                   const http::CallOptions& options) {
  http::Request request{.method = http::Method::kPut,
                        .target = std::move(target),
                        .headers = MakeHeaders(),
                        .body = std::move(body)};
  request.headers.emplace_back("Content-Type", "application/json");
  const auto response = transport_.Send(request, options);
  if (!response) return FailWrapped(response.error(), What(request.method, request.target));
  if (response->status / 100 == 2) return {};
  return FailWrapped(ErrorOfAnswer(response->status, response->body),
                     What(request.method, request.target));
}

Result<void> ManagementClient::Delete(std::string target, const http::CallOptions& options) {
  const http::Request request{
      .method = http::Method::kDelete, .target = std::move(target), .headers = MakeHeaders()};
  const auto response = transport_.Send(request, options);
  if (!response) return FailWrapped(response.error(), What(request.method, request.target));
  if (response->status / 100 == 2 || response->status == 404) return {};
  return FailWrapped(ErrorOfAnswer(response->status, response->body),
                     What(request.method, request.target));
}

Result<ManagementClient::Overview> ManagementClient::GetOverview(const http::CallOptions& options) {
  const http::Request request{
      .target = "/api/overview?disable_stats=true&columns=cluster_name,rabbitmq_version,node",
      .headers = MakeHeaders()};
  const auto response = transport_.Send(request, options);
  if (!response) return FailWrapped(response.error(), What(request.method, request.target));
  if (response->status != 200) {
    return FailWrapped(ErrorOfAnswer(response->status, response->body),
                       What(request.method, request.target));
  }
  auto overview = ParseOverview(response->body);
  if (!overview) return FailWrapped(overview.error(), What(request.method, request.target));
  return Overview{std::move(overview->cluster_name), std::move(overview->version),
                  std::move(overview->node)};
}

Result<std::vector<Node>> ManagementClient::GetNodes(const http::CallOptions& options) {
  return ListOf(transport_, MakeHeaders(), kNodes, options, ParseNode, kMaxNodes, kByName);
}

Result<std::vector<Vhost>> ManagementClient::GetVhosts(const http::CallOptions& options) {
  return ListOf(transport_, MakeHeaders(), kVhosts, options, ParseVhost, kMaxVhosts, kByName);
}

Result<std::vector<User>> ManagementClient::GetUsers(const http::CallOptions& options) {
  return ListOf(transport_, MakeHeaders(), "/api/users", options, ParseUser, kMaxUsers, kByName);
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

Result<QueueSummary> ManagementClient::GetQueueSummary(const std::vector<Policy>& policies,
                                                       const std::vector<Node>& nodes,
                                                       const http::CallOptions& options) {
  QueueCounter counter(policies, nodes);
  const auto done =
      List(transport_, MakeHeaders(), std::string(kQueues) + std::string(kQueueColumns), options,
           [&](std::string_view text) -> Result<void> {
             const auto queue = ParseQueue(text);
             if (!queue) return tl::unexpected(queue.error());
             counter.Add(*queue);
             return {};
           });
  if (!done) return tl::unexpected(done.error());
  return counter.Take();
}

BrokerView ManagementClient::Read(const ViewParts& parts, const http::CallOptions& options) {
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

  Part<Overview> overview;
  read(overview, [&] { return GetOverview(options); });
  if (overview) {
    view.cluster_name = overview->cluster_name;
    view.version = overview->version;
  } else {
    const base::Error error{.kind = overview.kind(), .message = overview.why()};
    view.cluster_name = error;
    view.version = error;
  }
  read(view.nodes, [&] { return GetNodes(options); });
  read(view.vhosts, [&] { return GetVhosts(options); });
  read(view.users, [&] { return GetUsers(options); });
  read(view.permissions, [&] { return GetPermissions(options); });
  if (parts.topic_permissions) {
    read(view.topic_permissions, [&] { return GetTopicPermissions(options); });
  }
  read(view.policies, [&] { return GetPolicies(options); });
  if (parts.operator_policies) {
    read(view.operator_policies, [&] { return GetOperatorPolicies(options); });
  }
  if (!parts.queues) return view;
  if (!view.nodes || !view.policies) {
    view.queues = base::Error{
        .kind = view.nodes ? view.policies.kind() : view.nodes.kind(),
        .message = "cannot be judged: " + (view.nodes ? view.policies.why() : view.nodes.why())};
    return view;
  }
  read(view.queues, [&] { return GetQueueSummary(*view.policies, *view.nodes, options); });
  return view;
}

Result<void> ManagementClient::PutClusterName(std::string_view name,
                                              const http::CallOptions& options) {
  return Put("/api/cluster-name", base::Dump(Json{{"name", name}}), options);
}

Result<void> ManagementClient::PutVhost(const Vhost& vhost, const http::CallOptions& options) {
  Json body{{"description", vhost.description}, {"tags", vhost.tags}};
  if (!vhost.default_queue_type.empty()) body["default_queue_type"] = vhost.default_queue_type;
  return Put(Path("vhosts", {vhost.name}), base::Dump(body), options);
}

Result<void> ManagementClient::DeleteVhost(std::string_view name,
                                           const http::CallOptions& options) {
  return Delete(Path("vhosts", {name}), options);
}

Result<void> ManagementClient::PutUser(const User& user, const http::CallOptions& options) {
  if (user.password_hash.empty()) {
    return Fail(ErrorKind::kInvalid,
                "user " + user.name + ": without a password hash, writing would wipe the password");
  }
  return Put(Path("users", {user.name}),
             base::Dump(Json{{"password_hash", user.password_hash.Reveal()},
                             {"hashing_algorithm", user.hashing_algorithm},
                             {"tags", user.tags}}),
             options);
}

Result<void> ManagementClient::DeleteUser(std::string_view name, const http::CallOptions& options) {
  return Delete(Path("users", {name}), options);
}

Result<void> ManagementClient::PutPermission(const Permission& permission,
                                             const http::CallOptions& options) {
  return Put(Path("permissions", {permission.vhost, permission.user}),
             base::Dump(Json{{"configure", permission.configure},
                             {"write", permission.write},
                             {"read", permission.read}}),
             options);
}

Result<void> ManagementClient::DeletePermission(std::string_view user, std::string_view vhost,
                                                const http::CallOptions& options) {
  return Delete(Path("permissions", {vhost, user}), options);
}

Result<void> ManagementClient::PutTopicPermission(const TopicPermission& permission,
                                                  const http::CallOptions& options) {
  return Put(Path("topic-permissions", {permission.vhost, permission.user}),
             base::Dump(Json{{"exchange", permission.exchange},
                             {"write", permission.write},
                             {"read", permission.read}}),
             options);
}

Result<void> ManagementClient::DeleteTopicPermissions(std::string_view user, std::string_view vhost,
                                                      const http::CallOptions& options) {
  return Delete(Path("topic-permissions", {vhost, user}), options);
}

Result<void> ManagementClient::PutPolicy(const Policy& policy, const http::CallOptions& options) {
  auto body = PolicyBody(policy);
  if (!body) return tl::unexpected(body.error());
  return Put(Path("policies", {policy.vhost, policy.name}), std::move(*body), options);
}

Result<void> ManagementClient::DeletePolicy(std::string_view vhost, std::string_view name,
                                            const http::CallOptions& options) {
  return Delete(Path("policies", {vhost, name}), options);
}

Result<void> ManagementClient::PutOperatorPolicy(const Policy& policy,
                                                 const http::CallOptions& options) {
  auto body = PolicyBody(policy);
  if (!body) return tl::unexpected(body.error());
  return Put(Path("operator-policies", {policy.vhost, policy.name}), std::move(*body), options);
}

Result<void> ManagementClient::DeleteOperatorPolicy(std::string_view vhost, std::string_view name,
                                                    const http::CallOptions& options) {
  return Delete(Path("operator-policies", {vhost, name}), options);
}

}  // namespace rabbit::rabbitmq
