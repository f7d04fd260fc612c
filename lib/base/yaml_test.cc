#include "base/yaml.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace rabbit::base {
namespace {

// The JSON of the only document, or "ERR" and why it was refused.
std::string Read(std::string_view text) {
  const auto documents = ParseYaml(text);
  if (!documents) return "ERR " + documents.error().message;
  if (documents->size() != 1) return std::to_string(documents->size()) + " documents";
  return Dump(documents->front());
}

struct Scalar {
  const char* yaml;
  const char* json;
};

// What kubectl makes of each; recorded from sigs.k8s.io/yaml 1.6.0.
constexpr Scalar kScalars[] = {{"2", "2"},
                               {"\"2\"", "\"2\""},
                               {"'2'", "\"2\""},
                               {"|-\n  2", "\"2\""},
                               {">-\n  yes", "\"yes\""},
                               {"yes", "true"},
                               {"Yes", "true"},
                               {"YES", "true"},
                               {"yEs", "\"yEs\""},
                               {"no", "false"},
                               {"on", "true"},
                               {"On", "true"},
                               {"off", "false"},
                               {"y", "true"},
                               {"Y", "true"},
                               {"n", "false"},
                               {"N", "false"},
                               {"true", "true"},
                               {"TRUE", "true"},
                               {"tRue", "\"tRue\""},
                               {"False", "false"},
                               {"0o17", "15"},
                               {"0O17", "15"},
                               {"017", "15"},
                               {"-017", "-15"},
                               {"08", "8"},
                               {"0o8", "\"0o8\""},
                               {"0x1f", "31"},
                               {"0X1F", "31"},
                               {"-0x1f", "-31"},
                               {"0x", "\"0x\""},
                               {"0b11", "3"},
                               {"0b12", "\"0b12\""},
                               {"-0b11", "-3"},
                               {"+1", "1"},
                               {"1_000", "1000"},
                               {"_1", "\"_1\""},
                               {"1_", "1"},
                               {"0x_1f", "31"},
                               {"1e3", "1000"},
                               {"1E3", "1000"},
                               {"1e+3", "1000"},
                               {"1e-3", "0.001"},
                               {"1e400", "\"1e400\""},
                               {".5", "0.5"},
                               {"5.", "5"},
                               {"-.5", "-0.5"},
                               {"+.5", "0.5"},
                               {".", "\".\""},
                               {"..", "\"..\""},
                               {"1.5e", "\"1.5e\""},
                               {".5e", "\".5e\""},
                               {"1.0", "1"},
                               {"1.10", "1.1"},
                               {"0.1", "0.1"},
                               {"-0", "0"},
                               {"00", "0"},
                               {"0", "0"},
                               {"~", "null"},
                               {"null", "null"},
                               {"Null", "null"},
                               {"NULL", "null"},
                               {"nULL", "\"nULL\""},
                               {"", "null"},
                               {"infinity", "\"infinity\""},
                               {"NaN", "\"NaN\""},
                               {".inF", "\".inF\""},
                               {"2024-01-02", "\"2024-01-02\""},
                               {"2024-01-02T03:04:05Z", "\"2024-01-02T03:04:05Z\""},
                               {"12:30:45", "\"12:30:45\""},
                               {"1:2", "\"1:2\""},
                               {"1,000", "\"1,000\""},
                               {"9223372036854775807", "9223372036854775807"},
                               {"-9223372036854775808", "-9223372036854775808"},
                               {"18446744073709551615", "18446744073709551615"},
                               {"123abc", "\"123abc\""},
                               {"10Gi", "\"10Gi\""},
                               {"500m", "\"500m\""},
                               {"0x1p3", "\"0x1p3\""},
                               {"+", "\"+\""},
                               {"=", "\"=\""},
                               {"<<", "\"<<\""},
                               {"!!str 2", "\"2\""},
                               {"!!str yes", "\"yes\""},
                               {"!!str", "\"\""},
                               {"!!int \"2\"", "2"},
                               {"!!float 2", "2"},
                               {"!!bool yes", "true"},
                               {"!!null \"\"", "null"},
                               {"! 2", "\"2\""},
                               {"!!map {a: 1}", "{\"a\":1}"},
                               {"!!seq [a]", "[\"a\"]"},
                               {"'it''s'", "\"it's\""},
                               {"\"\\x41\\u00e9\"", "\"A\xC3\xA9\""}};

TEST(ParseYaml, ReadsScalarsAsKubectlDoes) {
  for (const Scalar& scalar : kScalars) {
    EXPECT_EQ(Read(std::string("k: ") + scalar.yaml + "\n"),
              std::string("{\"k\":") + scalar.json + "}")
        << scalar.yaml;
  }
}

TEST(ParseYaml, ReadsKeysAsKubectlDoes) {
  EXPECT_EQ(Read("yes: 1"), R"({"true":1})");
  EXPECT_EQ(Read("on: 1"), R"({"true":1})");
  EXPECT_EQ(Read("0x10: a"), R"({"16":"a"})");
  EXPECT_EQ(Read("1e3: a"), R"({"1000":"a"})");
  EXPECT_EQ(Read("1.5: a"), R"({"1.5":"a"})");
  EXPECT_EQ(Read("2024-01-02: a"), R"({"2024-01-02":"a"})");
  EXPECT_EQ(Read("{a, \"b\": 1}"), R"({"a":null,"b":1})");
}

TEST(ParseYaml, RefusesNumbersThatJsonCannotHold) {
  for (const char* text : {"k: .inf", "k: -.Inf", "k: +.INF", "k: .nan", ".nan: k"}) {
    EXPECT_EQ(Read(text).substr(0, 3), "ERR") << text;
  }
}

TEST(ParseYaml, ReadsEveryDocumentAndLeavesOutEmptyOnes) {
  const auto documents = ParseYaml("---\n# nothing\n---\na: 1\n---\n---\nb: 2\n...\n");
  ASSERT_TRUE(documents);
  ASSERT_EQ(documents->size(), 2U);
  EXPECT_EQ(Dump((*documents)[0]), R"({"a":1})");
  EXPECT_EQ(Dump((*documents)[1]), R"({"b":2})");
  EXPECT_EQ(Read(""), "0 documents");
  EXPECT_EQ(Read("# only a comment\n"), "0 documents");
  EXPECT_EQ(Read("\xEF\xBB\xBF"
                 "a: 1"),
            R"({"a":1})");
}

TEST(ParseYaml, RefusesWithLineAndColumn) {
  EXPECT_EQ(Read("a: 1\na: 2\n"), "ERR line 2, column 1: key \"a\" stands here twice");
  EXPECT_EQ(Read("1: a\n\"1\": b\n"), "ERR line 2, column 1: key \"1\" stands here twice");
  EXPECT_EQ(Read("a: &x {b: 1}\nc:\n  <<: *x\n"),
            "ERR line 3, column 3: merge keys are not supported");
  EXPECT_EQ(Read("a: !foo bar\n"), "ERR line 1, column 4: tag !foo is not known");
  EXPECT_EQ(Read("a: !!binary aGk=\n"),
            "ERR line 1, column 4: tag tag:yaml.org,2002:binary is not known");
  EXPECT_EQ(Read("~: 1\n"), "ERR line 1, column 1: null cannot be a key");
  EXPECT_EQ(Read("? [a]\n: b\n"), "ERR line 1, column 3: only a scalar can be a key");
  EXPECT_EQ(Read("a: !!int x\n"),
            "ERR line 1, column 4: the value is not of its tag tag:yaml.org,2002:int");
}

TEST(ParseYaml, RefusesWhatIsNotYaml) {
  for (const char* text : {"[a, b", "a: b: c", "a: *x", "\t a: 1", "a: \"x", "}", "a: [1, 2"}) {
    const auto documents = ParseYaml(text);
    ASSERT_FALSE(documents) << text;
    EXPECT_EQ(documents.error().kind, ErrorKind::kInvalid);
  }
}

TEST(ParseYaml, RefusesControlCharactersAndBadUtf8) {
  // Without the check everything behind the 0x04 would be lost in silence.
  EXPECT_EQ(Read("a: 1\nb: \x04\nc: 2\n"), "ERR line 2: a control character");
  EXPECT_EQ(Read("a: \xff\n"), "ERR line 1: not UTF-8");
  EXPECT_EQ(Read(std::string_view("a: \0", 4)), "ERR line 1: a control character");
}

TEST(ParseYaml, ExpandsAliases) {
  EXPECT_EQ(Read("a: &x {b: [1, 2]}\nc: *x\n"), R"({"a":{"b":[1,2]},"c":{"b":[1,2]}})");
  EXPECT_EQ(Read("a: &x 1\nb: *x\n"), R"({"a":1,"b":1})");
}

TEST(ParseYaml, StopsAliasesThatGrowWithoutBound) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    const std::string name = "a" + std::to_string(i);
    bomb += name + ": &" + name + " [";
    for (int j = 0; j < 10; ++j) bomb += (j == 0 ? "" : ", ") + last;
    bomb += "]\n";
  }
  EXPECT_NE(Read(bomb).find("aliases expand to too many nodes"), std::string::npos);
  EXPECT_EQ(Read("a: &x [*x]").substr(0, 3), "ERR");
}

TEST(ParseYaml, LimitsTheDepth) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(ParseYaml(nested(100)));
  EXPECT_EQ(Read(nested(101)), "ERR line 1, column 101: nested too deep");
  EXPECT_FALSE(ParseYaml(std::string(100'000, '[')));
}

}  // namespace
}  // namespace rabbit::base
