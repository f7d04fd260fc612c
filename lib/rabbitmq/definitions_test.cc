#include "rabbitmq/definitions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rabbit::rabbitmq {
namespace {

using base::Secret;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// As 4.0.5 exports them, shortened.
constexpr const char* kExport = R"({"rabbit_version":"4.0.5","explanation":"Definitions of \"x\"",
 "metadata":{"a":[{"b":1}]},
 "users":[{"name":"app","password_hash":"AAAA","hashing_algorithm":"rabbit_password_hashing_sha256",
           "tags":["monitoring","management"],"limits":{}}],
 "vhosts":[{"name":"/","metadata":{"tags":[]}},{"name":"v"}],
 "permissions":[{"user":"app","vhost":"v","configure":"","write":".*","read":".*"}],
 "topic_permissions":[{"user":"app","vhost":"v","exchange":"amq.topic","write":"","read":""}],
 "parameters":[{"vhost":"v","component":"vhost-limits","name":"limits","value":{"max-queues":5}}],
 "global_parameters":[{"name":"x","value":"]}"}],
 "policies":[{"vhost":"v","name":"p","pattern":"^{","apply-to":"all","priority":0,
              "definition":{"max-length":5}}],
 "queues":[{"name":"q","vhost":"v","durable":true,"arguments":{"x-max-length":3}}],
 "exchanges":[],
 "bindings":[{"source":"e","vhost":"v","destination":"q","destination_type":"queue",
              "routing_key":"k","arguments":{}}]})";

Definitions Parsed(std::string_view json) {
  auto parsed = ParseDefinitions(json);
  EXPECT_TRUE(parsed.has_value()) << (parsed ? "" : parsed.error().message);
  return parsed.value_or(Definitions());
}
std::string Error(std::string_view json) {
  const auto parsed = ParseDefinitions(json);
  return parsed ? "" : parsed.error().message;
}

// What of `wanted` a broker lacks that exports this.
std::vector<std::string> Missing(std::string_view wanted, std::string_view exported = kExport) {
  const Definitions definitions = Parsed(wanted);
  DefinitionsFinder finder(definitions);
  EXPECT_TRUE(finder.Feed(exported));
  const auto missing = finder.Finish();
  EXPECT_TRUE(missing.has_value());
  std::vector<std::string> names;
  for (const DefinitionKey& key : *missing) names.push_back(key.ToString());
  return names;
}

TEST(DefinitionsTest, WhatABrokerExportedItHas) {
  EXPECT_THAT(Parsed(kExport), SizeIs(10));
  EXPECT_THAT(Missing(kExport), IsEmpty());
}

TEST(DefinitionsTest, AnyCutOfTheExportGivesTheSame) {
  const Definitions definitions = Parsed(R"({"policies":[{"vhost":"v","name":"p"}],
                                             "vhosts":[{"name":"w"}]})");
  const std::string_view text = kExport;
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    DefinitionsFinder finder(definitions);
    ASSERT_TRUE(finder.Feed(text.substr(0, cut)));
    ASSERT_TRUE(finder.Feed(text.substr(cut)));
    ASSERT_THAT(finder.Finish().value(), ElementsAre(VhostDefinition("w"))) << cut;
  }
}

TEST(DefinitionsTest, ACutExportIsNoAnswer) {
  const Definitions none;
  DefinitionsFinder finder(none);
  EXPECT_TRUE(finder.Feed(std::string_view(kExport).substr(0, 500)));
  EXPECT_THAT(finder.Finish().error().message, HasSubstr("end in the middle"));
  EXPECT_FALSE(DefinitionsFinder(none).Feed("[1]"));
  EXPECT_FALSE(DefinitionsFinder(none).Feed("<html>"));
}

TEST(DefinitionsTest, WhatIsMissingOrDifferentIsFound) {
  EXPECT_THAT(
      Missing(R"({"users":[{"name":"app","tags":"management,monitoring"},
                                   {"name":"other","tags":""}],
                          "permissions":[{"user":"app","vhost":"v","read":"^$"}],
                          "topic_permissions":[{"user":"app","vhost":"v","exchange":"x"}],
                          "parameters":[{"component":"vhost-limits","vhost":"v","name":"limits",
                                         "value":{"max-queues":6}}],
                          "policies":[{"vhost":"v","name":"p","definition":{"max-length":"5"}}],
                          "bindings":[{"source":"e","vhost":"v","destination":"q",
                                       "destination_type":"queue","routing_key":"other"}]})"),
      ElementsAre("binding from e to q in vhost v", "parameter vhost-limits limits in vhost v",
                  "permission of user app in vhost v", "policy p in vhost v",
                  "topic permission of user app in vhost v", "user other"));
}

TEST(DefinitionsTest, WhatAnImportLeavesAsItIsOnlyHasToBeThere) {
  EXPECT_THAT(Missing(R"({"vhosts":[{"name":"v","description":"another"}],
                          "queues":[{"name":"q","vhost":"v","arguments":{"x-max-length":99}}]})"),
              IsEmpty());
}

TEST(DefinitionsTest, FieldsThatThisBrokerDoesNotShowDoNotCount) {
  EXPECT_THAT(Missing(R"({"users":[{"name":"app","limits":{"max-channels":5}}]})",
                      R"({"users":[{"name":"app","tags":"a"}]})"),
              IsEmpty());
  EXPECT_THAT(Missing(R"({"users":[{"name":"app","limits":{}}]})",
                      R"({"users":[{"name":"app","limits":[]}]})"),
              IsEmpty());
}

