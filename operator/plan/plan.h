// operator/plan/plan.h: what is to be done, as a plain value. Execute (operator/act) carries it
// out, `rabbit-operator plan` prints it. Every step carries its reason, in the words that reach
// log, Event and condition. Steps fail one by one: a failed one holds back only those that name it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/secret.h"
#include "kube/resource.h"
#include "operator/observe/observation.h"
#include "rabbitmq/policy_check.h"

namespace rabbit::plan {

// POST; a name that is taken is looked at again: ours → the next look continues, else NameTaken.
struct CreateObject {
  kube::ResourceType type;
  std::string name;
  std::string body;  // JSON
};

// POST of a Secret whose random values are made while executing; a taken name is read, not written.
struct CreateSecretOnce {
  std::string name;
  std::string body;  // JSON with metadata, type and the values that are not secret (stringData)
  struct RandomValue {
    std::string key;
    std::size_t length = 0;  // characters of [A-Za-z0-9]
  };
  std::vector<RandomValue> random;
};

// A merge patch of a Secret of our own with this uid: of whom it belongs to (with the cluster it
// goes, or it stays), or of the port that it names.
struct ChangeSecret {
  std::string name;
  std::string body;            // JSON: metadata with uid, and what is to change
  std::string what = "owner";  // in words
};

// Server-side apply onto the object with this uid.
struct ApplyObject {
  kube::ResourceType type;
  std::string name;
  std::string uid;
  std::string body;  // JSON, without uid
  // What somebody added to our lists (a port of a Service) belongs to them, and apply cannot take
  // it out. When the server finds the outcome invalid because of it, our lists replace the whole.
  bool replace_lists = false;
};

struct DeleteObject {
  kube::ResourceType type;
  std::string name;
  std::string uid;
};

// Calls of the management API. Passwords are read from the Secrets by Execute's caller (Observe)
// and travel as base::Secret.
struct PutClusterName {
  std::string name;
};
// Creates it, or gives one that is there these attributes: what is not declared is what it has.
struct PutVhost {
  std::string name;
  std::string description = {};
  std::vector<std::string> tags = {};
  std::string default_queue_type = {};  // the broker's word; empty: none is said
};
// With all that is in it. `if_empty`: Execute counts its queues just before, and leaves it when
// there are any.
struct DeleteVhost {
  std::string name;
  bool if_empty = true;
};
// `limit`: rabbitmq::kMaxConnections or kMaxQueues.
struct PutVhostLimit {
  std::string vhost, limit;
  std::int64_t value = 0;
};
struct DeleteVhostLimit {
  std::string vhost, limit;
};
struct PutUser {
  std::string name;
  std::vector<std::string> tags;
  std::optional<base::Secret> password;  // set: hashed with a fresh salt by Execute
  base::Secret password_hash;            // else: kept as the broker has it
  std::string hashing_algorithm;         // belongs to password_hash
};
struct DeleteUser {
  std::string name;
};
// `limit`: rabbitmq::kMaxConnections or kMaxChannels.
struct PutUserLimit {
  std::string user, limit;
  std::int64_t value = 0;
};
struct DeleteUserLimit {
  std::string user, limit;
};
struct PutPermissions {
  std::string user, vhost, configure, write, read;
};
struct DeletePermissions {
  std::string user, vhost;
};
struct PutTopicPermission {
  std::string user, vhost, exchange, write, read;
};
struct DeleteTopicPermission {
  std::string user, vhost, exchange;
};
struct PutPolicy {
  std::string vhost, name, pattern, apply_to;
  int priority = 0;
  std::string definition;  // JSON object, value types as declared
  rabbitmq::PolicyKind kind = rabbitmq::PolicyKind::kUser;
};
struct DeletePolicy {
  std::string vhost, name;
  rabbitmq::PolicyKind kind = rabbitmq::PolicyKind::kUser;
};

// Entries of one list of spec.definitions. A part that is refused holds back no other.
struct ImportDefinitions {
  struct Part {
    std::string what;   // "policy p in vhost v"
    base::Secret body;  // may hold passwords
  };
  std::string source;  // "ConfigMap d, key k"
  std::string list;    // "policies"
  std::size_t entries = 0;
  std::vector<Part> parts;
  std::vector<std::string> vhosts = {};  // among them: it makes those that are not there
};

struct EnableFlag {
  std::string name;
};

// Has the node in this pod enable exactly these plugins, by a command in its container. When the
// image does not have some, nothing is changed, and the step fails (kInvalid) with their names.
struct SetPlugins {
  std::string pod;
  std::vector<std::string> plugins;  // sorted
};

// A command in a pod of ours, with an optional standard input.
struct ExecInPod {
  std::string pod;
  std::string container;
  std::vector<std::string> command;
  base::Secret input;
};

// The operator's own user, made or mended from within a pod of ours
// (operator/resources/own_user.h): an administrator with this password, hashed with a fresh salt by
// Execute.
struct ResetOwnUser {
  std::string pod;
  base::Secret password;
};

using Action =
    std::variant<CreateObject, CreateSecretOnce, ChangeSecret, ApplyObject, DeleteObject,
                 PutClusterName, PutVhost, DeleteVhost, PutVhostLimit, DeleteVhostLimit, PutUser,
                 DeleteUser, PutUserLimit, DeleteUserLimit, PutPermissions, DeletePermissions,
                 PutTopicPermission, DeleteTopicPermission, PutPolicy, DeletePolicy,
                 ImportDefinitions, EnableFlag, SetPlugins, ExecInPod, ResetOwnUser>;

struct Step {
  Action action;
  std::string reason;  // "does not exist", "spec.replicas differs", "was changed by hand: …"
  // Index of an earlier step of the same plan that must have succeeded first.
  std::optional<std::size_t> after;
  // A change of what somebody else did to the broker or a child: worth a warning Event.
  bool repairs_drift = false;
  // As what Observation::attempts remembers that it was done, or failed; empty: not at all.
  std::string attempt = {};
  std::string attempt_digest = {};
};

enum class Aspect { kSpec, kFields, kChildren, kNodes, kTopology, kQueues, kLoadBalancer };

// Why something declared is not (yet) in effect. Report turns them into conditions.
struct Problem {
  Aspect aspect = Aspect::kChildren;
  std::string reason;         // one CamelCase word: "NameTaken", "MirroringUnsupported"
  std::string message;        // names objects and counts, and what to do next
  bool needs_person = false;  // Stalled rather than Reconciling
};

// Something that will come by itself.
struct Wait {
  Aspect aspect = Aspect::kNodes;
  std::string reason;   // "NodesStarting"
  std::string message;  // what it waits for
};

struct Warning {
  std::string reason;  // Event reason
  std::string message;
};

// What the plan was made for, resolved; Report tells it (the images are pinned in the status).
// A part that the planners did not get to is absent or empty, and the status keeps what it had.
struct Declared {
  std::optional<int> replicas;
  std::string broker_image, proxy_image;
  std::string proxy_config_hash;  // of ConfigMap C-haproxy
};

// Why nothing at all was planned; a problem of the same reason says more.
struct Unplanned {
  std::string reason;   // "InvalidSpec"
  std::string because;  // "the spec is not valid"
};

struct Plan {
  std::optional<Unplanned> unplanned;
  Declared declared;
  std::vector<Step> steps;
  std::vector<Step> held;  // would be taken, were spec.paused not true
  std::vector<Problem> problems;
  std::vector<Wait> waits;
  std::vector<Warning> warnings;
  std::vector<std::string> fields_without_effect;  // api::FieldsNotInEffect()
  // A decision waits for a fresh look at the broker: the reconciler asks for one at once.
  bool look_at_broker = false;
  // That all nodes show the certificate that lies in the Secret, in words; empty: not so, or there
  // is no TLS. See kRotating in operator/plan/tls.h.
  std::string certificate_live;
  // Attempts (Step::attempt) whose effect was seen: to be forgotten.
  std::vector<std::string> settled_attempts;
  // Children found equal while planning; the reconciler remembers them and drops their texts.
  std::vector<std::pair<observe::ChildId, observe::Verified>> verified;
};

// What a step does and to what, in words: `create StatefulSet rabbitcluster-node`. Never a secret.
[[nodiscard]] std::string Describe(const Step& step);

}  // namespace rabbit::plan
