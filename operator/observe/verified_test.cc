#include "operator/observe/verified.h"

#include <gtest/gtest.h>

namespace rabbit::observe {
namespace {

TEST(VerifiedChildren, HoldOnlyForTheSameChildDesiredAndContent) {
  VerifiedChildren verified;
  const ChildId id{kube::kServices, "c"};
  EXPECT_FALSE(verified.Holds(id, "d", 1));
  verified.Add(id, {"d", 1});
  EXPECT_TRUE(verified.Holds(id, "d", 1));
  EXPECT_FALSE(verified.Holds(id, "e", 1));
  EXPECT_FALSE(verified.Holds(id, "d", 2));
  EXPECT_FALSE(verified.Holds({kube::kServices, "c-nodes"}, "d", 1));
  EXPECT_FALSE(verified.Holds({kube::kConfigMaps, "c"}, "d", 1));
}

TEST(VerifiedChildren, ALaterComparisonTakesThePlaceOfTheEarlier) {
  VerifiedChildren verified;
  const ChildId id{kube::kServices, "c"};
  verified.Add(id, {"d", 1});
  verified.Add({kube::kServices, "other"}, {"d", 1});
  verified.Add(id, {"d", 2});
  EXPECT_FALSE(verified.Holds(id, "d", 1));
  EXPECT_TRUE(verified.Holds(id, "d", 2));
  EXPECT_TRUE(verified.Holds({kube::kServices, "other"}, "d", 1));
}

}  // namespace
}  // namespace rabbit::observe
