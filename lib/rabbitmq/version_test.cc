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

TEST(IsOfSeries, ComparesVersionsElseNames) {
  const auto same = [](std::string_view image_of_pod, std::string_view image) {
    EXPECT_TRUE(IsOfSeries(image_of_pod, image)) << image_of_pod << " and " << image;
  };
  const auto other = [](std::string_view image_of_pod, std::string_view image) {
    EXPECT_FALSE(IsOfSeries(image_of_pod, image)) << image_of_pod << " and " << image;
  };
  same("rabbitmq:3.13-management", "rabbitmq:3.13-management");
  same("rabbitmq:3.13.1", "registry:5000/mine:v3.13.7-alpine");
  other("rabbitmq:3.10", "rabbitmq:3.13");
  other("rabbitmq:3.13", "rabbitmq:4.13");
  same("mirror/team/broker:blue", "team/broker:blue");
  other("team/broker:blue", "team/broker:green");
  other("rabbitmq:latest", "rabbitmq:4.0");
  // A webhook's digest, behind the tag or in its place; and digests that were declared.
  same("rabbitmq:latest@sha256:1", "rabbitmq:latest");
  same("mirror/rabbitmq@sha256:1", "rabbitmq:3.13");
  other("other@sha256:1", "rabbitmq:3.13");
  same("mirror/rabbitmq@sha256:1", "rabbitmq@sha256:1");
  other("rabbitmq@sha256:1", "rabbitmq@sha256:2");
  other("rabbitmq:3.13", "rabbitmq@sha256:2");
}

TEST(Version, KnowsWhatItCanDo) {
  EXPECT_TRUE(CanMirror({3, 13, 7}));
  EXPECT_FALSE(CanMirror({4, 0, 0}));
  EXPECT_FALSE(KnowsClusterSize({3, 8, 35}));
  EXPECT_TRUE(KnowsClusterSize({3, 9, 0}));
  EXPECT_FALSE(CanRetryDiscovery({3, 12, 14}));
  EXPECT_TRUE(CanRetryDiscovery({3, 13, 0}));
  EXPECT_FALSE(HasQueueTypeInApplyTo({3, 11, 28}));
  EXPECT_TRUE(HasQueueTypeInApplyTo({4, 0, 5}));
  EXPECT_TRUE(HasRamNodes({3, 13, 0}));
  EXPECT_FALSE(HasRamNodes({4, 0, 0}));
}

}  // namespace
}  // namespace rabbit::rabbitmq
