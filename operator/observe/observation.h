// operator/observe/observation.h: everything a planner may know of one cluster, as plain values.
// Unknown is not absent: a part that could not be read is an empty optional (or kUnknown) with the
// reason beside it, and no planner deletes on it. No I/O, no locks; copies are cheap where it
// counts (bodies and views are shared and immutable).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"
#include "haproxy/stats.h"
#include "kube/resource.h"
#include "operator/api/enums.h"
#include "operator/observe/child_id.h"
#include "operator/observe/verified.h"
#include "rabbitmq/definitions.h"
#include "rabbitmq/view.h"

namespace rabbit::observe {

// A child as the caches keep it: no DOM, no text.
struct Child {
  std::string uid;
  std::string resource_version;
  std::string owner_uid;  // of the controlling owner; empty: none
  // "Deployment web": that owner, when it is no RabbitCluster of this name, now or before.
  std::string foreign_owner;
  std::string
      applied_hash;  // annotation rabbitcluster.dev/applied-hash; empty: never applied by us
  std::uint64_t content_hash = 0;  // of spec, data, labels, annotations and owners; not of status
  bool deleting = false;
  // The object as read for this reconcile, because its content was never compared with what is
  // desired; null otherwise (see verified.h).
  std::shared_ptr<const std::string> body;

