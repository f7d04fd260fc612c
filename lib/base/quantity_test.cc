#include "base/quantity.h"

#include <gtest/gtest.h>

namespace rabbit::base {
namespace {

TEST(SameQuantity, LooksThroughTheSpelling) {
  const std::pair<std::string_view, std::string_view> same[] = {
      {"1000m", "1"},  {"1024Mi", "1Gi"},   {"0.5", "500m"},  {"1e3", "1k"},
      {"1E3", "1000"}, {"1.5Gi", "1536Mi"}, {"0", "0Gi"},     {"+1", "1"},
      {"1.0", "1"},    {".5", "500m"},      {"1.", "1"},      {"1000000n", "1m"},
      {"1e-3", "1m"},  {"-1000m", "-1"},    {"8Ei", "8192Pi"}};
  for (const auto& [a, b] : same) {
    EXPECT_TRUE(SameQuantity(a, b)) << a << " " << b;
    EXPECT_EQ(PlainQuantity(a), PlainQuantity(b));
  }
}

TEST(SameQuantity, TellsDifferentValuesApart) {
  const std::pair<std::string_view, std::string_view> different[] = {
      {"1G", "1Gi"}, {"1", "2"}, {"1m", "1M"}, {"1E", "1Ei"}, {"-1", "1"}};
  for (const auto& [a, b] : different) {
    EXPECT_FALSE(SameQuantity(a, b)) << a << " " << b;
    EXPECT_NE(PlainQuantity(a), PlainQuantity(b));
  }
}

TEST(SameQuantity, IsFalseForWhatIsNoQuantity) {
  for (const std::string_view text :
       {"", "m", "1Q", "1 Gi", "1gi", "1K", "one", "1e", "1e+", ".", "1.2.3", "--1", "1e999",
        "99999999999999999999999999999999"}) {
    EXPECT_FALSE(SameQuantity(text, text)) << text;
    EXPECT_EQ(PlainQuantity(text), text);
  }
}

TEST(LessQuantity, ComparesValuesAndNotTexts) {
  EXPECT_TRUE(LessQuantity("500m", "1"));
  EXPECT_TRUE(LessQuantity("1G", "1Gi"));
  EXPECT_FALSE(LessQuantity("1024Mi", "1Gi"));
  EXPECT_FALSE(LessQuantity("2", "1500m"));
  EXPECT_FALSE(LessQuantity("one", "2"));
  EXPECT_FALSE(LessQuantity("1", "two"));
}

TEST(QuantityValue, RoundsUpToWholeUnits) {
  EXPECT_EQ(QuantityValue("2Gi"), std::int64_t{2} << 30);
  EXPECT_EQ(QuantityValue("1500m"), 2);
  EXPECT_EQ(QuantityValue("-1500m"), -1);
  EXPECT_EQ(QuantityValue("0"), 0);
  EXPECT_EQ(QuantityValue("16Ei"), std::nullopt);
}

}  // namespace
}  // namespace rabbit::base
