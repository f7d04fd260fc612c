// What is declared at the broker, changed again and again while steps fail and somebody else is at
// the broker too: nothing is ever removed that must not be, and in the end all is as declared.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "operator/observe/targets.h"
#include "operator/plan/fake_world.h"

namespace rabbit::plan {
namespace {

using rabbitmq::PolicyKind;
using testing::IsEmpty;

// To a Secret of a person: one of ours keeps its user recorded for longer.
const api::KeyRef kReference = {"of-a-person", "password"};
constexpr const char* kTemporary = "rabbit-operator:move";

api::Policy PolicyOf(std::string name, std::string vhost, int length) {
  return {.vhost = std::move(vhost),
          .name = std::move(name),
          .pattern = "^q",
          .definition = R"({"max-length":)" + std::to_string(length) + "}"};
}

class TopologyModelTest : public testing::Test {
 protected:
  TopologyModelTest() {
    Settle();
    world_.MakeSecret(kReference.name, kReference.key, "x");
    FakeBroker& broker = world_.broker;
    broker.Do(PutVhost{"theirs"});
    broker.queues["theirs"] = 3;
    broker.Do(PutUser{.name = "theirs", .tags = {}, .password = base::Secret("x")});
    Has(PolicyOf("theirs", "/", 1));
    Has(PolicyOf(kTemporary, "/", 1));
  }

  api::Spec& spec() { return world_.cluster.spec; }
  rabbitmq::BrokerView& broker() { return world_.broker.is; }
  bool Maybe() { return Random(1) == 1; }
  int Random(int most) { return std::uniform_int_distribution<int>(0, most)(engine_); }
  std::string AnyVhost() {
    const int index = Random(static_cast<int>(spec().vhosts.size()));
    return index == 0 ? "/" : spec().vhosts[static_cast<std::size_t>(index - 1)].name;
  }
  void Has(const api::Policy& policy) {
    for (const PolicyKind kind : {PolicyKind::kUser, PolicyKind::kOperator}) {
      world_.broker.Do(PutPolicy{.vhost = policy.vhost,
                                 .name = policy.name,
                                 .pattern = policy.pattern,
                                 .apply_to = "all",
                                 .definition = policy.definition,
                                 .kind = kind});
    }
  }

  void DeclareSomething() {
    ++world_.cluster.meta.generation;
    spec().ownership = {Random(3) == 0 ? api::Ownership::kExclusive : api::Ownership::kDeclared,
                        Random(3) == 0 ? api::Ownership::kExclusive : api::Ownership::kDeclared};
    spec().vhosts.clear();
    for (const char* name : {"a", "b", "c"}) {
      if (Random(2) == 0) continue;
      api::Vhost vhost;
      vhost.name = name;
      vhost.on_remove = static_cast<api::OnRemove>(Random(2));
      if (Maybe()) vhost.description = "d" + std::to_string(Random(3));
      if (Maybe()) vhost.tags = {"t" + std::to_string(Random(3))};
      if (Maybe()) vhost.default_queue_type = static_cast<api::QueueType>(Random(2));
      if (Maybe()) vhost.limits.max_queues = Random(3);
      if (Maybe()) vhost.limits.max_connections = Random(3);
      spec().vhosts.push_back(std::move(vhost));
    }
    spec().users.clear();
    for (const char* name : {"u", "v"}) {
      if (Random(2) == 0) continue;
      api::User user;
      user.name = name;
      if (Maybe()) user.password_secret_ref = kReference;
      if (Maybe()) user.permissions = {{.vhost = AnyVhost(), .read = ".*"}};
      if (Maybe()) user.topic_permissions = {{AnyVhost(), "amq.topic", "^a", "^b"}};
      if (Maybe()) user.limits.max_channels = Random(3);
      spec().users.push_back(std::move(user));
    }
    spec().policies.clear();
    spec().operator_policies.clear();
    if (Maybe()) spec().policies = {PolicyOf("p", AnyVhost(), Random(3))};
    if (Maybe()) spec().operator_policies = {PolicyOf("p", AnyVhost(), Random(3))};
  }

