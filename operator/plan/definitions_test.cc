#include "operator/plan/definitions.h"

#include "operator/observe/targets.h"
#include "operator/plan/attempts.h"
#include "operator/plan/plugins.h"
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
    view->wanted = rabbitmq::ParseDefinitions(json).value();
    seen_.definitions = view;
  }
  void CannotBeUsed(const std::string& why, bool needs_person, bool gone = false) {
    auto view = std::make_shared<observe::DefinitionsView>();
    view->source = "ConfigMap d, key k";
    view->trouble = why;
    view->needs_person = needs_person;
    view->gone = gone;
    seen_.definitions = view;
  }
  void IsKept() { cluster_.spec.definitions->mode = api::DefinitionsMode::kKeep; }
  void WasImported() { seen_.inventory->definitions = "content1"; }
  // What the broker exported at the last look lacks these, or all.
  void Lacks(std::vector<rabbitmq::DefinitionKey> keys) {
    broker_.missing_definitions = rabbitmq::MissingDefinitions{
        .of = {seen_.definitions, &seen_.definitions->wanted}, .keys = std::move(keys)};
  }
  void LacksAll() {
    std::vector<rabbitmq::DefinitionKey> keys;
    for (const auto& [key, text] : seen_.definitions->wanted) keys.push_back(key);
    Lacks(std::move(keys));
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
      std::string line;
      for (const auto& part : import.parts) {
        line.append(line.empty() ? "" : " + ").append(part.body.Reveal());
      }
      lines.push_back(line + ": " + step.reason + (step.repairs_drift ? " [drift]" : ""));
    }
    return lines;
  }
  std::vector<std::string> Told() {
    std::vector<std::string> lines;
    const Plan plan = Planned();
    for (const Problem& problem : plan.problems) {
      EXPECT_TRUE(problem.needs_person);
      lines.push_back(problem.reason + ": " + problem.message);
    }
    for (const Wait& wait : plan.waits) lines.push_back("wait: " + wait.message);
    for (const Warning& warning : plan.warnings) lines.push_back("warning: " + warning.message);
    return lines;
  }
  // The steps are carried out, with this trouble or none.
  void Try(const std::string& trouble = {}, bool refused = false) {
    const Plan plan = Planned();
    for (const std::string& settled : plan.settled_attempts) seen_.attempts.erase(settled);
    for (const Step& step : plan.steps) {
      RememberAttempt(step, trouble, now_, seen_.attempts, refused);
    }
  }
  void Record() {
    seen_.broker.view = std::make_shared<const rabbitmq::BrokerView>(broker_);
    seen_.inventory->definitions = DefinitionsForInventory(cluster_, seen_);
  }
  const std::string& Recorded() {
    Record();
    return seen_.inventory->definitions;
  }

  base::TimePoint now_{std::chrono::hours(1)};
};

TEST_F(PlanDefinitionsTest, WhatTheBrokerLacksIsImportedAndAllRecordedOnceItHasIt) {
  EXPECT_THAT(Imports(), IsEmpty());
  EXPECT_THAT(Told(), ElementsAre("wait: waiting for what the broker has of the definitions"));
  LacksAll();
  EXPECT_THAT(Imports(),
              ElementsAre(R"({"vhosts":[{"name":"v"}]}: are yet to be imported: vhost v)"))
      << "its policy when the vhost is there";
  Try();
  EXPECT_EQ(Recorded(), "");
  HasVhost("v");
  Lacks({rabbitmq::PolicyDefinition("v", "p")});
  EXPECT_THAT(Imports(), ElementsAre(R"({"policies":[{"name":"p","vhost":"v"}]}: are yet to be )"
                                     R"(imported: policy p in vhost v)"));
  EXPECT_EQ(Recorded(), "") << "an operator may be killed now";
  Lacks({});
  EXPECT_EQ(Recorded(), "content1");
  LacksAll();
  EXPECT_THAT(Imports(), IsEmpty()) << "once is once";
  EXPECT_THAT(Told(), IsEmpty());
}

