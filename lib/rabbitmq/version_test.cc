#include "rabbitmq/version.h"

#include <gtest/gtest.h>

namespace rabbit::rabbitmq {
namespace {

TEST(ParseVersion, ReadsWhatBrokersAndTagsSay) {
  EXPECT_EQ(ParseVersion("3.10.8"), (Version{3, 10, 8}));
  EXPECT_EQ(ParseVersion("4.0.5-rc.1"), (Version{4, 0, 5}));
  EXPECT_EQ(ParseVersion("3.12.0+7.g12ab"), (Version{3, 12, 0}));
  EXPECT_EQ(ParseVersion("3.13"), (Version{3, 13, 0}));
  EXPECT_EQ(ParseVersion("3.13-management"), (Version{3, 13, 0}));
}

TEST(ParseVersion, RefusesWhatIsNone) {
  for (const char* text : {"", "4", "latest", "-3.1", "3.", "3.x", ".3", "9999999.1", "v"}) {
    EXPECT_EQ(ParseVersion(text), std::nullopt) << text;
  }
}

TEST(Version, ComparesByNumberNotByText) {
  EXPECT_LT((Version{3, 9, 30}), (Version{3, 10, 0}));
  EXPECT_EQ((Version{3, 10, 8}).ToString(), "3.10.8");
}

TEST(VersionOfImage, ReadsTheTagAndNothingElse) {
  EXPECT_EQ(VersionOfImage("rabbitmq:3.13-management"), (Version{3, 13, 0}));
  EXPECT_EQ(VersionOfImage("registry:5000/team/rabbitmq:4.0.5-alpine"), (Version{4, 0, 5}));
  EXPECT_EQ(VersionOfImage("rabbitmq:v3.12.1@sha256:00"), (Version{3, 12, 1}));
  for (const char* image : {"rabbitmq", "rabbitmq:latest", "rabbitmq:4", "registry:5000/rabbitmq",
                            "registry:5000.1/rabbitmq", "rabbitmq@sha256:3.13", ""}) {
    EXPECT_EQ(VersionOfImage(image), std::nullopt) << image;
  }
}

TEST(Version, KnowsWhatItCanDo) {
  EXPECT_TRUE(CanMirror({3, 13, 7}));
  EXPECT_FALSE(CanMirror({4, 0, 0}));
  EXPECT_FALSE(CanRetryDiscovery({3, 12, 14}));
  EXPECT_TRUE(CanRetryDiscovery({3, 13, 0}));
  EXPECT_FALSE(HasQueueTypeInApplyTo({3, 11, 28}));
  EXPECT_TRUE(HasQueueTypeInApplyTo({4, 0, 5}));
  EXPECT_TRUE(HasRamNodes({3, 13, 0}));
  EXPECT_FALSE(HasRamNodes({4, 0, 0}));
}

}  // namespace
}  // namespace rabbit::rabbitmq