  // Somebody at the broker.
  void Meddle() {
    const std::string vhost = AnyVhost();
    FakeBroker& at = world_.broker;
    switch (Random(8)) {
      case 0:
        if (vhost != "/") at.Do(DeleteVhost{vhost, false});
        break;
      case 1:
        at.Do(DeleteUser{"u"});
        break;
      case 2:
        at.Do(PutVhostLimit{vhost, "max-queues", 77});
        break;
      case 3:
        at.Do(PutTopicPermission{"u", vhost, "theirs", ".*", ".*"});
        break;
      case 4:
        if (rabbitmq::FindPolicy(*broker().policies, vhost, "p") == nullptr ||
            rabbitmq::FindPolicy(*broker().operator_policies, vhost, "p") == nullptr) {
          theirs_.insert(vhost);
        }
        Has(PolicyOf("p", vhost, 77));
        break;
      case 5:
        at.Do(PutUser{.name = "theirs", .tags = {}, .password = base::Secret("x")});
        break;
      case 6:
        if (vhost != "/" && at.HasVhost(vhost)) at.queues[vhost] = static_cast<unsigned>(Random(1));
        break;
      case 7:
        at.Do(PutPermissions{"v", "theirs", "", "", ".*"});
        break;
      default:
        at.Do(PutUserLimit{"v", "max-connections", 77});
        break;
    }
  }

  Plan Next() {
    PlanMemo memo;
    return MakePlan(world_.cluster, world_.Observe(), {}, memo, world_.now);
  }
  void Round() {
    world_.look_is_late = failing_ && Maybe();
    const Plan plan = Next();
    // Between the look and the steps, and unlike what the look said.
    if (failing_ && Random(3) == 0) Meddle();
    const FakeBroker before = world_.broker;
    const auto recorded = Recorded().vhosts;
    world_.Execute(
        plan, [this] { return failing_ && Random(3) == 0; },
        [this] { return failing_ && Random(7) == 0; });
    if (before.has_booted()) CheckRemovals(before, recorded);
    for (const auto& [vhost, on_remove] : Recorded().vhosts) last_recorded_[vhost] = on_remove;
    world_.Tick();
  }
  observe::Inventory Recorded() {
    world_.look_is_late = true;  // that this asks is no look
    const observe::Observation seen = world_.Observe();
    world_.look_is_late = false;
    return seen.inventory.value_or(observe::Inventory{});
  }
  void Settle() {
    for (int round = 0, quiet = 0; round < 40; ++round) {
      const Plan plan = Next();
      quiet = plan.steps.empty() && plan.waits.empty() ? quiet + 1 : 0;
      if (quiet == 2) return;
      Round();
    }
    for (const Step& step : Next().steps) ADD_FAILURE() << Describe(step) << ": " << step.reason;
    for (const Wait& wait : Next().waits) ADD_FAILURE() << wait.message;
  }