TEST_F(PlanDefinitionsTest, ALookForThoseOfBeforeSaysNothingOfTheseAndOneOfBeforeAWriteNeither) {
  Lacks({});
  Says(R"({"vhosts":[{"name":"w"}]})", "2");
  EXPECT_EQ(Recorded(), "");
  EXPECT_THAT(Told(), SizeIs(1));
  Lacks({});
  seen_.broker.outdated = true;
  EXPECT_EQ(Recorded(), "");
}

TEST_F(PlanDefinitionsTest, OnceIsOnceAlsoForAnotherContentAndThatIsTold) {
  WasImported();
  Says(R"({"vhosts":[{"name":"w"}]})", "2");
  LacksAll();
  EXPECT_THAT(Imports(), IsEmpty());
  EXPECT_THAT(Told(), ElementsAre("warning: ConfigMap d, key k: is another one than was imported, "
                                  "and spec.definitions.mode is Once: Keep would import it again"));
  EXPECT_EQ(Recorded(), "content1");
}

TEST_F(PlanDefinitionsTest, OnceImportedTheSourceMayGo) {
  CannotBeUsed("does not exist", true, true);
  EXPECT_THAT(Told(), SizeIs(1));
  WasImported();
  EXPECT_THAT(Told(), IsEmpty());
  EXPECT_EQ(Recorded(), "content1");
  IsKept();
  EXPECT_THAT(Told(), SizeIs(1));
}

TEST_F(PlanDefinitionsTest, KeptForAWhileAnotherContentIsImportedAndOnceAgainItIsDoneWith) {
  WasImported();
  Says(R"({"vhosts":[{"name":"w"}]})", "2");
  IsKept();
  LacksAll();
  EXPECT_THAT(Imports(),
              ElementsAre(R"({"vhosts":[{"name":"w"}]}: are yet to be imported: vhost w)"));
  Try();
  Lacks({});
  EXPECT_EQ(Recorded(), "content2");
  cluster_.spec.definitions->mode = api::DefinitionsMode::kOnce;
  EXPECT_THAT(Told(), IsEmpty());
}

TEST_F(PlanDefinitionsTest, TakenOutAndDeclaredAgainTheyAreImportedAgain) {
  WasImported();
  const auto declared = cluster_.spec.definitions;
  cluster_.spec.definitions.reset();
  EXPECT_EQ(Recorded(), "");
  cluster_.spec.definitions = declared;
  LacksAll();
  EXPECT_EQ(Recorded(), "");
  EXPECT_THAT(Imports(), SizeIs(1));
}

TEST_F(PlanDefinitionsTest, OfKeptOnesWhatIsMissingAtTheBrokerIsImportedEachTime) {
  IsKept();
  WasImported();
  WasInEffect();
  HasVhost("v");
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
  HasVhost("v");
  Lacks({rabbitmq::PolicyDefinition("v", "p")});
  Try();
  EXPECT_THAT(Imports(), IsEmpty());
  EXPECT_THAT(Told(), ElementsAre("DefinitionsNotTaken: ConfigMap d, key k: was imported, and the "
                                  "broker does not have as it says: policy p in vhost v"));
  EXPECT_EQ(Recorded(), "content1") << "all was done that can be";
  now_ += std::chrono::minutes(10);
  EXPECT_THAT(Imports(), SizeIs(1));
}

TEST_F(PlanDefinitionsTest, ARefusalIsToldAndTriedAgainEntryByEntry) {
  IsKept();
  const char* content = R"({"queues":[{"vhost":"/","name":"q"},{"vhost":"/","name":"r"}],
                            "exchanges":[{"vhost":"/","name":"e"}]})";
  Says(content, "1");
  LacksAll();
  EXPECT_THAT(Imports(), ElementsAre(testing::StartsWith(R"({"queues":[{)"),
                                     testing::StartsWith(R"({"exchanges":[{)")));
  Try("POST /api/definitions: 400: no", true);
  EXPECT_THAT(Imports(), IsEmpty());
  EXPECT_THAT(Told(), testing::Each("DefinitionsRefused: POST /api/definitions: 400: no; it is "
                                    "tried again"));
  now_ += std::chrono::seconds(10);
  EXPECT_THAT(Imports()[0], testing::StartsWith(R"({"queues":[{"name":"q","vhost":"/"}]} + {)"));
  Lacks({rabbitmq::DefinitionKey{"queues", {"/", "q"}}});
  EXPECT_THAT(Imports(), SizeIs(1)) << "the rest was taken: what is left is another attempt";
  Try("queue q in vhost /: 400: no", true);
  EXPECT_THAT(Imports(), IsEmpty());
  Says(R"({"queues":[{"vhost":"/","name":"q","durable":true}]})", "2");
  LacksAll();
  EXPECT_THAT(Imports(), SizeIs(1)) << "mended: at once";
}

