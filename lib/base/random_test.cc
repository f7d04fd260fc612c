#include "base/random.h"

#include <gtest/gtest.h>

#include <map>

namespace rabbit::base {
namespace {

TEST(SystemRandom, GivesOtherBytesEachTime) {
  SystemRandom random;
  EXPECT_EQ(random.Bytes(16).size(), 16U);
  EXPECT_NE(random.Bytes(16), random.Bytes(16));
  EXPECT_EQ(random.Bytes(0), "");
}

TEST(SequenceRandom, RepeatsInEachRunAndNotWithinOne) {
  SequenceRandom a;
  SequenceRandom b;
  const std::string first = a.Bytes(40);
  EXPECT_EQ(first, b.Bytes(40));
  EXPECT_NE(first, a.Bytes(40));
}

TEST(RandomAlphanumeric, UsesEachCharacterAboutAsOften) {
  SequenceRandom random;
  std::map<char, int> counts;
  for (const char c : RandomAlphanumeric(random, 62'000)) ++counts[c];
  EXPECT_EQ(counts.size(), 62U);
  for (const auto& [c, count] : counts) {
    EXPECT_TRUE(std::isalnum(static_cast<unsigned char>(c)));
    // 1,000 are expected; without rejection the first eight characters would have 1,250.
    EXPECT_NEAR(count, 1000, 150) << c;
  }
}

TEST(Jitter, StaysWithinItsBoundsAndMoves) {
  SequenceRandom random;
  const Duration base = std::chrono::seconds(10);
  Duration least = base * 2;
  Duration most{};
  for (int i = 0; i < 1000; ++i) {
    const Duration value = Jitter(random, base, 0.5);
    EXPECT_GE(value, base);
    EXPECT_LT(value, std::chrono::seconds(15));
    least = std::min(least, value);
    most = std::max(most, value);
  }
  EXPECT_LT(least, std::chrono::milliseconds(10'200));
  EXPECT_GT(most, std::chrono::milliseconds(14'800));
  EXPECT_EQ(Jitter(random, base, 0), base);
}

}  // namespace
}  // namespace rabbit::base
