// lib/rabbitmq/client.h: calls of a broker's management API. Thread-safe.
//
// Every call has a deadline and a stop token (http::CallOptions) and bounded memory: lists are read
// item by item while they stream in, and never held whole. Errors: kRetry (network, deadline, 5xx;
// a node that is booting or draining), kDenied (401: see IsBadCredentials), kNotFound (also a PUT
// into a vhost that does not exist), kInvalid (400: Error::reason is the broker's own text).
// Names may hold any character: they are escaped here.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "http/transport.h"
#include "rabbitmq/view.h"

namespace rabbit::rabbitmq {

// Which parts Read() asks for; the others stay "not asked yet".
struct ViewParts {
  bool vhost_limits = false;
  bool user_limits = false;
  bool topic_permissions = false;
  bool operator_policies = false;
  // Which of the enabled plugins run on each node (about 1 KB a node; no call more).
  bool running_plugins = false;
  bool flags_to_enable = false;  // and the version of each node (about 2 KB a node)
  // What is looked for in what the broker exports; null: nothing. (Compared by the pointer.) Not by
  // Read(): see FindMissing().
  std::shared_ptr<const Definitions> definitions = nullptr;
  bool queues = true;
  // Vhosts whose queues, of any kind, are counted: with those of all, which costs no call more. A
  // call each have those that are named in `counted_apart` too, before the list of all is read:
  // that may be too long for the time there is.
  std::vector<std::string> queues_of = {};
  std::vector<std::string> counted_apart = {};
  bool operator==(const ViewParts&) const = default;
};

// What a limit is called at the broker.
inline constexpr std::string_view kMaxConnections = "max-connections";
inline constexpr std::string_view kMaxQueues = "max-queues";
inline constexpr std::string_view kMaxChannels = "max-channels";

class ManagementClient {
 public:
  // `transport` is not owned and must outlive the client.
  ManagementClient(http::Transport& transport, std::string_view user, const base::Secret& password);

  // All parts but definitions, one request each, within one deadline. A part that fails says why,
  // the others go on; but when the broker cannot be reached, or refuses the credentials, all are
  // given up at once: so too when it has not told its nodes by `nodes_by`, which is no later than
  // the deadline.
  [[nodiscard]] BrokerView Read(const ViewParts& parts, const http::CallOptions& options,
                                std::optional<base::TimePoint> nodes_by = std::nullopt);

  struct Overview {
    std::string cluster_name, version, node;  // `node` is the one that answered
  };
  base::Result<Overview> GetOverview(const http::CallOptions& options);
  // `running`, when given, gets the names of the applications that run on some node; then the nodes
  // say their versions too.
  base::Result<std::vector<Node>> GetNodes(const http::CallOptions& options,
                                           bool running_plugins = false,
                                           std::set<std::string>* running = nullptr);
  base::Result<std::vector<Vhost>> GetVhosts(const http::CallOptions& options);
  base::Result<std::vector<User>> GetUsers(const http::CallOptions& options);
  base::Result<std::vector<VhostLimits>> GetVhostLimits(const http::CallOptions& options);
  // kNotFound from a broker that has no limits of users (3.8.9, which answers 404, or 406 to who
  // accepts JSON only). 3.8.10 to 3.10 may have the feature flag user_limits disabled: the list is
  // then empty, and a PUT kInvalid with the broker's reason.
  base::Result<std::vector<UserLimits>> GetUserLimits(const http::CallOptions& options);
  // Queues of any kind in the vhost, also exclusive ones and those of nodes that are down (3.8.9 to
  // 4.0; an administrator needs no permission on the vhost); none when it is not there.
  base::Result<std::size_t> CountQueues(std::string_view vhost, const http::CallOptions& options);
  base::Result<std::vector<Permission>> GetPermissions(const http::CallOptions& options);
  base::Result<std::vector<TopicPermission>> GetTopicPermissions(const http::CallOptions& options);
  base::Result<std::vector<Policy>> GetPolicies(const http::CallOptions& options);
  base::Result<std::vector<Policy>> GetOperatorPolicies(const http::CallOptions& options);
  // Feature flags that are stable and not enabled, of the broker itself and of `running` plugins.
  base::Result<std::vector<FeatureFlag>> GetFlagsToEnable(const std::set<std::string>& running,
                                                          const http::CallOptions& options);
  // Which of these the broker does not have, or has different. It exports all that it has, also
  // each durable queue; that is streamed, and takes seconds where there are ten thousands of them.
  base::Result<MissingDefinitions> FindMissing(const std::shared_ptr<const Definitions>& wanted,
                                               const http::CallOptions& options);
  // `policies` say how many mirrors are meant, `nodes` how many there can be. To each vhost that
  // `in_vhosts` names, when given, is added how many queues of any kind it has: meaningless after
  // an error.
  base::Result<QueueSummary> GetQueueSummary(
      const std::vector<Policy>& policies, const std::vector<Node>& nodes,
      const http::CallOptions& options, std::map<std::string, std::size_t>* in_vhosts = nullptr);

