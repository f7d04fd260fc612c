#include "http/resolve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <thread>

#include "http/test_support.h"

namespace rabbit::http {
namespace {

using base::ErrorKind;
using base::Result;
using std::chrono::milliseconds;
using Addresses = std::vector<std::string>;

// Lookups that end only when the test says so. Shared, because they outlive their Resolver.
struct Hanging {
  std::latch release{1};
  Resolver::Lookup lookup() {
    return [this](const std::string& /*host*/, std::string& /*problem*/) {
      release.wait();
      ++ended;
      return Addresses{"10.0.0.1"};
    };
  }
  // Waits until `count` lookups are over, so that none outlives the test.
  void Finish(int count) {
    release.count_down();
    while (ended < count) std::this_thread::yield();
  }
  std::atomic<int> ended = 0;
};

TEST(Resolver, KnowsLocalhost) {
  Resolver resolver;
  const Result<Addresses> found = resolver.ResolveIpv4("localhost", InTime(), {});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_THAT(*found, testing::Contains("127.0.0.1"));
}

TEST(Resolver, ALiteralPassesThroughWithoutALookup) {
  Resolver resolver(0);
  EXPECT_EQ(resolver.ResolveIpv4("10.96.0.1", InTime(), {}), Addresses{"10.96.0.1"});
}

TEST(Resolver, SaysWhatWasWrong) {
  Resolver resolver(1, [](const std::string& /*host*/, std::string& problem) {
    problem = "no such host";
    return Addresses{};
  });
  const Result<Addresses> found = resolver.ResolveIpv4("api.test", InTime(), {});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::kRetry);
  EXPECT_EQ(found.error().message, "resolving api.test: no such host");
}

TEST(Resolver, LeavesAHangingLookupBehindAtTheDeadline) {
  Hanging hanging;
  {
    Resolver resolver(1, hanging.lookup());
    const Result<Addresses> found = resolver.ResolveIpv4("api.test", In(milliseconds(20)), {});
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().kind, ErrorKind::kRetry);
    EXPECT_EQ(found.error().message, "resolving api.test: the deadline passed");
  }  // and its destructor does not wait for it either
  hanging.Finish(1);
}

TEST(Resolver, AStopEndsTheWait) {
  Hanging hanging;
  Resolver resolver(1, hanging.lookup());
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  const Result<Addresses> found = resolver.ResolveIpv4("api.test", InTime(), stop.get_token());
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::kCancelled);
  hanging.Finish(1);
}

TEST(Resolver, BoundsTheLookupsThatHang) {
  Hanging hanging;
  Resolver resolver(2, hanging.lookup());
  for (int i = 0; i < 2; ++i) {
    ASSERT_FALSE(resolver.ResolveIpv4("api.test", In(milliseconds(1)), {}));
  }
  const Result<Addresses> third = resolver.ResolveIpv4("api.test", InTime(), {});
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().message, "resolving api.test: earlier lookups still hang");
  hanging.Finish(2);
  // Their places are free again.
  Result<Addresses> later = resolver.ResolveIpv4("api.test", InTime(), {});
  while (!later) later = resolver.ResolveIpv4("api.test", InTime(), {});
  EXPECT_EQ(*later, Addresses{"10.0.0.1"});
}

}  // namespace
}  // namespace rabbit::http
