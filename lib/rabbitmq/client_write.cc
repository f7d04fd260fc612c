// The half of ManagementClient that changes the broker.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "rabbitmq/client.h"
#include "rabbitmq/refusal.h"

namespace rabbit::rabbitmq {
namespace {

using base::ErrorKind;
using base::Fail;
using base::FailWrapped;
using base::Json;
using base::Result;

// Of limits the API offers text/html only (3.10.8), and refuses with 406 whoever wants JSON back.
// What it answers to a write is a refusal or nothing.
constexpr std::string_view kAnything = "*/*";

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

// Whether an answer to an import may quote a password or the like of the document. Of a binary that
// is no plain text the broker tells the bytes, or parts of it: `<<195,164>>`.
bool MayQuoteSecret(const std::string& answer, const std::string& told,
                    const base::Secret& document) {
  constexpr std::size_t kShortest = 4;  // what is shorter is part of any text
  constexpr std::string_view kDigits = "0123456789";
  // The address of a shovel or an upstream holds a password, wherever it is from.
  if (told.find("://") != std::string::npos) return true;
  const std::vector<base::Secret> secrets = SecretsIn(document.Reveal());
  if (secrets.empty()) return false;
  for (std::size_t at = answer.find("<<"); at != std::string::npos;
       at = answer.find("<<", at + 2)) {
    if (at + 2 < answer.size() && kDigits.find(answer[at + 2]) != std::string_view::npos)
      return true;
  }
  return std::ranges::any_of(secrets, [&](const base::Secret& secret) {
    const std::string text(secret.Reveal());
    if (text.size() < kShortest) return false;
    const std::string quoted = base::Dump(Json(text));  // as JSON in the answer, and once more
    const std::string escaped = quoted.substr(1, quoted.size() - 2);
    const std::string twice = base::Dump(Json(escaped));
    return told.find(text) != std::string::npos || answer.find(text) != std::string::npos ||
           answer.find(escaped) != std::string::npos ||
           answer.find(twice.substr(1, twice.size() - 2)) != std::string::npos;
  });
}

}  // namespace

Result<void> ManagementClient::Put(std::string target, std::string body,
                                   const http::CallOptions& options) {
  http::Request request{.method = http::Method::kPut,
                        .target = std::move(target),
                        .headers = MakeHeaders(kAnything),
                        .body = std::move(body)};
  request.headers.emplace_back("Content-Type", "application/json");
  const auto response = transport_.Send(request, options);
  if (!response) return FailWrapped(response.error(), CallName(request.method, request.target));
  if (response->status / 100 == 2) return {};
  return FailWrapped(ErrorOfAnswer(response->status, response->body),
                     CallName(request.method, request.target));
}

Result<void> ManagementClient::Delete(std::string target, const http::CallOptions& options) {
  const http::Request request{.method = http::Method::kDelete,
                              .target = std::move(target),
                              .headers = MakeHeaders(kAnything)};
  const auto response = transport_.Send(request, options);
  if (!response) return FailWrapped(response.error(), CallName(request.method, request.target));
  if (response->status / 100 == 2 || response->status == 404) return {};
  return FailWrapped(ErrorOfAnswer(response->status, response->body),
                     CallName(request.method, request.target));
}

Result<void> ManagementClient::PutClusterName(std::string_view name,
                                              const http::CallOptions& options) {
  return Put("/api/cluster-name", base::Dump(Json{{"name", name}}), options);
}

Result<void> ManagementClient::PutVhost(const Vhost& vhost, const http::CallOptions& options) {
  std::string tags;  // a list of them 3.8.9 would make one tag; all read this
  for (const std::string& tag : vhost.tags) tags.append(tags.empty() ? "" : ",").append(tag);
  Json body{{"description", vhost.description}, {"tags", std::move(tags)}};
  if (!vhost.default_queue_type.empty()) {
    body["default_queue_type"] = vhost.default_queue_type;
    // What 3.10.8 to 3.11.11 read instead, and none after them without the other.
    body["defaultqueuetype"] = vhost.default_queue_type;
  }
  return Put(ApiPath("vhosts", {vhost.name}), base::Dump(body), options);
}

Result<void> ManagementClient::DeleteVhost(std::string_view name,
                                           const http::CallOptions& options) {
  return Delete(ApiPath("vhosts", {name}), options);
}

Result<void> ManagementClient::PutVhostLimit(std::string_view vhost, std::string_view limit,
                                             std::int64_t value, const http::CallOptions& options) {
  return Put(ApiPath("vhost-limits", {vhost, limit}), base::Dump(Json{{"value", value}}), options);
}

Result<void> ManagementClient::DeleteVhostLimit(std::string_view vhost, std::string_view limit,
                                                const http::CallOptions& options) {
  return Delete(ApiPath("vhost-limits", {vhost, limit}), options);
}

Result<void> ManagementClient::PutUser(const User& user, const http::CallOptions& options) {
  if (user.password_hash.empty()) {
    return Fail(ErrorKind::kInvalid,
                "user " + user.name + ": without a password hash, writing would wipe the password");
  }
  std::string tags;  // to a list of them 3.8.9 answers 500; the others read this, too
  for (const std::string& tag : user.tags) tags.append(tags.empty() ? "" : ",").append(tag);
  return Put(ApiPath("users", {user.name}),
             base::Dump(Json{{"password_hash", user.password_hash.Reveal()},
                             {"hashing_algorithm", user.hashing_algorithm},
                             {"tags", std::move(tags)}}),
             options);
}

Result<void> ManagementClient::DeleteUser(std::string_view name, const http::CallOptions& options) {
  return Delete(ApiPath("users", {name}), options);
}

Result<void> ManagementClient::PutUserLimit(std::string_view user, std::string_view limit,
                                            std::int64_t value, const http::CallOptions& options) {
  return Put(ApiPath("user-limits", {user, limit}), base::Dump(Json{{"value", value}}), options);
}

Result<void> ManagementClient::DeleteUserLimit(std::string_view user, std::string_view limit,
                                               const http::CallOptions& options) {
  return Delete(ApiPath("user-limits", {user, limit}), options);
}

Result<void> ManagementClient::PutPermission(const Permission& permission,
                                             const http::CallOptions& options) {
  return Put(ApiPath("permissions", {permission.vhost, permission.user}),
             base::Dump(Json{{"configure", permission.configure},
                             {"write", permission.write},
                             {"read", permission.read}}),
             options);
}

Result<void> ManagementClient::DeletePermission(std::string_view user, std::string_view vhost,
                                                const http::CallOptions& options) {
  return Delete(ApiPath("permissions", {vhost, user}), options);
}

Result<void> ManagementClient::PutTopicPermission(const TopicPermission& permission,
                                                  const http::CallOptions& options) {
  return Put(ApiPath("topic-permissions", {permission.vhost, permission.user}),
             base::Dump(Json{{"exchange", permission.exchange},
                             {"write", permission.write},
                             {"read", permission.read}}),
             options);
}

Result<void> ManagementClient::DeleteTopicPermission(std::string_view user, std::string_view vhost,
                                                     std::string_view exchange,
                                                     const http::CallOptions& options) {
  // The default exchange has no name; without one in the path all would go.
  return Delete(
      ApiPath("topic-permissions", {vhost, user, exchange.empty() ? "amq.default" : exchange}),
      options);
}

Result<void> ManagementClient::PutPolicy(const Policy& policy, const http::CallOptions& options) {
  auto body = PolicyBody(policy);
  if (!body) return tl::unexpected(body.error());
  return Put(ApiPath("policies", {policy.vhost, policy.name}), std::move(*body), options);
}

Result<void> ManagementClient::DeletePolicy(std::string_view vhost, std::string_view name,
                                            const http::CallOptions& options) {
  return Delete(ApiPath("policies", {vhost, name}), options);
}

Result<void> ManagementClient::PutOperatorPolicy(const Policy& policy,
                                                 const http::CallOptions& options) {
  auto body = PolicyBody(policy);
  if (!body) return tl::unexpected(body.error());
  return Put(ApiPath("operator-policies", {policy.vhost, policy.name}), std::move(*body), options);
}

Result<void> ManagementClient::DeleteOperatorPolicy(std::string_view vhost, std::string_view name,
                                                    const http::CallOptions& options) {
  return Delete(ApiPath("operator-policies", {vhost, name}), options);
}

Result<void> ManagementClient::PostDefinitions(const base::Secret& body,
                                               const http::CallOptions& options) {
  http::Request request{.method = http::Method::kPost,
                        .target = "/api/definitions",
                        .headers = MakeHeaders(kAnything),
                        .body = std::string(body.Reveal())};
  request.headers.emplace_back("Content-Type", "application/json");
  const auto response = transport_.Send(request, options);
  const std::string what = CallName(request.method, request.target);
  if (!response) return FailWrapped(response.error(), what);
  if (response->status / 100 == 2) return {};
  base::Error error = ErrorOfAnswer(response->status, response->body);
  if (MayQuoteSecret(response->body, error.message, body)) {
    error.reason = "the reason is in the broker's log";
    error.message = std::to_string(response->status) + ": " + error.reason;
  }
  return FailWrapped(error, what);
}

Result<void> ManagementClient::EnableFlag(std::string_view name, const http::CallOptions& options) {
  return Put(ApiPath("feature-flags", {name}) + "/enable", "{}", options);
}

}  // namespace rabbit::rabbitmq