  // By the steps that were just taken.
  void CheckRemovals(const FakeBroker& before,
                     const std::map<std::string, api::OnRemove>& recorded) {
    for (const rabbitmq::Vhost& vhost : *before.is.vhosts) {
      if (world_.broker.HasVhost(vhost.name)) continue;
      const auto record = recorded.find(vhost.name);
      ASSERT_NE(record, recorded.end()) << vhost.name << " was never declared";
      EXPECT_EQ(std::ranges::count(spec().vhosts, vhost.name, &api::Vhost::name), 0) << vhost.name;
      EXPECT_NE(record->second, api::OnRemove::kRetain) << vhost.name;
      if (before.QueuesIn(vhost.name) > 0) {
        EXPECT_EQ(record->second, api::OnRemove::kDelete) << "queues of " << vhost.name;
      }
    }
    const auto lost = [](const auto& had, const auto& has) { return had && !has; };
    if (rabbitmq::FindPermission(*before.is.permissions, "v", "theirs") != nullptr &&
        rabbitmq::FindPermission(*broker().permissions, "v", "theirs") == nullptr) {
      EXPECT_TRUE(spec().ownership.users == api::Ownership::kExclusive ||
                  std::ranges::count(spec().users, "v", &api::User::name) == 0);
    }
    for (const char* user : {"theirs", "rabbit-operator"}) {
      if (!lost(rabbitmq::FindUser(*before.is.users, user),
                rabbitmq::FindUser(*broker().users, user))) {
        continue;
      }
      EXPECT_EQ(spec().ownership.users, api::Ownership::kExclusive);
      EXPECT_STREQ(user, "theirs");
    }
    for (const auto part :
         {&rabbitmq::BrokerView::policies, &rabbitmq::BrokerView::operator_policies}) {
      EXPECT_FALSE(lost(rabbitmq::FindPolicy(*(before.is.*part), "/", kTemporary),
                        rabbitmq::FindPolicy(*(broker().*part), "/", kTemporary)));
      if (lost(rabbitmq::FindPolicy(*(before.is.*part), "/", "theirs"),
               rabbitmq::FindPolicy(*(broker().*part), "/", "theirs"))) {
        EXPECT_EQ(spec().ownership.policies, api::Ownership::kExclusive);
      }
    }
  }

  void CheckAsDeclared() {
    for (const api::Vhost& vhost : spec().vhosts) {
      const rabbitmq::Vhost* actual = rabbitmq::FindVhost(*broker().vhosts, vhost.name);
      ASSERT_NE(actual, nullptr) << vhost.name;
      if (!vhost.description.empty()) {
        EXPECT_EQ(actual->description, vhost.description);
      }
      if (!vhost.tags.empty()) {
        EXPECT_EQ(actual->tags, vhost.tags);
      }
      if (vhost.default_queue_type) {
        EXPECT_NE(actual->default_queue_type, "");
      }
      if (vhost.limits == api::VhostLimits{}) continue;
      const auto limits =
          std::ranges::find(*broker().vhost_limits, vhost.name, &rabbitmq::VhostLimits::vhost);
      ASSERT_NE(limits, broker().vhost_limits->end()) << vhost.name;
      EXPECT_EQ(limits->max_queues, vhost.limits.max_queues);
      EXPECT_EQ(limits->max_connections, vhost.limits.max_connections);
    }
    for (const api::User& user : spec().users) {
      EXPECT_NE(rabbitmq::FindUser(*broker().users, user.name), nullptr) << user.name;
      const auto of_user = [&](const auto& right) { return right.user == user.name; };
      const auto not_declared = [&](const auto& right) {
        return of_user(right) && right.vhost == "theirs";
      };
      EXPECT_EQ(std::ranges::count_if(*broker().permissions, of_user),
                std::ssize(user.permissions) +
                    std::ranges::count_if(*broker().permissions, not_declared));
      if (spec().ownership.users == api::Ownership::kExclusive) {
        EXPECT_EQ(std::ranges::count_if(*broker().permissions, not_declared), 0);
      }
      if (!user.topic_permissions.empty()) {
        ASSERT_EQ(std::ranges::count_if(*broker().topic_permissions, of_user), 1);
        EXPECT_EQ(std::ranges::find_if(*broker().topic_permissions, of_user)->exchange,
                  "amq.topic");
      }
      if (user.limits.max_channels) {
        const auto limits = std::ranges::find_if(*broker().user_limits, of_user);
        ASSERT_NE(limits, broker().user_limits->end());
        EXPECT_EQ(limits->max_channels, user.limits.max_channels);
        EXPECT_EQ(limits->max_connections, std::nullopt);
      }
    }
    CheckPolicies(spec().policies, *broker().policies);
    if (!spec().operator_policies.empty()) {
      CheckPolicies(spec().operator_policies, *broker().operator_policies);
    }
    CheckNothingIsLeft();
    const observe::Inventory recorded = world_.Observe().inventory.value();
    EXPECT_EQ(recorded.vhosts.size(), spec().vhosts.size()) << "what is gone is forgotten";
    EXPECT_EQ(recorded.operator_policies.size(), spec().operator_policies.size());
  }
  // What was once declared and no longer is has gone, but what was to stay.
  void CheckNothingIsLeft() {
    for (const char* user : {"u", "v"}) {
      if (std::ranges::count(spec().users, user, &api::User::name) > 0) continue;
      EXPECT_EQ(rabbitmq::FindUser(*broker().users, user), nullptr) << user;
    }
    for (const auto& [vhost, on_remove] : last_recorded_) {
      if (std::ranges::count(spec().vhosts, vhost, &api::Vhost::name) > 0) continue;
      if (on_remove == api::OnRemove::kRetain) continue;
      EXPECT_FALSE(world_.broker.HasVhost(vhost)) << vhost;
    }
    CheckNoPolicyIsLeft(spec().policies, *broker().policies);
    CheckNoPolicyIsLeft(spec().operator_policies, *broker().operator_policies);
  }
  void CheckNoPolicyIsLeft(const std::vector<api::Policy>& declared,
                           const std::vector<rabbitmq::Policy>& actual) {
    for (const rabbitmq::Policy& policy : actual) {
      if (policy.name != "p" || theirs_.contains(policy.vhost)) continue;
      EXPECT_EQ(std::ranges::count(declared, policy.vhost, &api::Policy::vhost), 1) << policy.vhost;
    }
  }
  void CheckPolicies(const std::vector<api::Policy>& declared,
                     const std::vector<rabbitmq::Policy>& actual) {
    for (const api::Policy& policy : declared) {
      const auto* found = rabbitmq::FindPolicy(actual, policy.vhost, policy.name);
      ASSERT_NE(found, nullptr);
      EXPECT_EQ(found->definition, policy.definition);
    }
    if (spec().ownership.policies == api::Ownership::kExclusive) {
      EXPECT_EQ(std::ssize(actual), std::ssize(declared) + 1) << "and the temporary one";
    }
  }

