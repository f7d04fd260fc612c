#include "runtime/fence.h"

#include <gtest/gtest.h>

namespace rabbit::runtime {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr base::TimePoint kNow{hours(1)};

TEST(Fence, IsShutUntilItIsOpened) {
  Fence fence(seconds(5));
  EXPECT_FALSE(fence.MayWrite(kNow));
  fence.OpenUntil(kNow + seconds(10));
  EXPECT_TRUE(fence.MayWrite(kNow));
  EXPECT_TRUE(fence.MayWrite(kNow + seconds(10) - base::Duration(1)));
  EXPECT_FALSE(fence.MayWrite(kNow + seconds(10)));
  EXPECT_EQ(fence.WritesEndBy(), kNow + seconds(15));
  fence.Shut();
  EXPECT_FALSE(fence.MayWrite(kNow));
}

TEST(Fence, IsOpenForEverWithoutElection) {
  const Fence fence;
  EXPECT_TRUE(fence.MayWrite(kNow + hours(1'000'000)));
  EXPECT_EQ(fence.WritesEndBy(), base::TimePoint::max());
}

}  // namespace
}  // namespace rabbit::runtime
