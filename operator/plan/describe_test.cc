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
  EXPECT_EQ(Describe({DeleteUser{"u"}, ""}), "delete user u");
  EXPECT_EQ(Describe({PutPermissions{"u", "/", "", "", ""}, ""}),
            "write permissions of user u in vhost /");
  EXPECT_EQ(Describe({DeletePermissions{"u", "/"}, ""}), "delete permissions of user u in vhost /");
  EXPECT_EQ(Describe({PutPolicy{.vhost = "/", .name = "p"}, ""}), "write policy p in vhost /");
  EXPECT_EQ(Describe({DeletePolicy{"/", "p"}, ""}), "delete policy p in vhost /");
}

TEST(DescribeTest, NothingSecretIsSaid) {
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
}

}  // namespace
}  // namespace rabbit::plan
