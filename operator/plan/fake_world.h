// operator/plan/fake_world.h: for tests: a small Kubernetes with a RabbitMQ in it, on which plans
// are carried out. It keeps what planners can see and no more, and it knows what must never happen:
// that a blank node boots while the cluster remembers it, or beside a cluster that has formed.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/json.h"
#include "operator/plan/fake_broker.h"
#include "operator/plan/make_plan.h"
#include "operator/resources/names.h"

namespace rabbit::plan {

inline observe::ChildId InventoryId() { return {kube::kConfigMaps, "c-inventory"}; }
inline observe::ChildId NodeSetId() { return {kube::kStatefulSets, "c-node"}; }

class FakeWorld {
 public:
  FakeWorld();
  ~FakeWorld();
  FakeWorld(const FakeWorld&);
  FakeWorld& operator=(const FakeWorld&);

  api::RabbitCluster cluster;
  FakeBroker broker;          // as all nodes of it say
  base::Secret own_password;  // of the operator's user at the broker; empty: there is none
  base::TimePoint now{std::chrono::hours(1)};
  int writes = 0;  // to the API server
  // The API server makes no more than `refuses_after` pods of this image (a quota, a policy).
  std::string refused_image;
  int refuses_after = 0;
  std::string definitions;  // what spec.definitions names; empty: nothing is there
  // The broker's pollers are busy: what is seen of it is what was seen last.
  bool look_is_late = false;

  void Declare(int replicas);
  // --- what may happen to it
  void KillPod(int ordinal) { pods_.erase(ordinal); }
  void LoseDisk(int ordinal);
  void Forget(int ordinal) { members_.erase(ordinal); }
  // A volume of the Kubernetes node itself: wiped with it, under the same claim.
  void WipeDisk(int ordinal);
  // What a person does about lost disks.
  void ForgetTheLost();
  // That a person made.
  void MakeSecret(const std::string& name, const std::string& key, const std::string& value);
  void DeleteSecret(const std::string& name) { secrets_.erase(name); }
  [[nodiscard]] base::Secret PasswordIn(const std::string& secret) const;
  void DeleteChild(const observe::ChildId& id) { objects_.erase(id); }
  void Edit(const observe::ChildId& id, const base::Json& patch);
  // The cluster was deleted and declared again; claims and Secrets stayed.
  void StartOver();
  // The same, and its disks go with it: they are there until CollectDisks().
  void StartOverWithoutDisks();
  void CollectDisks();
  // The same in one moment (`kubectl replace --force`): what the cluster of before owns is still
  // there, until Collect().
  void ReplaceByForce(std::optional<int> replicas);
  // The garbage collector takes what an earlier cluster owns, `most` objects of it.
  void Collect(int most);

  [[nodiscard]] std::set<int> members() const { return members_; }
  [[nodiscard]] std::set<int> running() const { return running_; }
  [[nodiscard]] bool WasFormed() const;
  [[nodiscard]] bool Has(const observe::ChildId& id) const { return objects_.contains(id); }
  [[nodiscard]] bool HasSecret(const std::string& name) const { return secrets_.contains(name); }
  [[nodiscard]] const base::Json& Body(const observe::ChildId& id) const;

  // --- seen
  [[nodiscard]] observe::Observation Observe();

  // --- done
  // `fails` is asked before each step, and `loses_answer` after each that was done.
  void Execute(const Plan& plan, const std::function<bool()>& fails,
               const std::function<bool()>& loses_answer = nullptr);

  // A moment passes: controllers and kubelets do their part, at most one step a pod.
  void Tick();

 private:
  struct Object {
    std::string uid;
    base::Json body;
    std::shared_ptr<const std::string> text;  // of body
    std::uint64_t content_hash = 0;

    void Changed() {
      text = std::make_shared<const std::string>(base::Dump(body));
      content_hash = base::Hash64(*text);
    }
  };
  struct Claim {
    std::string uid;
    std::string size, class_name;
    bool blank = true;
  };
  struct SecretObject {
    std::map<std::string, base::Secret> data;
    std::string owner;  // uid; empty: nobody
  };
  static std::string OwnerIn(const base::Json& body);
  static observe::ChildId ProxiesId() { return {kube::kDeployments, "c-haproxy"}; }

  [[nodiscard]] const base::Json* Find(const observe::ChildId& id) const;
  std::string NewUid(const std::string& of) { return of + "-" + std::to_string(++uids_); }

  static const base::Json* ClaimTemplate(const base::Json& set);
  static std::string SizeOf(const base::Json& claim);
  static std::optional<std::string> ClassOf(const base::Json& claim);
  static std::string TemplateOf(const base::Json& set);
  [[nodiscard]] bool MakesEarlierPods() const;

  [[nodiscard]] std::shared_ptr<const observe::DefinitionsView> Definitions() const;

  void StartPod(int ordinal, const base::Json& set);

  [[nodiscard]] bool IsHeld(int ordinal) const;
  [[nodiscard]] bool MayPass(int ordinal) const;
  void Pass(int ordinal) { pods_[ordinal].preparing = false; }

  // A blank broker that may wait for its peers does so for ever where its own name is not listed.
  [[nodiscard]] bool IsListed(int ordinal) const;

  // From 3.13 on a blank broker with peers to look for waits until it sees one.
  [[nodiscard]] bool WaitsForPeers(int ordinal) const;

  void Boot(int ordinal);

  bool Do(const CreateObject& step);
  bool Do(const ApplyObject& step);
  bool Store(const observe::ChildId& id, const std::string& uid, const std::string& text);
  bool Do(const DeleteObject& step);
  bool Do(const ChangeSecret& step);
  bool Do(const CreateSecretOnce& step);
  bool Do(const ExecInPod& step);
  bool Do(const ResetOwnUser& step);
  // Whatever else is a call of a broker, which answers when a node runs.
  bool Do(const auto& step) {
    if (running_.empty()) return false;
    const bool done = broker.Do(step);
    written_since_look_ |= done;
    return done;
  }

  int uids_ = 0;
  std::map<observe::ChildId, Object> objects_;
  observe::VerifiedChildren verified_;
  std::map<std::string, SecretObject> secrets_;
  std::map<int, observe::Pod> pods_;
  std::map<int, Claim> claims_;
  bool disks_leave_ = false;
  std::map<int, bool> formed_when_mounted_;
  std::set<int> released_, members_, running_;
  std::string first_template_, first_image_;
  observe::BrokerLook last_look_;
  std::map<std::string, observe::Attempt> attempts_;
  bool written_since_look_ = false;
};

}  // namespace rabbit::plan