  FakeWorld world_;
  bool failing_ = false;
  std::map<std::string, api::OnRemove> last_recorded_;  // of vhosts
  std::set<std::string> theirs_;  // vhosts in which somebody else once made policies "p"
  std::mt19937 engine_{1};
};

TEST_F(TopologyModelTest, WhateverIsDeclaredAndWhoeverMeddles) {
#ifdef NDEBUG
  constexpr unsigned kSeeds = 60;
#else
  constexpr unsigned kSeeds = 6;
#endif
  const FakeWorld settled = world_;
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    world_ = settled;
    last_recorded_.clear();
    theirs_.clear();
    engine_.seed(seed);
    failing_ = true;
    for (int round = 0; round < 30; ++round) {
      if (Random(3) == 0) DeclareSomething();
      if (Random(3) == 0) Meddle();
      Round();
      if (HasFailure()) return;
    }
    failing_ = false;
    for (auto& [vhost, count] : world_.broker.queues) count = 0;
    Settle();
    EXPECT_THAT(Next().problems, IsEmpty());
    CheckAsDeclared();
    if (HasFailure()) return;
  }
}

TEST_F(TopologyModelTest, AVhostWithQueuesThatLeavesTheSpecStaysUntilTheyAreGone) {
  spec().vhosts = {{.name = "a"}};
  Settle();
  world_.broker.queues["a"] = 2;
  spec().vhosts.clear();
  Settle();
  ASSERT_EQ(Next().problems.size(), 1U);
  EXPECT_EQ(Next().problems[0].reason, "VhostNotEmpty");
  world_.broker.queues["a"] = 0;
  Settle();
  EXPECT_FALSE(world_.broker.HasVhost("a"));
  EXPECT_THAT(Next().problems, IsEmpty());
}

TEST_F(TopologyModelTest, AQueueThatIsDeclaredAfterTheLookKeepsItsVhost) {
  spec().vhosts = {{.name = "a"}};
  Settle();
  spec().vhosts.clear();
  Plan plan = Next();
  while (std::ranges::none_of(plan.steps, [](const Step& step) {
    return std::holds_alternative<DeleteVhost>(step.action);
  })) {
    Round();
    plan = Next();
  }
  world_.broker.queues["a"] = 1;
  world_.Execute(plan, [] { return false; });
  EXPECT_TRUE(world_.broker.HasVhost("a"));
}

TEST_F(TopologyModelTest, TheLastTopicPermissionThatLeavesTheSpecIsRemoved) {
  spec().users = {{.name = "u"}};
  spec().users[0].topic_permissions = {{"/", "amq.topic", "^a", "^b"}};
  Settle();
  EXPECT_EQ(broker().topic_permissions->size(), 1U);
  spec().users[0].topic_permissions.clear();
  Settle();
  EXPECT_THAT(*broker().topic_permissions, IsEmpty());
  EXPECT_FALSE(observe::PartsToRead(world_.cluster, world_.Observe()).topic_permissions);
}

TEST_F(TopologyModelTest, WhatLeavesTheSpecBeforeItWasSeenAtTheBrokerGoesAllTheSame) {
  spec().vhosts = {{.name = "a", .on_remove = api::OnRemove::kDelete}};
  spec().users = {{.name = "u", .password_secret_ref = kReference}};
  spec().policies = {PolicyOf("p", "/", 1)};
  spec().operator_policies = {PolicyOf("p", "/", 1)};
  world_.Execute(Next(), [] { return false; });
  ASSERT_NE(rabbitmq::FindUser(*broker().users, "u"), nullptr);
  spec().vhosts.clear();
  spec().users.clear();
  spec().policies.clear();
  spec().operator_policies.clear();
  world_.look_is_late = true;
  world_.Execute(Next(), [] { return false; });
  world_.look_is_late = false;
  Settle();
  EXPECT_FALSE(world_.broker.HasVhost("a"));
  EXPECT_EQ(rabbitmq::FindUser(*broker().users, "u"), nullptr);
  EXPECT_EQ(rabbitmq::FindPolicy(*broker().policies, "/", "p"), nullptr);
  EXPECT_EQ(rabbitmq::FindPolicy(*broker().operator_policies, "/", "p"), nullptr);
}

TEST_F(TopologyModelTest, LimitsThatLeaveTheSpecAreRemovedAndThoseOfOthersStay) {
  spec().vhosts = {{.name = "a", .limits = {.max_connections = 1}}};
  spec().users = {{.name = "u", .limits = {.max_channels = 1}}};
  Settle();
  world_.broker.Do(PutVhostLimit{"/", "max-queues", 7});
  spec().vhosts[0].limits = {};
  spec().users[0].limits = {};
  Settle();
  ASSERT_EQ(broker().vhost_limits->size(), 1U);
  EXPECT_EQ(broker().vhost_limits->front().vhost, "/");
  EXPECT_THAT(*broker().user_limits, IsEmpty());
  const auto parts = observe::PartsToRead(world_.cluster, world_.Observe());
  EXPECT_FALSE(parts.vhost_limits || parts.user_limits);
}

TEST_F(TopologyModelTest, APausedClusterLosesNothing) {
  spec().vhosts = {{.name = "a", .on_remove = api::OnRemove::kDelete}};
  Settle();
  spec().vhosts.clear();
  spec().ownership = {api::Ownership::kExclusive, api::Ownership::kExclusive};
  spec().paused = true;
  for (int i = 0; i < 3; ++i) Round();
  EXPECT_TRUE(world_.broker.HasVhost("a"));
  EXPECT_NE(rabbitmq::FindUser(*broker().users, "theirs"), nullptr);
}

}  // namespace
}  // namespace rabbit::plan
