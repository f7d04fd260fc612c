#include "rabbitmq/node_name.h"

#include <gtest/gtest.h>

namespace rabbit::rabbitmq {
namespace {

TEST(NodeName, GoesThereAndBack) {
  const NodeAddress address{.pod = "c-node-2", .service = "c-nodes", .ns = "team-a"};
  EXPECT_EQ(address.NodeName(), "rabbit@c-node-2.c-nodes.team-a");
  EXPECT_EQ(ParseNodeName("rabbit@c-node-2.c-nodes.team-a"), address);
}

TEST(NodeName, OtherFormsAreNotOurs) {
  for (const char* name : {"", "rabbit@localhost", "rabbit@a.b", "other@a.b.c", "rabbit@a.b.c.d",
                           "rabbit@.b.c", "rabbit@a..c", "rabbit@a.b."}) {
    EXPECT_EQ(ParseNodeName(name), std::nullopt) << name;
  }
}

TEST(OrdinalOfPod, ReadsTheNumberAtTheEnd) {
  EXPECT_EQ(OrdinalOfPod("c-node-0"), 0);
  EXPECT_EQ(OrdinalOfPod("c-node-12"), 12);
  EXPECT_EQ(OrdinalOfPod("c-7-node-1"), 1);
}

TEST(OrdinalOfPod, RefusesWhatAStatefulSetWouldNotWrite) {
  for (const char* pod : {"", "c-node", "c-node-", "c-node-01", "c-node-1a", "-1", "7",
                          "c-node-99999999", "c-node-+1"}) {
    EXPECT_EQ(OrdinalOfPod(pod), std::nullopt) << pod;
  }
}

}  // namespace
}  // namespace rabbit::rabbitmq
