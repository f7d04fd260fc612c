#include "base/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace rabbit::base {
namespace {

Json J(std::string_view text) { return ParseJson(text).value(); }

TEST(ParseJson, NamesThePositionAndNeverTheText) {
  const auto parsed = ParseJson(R"({"password": hunter2})");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().kind, ErrorKind::kInternal);
  EXPECT_EQ(parsed.error().message, "not JSON at byte 14 of 21");
}

TEST(ParseJson, RefusesWhatTheLibraryWouldThrowAt) {
  for (const std::string_view text : {"", "{", "1e999", "\"\xff\"", "[1] 2", "nul"}) {
    EXPECT_FALSE(ParseJson(text)) << text;
  }
}

TEST(ParseJson, LimitsTheDepth) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(ParseJson(nested(200)));
  EXPECT_FALSE(ParseJson(nested(201)));
  EXPECT_FALSE(ParseJson(std::string(1'000'000, '[')));
  EXPECT_TRUE(ParseJson("\"\\\"" + std::string(300, '[') + "\"")) << "brackets within a string";
  EXPECT_TRUE(ParseJson("[" + nested(1) + std::string(500, ' ') + "]"));
}

TEST(Dump, SortsKeysAndReplacesBadUtf8) {
  EXPECT_EQ(Dump({{"b", 1}, {"a", "x\xffy"}}), "{\"a\":\"x\xEF\xBF\xBDy\",\"b\":1}");
  EXPECT_EQ(DumpPretty({{"a", 1}}), "{\n  \"a\": 1\n}");
}

TEST(Find, StopsWhereThePathEnds) {
  const Json pod = J(R"({"status": {"podIP": "10.0.0.1", "ready": true, "n": 3, "list": [1]}})");
  EXPECT_EQ(FindString(pod, {"status", "podIP"}), "10.0.0.1");
  EXPECT_EQ(FindString(pod, {"status", "n"}, "not text"), "not text");
  EXPECT_EQ(FindInt(pod, {"status", "n"}), 3);
  EXPECT_EQ(FindInt(pod, {"status", "podIP"}, 7), 7);
  EXPECT_TRUE(FindBool(pod, {"status", "ready"}));
  EXPECT_TRUE(FindBool(pod, {"status", "missing"}, true));
  EXPECT_EQ(Find(pod, {"status", "list", "0"}), nullptr);
  EXPECT_EQ(Find(pod, {"missing", "podIP"}), nullptr);
  EXPECT_EQ(Find(pod, {}), &pod);
}

TEST(MergePatch, FollowsRfc7386) {
  Json target = J(R"({"a": {"b": 1, "c": 2}, "d": [1, 2]})");
  MergePatch(target, J(R"({"a": {"b": null, "e": 3}, "d": [9]})"));
  EXPECT_EQ(target, J(R"({"a": {"c": 2, "e": 3}, "d": [9]})"));
}

TEST(DropEmpty, RemovesFromTheBottomUp) {
  Json value = J(R"({"a": {"b": {"c": null}}, "d": [], "e": [null, {"x": {}}, ""], "f": false,
                     "g": 0, "h": ""})");
  DropEmpty(value);
  EXPECT_EQ(value, J(R"({"e": [{}, ""], "f": false, "g": 0, "h": ""})"));
}

struct Case {
  const char* what;
  const char* desired;
  const char* actual;
  const char* difference;  // nullptr: none
};

class FirstDifferenceTest : public testing::TestWithParam<Case> {};

TEST_P(FirstDifferenceTest, Is) {
  const Case& c = GetParam();
  const auto difference = FirstDifference(J(c.desired), J(c.actual));
  EXPECT_EQ(difference.value_or("none"), c.difference == nullptr ? "none" : c.difference) << c.what;
}

