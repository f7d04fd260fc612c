#include "operator/plan/definitions.h"

#include "operator/observe/targets.h"
#include "operator/plan/attempts.h"
#include "operator/plan/topology_fixture.h"

namespace rabbit::plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kTwo = R"({"vhosts":[{"name":"v"}],"policies":[{"vhost":"v","name":"p"}]})";

// Definitions of a vhost v and a policy p, in key k of ConfigMap d.
class PlanDefinitionsTest : public TopologyTest {
 protected:
  PlanDefinitionsTest() {
    cluster_.spec.definitions =
        api::Definitions{.config_map_ref = api::KeyRef{"d", "k"}, .secret_ref = {}};
    Says(kTwo, "1");
  }

  void Says(const char* json, const std::string& digest) {
    auto view = std::make_shared<observe::DefinitionsView>();
    view->source = "ConfigMap d, key k";
    view->content_digest = "content" + digest;
    view->digest = "wanted" + digest;
    view->wanted = rabbitmq::ParseDefinitions(json).value();
    seen_.definitions = view;
  }
  void CannotBeUsed(const std::string& why, bool needs_person) {
    auto view = std::make_shared<observe::DefinitionsView>();
    view->source = "ConfigMap d, key k";
    view->trouble = why;
    view->needs_person = needs_person;
    seen_.definitions = view;
  }
  void IsKept() { cluster_.spec.definitions->mode = api::DefinitionsMode::kKeep; }
  void WasImported() { seen_.inventory->definitions = "content1-wanted1"; }
  void Lacks(std::vector<rabbitmq::DefinitionKey> keys) {
    broker_.missing_definitions = std::move(keys);
  }
  Plan Planned() {
    seen_.broker.view = std::make_shared<const rabbitmq::BrokerView>(broker_);
    Plan plan;
    PlanDefinitions(cluster_, seen_, 3, now_, plan);
    return plan;
  }
  std::vector<std::string> Imports() {
    std::vector<std::string> lines;
    for (const Step& step : Planned().steps) {
      const auto& import = std::get<ImportDefinitions>(step.action);
      lines.push_back(std::string(import.body.Reveal()) + ": " + step.reason +
                      (step.repairs_drift ? " [drift]" : ""));
    }
    return lines;
  }
  // The steps are carried out, with this trouble or none.
  void Try(const std::string& trouble = {}) {
    const Plan plan = Planned();
    for (const std::string& settled : plan.settled_attempts) seen_.attempts.erase(settled);
    for (const Step& step : plan.steps) {
      seen_.attempts[step.attempt] = {
          .digest = step.attempt_digest, .at = now_, .tries = 1, .trouble = trouble};
    }
    seen_.inventory->definitions = DefinitionsForInventory(cluster_, seen_);
  }

  base::TimePoint now_{std::chrono::hours(1)};
};

const char* const kBoth = R"({"vhosts":[{"name":"v"}],"policies":[{"name":"p","vhost":"v"}]}: )";

TEST_F(PlanDefinitionsTest, OnceTheyAreImportedAndRecordedAfterwards) {
  EXPECT_THAT(Imports(), ElementsAre(std::string(kBoth) + "have not been imported yet"));
  EXPECT_EQ(DefinitionsForInventory(cluster_, seen_), "") << "an operator may be killed now";
  Try();
  EXPECT_EQ(seen_.inventory->definitions, "content1-wanted1");
  seen_.attempts.clear();
  EXPECT_THAT(Imports(), IsEmpty());
}

TEST_F(PlanDefinitionsTest, OnceIsOnceAlsoForAnotherContentAndThatIsTold) {
  WasImported();
  Says(R"({"vhosts":[{"name":"w"}]})", "2");
  EXPECT_THAT(Imports(), IsEmpty());
  ASSERT_THAT(Planned().warnings, SizeIs(1));
  EXPECT_EQ(Planned().warnings[0].message,
            "ConfigMap d, key k: is another one than was imported, and spec.definitions.mode is "
            "Once: Keep would import it again");
  EXPECT_EQ(DefinitionsForInventory(cluster_, seen_), "content1-wanted1");
}

TEST_F(PlanDefinitionsTest, TakenOutAndDeclaredAgainTheyAreImportedAgain) {
  Try();
  EXPECT_THAT(Imports(), IsEmpty());
  const auto declared = cluster_.spec.definitions;
  cluster_.spec.definitions.reset();
  Try();
  EXPECT_EQ(seen_.inventory->definitions, "");
  cluster_.spec.definitions = declared;
  EXPECT_EQ(DefinitionsForInventory(cluster_, seen_), "");
  EXPECT_THAT(Imports(), SizeIs(1));
}

TEST_F(PlanDefinitionsTest, KeptOnesAreImportedAgainWhenTheyChange) {
  IsKept();
  WasImported();
  Lacks({});
  EXPECT_THAT(Imports(), IsEmpty());
  Says(R"({"vhosts":[{"name":"w"}]})", "2");
  EXPECT_THAT(Imports(),
              ElementsAre(R"({"vhosts":[{"name":"w"}]}: are others than were imported)"));
  Try();
  EXPECT_EQ(seen_.inventory->definitions, "content2-wanted2");
}

