#include "rabbitmq/view.h"

#include <gtest/gtest.h>

namespace rabbit::rabbitmq {
namespace {

TEST(Part, IsUnknownUntilItIsRead) {
  const Part<std::string> part;
  EXPECT_FALSE(part);
  EXPECT_EQ(part.why(), "not asked yet");
}

TEST(Part, KeepsWhyItCouldNotBeRead) {
  const Part<std::vector<User>> part =
      base::Error{.kind = base::ErrorKind::kDenied, .message = "401"};
  EXPECT_FALSE(part);
  EXPECT_EQ(part.why(), "401");
  EXPECT_EQ(part.kind(), base::ErrorKind::kDenied);
}

TEST(Part, AnEmptyListIsKnownAndDiffersFromAnUnknownOne) {
  const Part<std::vector<User>> empty = std::vector<User>{};
  EXPECT_TRUE(empty);
  EXPECT_FALSE(empty == Part<std::vector<User>>());
}

TEST(Part, TwoUnknownPartsAreEqualWhenTheReasonIs) {
  const base::Error refused{.message = "refused"};
  const base::Error timeout{.message = "timeout"};
  EXPECT_TRUE(Part<std::string>(refused) == Part<std::string>(refused));
  EXPECT_FALSE(Part<std::string>(refused) == Part<std::string>(timeout));
}

TEST(FindPolicy, WantsVhostAndName) {
  const std::vector<Policy> policies{{.vhost = "/", .name = "a"}, {.vhost = "v", .name = "b"}};
  EXPECT_EQ(FindPolicy(policies, "v", "b"), &policies[1]);
  EXPECT_EQ(FindPolicy(policies, "/", "b"), nullptr);
}

TEST(FindPermission, WantsUserAndVhost) {
  const std::vector<Permission> permissions{{.user = "u", .vhost = "/"}};
  EXPECT_EQ(FindPermission(permissions, "u", "/"), &permissions[0]);
  EXPECT_EQ(FindPermission(permissions, "u", "v"), nullptr);
}

TEST(FindByName, GivesNullForWhatIsNotThere) {
  const std::vector<Node> nodes{{.name = "rabbit@a"}};
  EXPECT_EQ(FindNode(nodes, "rabbit@a"), &nodes[0]);
  EXPECT_EQ(FindNode(nodes, "rabbit@b"), nullptr);
  EXPECT_EQ(FindUser({}, "u"), nullptr);
  EXPECT_EQ(FindVhost({}, "/"), nullptr);
}

}  // namespace
}  // namespace rabbit::rabbitmq
