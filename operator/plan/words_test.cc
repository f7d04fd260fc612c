#include "operator/plan/words.h"

#include <gtest/gtest.h>

#include <vector>

namespace rabbit::plan {
namespace {

TEST(WordsTest, WhatIsQuotedIsShortPrintableAndWholeCharacters) {
  EXPECT_EQ(Quoted("half"), "\"half\"");
  EXPECT_EQ(Quoted("a\nb\x7F"), "\"a?b?\"");
  EXPECT_EQ(Quoted("abcdef", 3), "\"abc…\"");
  EXPECT_EQ(Shortened("aé", 2), "a…");  // é has two bytes
  EXPECT_EQ(Shortened("aé", 3), "aé");
}

TEST(WordsTest, ListsNameTheFirstAndCountTheRest) {
  std::vector<std::string> names;
  EXPECT_EQ(Listed(names), "");
  names = {"a"};
  EXPECT_EQ(Listed(names), "a");
  names = {"a", "b", "c"};
  EXPECT_EQ(Listed(names), "a, b and c");
  EXPECT_EQ(Listed(names, 2), "a, b and c");
  EXPECT_EQ(Listed(names, 1), "a and 2 more");
}

TEST(WordsTest, CountsAgreeWithTheirNouns) {
  EXPECT_EQ(Counted(1, "step"), "1 step");
  EXPECT_EQ(Counted(2, "step"), "2 steps");
  EXPECT_EQ(Counted(0, "policy"), "0 policies");
}

}  // namespace
}  // namespace rabbit::plan
