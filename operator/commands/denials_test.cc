#include "operator/commands/denials.h"

#include <gtest/gtest.h>

namespace rabbit::commands {
namespace {

using std::chrono::seconds;

class DenialsTest : public testing::Test {
 protected:
  bool IsFinal(base::ErrorKind kind) { return denials_.IsFinal({.kind = kind}, clock_.Now()); }
  base::ManualClock clock_;
  Denials denials_;
};

TEST_F(DenialsTest, ADenialIsFinalOnceItHasLasted) {
  EXPECT_FALSE(IsFinal(base::ErrorKind::kDenied));
  clock_.Advance(seconds(4));
  EXPECT_FALSE(IsFinal(base::ErrorKind::kDenied));
  clock_.Advance(seconds(1));
  EXPECT_TRUE(IsFinal(base::ErrorKind::kDenied));
}

TEST_F(DenialsTest, WhateverElseHappensStartsItsTimeAnew) {
  EXPECT_FALSE(IsFinal(base::ErrorKind::kDenied));
  clock_.Advance(seconds(60));
  EXPECT_FALSE(IsFinal(base::ErrorKind::kRetry));
  EXPECT_FALSE(IsFinal(base::ErrorKind::kDenied));
}

}  // namespace
}  // namespace rabbit::commands
