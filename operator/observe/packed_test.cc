#include "operator/observe/packed.h"

#include <gtest/gtest.h>

namespace rabbit::observe {
namespace {

// Every field another value, so that a field that is left out, or two in the other's place, show.
CachedChild FullChild() {
  return {.cluster = {"ns", "c"},
          .id = {kube::kStatefulSets, "c-node"},
          .child = {.uid = "uid",
                    .resource_version = "5",
                    .owner_uid = "owner",
                    .foreign_owner = "Deployment web",
                    .applied_hash = "hash",
                    .content_hash = 0xfedcba9876543210,
                    .deleting = true,
                    .body = nullptr},
          .state = StatefulSetState{
              .replicas = 3, .ready_replicas = 2, .template_hash = "t", .config_hash = "k"}};
}

TEST(Packed, AChildComesBackAsItWas) {
  const CachedChild child = FullChild();
  const CachedChild back = Packed(child).Unpack();
  EXPECT_EQ(back.cluster, child.cluster);
  EXPECT_EQ(back.id, child.id);
  EXPECT_EQ(back.child, child.child);
  EXPECT_EQ(std::get<StatefulSetState>(back.state), std::get<StatefulSetState>(child.state));
  EXPECT_EQ(Packed(child).cluster(), "ns/c");
}

TEST(Packed, WhatIsEmptyStaysEmpty) {
  const CachedChild back = Packed(CachedChild{}).Unpack();
  EXPECT_EQ(back.cluster, kube::ObjectKey{});
  EXPECT_EQ(back.id, ChildId{});
  EXPECT_EQ(back.child, Child{});
  EXPECT_TRUE(std::holds_alternative<std::monostate>(back.state));
  EXPECT_EQ(Packed(CachedChild{}).cluster(), "");
}

TEST(Packed, APodComesBackAsItWas) {
  const CachedPod pod{.cluster = {"ns", "c"},
                      .broker = true,
                      .pod = {.name = "c-node-0",
                              .uid = "uid",
                              .ip = "10.0.0.1",
                              .host = "host",
                              .image = "image",
                              .template_hash = "t",
                              .config_hash = "k",
                              .tls = "Both t t/ca.crt",
                              .volume_uid = "v",
                              .ready = true,
                              .deleting = true,
                              .preparing = true,
                              .restarts = 7,
                              .trouble = "CrashLoopBackOff: \n x"}};
  const CachedPod back = Packed(pod).Unpack();
  EXPECT_EQ(back.cluster, pod.cluster);
  EXPECT_TRUE(back.broker);
  EXPECT_EQ(back.pod, pod.pod);
  EXPECT_EQ(Packed(pod).cluster(), "ns/c");
}

TEST(Packed, AClaimComesBackAsItWas) {
  CachedClaim claim{.cluster = {"ns", "c"},
                    .claim = {.name = "data-c-node-0",
                              .uid = "uid",
                              .size = "10Gi",
                              .class_name = "fast",
                              .bound = true,
                              .deleting = true,
                              .owned = true}};
  const CachedClaim back = Packed(claim).Unpack();
  EXPECT_EQ(back.cluster, claim.cluster);
  EXPECT_EQ(back.claim, claim.claim);
  claim.claim.class_name.reset();
  EXPECT_EQ(Packed(claim).Unpack().claim, claim.claim);
}

TEST(Packed, FlagsOfAPodAreNotTakenForOneAnother) {
  for (const bool first : {true, false}) {
    CachedPod pod;
    pod.pod.ready = first;
    pod.pod.preparing = !first;
    EXPECT_EQ(Packed(pod).Unpack().pod, pod.pod);
    pod.pod.deleting = true;
    pod.pod.preparing = false;
    EXPECT_EQ(Packed(pod).Unpack().pod, pod.pod);
  }
}

}  // namespace
}  // namespace rabbit::observe