TEST_F(PlanDefinitionsTest, OnceEndsAlsoWithWhatIsRefusedWhichIsToldOnce) {
  Says(R"({"policies":[{"vhost":"/","name":"p"}]})", "1");
  LacksAll();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Recorded(), "");
    now_ += std::chrono::minutes(10);
    Try("policy p in vhost /: 400: no", true);
  }
  EXPECT_THAT(Told(), ElementsAre("warning: ConfigMap d, key k: was imported, but for policy p in "
                                  "vhost /: policy p in vhost /: 400: no"));
  EXPECT_THAT(Imports(), IsEmpty());
  EXPECT_EQ(Recorded(), "content1");
  EXPECT_THAT(Told(), IsEmpty());
  EXPECT_THAT(Planned().settled_attempts, SizeIs(1));
}

TEST_F(PlanDefinitionsTest, WhatIsNotAnsweredIsNoRefusalAndDoesNotEndOnce) {
  Says(R"({"queues":[{"vhost":"/","name":"q"},{"vhost":"/","name":"r"}]})", "1");
  LacksAll();
  const auto try_later = [&](const std::string& trouble, bool refused) {
    now_ += std::chrono::minutes(10);
    EXPECT_THAT(Imports(), SizeIs(1));
    Try(trouble, refused);
  };
  for (int i = 0; i < 2; ++i) try_later("timeout", false);
  for (int i = 0; i < 2; ++i) try_later("queue q in vhost /: 400: no", true);
  EXPECT_EQ(Recorded(), "") << "it was refused but twice";
  try_later("timeout", false);
  for (int i = 0; i < 2; ++i) try_later("queue q in vhost /: 400: no", true);
  EXPECT_EQ(Recorded(), "") << "not three times in a row";
  try_later("queue q in vhost /: 400: no", true);
  EXPECT_EQ(Recorded(), "content1");
}

TEST_F(PlanDefinitionsTest, AFailureThatTookNoneInIsTriedAgainEntryByEntry) {
  Says(R"({"queues":[{"vhost":"/","name":"q"},{"vhost":"/","name":"r"},
                     {"vhost":"/","name":"s"}]})",
       "1");
  LacksAll();
  Try("POST /api/definitions: 500");
  now_ += std::chrono::seconds(10);
  EXPECT_THAT(Imports(), ElementsAre(testing::HasSubstr(" + ")));
  Lacks({{"queues", {"/", "r"}}, {"queues", {"/", "s"}}});
  EXPECT_THAT(Imports(), ElementsAre(testing::Not(testing::HasSubstr(" + ")))) << "it got on";
}

TEST_F(PlanDefinitionsTest, AVhostThatIsNotAnsweredForIsNotRefused) {
  LacksAll();
  for (int i = 0; i < 4; ++i) {
    EXPECT_THAT(Imports(), SizeIs(1)) << "its policy waits for it";
    Try("timeout");
    now_ += std::chrono::minutes(10);
  }
}

// 3.8 and 3.10 accept a binding whose exchange is not there, and pass it over.
class BindingTest : public PlanDefinitionsTest {
 protected:
  BindingTest() {
    Says(R"({"exchanges":[{"vhost":"/","name":"bad"},{"vhost":"/","name":"e"}],
             "bindings":[{"vhost":"/","source":"e","destination":"q","destination_type":"queue",
                          "routing_key":"k","arguments":{}}]})",
         "1");
    for (const auto& [key, text] : seen_.definitions->wanted) {
      if (key.list == "bindings") binding_ = key;
    }
    LacksAll();
  }
  // The exchanges so; the binding is accepted.
  void TryExchanges(const std::string& trouble, bool refused) {
    for (const Step& step : Planned().steps) {
      const bool is_binding = std::get<ImportDefinitions>(step.action).list == "bindings";
      RememberAttempt(step, is_binding ? "" : trouble, now_, seen_.attempts,
                      !is_binding && refused);
    }
    now_ += std::chrono::minutes(5);
  }
  std::vector<std::string> ListsImported() {
    std::vector<std::string> lists;
    for (const Step& step : Planned().steps) {
      lists.push_back(std::get<ImportDefinitions>(step.action).list);
    }
    return lists;
  }

  rabbitmq::DefinitionKey binding_, bad_{"exchanges", {"/", "bad"}};
};

