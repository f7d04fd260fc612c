#include "base/pattern.h"

#include <gtest/gtest.h>

namespace rabbit::base {
namespace {

using Dialect = Pattern::Dialect;

bool Matches(std::string_view pattern, std::string_view subject, Dialect dialect) {
  const auto compiled = Pattern::Compile(pattern, dialect);
  return compiled && compiled->Matches(subject);
}

TEST(Pattern, MatchesSomewhere) {
  for (const Dialect dialect : {Dialect::kSchema, Dialect::kErlang}) {
    EXPECT_TRUE(Matches("b+", "abc", dialect));
    EXPECT_FALSE(Matches("^b+", "abc", dialect));
    EXPECT_TRUE(Matches("", "abc", dialect));
  }
}

TEST(Pattern, DialectsDifferInWhatACharacterIsAndWhereTheEndIs) {
  EXPECT_TRUE(Matches("^.$", "ü", Dialect::kSchema));
  EXPECT_FALSE(Matches("^.$", "ü", Dialect::kErlang));
  EXPECT_FALSE(Matches("a$", "a\n", Dialect::kSchema));
  EXPECT_TRUE(Matches("a$", "a\n", Dialect::kErlang));
}

TEST(Pattern, SaysWhatIsWrongAndWhere) {
  const auto pattern = Pattern::Compile("a(b", Dialect::kErlang);
  ASSERT_FALSE(pattern);
  EXPECT_EQ(pattern.error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(pattern.error().message, "missing closing parenthesis at 3");
}

TEST(Pattern, GivesUpOnAMatchThatWouldTakeForEver) {
  for (const Dialect dialect : {Dialect::kSchema, Dialect::kErlang}) {
    const auto pattern = Pattern::Compile("^(a+)+b$", dialect);
    ASSERT_TRUE(pattern);
    EXPECT_FALSE(pattern->Matches(std::string(200, 'a') + "c"));
  }
}

}  // namespace
}  // namespace rabbit::base
