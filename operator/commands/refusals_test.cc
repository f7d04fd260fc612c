#include "operator/commands/refusals.h"

#include <gtest/gtest.h>

#include "http/transport.h"

namespace rabbit::commands {
namespace {

using base::Error;
using base::ErrorKind;
using std::chrono::seconds;

class RefusalsTest : public testing::Test {
 protected:
  bool IsFinal(ErrorKind kind) { return refusals_.IsFinal({.kind = kind}, clock_.Now()); }
  base::ManualClock clock_;
  Refusals refusals_{seconds(5)};
};

TEST_F(RefusalsTest, ARefusalIsFinalOnceItHasLasted) {
  EXPECT_FALSE(IsFinal(ErrorKind::kDenied));
  clock_.Advance(seconds(4));
  EXPECT_FALSE(IsFinal(ErrorKind::kDenied));
  clock_.Advance(seconds(1));
  EXPECT_TRUE(IsFinal(ErrorKind::kDenied));
}

TEST_F(RefusalsTest, WhateverElseHappensStartsItsTimeAnew) {
  EXPECT_FALSE(IsFinal(ErrorKind::kDenied));
  clock_.Advance(seconds(60));
  EXPECT_FALSE(IsFinal(ErrorKind::kRetry));
  EXPECT_FALSE(IsFinal(ErrorKind::kDenied));
}

TEST(IsRefusal, IsWhatOnlyAPersonCanChange) {
  EXPECT_TRUE(IsRefusal({.kind = ErrorKind::kDenied, .http_status = 401}));
  EXPECT_TRUE(IsRefusal({.kind = ErrorKind::kDenied, .message = "missing rights"}));
  EXPECT_TRUE(IsRefusal({.kind = ErrorKind::kNotFound, .http_status = 404}));
  EXPECT_TRUE(IsRefusal({.kind = ErrorKind::kInvalid, .http_status = 400}));
  EXPECT_TRUE(IsRefusal({.kind = ErrorKind::kInternal, .http_status = 302}));
  EXPECT_TRUE(IsRefusal({.kind = ErrorKind::kRetry, .reason = std::string(http::kReasonTls)}));
}

TEST(IsRefusal, IsNotWhatPassesByItself) {
  EXPECT_FALSE(IsRefusal({.kind = ErrorKind::kRetry}));
  EXPECT_FALSE(IsRefusal({.kind = ErrorKind::kRetry, .http_status = 500}));
  EXPECT_FALSE(IsRefusal({.kind = ErrorKind::kThrottled, .http_status = 429}));
  EXPECT_FALSE(IsRefusal({.kind = ErrorKind::kCancelled}));
  // Not an answer: a file of the configuration that is being written, say.
  EXPECT_FALSE(IsRefusal({.kind = ErrorKind::kInvalid}));
  EXPECT_FALSE(IsRefusal({.kind = ErrorKind::kNotFound}));
}

}  // namespace
}  // namespace rabbit::commands
