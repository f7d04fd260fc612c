#include "operator/commands/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rabbit::commands {
namespace {

using testing::ElementsAre;

std::string TroubleWith(std::string_view text, const std::string& required = "") {
  const auto manifest = ParseManifest(text, "here", required);
  return manifest ? "none" : manifest.error().message;
}

TEST(ParseManifest, TakesClustersSecretsAndNamesTheRest) {
  const auto manifest = ParseManifest(R"(
apiVersion: v1
kind: Secret
metadata: {name: root, namespace: there}
stringData: {password: s3cret}
data: {other: eA==}
---
apiVersion: rabbitcluster.dev/v1beta1
kind: RabbitCluster
metadata: {name: c, labels: {a: b}}
spec: {replicas: 3}
---
---
apiVersion: v1
kind: List
items:
- {apiVersion: rabbitcluster.dev/v1beta1, kind: RabbitCluster, metadata: {name: c, namespace: there}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: m}}
)",
                                      "here", "");
  ASSERT_TRUE(manifest) << manifest.error().message;
  ASSERT_EQ(manifest->clusters.size(), 2U);
  EXPECT_EQ(manifest->clusters[0].key.ToString(), "here/c");
  EXPECT_EQ(manifest->clusters[0].text,
            R"({"apiVersion":"rabbitcluster.dev/v1beta1","kind":"RabbitCluster",)"
            R"("metadata":{"labels":{"a":"b"},"name":"c","namespace":"here"},)"
            R"("spec":{"replicas":3}})");
  EXPECT_EQ(manifest->clusters[1].key.ToString(), "there/c");
  EXPECT_THAT(manifest->others, ElementsAre("ConfigMap m"));
  const auto& secret = manifest->secrets.at({"there", "root"});
  EXPECT_EQ(secret.data.at("password").Reveal(), "s3cret");
  EXPECT_EQ(secret.data.at("other").Reveal(), "x");
}

TEST(ParseManifest, WhatOnlyTheServerWritesIsLeftOut) {
  const auto manifest = ParseManifest(R"({
    "apiVersion": "rabbitcluster.dev/v1beta1", "kind": "RabbitCluster",
    "metadata": {"name": "c", "uid": "u", "resourceVersion": "7", "generation": 2,
                 "managedFields": [{}], "creationTimestamp": "2020-01-01T00:00:00Z",
                 "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "a": "b"}},
    "spec": {}, "status": {"image": "x"}})",
                                      "here", "");
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_EQ(manifest->clusters[0].text,
            R"({"apiVersion":"rabbitcluster.dev/v1beta1","kind":"RabbitCluster",)"
            R"("metadata":{"annotations":{"a":"b"},"name":"c","namespace":"here"},"spec":{}})");
}

TEST(ParseManifest, JsonMayEscapeAnyCharacter) {
  const auto manifest = ParseManifest(
      R"({"apiVersion":"rabbitcluster.dev/v1beta1","kind":"RabbitCluster","metadata":{"name":"c"},
          "spec":{"clusterName":"\ud83d\udc07"}})",
      "here", "");
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_NE(manifest->clusters[0].text.find("🐇"), std::string::npos);
}

TEST(ParseManifest, ABadFileIsOneLine) {
  const std::string cluster =
      "{apiVersion: rabbitcluster.dev/v1beta1, kind: RabbitCluster, metadata: {name: c}}\n";
  EXPECT_EQ(TroubleWith(""), "holds no RabbitCluster");
  EXPECT_EQ(TroubleWith("{apiVersion: v1, kind: ConfigMap, metadata: {name: m}}"),
            "holds no RabbitCluster");
  EXPECT_EQ(TroubleWith("text"), "holds something that is no object");
  EXPECT_EQ(TroubleWith("{kind: RabbitCluster, metadata: {name: c}}"),
            "holds an object without apiVersion, kind or metadata.name");
  EXPECT_EQ(TroubleWith("{apiVersion: other/v1, kind: RabbitCluster, metadata: {name: c}}"),
            "RabbitCluster c is of other/v1, not of rabbitcluster.dev/v1beta1");
  EXPECT_EQ(TroubleWith(cluster + "---\n" + cluster), "holds RabbitCluster here/c twice");
  EXPECT_EQ(TroubleWith("{apiVersion: rabbitcluster.dev/v1beta1, kind: RabbitCluster, "
                        "metadata: {name: c, namespace: there}}",
                        "here"),
            "RabbitCluster c is of namespace there, not of here, which --namespace names");
  const std::string syntax = TroubleWith("a: [b\n");
  EXPECT_NE(syntax, "none");
  EXPECT_EQ(syntax.find('\n'), std::string::npos);
}

TEST(ParseManifest, ASecretNeverReachesAMessage) {
  const std::string trouble = TroubleWith(
      "{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {password: s3cret}}");
  EXPECT_EQ(trouble.find("s3cret"), std::string::npos);
}

}  // namespace
}  // namespace rabbit::commands
