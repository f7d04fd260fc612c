#include "operator/resources/names.h"

#include <gtest/gtest.h>

namespace rabbit::resources {
namespace {

TEST(Names, AreThoseOfTheReference) {
  EXPECT_EQ(NodeSetName("c"), "c-node");
  EXPECT_EQ(PodName("c", 2), "c-node-2");
  EXPECT_EQ(NodesServiceName("c"), "c-nodes");
  EXPECT_EQ(BrokersServiceName("c"), "c-brokers");
  EXPECT_EQ(ProxyName("c"), "c-haproxy");
  EXPECT_EQ(ProxyAdminServiceName("c"), "c-haproxy-admin");
  EXPECT_EQ(ConfigName("c"), "c-config");
  EXPECT_EQ(InventoryName("c"), "c-inventory");
  EXPECT_EQ(CookieSecretName("c"), "c-erlang-cookie");
  EXPECT_EQ(OperatorUserSecretName("c"), "c-operator-user");
  EXPECT_EQ(DefaultUserSecretName("c"), "c-default-user");
  EXPECT_EQ(ClaimName("c", 0), "data-c-node-0");
}

TEST(Names, ANodeNameHoldsNoClusterDomain) {
  EXPECT_EQ(NodeName("c", "ns", 0), "rabbit@c-node-0.c-nodes.ns");
}

TEST(Names, AHostNameIsOneOfTheHeadlessService) {
  EXPECT_EQ(HostName("c", "ns", 0, "cluster.local"), "c-node-0.c-nodes.ns.svc.cluster.local");
}

TEST(Names, ANodeIsFirstLookedForByItsNameWithTheSearchListsHead) {
  EXPECT_EQ(FirstSearchedName("c", "ns", 0, "cluster.local"),
            "c-node-0.c-nodes.ns.ns.svc.cluster.local");
}

TEST(Names, TheOrdinalOfAPodIsItsOwnClustersOnly) {
  EXPECT_EQ(OrdinalOf("c", "c-node-0"), 0);
  EXPECT_EQ(OrdinalOf("c", "c-node-12"), 12);
  EXPECT_EQ(OrdinalOf("c", "cc-node-1"), std::nullopt);
  EXPECT_EQ(OrdinalOf("c", "c-node-"), std::nullopt);
  EXPECT_EQ(OrdinalOf("c", "c-node-01"), std::nullopt);
  EXPECT_EQ(OrdinalOf("c", "c-node--1"), std::nullopt);
  EXPECT_EQ(OrdinalOf("c", "c-node-1x"), std::nullopt);
  EXPECT_EQ(OrdinalOf("c", "c-node-99999999999"), std::nullopt);
}

TEST(Names, AUserOfAnyNameGetsASecretOfAValidAndOwnName) {
  EXPECT_TRUE(UserSecretName("c", "Payments (EU)").starts_with("c-user-payments-eu-"));
  EXPECT_TRUE(UserSecretName("c", "вода").starts_with("c-user-"));
  EXPECT_EQ(UserSecretName("c", "вода").find("--"), std::string::npos);
  EXPECT_NE(UserSecretName("c", "a.b"), UserSecretName("c", "a_b"));
  EXPECT_LE(UserSecretName(std::string(47, 'c'), std::string(300, 'u')).size(), 90U);
}

}  // namespace
}  // namespace rabbit::resources