  bool operator==(const Child&) const = default;
};

// What a StatefulSet's claim template was made with: the server refuses to change it.
struct StorageRecord {
  std::string size;                       // as declared; empty: ephemeral
  std::optional<std::string> class_name;  // absent: the default class
  bool ephemeral = false;
  bool operator==(const StorageRecord&) const = default;
};

struct StatefulSetState {
  int replicas = 0;           // of its spec
  int ready_replicas = 0;     // of its status
  std::string template_hash;  // annotation rabbitcluster.dev/template-hash of its pod template
  std::string config_hash;    // and rabbitcluster.dev/config-hash
  std::optional<StorageRecord> storage = {};  // of its claim template; absent: not known
  // Pods are made from an earlier template: status.currentRevision is another than updateRevision,
  // and stays so until all pods are ready with the newest.
  bool makes_earlier_pods = false;
  bool operator==(const StatefulSetState&) const = default;
};

struct DeploymentState {
  int replicas = 0;
  int ready_replicas = 0;
  int updated_replicas = 0;
  bool settled = false;  // status speaks of the current generation, and no old pod is left
  bool operator==(const DeploymentState&) const = default;
};

struct Pod {
  std::string name;
  std::string uid;
  std::string ip;             // empty until it has one
  std::string host;           // the Kubernetes node
  std::string image;          // of the main container's spec
  std::string template_hash;  // annotation rabbitcluster.dev/template-hash
  // What it booted from: as the guard says once it is done, and until then empty; of a proxy, or a
  // guard that says nothing, annotation rabbitcluster.dev/config-hash.
  std::string config_hash;
  std::string tls = {};    // annotation rabbitcluster.dev/tls; empty: it speaks without TLS only
  std::string volume_uid;  // filled by Observe from the claim; empty: ephemeral or not bound yet
  bool ready = false;
  bool deleting = false;
  // The guard (init container `prepare`) is running: it waits for a release, or copies files.
  bool preparing = false;
  base::TimePoint preparing_since{};  // filled by Observe: since when it was seen so
  int restarts = 0;
  std::string
      trouble;  // "ImagePullBackOff: …", "CrashLoopBackOff: …", "Unschedulable: …"; empty: none
  bool operator==(const Pod&) const = default;
};

struct VolumeClaim {
  std::string name;
  std::string uid;                        // of the claim: a new claim is a new disk
  std::string size;                       // requested
  std::optional<std::string> class_name;  // filled in by the server where a default class exists
  bool bound = false;                     // to a volume, also one that was lost
  bool deleting = false;                  // or about to be: the StatefulSet that owned it is gone
  bool owned = false;                     // goes with the nodes' StatefulSet; else it stays
  bool operator==(const VolumeClaim&) const = default;
};

// What ConfigMap C-inventory records: everything that cannot be read off the world.
struct Inventory {
  std::optional<int> replicas;  // last declared count
  bool formed = false;          // all nodes once agreed: blank disks are held from now on
  // All disks were blank, and all nodes are being let in to form anew: who is still held may join
  // those that wait for it. Until somebody answers.
  bool reforming = false;
  std::vector<std::string> users;  // declared once; removed at the broker when no longer declared
  std::vector<std::pair<std::string, std::string>> policies;  // vhost, name; likewise
  // Ordinal -> uid of the volume that the member behind it was released or formed with.
  std::map<int, std::string> volumes;
  std::optional<StorageRecord> storage;  // since the StatefulSet was first made
  // Declared once: what becomes of it when it is declared no more.
  std::map<std::string, api::OnRemove> vhosts = {};
  std::vector<std::pair<std::string, std::string>> operator_policies = {};  // as `policies`
  // Users for whom topic permissions were once declared, and who may still have some.
  std::vector<std::string> topic_permissions = {};
  // Permissions of users, declared once: user, vhost.
  std::vector<std::pair<std::string, std::string>> permissions = {};
  // Vhosts and users for whom limits were once declared, and who may still have some.
  std::vector<std::string> vhost_limits = {}, user_limits = {};
  // Of the broker, and the declared plugins: with these, all nodes were seen to have all stable
  // feature flags enabled (resources::FlagsRecord).
  std::string flags_version = {};
  std::string definitions = {};  // digest of those that were imported last; empty: none
  bool operator==(const Inventory&) const = default;
};

// What a node was made of and booted from, part by part: a digest of each (resources/made_of.h).
using MadeOf = std::map<std::string, std::string>;

enum class SecretState {
  kUnknown,  // not read, or the read failed: `trouble` says why; empty when it was not tried
  kAbsent,
  kPresent,
  kForeign,  // there, but of somebody else: no label of ours, or another controller
};

struct SecretView {
  SecretState state = SecretState::kUnknown;
  std::string uid;
  std::string owner_uid;  // of the controlling owner; empty: none (it stays with its disks)
  std::map<std::string, base::Secret> data;
  std::string trouble;
  bool operator==(const SecretView&) const = default;
};

// What a node with TLS showed in the last handshake with it.
struct ServedCertificate {
  std::string pod, address;
  std::string fingerprint;  // SHA-256, hex; empty: no handshake came about yet
  std::string trouble;      // why not
  // When it was last greeted to see whether it shows `awaited` yet, and how often so far.
  std::string awaited = {};
  base::TimePoint greeted_at = {};
  int greetings = 0;
  // Whether they tell the same.
  bool operator==(const ServedCertificate& other) const {
    return pod == other.pod && address == other.address && fingerprint == other.fingerprint &&
           trouble == other.trouble;
  }
};

struct BrokerLook {
  std::shared_ptr<const rabbitmq::BrokerView> view;  // null: nobody answered (yet)
  std::string trouble;                               // why the last look failed; empty: it did not
  base::TimePoint at{};                              // when the look that gave `view` began
  bool outdated = false;  // something was written at the broker since: what it shows may be undone
  // The broker refused the operator's password, or does not take it for an administrator. When a
  // look began that found it so.
  bool denied = false;
  base::TimePoint denied_at = {};
  // The pod that the next look begins with, after others failed; empty: as they are ordered.
  std::string ask_first = {};
  // The vhost whose queues were the last to be counted apart: the next look goes on after it.
  std::string counted_last = {};
  // One for each node with TLS; null where there is none.
  std::shared_ptr<const std::vector<ServedCertificate>> served = {};
};

struct ProxyLook {
  std::string pod;
  std::shared_ptr<const haproxy::ProxyView> view;
  std::string trouble;
};

// What spec.definitions names.
struct DefinitionsView {
  std::string source;   // "ConfigMap d, key k"
  std::string trouble;  // why it cannot be used; empty: it can
  bool needs_person = false;
  bool gone = false;             // that is the trouble: there is no such object, or key
  std::string content_digest;    // of all, but for what is secret (rabbitmq::DigestOf)
  rabbitmq::Definitions wanted;  // without what the spec itself names
  bool operator==(const DefinitionsView&) const = default;
};

// What was done or failed, and is not to be repeated at each look: until a planner sees that it
// lasts (plan/attempts.h). Lost with the process.
struct Attempt {
  std::string digest;    // of what was wanted: another one is another attempt
  base::TimePoint at{};  // when the last one came back
  int tries = 0;         // at the same, that were done and that failed
  std::string trouble;   // of the last one; empty: it was done
  // The last ones at the same that came back with an answer that will be the same again.
  int refusals = 0;
  [[nodiscard]] bool failed() const { return !trouble.empty(); }
  bool operator==(const Attempt&) const = default;
};

struct Observation {
  // No child of this cluster is in the caches: it is new, so own Secrets need not be read first.
  bool first_sight = false;
  std::map<ChildId, Child> children;         // Secrets are never among them
  VerifiedChildren verified;                 // by the reconciler's memory
  std::map<ChildId, std::string> strangers;  // names that somebody else owns: who, in words
  std::optional<StatefulSetState> stateful_set;
  std::optional<DeploymentState> proxy_deployment;
  std::vector<Pod> nodes;  // broker pods, by ordinal
  // Filled by Observe: since when it was seen that the StatefulSet has fewer pods than it wants.
  std::optional<base::TimePoint> pods_missing_since;
  std::vector<Pod> proxies;                   // by name
  std::vector<VolumeClaim> claims;            // of the StatefulSet, any ordinal
  std::string node_set_trouble;               // why it is not known whose `claims` are; or empty
  std::optional<Inventory> inventory;         // empty: C-inventory is not there (yet) …
  std::string inventory_trouble;              // … or, when this is not empty, cannot be read: why
  std::map<std::string, SecretView> secrets;  // by name: own and referenced ones
  BrokerLook broker;
  std::vector<ProxyLook> proxy_looks;
  // By its reason, since when there is waited for what nobody tells: as the last report said.
  std::map<std::string, base::TimePoint> waiting_since;
  // By pod, of nodes that wait for a restart because of the spec. One that could not be read is not
  // there.
  std::map<std::string, std::shared_ptr<const MadeOf>> made_of;
  base::WallTime wall_now{};  // when this was observed: what certificates' dates are held against
  std::map<std::string, Attempt> attempts;             // by Step::attempt
  std::shared_ptr<const DefinitionsView> definitions;  // null: none are declared
};

}  // namespace rabbit::observe
