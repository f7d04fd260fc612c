// Spec and definitions name the same and other things, both change again and again while steps fail
// and somebody else is at the broker: in the end both are in effect, the spec where both name a
// thing, and nothing is written any more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "operator/plan/fake_world.h"

namespace rabbit::plan {
namespace {

constexpr const char* kUsers[] = {"u", "v", "rabbit-operator"};

class DefinitionsModelTest : public testing::TestWithParam<int> {
 protected:
  DefinitionsModelTest() : engine_(static_cast<unsigned>(GetParam())) {
    world_.MakeSecret("of-a-person", "password", "x");
    Settle();
  }

  api::Spec& spec() { return world_.cluster.spec; }
  rabbitmq::BrokerView& broker() { return world_.broker.is; }
  int Random(int most) { return std::uniform_int_distribution<int>(0, most)(engine_); }
  bool Maybe() { return Random(1) == 1; }
  static std::string Length(int length) {
    return R"({"max-length":)" + std::to_string(length) + "}";
  }

  void DeclareSomething() {
    ++world_.cluster.meta.generation;
    spec().ownership = {Maybe() ? api::Ownership::kExclusive : api::Ownership::kDeclared,
                        Maybe() ? api::Ownership::kExclusive : api::Ownership::kDeclared};
    spec().vhosts.clear();
    spec().users.clear();
    spec().policies.clear();
    api::Vhost vhost;
    vhost.name = "a";
    vhost.on_remove = api::OnRemove::kDelete;
    if (Maybe()) spec().vhosts.push_back(vhost);
    api::User user;
    user.name = "u";
    user.password_secret_ref = api::KeyRef{"of-a-person", "password"};
    user.tags = {"of-the-spec"};
    if (Maybe()) spec().users.push_back(user);
    if (Maybe()) {
      spec().policies.push_back(
          {.vhost = "/", .name = "p", .pattern = "^q", .definition = Length(Random(3))});
    }
    spec().definitions.reset();
    if (Random(3) == 0) return;
    spec().definitions = api::Definitions{
        .config_map_ref = api::KeyRef{"d", "k"},
        .secret_ref = {},
        .mode = Random(3) == 0 ? api::DefinitionsMode::kOnce : api::DefinitionsMode::kKeep};
    WriteDefinitions();
  }
  void WriteDefinitions() {
    base::Json document = {{"vhosts", {{{"name", "a"}}, {{"name", "b"}}}},
                           {"users", base::Json::array()},
                           {"policies", base::Json::array()}};
    for (const char* user : kUsers) {
      if (Maybe()) document["users"].push_back({{"name", user}, {"tags", "of-definitions"}});
    }
    for (const char* name : {"p", "r"}) {
      if (Maybe()) {
        document["policies"].push_back({{"vhost", Maybe() ? "/" : "b"},
                                        {"name", name},
                                        {"pattern", "^q"},
                                        {"definition", {{"max-length", Random(3)}}}});
      }
    }
    world_.definitions = Random(5) == 0 ? "not JSON" : base::Dump(document);
  }
  void Meddle() {
    FakeBroker& at = world_.broker;
    switch (Random(3)) {
      case 0:
        at.Do(DeletePolicy{"/", Maybe() ? "p" : "r"});
        break;
      case 1:
        at.Do(DeleteUser{Maybe() ? "u" : "v"});
        break;
      case 2:
        at.Do(PutPolicy{.vhost = "/",
                        .name = "p",
                        .pattern = "^q",
                        .apply_to = "all",
                        .definition = Length(77)});
        break;
      default:
        if (at.HasVhost("b")) at.Do(DeleteVhost{"b", false});
        break;
    }
  }

  static bool RemovesWhatIsIn(const rabbitmq::Definitions& definitions, const Step& step) {
    if (const auto* gone = std::get_if<DeleteVhost>(&step.action)) {
      return definitions.contains(rabbitmq::VhostDefinition(gone->name));
    }
    if (const auto* gone = std::get_if<DeleteUser>(&step.action)) {
      return definitions.contains(rabbitmq::UserDefinition(gone->name));
    }
    const auto* gone = std::get_if<DeletePolicy>(&step.action);
    return gone != nullptr &&
           definitions.contains(rabbitmq::PolicyDefinition(gone->vhost, gone->name));
  }
  Plan Next() {
    PlanMemo memo;
    const observe::Observation seen = world_.Observe();
    Plan plan = MakePlan(world_.cluster, seen, {}, memo, world_.now);
    for (const Step& step : plan.steps) {
      EXPECT_FALSE(seen.definitions && RemovesWhatIsIn(seen.definitions->wanted, step))
          << Describe(step);
    }
    return plan;
  }
  void Round(bool failing) {
    const Plan plan = Next();
    if (failing && Random(3) == 0) Meddle();
    world_.Execute(
        plan, [&] { return failing && Random(3) == 0; }, [&] { return failing && Random(7) == 0; });
    world_.Tick();
  }
  // Whatever failed is tried again by then.
  void Settle() {
    for (int round = 0, quiet = 0; round < 60; ++round) {
      world_.now += std::chrono::minutes(10);
      quiet = Next().steps.empty() && Next().waits.empty() ? quiet + 1 : 0;
      if (quiet == 3) return;
      Round(false);
    }
    for (const Step& step : Next().steps) ADD_FAILURE() << Describe(step) << ": " << step.reason;
    for (const Wait& wait : Next().waits) ADD_FAILURE() << wait.message;
  }
  void BothAreInEffect() {
    const rabbitmq::Policy* policy = rabbitmq::FindPolicy(*broker().policies, "/", "p");
    if (!spec().policies.empty()) {
      ASSERT_NE(policy, nullptr);
      EXPECT_EQ(policy->definition, spec().policies[0].definition);
    }
    if (!spec().users.empty()) {
      const rabbitmq::User* user = rabbitmq::FindUser(*broker().users, "u");
      ASSERT_NE(user, nullptr);
      EXPECT_THAT(user->tags, testing::ElementsAre("of-the-spec"));
    }
    const observe::Observation seen = world_.Observe();
    if (seen.definitions == nullptr || !seen.definitions->trouble.empty()) return;
    if (spec().definitions->mode == api::DefinitionsMode::kOnce) {
      EXPECT_NE(seen.inventory->definitions, "");
      return;
    }
    EXPECT_EQ(seen.inventory->definitions, seen.definitions->content_digest);
    for (const auto& [key, text] : seen.definitions->wanted) {
      EXPECT_TRUE(world_.broker.Has(key, text)) << key.ToString();
    }
  }

  FakeWorld world_;
  std::mt19937 engine_;
};

TEST_P(DefinitionsModelTest, SpecAndDefinitionsAreBothInEffectInTheEnd) {
  for (int change = 0; change < 8; ++change) {
    DeclareSomething();
    for (int round = Random(6); round > 0; --round) {
      Round(true);
      if (Random(4) == 0) WriteDefinitions();
    }
    Settle();
    BothAreInEffect();
    Meddle();
    Settle();
    BothAreInEffect();
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, DefinitionsModelTest, testing::Range(0, 12));

}  // namespace
}  // namespace rabbit::plan
