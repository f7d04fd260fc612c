#include "base/error.h"

#include <gtest/gtest.h>

#include <set>

namespace rabbit::base {
namespace {

TEST(Error, EachLayerPutsWhatItWasDoingInFront) {
  const Result<int> failed = Fail(ErrorKind::kConflict, "409 stale");
  ASSERT_FALSE(failed);
  const Result<int> wrapped =
      FailWrapped(Wrap(failed.error(), "apply Service rabbit-nodes"), "reconcile ns/rabbit");
  EXPECT_EQ(wrapped.error().message, "reconcile ns/rabbit: apply Service rabbit-nodes: 409 stale");
}

TEST(Error, WrappingKeepsEverythingElse) {
  const Error error{ErrorKind::kThrottled,   "slow down", 429, "TooManyRequests",
                    std::chrono::seconds(3), Sent::kMaybe};
  Error expected = error;
  expected.message = "list: slow down";
  EXPECT_EQ(Wrap(error, "list"), expected);
}

TEST(Error, EveryKindHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (int kind = 0; kind <= static_cast<int>(ErrorKind::kInternal); ++kind) {
    names.insert(Name(static_cast<ErrorKind>(kind)));
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(ErrorKind::kInternal) + 1);
  EXPECT_EQ(names.count("Unknown"), 0U);
}

}  // namespace
}  // namespace rabbit::base
