#include "operator/plan/fake_world.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "operator/observe/definitions.h"
#include "operator/observe/targets.h"
#include "operator/plan/attempts.h"
#include "operator/resources/guard.h"
#include "operator/resources/inventory.h"
#include "rabbitmq/version.h"

namespace rabbit::plan {

FakeWorld::FakeWorld() {
  cluster.meta.key = {"ns", "c"};
  cluster.meta.uid = "uid-of-c";
  cluster.meta.generation = 1;
  cluster.spec.cluster_name = "c";
  cluster.spec.replicas = 3;
}

FakeWorld::~FakeWorld() = default;
FakeWorld::FakeWorld(const FakeWorld&) = default;
FakeWorld& FakeWorld::operator=(const FakeWorld&) = default;

void FakeWorld::Declare(int replicas) {
  cluster.spec.replicas = replicas;
  ++cluster.meta.generation;
}

void FakeWorld::LoseDisk(int ordinal) {
  pods_.erase(ordinal);
  claims_.erase(ordinal);
}

void FakeWorld::WipeDisk(int ordinal) {
  pods_.erase(ordinal);
  claims_.at(ordinal).blank = true;
}

void FakeWorld::ForgetTheLost() {
  std::erase_if(members_, [this](int member) {
    return !running_.contains(member) && claims_.contains(member) && claims_.at(member).blank;
  });
}

void FakeWorld::MakeSecret(const std::string& name, const std::string& key,
                           const std::string& value) {
  secrets_[name].data[key] = base::Secret(value);
}

void FakeWorld::Edit(const observe::ChildId& id, const base::Json& patch) {
  base::MergePatch(objects_.at(id).body, patch);
  objects_.at(id).Changed();
}

void FakeWorld::StartOver() {
  objects_.clear();
  pods_.clear();
  running_.clear();
  std::erase_if(secrets_, [](const auto& secret) { return !secret.second.owner.empty(); });
  cluster.meta.uid += "-again";
  cluster.meta.generation = 1;
  cluster.status = {};
  first_template_.clear();
}

void FakeWorld::StartOverWithoutDisks() {
  StartOver();
  disks_leave_ = true;
}

void FakeWorld::CollectDisks() {
  disks_leave_ = false;
  claims_.clear();
}

void FakeWorld::ReplaceByForce(std::optional<int> replicas) {
  cluster.meta.uid += "-again";
  cluster.meta.generation = 1;
  cluster.status = {};
  cluster.spec.replicas = replicas;
}

void FakeWorld::Collect(int most) {
  for (auto it = objects_.begin(); it != objects_.end() && most > 0;) {
    const bool old = it->second.body["metadata"]["ownerReferences"][0]["uid"] != cluster.meta.uid;
    if (old && it->first == NodeSetId()) first_template_.clear();
    if (old) --most;
    it = old ? objects_.erase(it) : std::next(it);
  }
}

bool FakeWorld::WasFormed() const {
  const base::Json* inventory = Find(InventoryId());
  return inventory != nullptr && base::FindString(*inventory, {"data", "formed"}) == "true";
}

const base::Json& FakeWorld::Body(const observe::ChildId& id) const { return objects_.at(id).body; }

observe::Observation FakeWorld::Observe() {
  observe::Observation seen;
  seen.first_sight = objects_.empty();
  for (const auto& [id, object] : objects_) {
    observe::Child& child = seen.children[id];
    child.uid = object.uid;
    child.owner_uid = object.body["metadata"]["ownerReferences"][0]["uid"];
    child.applied_hash = base::FindString(
        object.body, {"metadata", "annotations", resources::kAppliedHashAnnotation});
    child.content_hash = object.content_hash;
    if (!verified_.Holds(id, child.applied_hash, child.content_hash)) {
      child.body = object.text;
    }
  }
  seen.verified = verified_;
  seen.attempts = attempts_;
  seen.definitions = Definitions();
  if (const base::Json* set = Find(NodeSetId())) {
    const base::Json* claim = ClaimTemplate(*set);
    const auto storage =
        claim == nullptr
            ? observe::StorageRecord{.size = {}, .class_name = {}, .ephemeral = true}
            : observe::StorageRecord{.size = SizeOf(*claim), .class_name = ClassOf(*claim)};
    seen.stateful_set =
        observe::StatefulSetState{.replicas = (*set)["spec"]["replicas"],
                                  .ready_replicas = static_cast<int>(running_.size()),
                                  .template_hash = TemplateOf(*set),
                                  .config_hash = {},
                                  .storage = storage,
                                  .makes_earlier_pods = MakesEarlierPods()};
  }
  if (const base::Json* proxies = Find(ProxiesId())) {
    const int replicas = (*proxies)["spec"]["replicas"];
    const int ready = running_.empty() ? 0 : replicas;
    seen.proxy_deployment = observe::DeploymentState{.replicas = replicas,
                                                     .ready_replicas = ready,
                                                     .updated_replicas = replicas,
                                                     .settled = true};
  }
  for (const auto& [ordinal, pod] : pods_) seen.nodes.push_back(pod);
  for (const auto& [ordinal, claim] : claims_) {
    seen.claims.push_back({.name = resources::ClaimName("c", ordinal),
                           .uid = claim.uid,
                           .size = claim.size,
                           .class_name = claim.class_name,
                           .bound = true,
                           .deleting = disks_leave_,
                           .owned = disks_leave_});
  }
  if (const base::Json* inventory = Find(InventoryId())) {
    auto read = resources::InventoryFromData(
        inventory->value("data", std::map<std::string, std::string>()));
    if (read) {
      seen.inventory = std::move(*read);
    } else {
      seen.inventory_trouble = read.error().message;
    }
  }
  for (const auto& [name, secret] : secrets_) {
    seen.secrets[name] = {.state = observe::SecretState::kPresent,
                          .uid = {},
                          .owner_uid = secret.owner,
                          .data = secret.data,
                          .trouble = {}};
  }
  if (!seen.first_sight || !claims_.empty()) {
    std::vector<std::string> own = {"c-erlang-cookie", "c-operator-user", "c-default-user"};
    for (const api::User& user : cluster.spec.users) {
      own.push_back(resources::UserSecretName("c", user.name));
    }
    if (seen.inventory) {
      for (const std::string& user : seen.inventory->users) {
        own.push_back(resources::UserSecretName("c", user));
      }
    }
    for (const std::string& name : own) {
      auto [secret, is_new] = seen.secrets.try_emplace(name);
      if (is_new) secret->second.state = observe::SecretState::kAbsent;
    }
  }
  if (look_is_late && last_look_.view != nullptr) {
    seen.broker = last_look_;
    seen.broker.outdated = written_since_look_;
  } else if (!running_.empty() && PasswordIn("c-operator-user").empty()) {
    last_look_ = {};  // nobody can be asked
  } else if (!running_.empty() && PasswordIn("c-operator-user") != own_password) {
    seen.broker = {.trouble = "c-node-0: 401", .denied = true, .denied_at = now};
  } else if (!running_.empty()) {
    rabbitmq::BrokerView view = broker.Show(observe::PartsToRead(cluster, seen));
    std::vector<rabbitmq::Node> nodes;
    for (const int ordinal : members_) {
      rabbitmq::Node node;
      node.name = resources::NodeName("c", "ns", ordinal);
      node.running = running_.contains(ordinal);
      node.plugins_known = node.running;
      if (node.running) node.version = *view.version;
      nodes.push_back(std::move(node));
    }
    view.nodes = std::move(nodes);
    seen.broker.view = std::make_shared<const rabbitmq::BrokerView>(std::move(view));
    seen.broker.at = now;
    last_look_ = seen.broker;
    written_since_look_ = false;
  }
  return seen;
}

void FakeWorld::Execute(const Plan& plan, const std::function<bool()>& fails,
                        const std::function<bool()>& loses_answer) {
  std::vector<bool> done;
  for (const Step& step : plan.steps) {
    const bool held_back = step.after && !done[*step.after];
    bool ok = !held_back && !fails();
    if (ok) ok = std::visit([this](const auto& action) { return this->Do(action); }, step.action);
    done.push_back(ok && !(loses_answer && loses_answer()));
    if (!held_back) RememberAttempt(step, done.back() ? "" : "it failed", now, attempts_);
  }
  for (const std::string& settled : plan.settled_attempts) attempts_.erase(settled);
  for (const auto& [id, verified] : plan.verified) verified_.Add(id, verified);
  // Report pins what was first resolved.
  api::Status& status = cluster.status;
  if (status.image.empty()) status.image = plan.declared.broker_image;
  if (status.load_balancer.image.empty()) status.load_balancer.image = plan.declared.proxy_image;
}

std::shared_ptr<const observe::DefinitionsView> FakeWorld::Definitions() const {
  if (!cluster.spec.definitions) return nullptr;
  auto view = std::make_shared<observe::DefinitionsView>();
  view->source = "ConfigMap d, key k";
  const auto parsed = rabbitmq::ParseDefinitions(definitions);
  if (!parsed) {
    view->trouble = parsed.error().message;
    view->needs_person = true;
    return view;
  }
  const auto secret = secrets_.find("c-default-user");
  const std::string default_user =
      secret == secrets_.end()
          ? ""
          : std::string(secret->second.data.at(resources::kUsernameKey).Reveal());
  view->wanted = observe::WithoutDeclared(*parsed, cluster, default_user);
  view->content_digest = rabbitmq::DigestOf(*parsed);
  return view;
}

void FakeWorld::Tick() {
  now += std::chrono::seconds(1);
  const base::Json* set = Find(NodeSetId());
  const int wanted = set == nullptr ? 0 : (*set)["spec"]["replicas"].get<int>();
  std::erase_if(pods_, [&](const auto& pod) { return pod.first >= wanted; });
  std::erase_if(running_, [&](int ordinal) { return !pods_.contains(ordinal); });
  for (int i = 0; i < wanted; ++i) {
    if (!pods_.contains(i)) {
      StartPod(i, *set);
    } else if (pods_[i].preparing) {
      if (MayPass(i)) Pass(i);
    } else if (!pods_[i].ready) {
      Boot(i);
    }
  }
}

std::string FakeWorld::OwnerIn(const base::Json& body) {
  const base::Json* owners = base::Find(body, {"metadata", "ownerReferences"});
  return owners == nullptr || !owners->is_array() ? "" : owners->at(0).value("uid", "");
}

const base::Json* FakeWorld::Find(const observe::ChildId& id) const {
  const auto found = objects_.find(id);
  return found == objects_.end() ? nullptr : &found->second.body;
}

const base::Json* FakeWorld::ClaimTemplate(const base::Json& set) {
  const base::Json* all = base::Find(set, {"spec", "volumeClaimTemplates"});
  return all == nullptr ? nullptr : &all->at(0);
}

std::string FakeWorld::SizeOf(const base::Json& claim) {
  return claim["spec"]["resources"]["requests"]["storage"];
}

std::optional<std::string> FakeWorld::ClassOf(const base::Json& claim) {
  const base::Json* name = base::Find(claim, {"spec", "storageClassName"});
  if (name == nullptr) return std::nullopt;
  return name->get<std::string>();
}

std::string FakeWorld::TemplateOf(const base::Json& set) {
  return base::FindString(
      set, {"spec", "template", "metadata", "annotations", resources::kTemplateHashAnnotation});
}

bool FakeWorld::MakesEarlierPods() const {
  const base::Json* set = Find(NodeSetId());
  return set != nullptr && !first_template_.empty() && TemplateOf(*set) != first_template_;
}

void FakeWorld::StartPod(int ordinal, const base::Json& set) {
  auto& claim = claims_[ordinal];
  const base::Json* claim_template = ClaimTemplate(set);
  if (claim.uid.empty()) {
    claim.uid = NewUid("disk");
    if (claim_template != nullptr) {
      claim.size = SizeOf(*claim_template);
      claim.class_name = ClassOf(*claim_template).value_or("standard");  // filled in
    }
  }
  // Below `partition` a pod is made from the template of before.
  if (first_template_.empty()) {
    first_template_ = TemplateOf(set);
    first_image_ = set["spec"]["template"]["spec"]["containers"][0]["image"];
  }
  if (first_image_ == refused_image && std::cmp_greater_equal(pods_.size(), refuses_after)) {
    return;
  }
  observe::Pod& pod = pods_[ordinal];
  pod.name = resources::PodName("c", ordinal);
  pod.uid = NewUid("pod");
  pod.ip = "10.0.0." + std::to_string(ordinal);
  pod.volume_uid = claim.uid;
  pod.image = first_image_;
  pod.template_hash = first_template_;
  pod.preparing = true;
  pod.preparing_since = now;
  released_.erase(ordinal);
  const base::Json* inventory = Find(InventoryId());
  formed_when_mounted_[ordinal] =
      inventory == nullptr || base::FindString(*inventory, {"data", "formed"}) != "false";
}

bool FakeWorld::IsHeld(int ordinal) const {
  return pods_.at(ordinal).preparing && claims_.at(ordinal).blank &&
         formed_when_mounted_.at(ordinal);
}

bool FakeWorld::MayPass(int ordinal) const {
  return !IsHeld(ordinal) || released_.contains(ordinal);
}

bool FakeWorld::IsListed(int ordinal) const {
  const auto config = objects_.find({kube::kConfigMaps, "c-config"});
  return config != objects_.end() &&
         base::FindString(config->second.body, {"data", "rabbitmq.conf"})
                 .find(" = " + resources::NodeName("c", "ns", ordinal) + "\n") != std::string::npos;
}

bool FakeWorld::WaitsForPeers(int ordinal) const {
  const auto version = rabbitmq::VersionOfImage(pods_.at(ordinal).image);
  if (!version || !rabbitmq::CanRetryDiscovery(*version) || pods_.size() == 1) return false;
  return std::ranges::none_of(
      pods_, [&](const auto& other) { return other.first != ordinal && !other.second.preparing; });
}

void FakeWorld::Boot(int ordinal) {
  Claim& claim = claims_[ordinal];
  if (claim.blank) {
    if (WaitsForPeers(ordinal) || !IsListed(ordinal)) return;
    const bool data_elsewhere =
        std::ranges::any_of(claims_, [](const auto& c) { return !c.second.blank; });
    if (!data_elsewhere) members_.clear();  // the cluster of before is gone with its disks
    EXPECT_FALSE(members_.contains(ordinal))
        << "node " << ordinal << " boots blank while the cluster remembers it as a member";
    EXPECT_TRUE(!running_.empty() || !data_elsewhere || !WasFormed())
        << "node " << ordinal << " founds a second cluster";
    members_.insert(ordinal);
    claim.blank = false;
    if (!broker.has_booted() || !data_elsewhere) {
      broker.FirstBoot();
      own_password = PasswordIn("c-operator-user");
    }
  } else if (!members_.contains(ordinal)) {
    return;  // forgotten, with its old disk: never gets up
  }
  running_.insert(ordinal);
  pods_[ordinal].ready = true;
}

bool FakeWorld::Do(const CreateObject& step) {
  ++writes;
  const observe::ChildId id{step.type, step.name};
  if (objects_.contains(id)) return false;
  return Store(id, NewUid(step.name), step.body);
}

bool FakeWorld::Do(const ApplyObject& step) {
  ++writes;
  if (step.type == api::kRabbitClusters) {
    cluster.spec.replicas = base::ParseJson(step.body).value()["spec"]["replicas"];
    ++cluster.meta.generation;
    return true;
  }
  const observe::ChildId id{step.type, step.name};
  const auto found = objects_.find(id);
  if (found == objects_.end() || found->second.uid != step.uid) return false;
  if (id == NodeSetId()) {
    EXPECT_EQ(base::ParseJson(step.body).value()["spec"]["volumeClaimTemplates"],
              found->second.body["spec"]["volumeClaimTemplates"])
        << "the server refuses another claim template";
  }
  return Store(id, step.uid, step.body);
}

bool FakeWorld::Store(const observe::ChildId& id, const std::string& uid, const std::string& text) {
  base::Json body = base::ParseJson(text).value();
  // Defaults of the server, and what its controllers add.
  body["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z";
  if (body.contains("spec")) body["spec"]["sessionAffinity"] = "None";
  Object& object = objects_[id];
  object.uid = uid;
  object.body = std::move(body);
  object.Changed();
  return true;
}

bool FakeWorld::Do(const DeleteObject& step) {
  ++writes;
  return objects_.erase({step.type, step.name}) > 0;
}

bool FakeWorld::Do(const ChangeSecret& step) {
  ++writes;
  const auto secret = secrets_.find(step.name);
  if (secret == secrets_.end()) return false;
  const base::Json patch = base::ParseJson(step.body).value();
  if (base::Find(patch, {"metadata", "ownerReferences"}) != nullptr) {
    secret->second.owner = OwnerIn(patch);
  }
  return true;
}

bool FakeWorld::Do(const CreateSecretOnce& step) {
  ++writes;
  auto [secret, is_new] = secrets_.try_emplace(step.name);
  if (!is_new) return true;  // taken up again
  const base::Json body = base::ParseJson(step.body).value();
  secret->second.owner = OwnerIn(body);
  auto& data = secret->second.data;
  if (const base::Json* given = base::Find(body, {"stringData"})) {
    for (const auto& [key, value] : given->items()) {
      data[key] = base::Secret(value.get<std::string>());
    }
  }
  for (const auto& random : step.random) data[random.key] = base::Secret(NewUid("random"));
  return true;
}

bool FakeWorld::Do(const ResetOwnUser& step) {
  const auto ordinal = resources::OrdinalOf("c", step.pod);
  EXPECT_TRUE(ordinal && running_.contains(*ordinal)) << step.pod;
  own_password = step.password;
  return true;
}

base::Secret FakeWorld::PasswordIn(const std::string& secret) const {
  const auto found = secrets_.find(secret);
  if (found == secrets_.end()) return {};
  const auto password = found->second.data.find(resources::kPasswordKey);
  return password == found->second.data.end() ? base::Secret() : password->second;
}

bool FakeWorld::Do(const ExecInPod& step) {
  const auto ordinal = resources::OrdinalOf("c", step.pod);
  if (!ordinal || !pods_.contains(*ordinal) || !pods_[*ordinal].preparing) return false;
  if (step.command == resources::IsHeldCommand()) return IsHeld(*ordinal);
  EXPECT_EQ(step.command, resources::ReleaseCommand(claims_[*ordinal].uid));
  released_.insert(*ordinal);
  return true;
}

}  // namespace rabbit::plan