  // All are idempotent: PUT creates or replaces, DELETE of what is not there is success.
  base::Result<void> PutClusterName(std::string_view name, const http::CallOptions& options);
  // Name, description, tags and default queue type; an empty default queue type is left out.
  // This and DeleteVhost are answered when all nodes are done, which takes long with many queues;
  // the broker goes on when the caller has given up.
  base::Result<void> PutVhost(const Vhost& vhost, const http::CallOptions& options);
  base::Result<void> DeleteVhost(std::string_view name, const http::CallOptions& options);
  // `limit`: kMaxConnections or kMaxQueues; 0 lets nobody in, less means no limit. The broker reads
  // all limits of the vhost and writes them back: not two at once. When the vhost is not there: PUT
  // kNotFound; DELETE success from 3.12.1 on, before that the broker fails, kRetry with 500.
  base::Result<void> PutVhostLimit(std::string_view vhost, std::string_view limit,
                                   std::int64_t value, const http::CallOptions& options);
  base::Result<void> DeleteVhostLimit(std::string_view vhost, std::string_view limit,
                                      const http::CallOptions& options);
  // The hash is always carried: a PUT without one wipes the password. kInvalid, and nothing is
  // sent, when `user.password_hash` is empty.
  base::Result<void> PutUser(const User& user, const http::CallOptions& options);
  base::Result<void> DeleteUser(std::string_view name, const http::CallOptions& options);
  // `limit`: kMaxConnections or kMaxChannels. When the user is not there: PUT kInvalid; DELETE as
  // of a vhost's. 3.8.9: both kInvalid with 405.
  base::Result<void> PutUserLimit(std::string_view user, std::string_view limit, std::int64_t value,
                                  const http::CallOptions& options);
  base::Result<void> DeleteUserLimit(std::string_view user, std::string_view limit,
                                     const http::CallOptions& options);
  base::Result<void> PutPermission(const Permission& permission, const http::CallOptions& options);
  base::Result<void> DeletePermission(std::string_view user, std::string_view vhost,
                                      const http::CallOptions& options);
  base::Result<void> PutTopicPermission(const TopicPermission& permission,
                                        const http::CallOptions& options);
  // Of one exchange; nowhere documented, but in 3.8.9, 3.10 and 4.0.
  base::Result<void> DeleteTopicPermission(std::string_view user, std::string_view vhost,
                                           std::string_view exchange,
                                           const http::CallOptions& options);
  base::Result<void> PutPolicy(const Policy& policy, const http::CallOptions& options);
  base::Result<void> DeletePolicy(std::string_view vhost, std::string_view name,
                                  const http::CallOptions& options);
  base::Result<void> PutOperatorPolicy(const Policy& policy, const http::CallOptions& options);
  // Adds and changes, one entry after another: after an error (kInvalid, with the broker's reason)
  // some may have been. Of what is there, vhosts, queues and exchanges are left as they are. 3.8.9
  // and 3.10.8 let a binding pass whose exchange is not there; 4.0.5 and 4.3.6 refuse it.
  base::Result<void> PostDefinitions(const base::Secret& body, const http::CallOptions& options);
  // Of a flag that is enabled: success. Of one that some node does not know: kInvalid,
  // "unsupported". Answered when it is done, which may take long with much data.
  base::Result<void> EnableFlag(std::string_view name, const http::CallOptions& options);
  base::Result<void> DeleteOperatorPolicy(std::string_view vhost, std::string_view name,
                                          const http::CallOptions& options);

 private:
  base::Result<void> Put(std::string target, std::string body, const http::CallOptions& options);
  base::Result<void> Delete(std::string target, const http::CallOptions& options);
  [[nodiscard]] http::Headers MakeHeaders(std::string_view accept = "application/json") const;

  http::Transport& transport_;
  base::Secret authorization_;  // "Basic …"
};

// Whether the broker does not know this user or password (as opposed to a missing right): what a
// restored backup leads to, and what a password reset in the pod repairs.
[[nodiscard]] bool IsBadCredentials(const base::Error& error);

}  // namespace rabbit::rabbitmq