TEST_F(BindingTest, OneThatWasAcceptedWithoutItsExchangeIsImportedAgainOnceThatIsThere) {
  TryExchanges("timeout", false);
  EXPECT_EQ(Recorded(), "");
  EXPECT_THAT(ListsImported(), ElementsAre("exchanges"));
  Lacks({binding_});
  EXPECT_EQ(Recorded(), "") << "it was accepted, but in vain";
  EXPECT_THAT(ListsImported(), ElementsAre("bindings"));
  Try();
  EXPECT_EQ(Recorded(), "content1") << "now there is nothing that it waits for";
}

TEST_F(BindingTest, WhatItDoesNotRestOnAndIsRefusedForGoodEndsTheWaiting) {
  TryExchanges("400", true);
  Lacks({bad_, binding_});
  EXPECT_THAT(ListsImported(), ElementsAre("exchanges", "bindings"));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Recorded(), "");
    TryExchanges("400", true);
  }
  EXPECT_EQ(Recorded(), "content1");
}

TEST_F(PlanDefinitionsTest, APermissionThatWasRefusedIsTriedAtOnceWhenItsUserGetsOn) {
  Says(R"({"users":[{"name":"u"},{"name":"v"}],"permissions":[{"user":"u","vhost":"/"}]})", "1");
  LacksAll();
  for (int i = 0; i < 3; ++i) {  // the users are refused for good: their permissions wait no more
    Try("400", true);
    now_ += std::chrono::minutes(10);
  }
  Try("400", true);
  EXPECT_THAT(Imports(), IsEmpty());
  HasUser("u", "x");
  Lacks({rabbitmq::UserDefinition("v"), rabbitmq::PermissionDefinition("u", "/")});
  EXPECT_THAT(Imports(), SizeIs(2));
}

TEST_F(PlanDefinitionsTest, WhatMayNeedAPluginWaitsForThoseThatAreBeingEnabled) {
  IsKept();
  cluster_.spec.plugins = {"rabbitmq_shovel"};
  seen_.nodes.emplace_back();
  seen_.nodes.back().name = "c-node-0";
  seen_.nodes.back().ready = true;
  rabbitmq::Node& node = broker_.nodes->at(0);
  node.plugins_known = true;
  Says(R"({"users":[{"name":"u"}],
           "parameters":[{"vhost":"/","component":"shovel","name":"s","value":{}}]})",
       "1");
  LacksAll();
  const auto users = testing::StartsWith(R"({"users")");
  const auto parameters = testing::StartsWith(R"({"parameters")");
  EXPECT_THAT(Imports(), ElementsAre(users));
  EXPECT_THAT(Told(), ElementsAre("wait: what is missing of spec.definitions is imported once "
                                  "spec.plugins run"));
  Plan plan;
  PlanPlugins(cluster_, seen_, 3, now_, plan);
  RememberAttempt(plan.steps.at(0), "busy", now_, seen_.attempts);
  EXPECT_THAT(Imports(), ElementsAre(users, parameters)) << "it may never be enabled";
  seen_.attempts.clear();
  node.plugins = {{"rabbitmq_shovel", rabbitmq::Plugin::State::kEnabled}};
  EXPECT_THAT(Imports(), ElementsAre(users, parameters));
}

TEST_F(PlanDefinitionsTest, ThatSecretsDifferIsNoDriftAsTheyMayHaveChangedInTheSource) {
  IsKept();
  WasInEffect();
  WasImported();
  Says(R"({"users":[{"name":"u"}],"global_parameters":[{"name":"g","value":1}],
           "parameters":[{"vhost":"/","component":"shovel","name":"s","value":{}}],
           "permissions":[{"user":"rabbit","vhost":"/"}]})",
       "1");
  HasUser("u", "x");
  LacksAll();
  const auto is_drift = testing::EndsWith("[drift]");
  EXPECT_THAT(Imports(), ElementsAre(testing::Not(is_drift), is_drift, testing::Not(is_drift),
                                     testing::Not(is_drift)));
}

