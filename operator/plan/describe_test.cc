#include <gtest/gtest.h>

#include "operator/plan/plan.h"

namespace rabbit::plan {
namespace {

TEST(DescribeTest, AStepIsNamedByWhatItDoesAndToWhat) {
  EXPECT_EQ(Describe({CreateObject{kube::kStatefulSets, "c-node", "{}"}, ""}),
            "create StatefulSet c-node");
  EXPECT_EQ(Describe({CreateSecretOnce{.name = "c-default-user", .body = {}, .random = {}}, ""}),
            "create Secret c-default-user");
  EXPECT_EQ(Describe({ApplyObject{kube::kServices, "c", "uid", "{}"}, ""}), "apply Service c");
  EXPECT_EQ(Describe({DeleteObject{kube::kServices, "c", "uid"}, ""}), "delete Service c");
  EXPECT_EQ(Describe({PutClusterName{"c"}, ""}), "set the cluster name \"c\"");
  EXPECT_EQ(Describe({PutVhost{"v"}, ""}), "write vhost v");
  EXPECT_EQ(Describe({DeleteVhost{"v", true}, ""}), "delete vhost v");
  EXPECT_EQ(Describe({DeleteVhost{"v", false}, ""}), "delete vhost v with all that is in it");
  EXPECT_EQ(Describe({PutVhostLimit{"v", "max-queues", 5}, ""}),
            "set limit max-queues of vhost v to 5");
  EXPECT_EQ(Describe({DeleteVhostLimit{"v", "max-queues"}, ""}),
            "remove limit max-queues of vhost v");
  EXPECT_EQ(Describe({DeleteUser{"u"}, ""}), "delete user u");
  EXPECT_EQ(Describe({PutUserLimit{"u", "max-channels", 5}, ""}),
            "set limit max-channels of user u to 5");
  EXPECT_EQ(Describe({DeleteUserLimit{"u", "max-channels"}, ""}),
            "remove limit max-channels of user u");
  EXPECT_EQ(Describe({PutPermissions{"u", "/", "", "", ""}, ""}),
            "write permissions of user u in vhost /");
  EXPECT_EQ(Describe({DeletePermissions{"u", "/"}, ""}), "delete permissions of user u in vhost /");
  EXPECT_EQ(Describe({PutTopicPermission{"u", "/", "amq.topic", "", ""}, ""}),
            "write topic permission of user u on exchange amq.topic in vhost /");
  EXPECT_EQ(Describe({DeleteTopicPermission{"u", "/", "x"}, ""}),
            "delete topic permission of user u on exchange x in vhost /");
  EXPECT_EQ(Describe({PutPolicy{.vhost = "/", .name = "p"}, ""}), "write policy p in vhost /");
  EXPECT_EQ(Describe({DeletePolicy{"/", "p"}, ""}), "delete policy p in vhost /");
  const auto op = rabbitmq::PolicyKind::kOperator;
  EXPECT_EQ(Describe({PutPolicy{.vhost = "/", .name = "p", .kind = op}, ""}),
            "write operator policy p in vhost /");
  EXPECT_EQ(Describe({DeletePolicy{"/", "p", op}, ""}), "delete operator policy p in vhost /");
  EXPECT_EQ(Describe({SetPlugins{"c-node-0", {"a", "b"}}, ""}),
            "enable plugins a and b in pod c-node-0");
  EXPECT_EQ(Describe({EnableFlag{"khepri_db"}, ""}), "enable feature flag khepri_db");
}

TEST(DescribeTest, NothingSecretIsSaid) {
  EXPECT_EQ(
      Describe(
          {ImportDefinitions{"Secret d, key k", "users", 2, {{"", base::Secret("s3cret")}}}, ""}),
      "import definitions of Secret d, key k: users (2 entries)");
  EXPECT_EQ(Describe({PutUser{.name = "u",
                              .tags = {},
                              .password = base::Secret("s3cret"),
                              .password_hash = base::Secret("aGFzaA==")},
                      ""}),
            "write user u");
  EXPECT_EQ(Describe({ExecInPod{"c-node-0",
                                "rabbitmq",
                                {"rabbitmqctl", "change_password", "u"},
                                base::Secret("s3cret")},
                      ""}),
            "run \"rabbitmqctl change_password u\" in pod c-node-0");
  EXPECT_EQ(Describe({ResetOwnUser{"c-node-0", base::Secret("s3cret")}, ""}),
            "set user rabbit-operator anew in pod c-node-0");
}

}  // namespace
}  // namespace rabbit::plan
