#include "operator/observe/stranger.h"

#include <gtest/gtest.h>

namespace rabbit::observe {
namespace {

TEST(StrangerIn, AnObjectWithOurLabelAndOurOwnerIsOurs) {
  EXPECT_EQ(
      StrangerIn(
          R"({"metadata":{"name":"x","labels":{"app.kubernetes.io/managed-by":"rabbit-operator"},
    "ownerReferences":[{"kind":"RabbitCluster","name":"c","uid":"u1","controller":true}]}})",
          "c", "u1"),
      std::nullopt);
}

TEST(StrangerIn, AnotherControllerIsAStrangerEvenWithOurLabel) {
  EXPECT_EQ(
      StrangerIn(
          R"({"metadata":{"name":"x","labels":{"app.kubernetes.io/managed-by":"rabbit-operator"},
    "ownerReferences":[{"kind":"RabbitCluster","name":"old","uid":"u0","controller":true}]}})",
          "c", "u1"),
      "RabbitCluster old, its controller");
}

TEST(StrangerIn, OurOwnerIsOursWhateverWasDoneToTheLabels) {
  EXPECT_EQ(StrangerIn(
                R"({"metadata":{"name":"x","labels":{"app.kubernetes.io/instance":"other"},
    "ownerReferences":[{"kind":"RabbitCluster","name":"c","uid":"u1","controller":true}]}})",
                "c", "u1"),
            std::nullopt);
}

TEST(StrangerIn, WithoutAnOwnerTheLabelsTell) {
  const auto stranger = [](const std::string& labels) {
    return StrangerIn(R"({"metadata":{"name":"x","labels":)" + labels + "}}", "c", "u1");
  };
  EXPECT_EQ(stranger("{}"), "somebody else: it carries no label of the operator");
  EXPECT_EQ(stranger(R"({"app.kubernetes.io/managed-by":"Helm"})"), "Helm");
  EXPECT_EQ(stranger(R"({"app.kubernetes.io/managed-by":"rabbit-operator"})"),
            "somebody else: its labels name no cluster");
  EXPECT_EQ(stranger(R"({"app.kubernetes.io/managed-by":"rabbit-operator",
                         "app.kubernetes.io/instance":"other"})"),
            "RabbitCluster other, by its labels");
  EXPECT_EQ(stranger(R"({"app.kubernetes.io/managed-by":"rabbit-operator",
                         "app.kubernetes.io/instance":"c"})"),
            std::nullopt);
}

}  // namespace
}  // namespace rabbit::observe