TEST_F(PlanDefinitionsTest, AnImportThatWasNotAnsweredGoesOnWithWhatIsStillMissing) {
  Says(R"({"queues":[{"vhost":"/","name":"q"},{"vhost":"/","name":"r"}]})", "1");
  LacksAll();
  Try("POST /api/definitions: timeout");
  EXPECT_THAT(Told(), ElementsAre("wait: POST /api/definitions: timeout; what is still missing is "
                                  "imported again"));
  EXPECT_EQ(Recorded(), "");
  Lacks({rabbitmq::DefinitionKey{"queues", {"/", "r"}}});
  EXPECT_THAT(Imports(), IsEmpty()) << "the broker may still be at it";
  now_ += std::chrono::seconds(10);
  EXPECT_THAT(Imports(), ElementsAre(testing::StartsWith(R"({"queues":[{"name":"r",)")));
  Lacks({});
  EXPECT_THAT(Told(), IsEmpty());
  EXPECT_EQ(Recorded(), "content1");
}

TEST_F(PlanDefinitionsTest, APolicyThatTheBrokerWouldRefuseIsLeftOutAndNamed) {
  broker_.version = "4.0.5";
  Says(R"({"policies":[{"vhost":"/","name":"ha","pattern":"^q","definition":{"ha-mode":"all"}},
                       {"vhost":"/","name":"p","pattern":"^q","definition":{"max-length":5}}]})",
       "1");
  LacksAll();
  EXPECT_THAT(Imports(), ElementsAre(testing::StartsWith(
                             R"({"policies":[{"definition":{"max-length":5},"name":"p")")));
  EXPECT_THAT(Told(), ElementsAre(testing::StartsWith(
                          "DefinitionsRefused: ConfigMap d, key k: left out, because the broker "
                          "would refuse it: policy ha in vhost /: ")));
  Lacks({rabbitmq::PolicyDefinition("/", "ha")});
  EXPECT_THAT(Told(), ElementsAre(testing::StartsWith("warning: ")));
  EXPECT_EQ(Recorded(), "content1");
  EXPECT_THAT(Told(), IsEmpty());
  IsKept();
  EXPECT_THAT(Told(), SizeIs(1));
}

TEST_F(PlanDefinitionsTest, AVhostThatIsYetToBeMadeKeepsOnlyItsOwnWaiting) {
  Says(R"({"policies":[{"vhost":"of-the-spec","name":"p"},{"vhost":"/","name":"p"}],
           "users":[{"name":"u"}],"permissions":[{"user":"u","vhost":"/"},
                                                 {"user":"nobody","vhost":"/"}]})",
       "1");
  DeclareVhost("of-the-spec");
  LacksAll();
  EXPECT_THAT(Imports(),
              ElementsAre(testing::StartsWith(R"({"users")"),
                          testing::StartsWith(R"({"permissions":[{"user":"nobody")"),
                          testing::StartsWith(R"({"policies":[{"name":"p","vhost":"/"}]})")));
  Lacks({rabbitmq::PolicyDefinition("of-the-spec", "p")});
  EXPECT_THAT(Imports(), IsEmpty());
  EXPECT_EQ(Recorded(), "");
}

TEST_F(PlanDefinitionsTest, AVhostThatIsRefusedForGoodEndsTheWaitingForIt) {
  LacksAll();
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(Imports(), SizeIs(1));
    Try("400", true);
    now_ += std::chrono::minutes(10);
  }
  EXPECT_THAT(Imports(), SizeIs(2));
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

