#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/yaml.h"

namespace rabbit::base {
namespace {

using Ordered = nlohmann::ordered_json;

// What a reader makes of what was written of `json`.
std::string ThereAndBack(const std::string& json) {
  const std::string yaml = WriteYaml(Ordered::parse(json));
  const auto documents = ParseYaml(yaml);
  if (!documents) return "ERR " + documents.error().message + "\n" + yaml;
  return documents->size() == 1 ? Dump(documents->front()) : "not one document:\n" + yaml;
}

TEST(WriteYaml, LooksAsKubectlWritesIt) {
  EXPECT_EQ(WriteYaml(Ordered::parse(R"({"name": "a", "list": [{"b": 1, "c": [true, null]}, [2, 3]],
                                         "empty": {}, "none": [], "map": {"x": {"y": "z"}}})")),
            R"(name: a
list:
- b: 1
  c:
  - true
  - null
- - 2
  - 3
empty: {}
none: []
map:
  x:
    "y": z
)");
}

TEST(WriteYaml, IsIndentedAsAsked) {
  EXPECT_EQ(WriteYaml(Ordered::parse(R"({"a": {"b": ["c"]}})"), 2), "  a:\n    b:\n    - c\n");
}

TEST(WriteYaml, ATextStaysTheTextThatItIs) {
  for (const char* text :
       {"",        " ",      "/",         "a b",  "yes",   "No",       "y",          "null",
        "~",       "1",      "1.0",       "0x1f", "1e3",   ".inf",     "2001-01-01", "1:30",
        "- a",     "a: b",   "a #b",      "# a",  "'a'",   "\"a\"",    "a\\b",       "\\u0041",
        "a\nb",    "a\r\n",  "\t",        "\x01", "^q.*$", "%2F",      "@a",         "`a`",
        "!t",      "&a",     "*a",        "{a}",  "[a]",   "a,b",      "---",        "...",
        "<<",      "=",      "用户/队列", "🐇",   "é",     "a\u0085b", "a\u2028b",   "a\u2029b",
        "\uFEFFa", "\u00A0", "a/b_c-d.e", "|",    ">",     "? a",      "-"}) {
    SCOPED_TRACE(text);
    const std::string as_value = Json{{"k", text}}.dump();
    EXPECT_EQ(ThereAndBack(as_value), as_value);
    const std::string as_key = Json{{text, Json::array({text})}}.dump();
    EXPECT_EQ(ThereAndBack(as_key), as_key);
  }
}

TEST(WriteYaml, NoLineOfATextEndsBeforeItsQuote) {
  for (const char* text : {"a\nb", "a\rb", "a\u0085b", "a\u2028b", "a\u2029b"}) {
    EXPECT_TRUE(WriteYaml(Ordered(text)).starts_with("\"a\\u")) << WriteYaml(Ordered(text));
  }
}

TEST(WriteYaml, NumbersKeepTheirType) {
  for (const char* json : {"0", "-1", "9223372036854775807", "18446744073709551615", "0.5", "1e+30",
                           "-1.5e-07", "true", "\"1\"", "null"}) {
    const std::string object = "{\"k\":" + std::string(json) + "}";
    EXPECT_EQ(ThereAndBack(object), object);
  }
}

TEST(OnOneLine, EscapesWhatEndsLinesOrIsNoText) {
  EXPECT_EQ(OnOneLine("a\nb\u2028\x7f\x1b[1m"), "a\\u000Ab\\u2028\\u007F\\u001B[1m");
  EXPECT_EQ(OnOneLine("用户 \"🐇\" \\ é"), "用户 \"🐇\" \\ é");
  EXPECT_EQ(OnOneLine("a\xff"
                      "b"),
            "a\\uFFFDb");
}

}  // namespace
}  // namespace rabbit::base
