#include "kube/metadata.h"

#include <gtest/gtest.h>

namespace rabbit::kube {
namespace {

TEST(MetadataTest, ReadsAllThatWeUse) {
  const auto meta = ParseMeta(std::string_view(R"({"kind":"Pod","metadata":{
      "name":"a","namespace":"ns","uid":"u","resourceVersion":"12","generation":3,
      "deletionTimestamp":"2026-01-01T00:00:00Z","labels":{"x":"1"},"annotations":{"y":"2"},
      "ownerReferences":[{"apiVersion":"v1","kind":"Other","name":"o","uid":"1"},
        {"apiVersion":"apps/v1","kind":"StatefulSet","name":"s","uid":"2","controller":true}]}})"));
  ASSERT_TRUE(meta) << meta.error().message;
  EXPECT_EQ(*meta, (ObjectMeta{.key = {"ns", "a"},
                               .uid = "u",
                               .resource_version = "12",
                               .generation = 3,
                               .deleting = true,
                               .labels = {{"x", "1"}},
                               .annotations = {{"y", "2"}},
                               .owner = {"apps/v1", "StatefulSet", "s", "2", true}}));
}

TEST(MetadataTest, OnlyTheNameIsNeeded) {
  const auto meta = ParseMeta(std::string_view(R"({"metadata":{"name":"a"}})"));
  ASSERT_TRUE(meta);
  EXPECT_EQ(*meta, (ObjectMeta{.key = {"", "a"}}));
}

TEST(MetadataTest, MembersOfTheWrongTypeCountAsAbsent) {
  const auto meta = ParseMeta(std::string_view(
      R"({"metadata":{"name":"a","labels":[1],"annotations":{"x":1},"generation":"z",
          "ownerReferences":{"controller":true},"deletionTimestamp":null}})"));
  ASSERT_TRUE(meta);
  EXPECT_EQ(*meta, (ObjectMeta{.key = {"", "a"}}));
}

TEST(MetadataTest, WithoutANameThereIsNoObject) {
  for (const std::string_view bad : {R"({"metadata":{"name":""}})", R"({"metadata":{}})",
                                     R"({"metadata":[]})", "{}", "[]", "7", "{", ""}) {
    const auto meta = ParseMeta(bad);
    ASSERT_FALSE(meta) << bad;
    EXPECT_EQ(meta.error().kind, base::ErrorKind::kInternal) << bad;
  }
}

}  // namespace
}  // namespace rabbit::kube