// The spec once declared a vhost, a user and policies that the definitions declare now.
class HandedToDefinitionsTest : public PlanDefinitionsTest {
 protected:
  HandedToDefinitionsTest() {
    EverythingIsRead();
    Says(R"({"vhosts":[{"name":"v"}],"users":[{"name":"u"}],
             "policies":[{"vhost":"/","name":"p"}],
             "parameters":[{"vhost":"/","component":"operator_policy","name":"o"}]})",
         "1");
    HasVhost("v");
    HasUser("u", "x");
    Has(Policy("p", R"({"max-length":1})"));
    HasForOperators(Policy("o", R"({"max-length":1})"));
    seen_.inventory->vhosts["v"] = api::OnRemove::kDelete;
    seen_.inventory->users = {"u"};
    seen_.inventory->policies = {{"/", "p"}};
    seen_.inventory->operator_policies = {{"/", "o"}};
  }
  // As the next inventory says.
  void WriteInventory() {
    seen_.broker.view = std::make_shared<const rabbitmq::BrokerView>(broker_);
    observe::Inventory& inventory = *seen_.inventory;
    inventory.vhosts = VhostsForInventory(cluster_, seen_);
    inventory.users = UsersForInventory(cluster_, seen_);
    inventory.policies = PoliciesForInventory(cluster_, seen_);
    inventory.operator_policies =
        PoliciesForInventory(cluster_, seen_, rabbitmq::PolicyKind::kOperator);
  }
};

TEST_F(HandedToDefinitionsTest, ItStaysAlsoWhenItLeavesThemLater) {
  WasImported();
  EXPECT_THAT(Steps(), IsEmpty());
  WriteInventory();
  EXPECT_THAT(Steps(), IsEmpty());
  cluster_.spec.definitions.reset();
  EXPECT_THAT(Steps(), IsEmpty()) << "all that was imported stays";
}

TEST_F(HandedToDefinitionsTest, NotBeforeTheyAreInEffect) {
  WriteInventory();
  EXPECT_THAT(Steps(), IsEmpty());
  cluster_.spec.definitions.reset();
  EXPECT_THAT(Steps(), SizeIs(4));
}

TEST_F(HandedToDefinitionsTest, ByAContentThatWasNeverImportedNothingGoesAndNothingIsForgotten) {
  WasImported();
  Says("{}", "2");
  cluster_.spec.ownership = {api::Ownership::kExclusive, api::Ownership::kExclusive};
  EXPECT_THAT(Steps(), IsEmpty());
  WriteInventory();
  EXPECT_THAT(Steps(), IsEmpty());
  IsKept();
  EXPECT_THAT(Steps(), SizeIs(4)) << "now it is what is declared";
}

TEST_F(PlanDefinitionsTest, ALimitOfTheDefaultVhostThatMovedFromTheSpecToThemIsTheirs) {
  EverythingIsRead();
  broker_.vhost_limits = std::vector<rabbitmq::VhostLimits>{{.vhost = "/", .max_queues = 5}};
  seen_.inventory->vhost_limits = {"/"};
  EXPECT_THAT(Steps(), SizeIs(1));
  Says(R"({"parameters":[{"component":"vhost-limits","vhost":"/","name":"limits",
                          "value":{"max-queues":5}}]})",
       "1");
  EXPECT_THAT(Steps(), IsEmpty());
  DeclareVhost("/");
  EXPECT_THAT(Steps(), SizeIs(1));
}

TEST_F(PlanDefinitionsTest, WhatTheSpecSaysOfTheirVhostsComesAfterTheImport) {
  Declare(Policy("of-the-spec", R"({"max-length":1})", "v"));
  LacksAll();
  Plan plan = Planned();
  PlanPolicies(cluster_, seen_, 3, std::nullopt, plan);
  ASSERT_THAT(plan.steps, SizeIs(2));  // vhosts, and the spec's policy
  EXPECT_EQ(plan.steps[1].after, 0U);
  EXPECT_THAT(plan.problems, IsEmpty());
}

TEST_F(PlanDefinitionsTest, TheBrokerIsAskedUntilTheyAreRecordedAndForThoseThatAreKept) {
  const auto asked = [&] { return observe::PartsToRead(cluster_, seen_).definitions != nullptr; };
  EXPECT_TRUE(asked());
  WasImported();
  EXPECT_FALSE(asked());
  IsKept();
  EXPECT_TRUE(asked());
  EXPECT_EQ(observe::PartsToRead(cluster_, seen_), observe::PartsToRead(cluster_, seen_));
}

}  // namespace
}  // namespace rabbit::plan