TEST(DefinitionsTest, APasswordIsComparedWithItsHash) {
  // sha256 with the salt 90 8d c6 0a, of "test12": an example of RabbitMQ's documentation.
  const std::string shown =
      R"({"users":[{"name":"a","hashing_algorithm":"rabbit_password_hashing_sha256",
                    "password_hash":"kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"}]})";
  EXPECT_THAT(Missing(R"({"users":[{"name":"a","password":"test12"}]})", shown), IsEmpty());
  EXPECT_THAT(Missing(R"({"users":[{"name":"a","password":"test13"}]})", shown), SizeIs(1));
}

TEST(DefinitionsTest, WhatIsWrongIsSaidWithItsPlaceAndWithoutItsText) {
  EXPECT_EQ(Error("hunter2"), "is not JSON");
  EXPECT_EQ(Error("[]"), "is not a JSON object");
  EXPECT_EQ(Error(R"({"users":{}})"), "users: must be a list");
  EXPECT_EQ(Error(R"({"users":["hunter2"]})"), "users[0]: must be an object");
  EXPECT_EQ(Error(R"({"users":[{"name":"a"},{"name":5}]})"), "users[1]: has no name");
  EXPECT_EQ(Error(R"({"policies":[{"name":"p"}]})"),
            "policies[0]: has no vhost: definitions of one vhost alone cannot be imported, only "
            "those of a broker");
  EXPECT_EQ(Error(R"({"vhosts":[{"name":"v"},{"name":"v"}]})"),
            "vhosts[1]: vhost v is there twice");
}

TEST(DefinitionsTest, ListsOfWhichNothingIsWantedArePassedOver) {
  const Definitions wanted = Parsed(R"({"policies":[{"vhost":"v","name":"p"}]})");
  DefinitionsFinder finder(wanted);
  const std::string exported = R"({"queues":[{"name":"q","arguments":{"x":")" +
                               std::string((1 << 20) + 1, '[') +
                               R"("}}],"policies":[{"vhost":"v","name":"p"}]})";
  EXPECT_TRUE(finder.Feed(exported)) << "an entry that nobody asked for may be of any length";
  EXPECT_THAT(finder.Finish().value(), IsEmpty());
}

TEST(DefinitionsTest, TheDigestTellsOthersAndNothingOfASecret) {
  const auto digest = [](std::string_view json) { return DigestOf(Parsed(json)); };
  EXPECT_EQ(digest(R"({"users":[{"name":"a","password":"x"}]})"),
            digest(R"({"users":[{"name":"a","password_hash":"y"}]})"));
  EXPECT_EQ(digest(R"({"parameters":[{"component":"c","vhost":"v","name":"a","value":"x"}]})"),
            digest(R"({"parameters":[{"component":"c","vhost":"v","name":"a","value":"y"}]})"));
  EXPECT_NE(digest(R"({"users":[{"name":"a","tags":"x"}]})"),
            digest(R"({"users":[{"name":"a","tags":"y"}]})"));
  EXPECT_NE(digest(R"({"vhosts":[{"name":"a"}]})"), digest(R"({"users":[{"name":"a"}]})"));
}

TEST(DefinitionsTest, APolicyThatABrokerWouldRefuseIsKnownBefore) {
  const Definitions all = Parsed(
      R"({"policies":[{"vhost":"v","name":"p","pattern":"^q","definition":{"ha-mode":"all"}}],
          "parameters":[{"component":"operator_policy","vhost":"v","name":"o","value":
                         {"pattern":"^q","definition":{"max-length":"5"}}},
                        {"component":"shovel","vhost":"v","name":"s","value":{"ha-mode":"all"}}]})");
  const auto refusal = [&](const DefinitionKey& key, const Version& version) {
    return RefusalOf(key, all.at(key), version);
  };
  EXPECT_EQ(refusal(PolicyDefinition("v", "p"), {3, 10, 8}), "");
  EXPECT_THAT(refusal(PolicyDefinition("v", "p"), {4, 0, 5}), HasSubstr("ha-"));
  EXPECT_THAT(refusal(ParameterDefinition("operator_policy", "v", "o"), {3, 10, 8}),
              HasSubstr("definition.max-length"));
  EXPECT_EQ(refusal(ParameterDefinition("shovel", "v", "s"), {4, 0, 5}), "");
}

TEST(DefinitionsTest, SomeOfThemAreADocumentOfTheirOwn) {
  const Definitions all = Parsed(kExport);
  const Secret some = ComposeDefinitions(all, {PolicyDefinition("v", "p"), VhostDefinition("v"),
                                               VhostDefinition("/"), UserDefinition("nobody")});
  EXPECT_EQ(some.Reveal(),
            R"({"vhosts":[{"name":"v"},{"metadata":{"tags":[]},"name":"/"}],)"
            R"("policies":[{"apply-to":"all","definition":{"max-length":5},"name":"p",)"
            R"("pattern":"^{","priority":0,"vhost":"v"}]})");
  EXPECT_EQ(ComposeDefinitions(all, {}).Reveal(), "{}");
}

}  // namespace
}  // namespace rabbit::rabbitmq