INSTANTIATE_TEST_SUITE_P(
    All, FirstDifferenceTest,
    testing::Values(
        Case{"fields that others add", R"({"a": 1})", R"({"a": 1, "b": 2})", nullptr},
        Case{"a missing field", R"({"a": {"b": 1}})", R"({"a": {}})", "a.b"},
        Case{"another value", R"({"a": {"b": 1}})", R"({"a": {"b": 2}})", "a.b"},
        Case{"another type", R"({"a": "1"})", R"({"a": 1})", "a"},
        Case{"the whole value", R"(1)", R"(2)", "(the whole value)"},
        Case{"an empty map is absent", R"({"a": {}, "b": [], "c": null})", R"({})", nullptr},
        Case{"absent within empty", R"({"a": {"b": {"c": []}}})", R"({})", nullptr},
        Case{"absent where something is wanted", R"({"a": {"b": {"c": 0}}})", R"({})", "a.b.c"},
        Case{"an empty list wanted", R"({"a": []})", R"({"a": [1]})", "a"},
        Case{"null wanted", R"({"a": null})", R"({"a": 1})", "a"},
        Case{"order of named elements", R"([{"name": "x", "v": 1}, {"name": "y"}])",
             R"([{"name": "y"}, {"name": "x", "v": 1}])", nullptr},
        Case{"an element that others add", R"([{"name": "x"}])",
             R"([{"name": "sidecar"}, {"name": "x"}])", nullptr},
        Case{"an element that lacks", R"({"ports": [{"name": "amqp"}, {"name": "x"}]})",
             R"({"ports": [{"name": "amqp"}]})", "ports[name=x].name"},
        Case{"within a named element", R"({"spec": {"ports": [{"name": "amqp", "port": 5672}]}})",
             R"({"spec": {"ports": [{"name": "amqp", "port": 5671}]}})",
             "spec.ports[name=amqp].port"},
        Case{"one volume mounted twice",
             R"([{"name": "d", "mountPath": "/a"}, {"name": "d", "mountPath": "/b"}])",
             R"([{"name": "d", "mountPath": "/b"}, {"name": "d", "mountPath": "/a"}])", nullptr},
        Case{"ports without names", R"([{"port": 1, "v": 2}])", R"([{"port": 3}, {"port": 1}])",
             "[port=1].v"},
        Case{"a key used twice compares by place",
             R"([{"port": 1, "p": "T"}, {"port": 1, "p": "U"}])",
             R"([{"port": 1, "p": "U"}, {"port": 1, "p": "T"}])", "[0].p"},
        Case{"tolerations are one value", R"([{"key": "a"}])", R"([{"key": "a"}, {"key": "b"}])",
             "(the whole value)"},
        Case{"plain lists", R"({"a": [1, 2]})", R"({"a": [1, 3]})", "a[1]"},
        Case{"plain lists of another length", R"({"a": [1]})", R"({"a": [1, 2]})", "a"},
        Case{"quantities", R"({"resources": {"requests": {"cpu": 1, "memory": "1024Mi"}}})",
             R"({"resources": {"requests": {"cpu": "1000m", "memory": "1Gi"}}})", nullptr},
        Case{"other quantities", R"({"limits": {"cpu": "1"}})", R"({"limits": {"cpu": "2"}})",
             "limits.cpu"},
        Case{"texts that only look like quantities", R"({"data": {"n": "1k"}})",
             R"({"data": {"n": "1000"}})", "data.n"},
        Case{"whole numbers", R"({"a": 1})", R"({"a": 1.0})", nullptr}));

TEST(PutInto, GivesWhatIsDesiredAndKeepsTheRest) {
  const Json desired = J(R"({"a": 1, "q": {"limits": {"cpu": "1000m"}}, "e": {}, "l": [1],
                             "ports": [{"name": "x", "port": 2}, {"name": "new", "port": 3}]})");
  const Json actual = J(R"({"a": 2, "b": 3, "q": {"limits": {"cpu": 1}}, "l": [2, 3],
                            "ports": [{"name": "own", "port": 1}, {"name": "x", "port": 1, "p": "TCP"}]})");
  const Json outcome = PutInto(desired, actual);
  EXPECT_EQ(outcome, J(R"({"a": 1, "b": 3, "q": {"limits": {"cpu": 1}}, "l": [1],
                           "ports": [{"name": "own", "port": 1}, {"name": "x", "port": 2, "p": "TCP"},
                                     {"name": "new", "port": 3}]})"));
  EXPECT_EQ(FirstDifference(desired, outcome), std::nullopt);
  EXPECT_EQ(PutInto(desired, outcome), outcome);
}

