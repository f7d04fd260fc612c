#include "operator/api/rules.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace rabbit::api {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

// "" when `value` keeps `rule`, else the phrase, after the entry's step if there is one.
std::string Wrong(const Rule& rule, const Json& value) {
  Place place;
  const auto found = Violation(rule, value, place);
  return found ? (place.step.empty() ? *found : place.step + " " + *found) : "";
}

TEST(Rules, BoundNumbers) {
  EXPECT_EQ(Wrong(Between(1, 99), 1), "");
  EXPECT_EQ(Wrong(Between(1, 99), 99), "");
  EXPECT_EQ(Wrong(Between(1, 99), 0), "must be between 1 and 99");
  EXPECT_EQ(Wrong(Between(1, 99), 100), "must be between 1 and 99");
  EXPECT_EQ(Wrong(Between(0, 98), -1), "must be at least 0");
  EXPECT_EQ(Wrong(Between(0, 98), 99), "must be at most 98");
  EXPECT_EQ(Wrong(Between(1, 99), "3"), "must be an integer");
  EXPECT_EQ(Wrong(Between(1, 99), 3.5), "must be an integer");
  EXPECT_EQ(Wrong(kAnyInteger, 18446744073709551615ULL), "must be an integer of 64 bits");
}

TEST(Rules, CountCharactersNotBytes) {
  EXPECT_EQ(Wrong(Text(1, 3), "äöü"), "");
  EXPECT_EQ(Wrong(Text(1, 3), "äöüß"), "must have 1 to 3 characters");
  EXPECT_EQ(Wrong(Text(1, 3), ""), "must not be empty");
  EXPECT_EQ(Wrong(Text(0, 3), "abcd"), "must have at most 3 characters");
  EXPECT_EQ(Wrong(Text(1, 3), 5), "must be a string");
}

TEST(Rules, KnowTheirPatterns) {
  EXPECT_EQ(Wrong(kObjectName, "a-b.c"), "");
  EXPECT_EQ(Wrong(kObjectName, "a_b"), "must be a name of lower-case letters, digits, '-' and '.'");
  EXPECT_EQ(Wrong(kBrokerName, "/"), "");
  EXPECT_EQ(Wrong(kBrokerName, "häsch en"), "");
  EXPECT_EQ(Wrong(kBrokerName, "a\nb"), "must be a name without control characters");
  EXPECT_EQ(Wrong(kStatsPath, "/rabbitmq-stats"), "");
  EXPECT_EQ(Wrong(kImage, "[::1]:5000/rabbitmq:3.13@sha256:abc"), "");
  EXPECT_NE(Wrong(kImage, "rabbitmq 3"), "");
  for (const char* bad : {"stats", "/a b", "/a\n", "/a#b", "/a%41", "/ä"}) {
    EXPECT_NE(Wrong(kStatsPath, bad), "") << bad;
  }
}

// In PCRE `$` would stand before a last line break too; in the schema's RE2 it does not.
TEST(Rules, LetNoLineBreakFollow) {
  EXPECT_NE(Wrong(kPlugin, "rabbitmq_mqtt\n"), "");
  EXPECT_NE(Wrong(kEnvName, "A\n"), "");
}

TEST(Rules, KnowDurations) {
  EXPECT_EQ(Wrong(Between(1s, 1h), "15s"), "");
  EXPECT_EQ(Wrong(Between(1s, 1h), "999ms"), "must be between 1s and 1h");
  EXPECT_EQ(Wrong(Between(1s, 1h), "1h1s"), "must be between 1s and 1h");
  EXPECT_EQ(Wrong(Between(1s, 1h), "15"), "must be a duration such as 5s, 500ms or 1h30m");
  EXPECT_EQ(Wrong(Between(1s, 1h), 15), "must be a duration such as 5s, 500ms or 1h30m");
}

TEST(Rules, KnowQuantities) {
  for (const Json& good :
       {Json("10Gi"), Json("500m"), Json("1.5"), Json("1e3"), Json(2), Json(0)}) {
    EXPECT_EQ(Wrong(kQuantity, good), "") << good;
  }
  for (const Json& bad : {Json("ten"), Json("-1"), Json(-1), Json("10 Gi"), Json("10gi"), Json(1.5),
                          Json(""), Json(true), Json("99999999999999999999E")}) {
    EXPECT_EQ(Wrong(kQuantity, bad), "must be a quantity such as 500m, 2 or 10Gi") << bad;
  }
}

TEST(Rules, KnowWordsAndSayThem) {
  EXPECT_EQ(Wrong(WordOf<Balance>(), "Source"), "");
  EXPECT_EQ(Wrong(WordOf<Balance>(), "source"), "must be one of LeastConn, RoundRobin, Source");
  EXPECT_EQ(Wrong(WordOf<Balance>(), 1), "must be a string");
}

TEST(Rules, LookIntoListsAndMaps) {
  static constexpr Rule kEach = kPlugin;
  EXPECT_EQ(Wrong(SetOf(kEach, 2), {"a", "b"}), "");
  EXPECT_EQ(Wrong(SetOf(kEach, 2), {"a", "b", "c"}), "must have at most 2 entries");
  EXPECT_EQ(Wrong(SetOf(kEach, 2), {"a", "B"}),
            "[1] must be a plugin's name: lower-case letters, digits and '_'");
  EXPECT_EQ(Wrong(SetOf(kEach, 2), {"a", "a"}), "[0] must not be there twice");
  EXPECT_EQ(Wrong(SetOf(kEach, 2), "a"), "must be a list");
  EXPECT_EQ(Wrong(MapOf(kQuantity, 2), {{"cpu", 1}}), "");
  EXPECT_EQ(Wrong(MapOf(kQuantity, 2), {{"cpu", "x"}}),
            "[cpu] must be a quantity such as 500m, 2 or 10Gi");
}

TEST(Rules, LookAtJsonFromOutsideOnly) {
  EXPECT_EQ(Wrong({.kind = Rule::Kind::kJsonObject, .min = 1}, {{"a", {1, nullptr}}}), "");
  EXPECT_EQ(Wrong({.kind = Rule::Kind::kJsonObject, .min = 1}, Json::object()),
            "must not be empty");
  EXPECT_EQ(Wrong(kJsonObject, Json::array()), "must be an object");
  EXPECT_EQ(Wrong({.kind = Rule::Kind::kJsonArray, .max = 1}, Json::parse("[{}]")), "");
  EXPECT_EQ(Wrong({.kind = Rule::Kind::kJsonArray, .max = 1}, {1}), "must be a list of objects");
}

}  // namespace
}  // namespace rabbit::api