TEST_F(PlanDefinitionsTest, OfKeptOnesWhatIsMissingAtTheBrokerIsImportedEachTime) {
  IsKept();
  WasImported();
  WasInEffect();
  for (int i = 0; i < 3; ++i) {
    Lacks({rabbitmq::PolicyDefinition("v", "p")});
    EXPECT_THAT(Imports(), ElementsAre(R"({"policies":[{"name":"p","vhost":"v"}]}: are missing or )"
                                       R"(different at the broker: policy p in vhost v [drift])"))
        << i;
    Try();
    Lacks({});
    Try();
    now_ += std::chrono::seconds(1);
  }
}

TEST_F(PlanDefinitionsTest, WhatTheBrokerTookAndDoesNotHaveIsToldAndTriedRarely) {
  IsKept();
  WasImported();
  Lacks({rabbitmq::PolicyDefinition("v", "p")});
  Try();
  EXPECT_THAT(Imports(), IsEmpty());
  const auto told = Planned().problems;
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].reason + ": " + told[0].message,
            "DefinitionsNotTaken: ConfigMap d, key k: was imported, and the broker does not have "
            "as it says: policy p in vhost v");
  now_ += std::chrono::minutes(10);
  EXPECT_THAT(Imports(), SizeIs(1));
}

TEST_F(PlanDefinitionsTest, ARefusalIsToldAndTriedAgain) {
  Try("import definitions of ConfigMap d, key k (2 entries): 400: no_such_vhost");
  EXPECT_THAT(Imports(), IsEmpty());
  EXPECT_EQ(seen_.inventory->definitions, "");
  const auto told = Planned().problems;
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].message,
            "import definitions of ConfigMap d, key k (2 entries): 400: no_such_vhost; it is tried "
            "again");
  now_ += std::chrono::seconds(10);
  EXPECT_THAT(Imports(), SizeIs(1));
  Says(R"({"vhosts":[{"name":"w"}]})", "2");
  now_ -= std::chrono::seconds(10);
  EXPECT_THAT(Imports(), SizeIs(1)) << "mended: at once";
}

TEST_F(PlanDefinitionsTest, WhyTheyCannotBeUsedIsTold) {
  CannotBeUsed("does not exist", true);
  EXPECT_THAT(Imports(), IsEmpty());
  EXPECT_EQ(Planned().problems.at(0).message,
            "spec.definitions: ConfigMap d, key k: does not exist");
  EXPECT_TRUE(Planned().problems.at(0).needs_person);
  CannotBeUsed("timed out", false);
  EXPECT_THAT(Planned().problems, IsEmpty());
  EXPECT_EQ(Planned().waits.at(0).message, "spec.definitions: ConfigMap d, key k: timed out");
}

TEST_F(PlanDefinitionsTest, WhatTheyDeclareIsNotRemovedByExclusiveOwnership) {
  cluster_.spec.ownership = {api::Ownership::kExclusive, api::Ownership::kExclusive};
  EverythingIsRead();
  Says(R"({"users":[{"name":"theirs"}],"policies":[{"vhost":"/","name":"p"}],
           "parameters":[{"vhost":"/","component":"operator_policy","name":"o"}]})",
       "1");
  HasUser("theirs", "x");
  HasUser("nobodys", "x");
  Has(Policy("p", R"({"max-length":1})"));
  HasForOperators(Policy("o", R"({"max-length":1})"));
  EXPECT_THAT(Steps(), ElementsAre("delete user nobodys: is not declared, and "
                                   "spec.ownership.users is Exclusive"));
  CannotBeUsed("timed out", false);
  EXPECT_THAT(Steps(), IsEmpty()) << "nobodys may be theirs";
}

TEST_F(PlanDefinitionsTest, WhatLeavesTheSpecAndIsInThemStays) {
  HasVhost("v");
  seen_.inventory->vhosts["v"] = api::OnRemove::kDelete;
  EXPECT_THAT(Steps(), IsEmpty());
  cluster_.spec.definitions.reset();
  EXPECT_THAT(Steps(), SizeIs(1));
}

TEST_F(PlanDefinitionsTest, WhatTheSpecSaysOfTheirVhostsComesAfterTheImport) {
  Declare(Policy("of-the-spec", R"({"max-length":1})", "v"));
  Plan plan = Planned();
  PlanPolicies(cluster_, seen_, 3, std::nullopt, plan);
  ASSERT_THAT(plan.steps, SizeIs(2));
  EXPECT_EQ(plan.steps[1].after, 0U);
  EXPECT_THAT(plan.problems, IsEmpty());
}

TEST_F(PlanDefinitionsTest, TheBrokerIsAskedOnlyForThoseThatAreKept) {
  const auto asked = [&] { return observe::PartsToRead(cluster_, seen_).definitions != nullptr; };
  WasImported();
  EXPECT_FALSE(asked());
  IsKept();
  EXPECT_TRUE(asked());
  EXPECT_EQ(observe::PartsToRead(cluster_, seen_), observe::PartsToRead(cluster_, seen_));
  seen_.inventory->definitions = "";
  EXPECT_FALSE(asked());
}

}  // namespace
}  // namespace rabbit::plan
