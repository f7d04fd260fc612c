#include "runtime/health.h"

#include <gtest/gtest.h>

namespace rabbit::runtime {
namespace {

std::optional<std::string> Well() { return std::nullopt; }

TEST(Health, IsWellWithoutChecks) { EXPECT_TRUE(Health().Look(Health::Kind::kLive).ok); }

TEST(Health, NamesEachCheckAndWhyItFails) {
  Health health;
  health.Add(Health::Kind::kReady, "caches", [] { return "Pods have not synced"; });
  health.Add(Health::Kind::kReady, "broker", Well);
  const Health::Report report = health.Look(Health::Kind::kReady);
  EXPECT_FALSE(report.ok);
  EXPECT_EQ(report.text, "[+]broker ok\n[-]caches failed: Pods have not synced\nfailed\n");
}

TEST(Health, KeepsLiveAndReadyApart) {
  Health health;
  health.Add(Health::Kind::kReady, "caches", [] { return "not yet"; });
  EXPECT_TRUE(health.Look(Health::Kind::kLive).ok);
  health.Add(Health::Kind::kReady, "caches", Well);
  EXPECT_EQ(health.Look(Health::Kind::kReady).text, "[+]caches ok\nok\n");
}

}  // namespace
}  // namespace rabbit::runtime