TEST(PutInto, TakesTheWholeWhereTheTypesDiffer) {
  EXPECT_EQ(PutInto(J(R"({"a": {"b": 1}})"), J(R"({"a": 1})")), J(R"({"a": {"b": 1}})"));
  EXPECT_EQ(PutInto(J(R"({"a": []})"), J(R"({"a": [1]})")), J(R"({"a": []})"));
  EXPECT_EQ(PutInto(J(R"({"a": {"b": 1}})"), Json()), J(R"({"a": {"b": 1}})"));
}

// "path: before -> after", "-" for nothing.
std::vector<std::string> Lines(const char* before, const char* after) {
  std::vector<std::string> lines;
  for (const Difference& each : Differences(J(before), J(after))) {
    lines.push_back(each.path + ": " + each.before.value_or("-") + " -> " +
                    each.after.value_or("-"));
  }
  return lines;
}

TEST(Differences, AreAllPlacesWithBothValues) {
  using Texts = std::vector<std::string>;
  EXPECT_EQ(Lines(R"({"a": 1, "b": {"c": "x"}})", R"({"a": 1, "b": {"c": "x"}})"), Texts());
  EXPECT_EQ(Lines(R"({"a": 1, "b": {"c": "x", "d": 1}})", R"({"a": 2, "b": {"c": "y", "e": 1}})"),
            (Texts{"a: 1 -> 2", R"(b.c: "x" -> "y")", "b.d: 1 -> -", "b.e: - -> 1"}));
  EXPECT_EQ(Lines(R"({"a": "1"})", R"({"a": 1})"), Texts{R"(a: "1" -> 1)"});
  EXPECT_EQ(Lines(R"({"a": {}, "b": null})", R"({"c": []})"), Texts());
  EXPECT_EQ(Lines(R"({"a": {"b": 1}})", R"({})"), Texts{R"(: {"a":{"b":1}} -> -)"});
  EXPECT_EQ(Lines(R"({"a": {"b": 1}, "x": 1})", R"({"x": 1})"), Texts{R"(a: {"b":1} -> -)"});
}

TEST(Differences, ElementsWithNamesAreFoundByThem) {
  EXPECT_EQ(Lines(R"({"p": [{"name": "a", "v": 1}, {"name": "b"}]})",
                  R"({"p": [{"name": "c"}, {"name": "a", "v": 2}]})"),
            (std::vector<std::string>{"p[name=a].v: 1 -> 2", R"(p[name=b]: {"name":"b"} -> -)",
                                      R"(p[name=c]: - -> {"name":"c"})"}));
  EXPECT_EQ(Lines(R"([{"vhost": "a", "name": "p"}, {"vhost": "b", "name": "p", "v": 1}])",
                  R"([{"vhost": "b", "name": "p", "v": 2}, {"vhost": "a", "name": "p"}])"),
            std::vector<std::string>{"[vhost=b,name=p].v: 1 -> 2"});
  EXPECT_EQ(Lines(R"({"p": [1, 2]})", R"({"p": [1]})"),
            std::vector<std::string>{"p: [1,2] -> [1]"});
}

TEST(Differences, QuantitiesOfEqualValueAreEqualAndAKeyWithADotIsQuoted) {
  EXPECT_EQ(Lines(R"({"limits": {"cpu": "1000m"}})", R"({"limits": {"cpu": 1}})"),
            std::vector<std::string>());
  EXPECT_EQ(
      Lines(R"({"data": {"a.conf": "1k", "b": 1}})", R"({"data": {"a.conf": "1000", "b": 1}})"),
      std::vector<std::string>{R"(data["a.conf"]: "1k" -> "1000")"});
}

}  // namespace
}  // namespace rabbit::base
