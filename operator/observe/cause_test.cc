#include "operator/observe/cause.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace rabbit::observe {
namespace {

CachedPod RunningPod() {
  CachedPod cached{.cluster = {"ns", "c"}, .broker = true, .pod = {}};
  cached.pod.name = "c-node-0";
  cached.pod.uid = "u";
  cached.pod.ip = "10.0.0.1";
  cached.pod.ready = true;
  return cached;
}

TEST(CauseOfAPod, WhatItCouldBeActedUponBringsAReconcile) {
  const struct {
    const char* what;
    std::function<void(CachedPod&)> change;
  } rows[] = {
      {"ready no more", [](CachedPod& p) { p.pod.ready = false; }},
      {"another address", [](CachedPod& p) { p.pod.ip = "10.0.0.2"; }},
      {"on its way out", [](CachedPod& p) { p.pod.deleting = true; }},
      {"at the guard", [](CachedPod& p) { p.pod.preparing = true; }},
      {"in trouble", [](CachedPod& p) { p.pod.trouble = "ImagePullBackOff"; }},
      {"started anew", [](CachedPod& p) { p.pod.restarts = 1; }},
      {"another configuration", [](CachedPod& p) { p.pod.config_hash = "h"; }},
      {"another life", [](CachedPod& p) { p.pod.uid = "v"; }},
  };
  const Packed<CachedPod> before(RunningPod());
  EXPECT_EQ(CauseOf(&before, &before), std::nullopt);
  for (const auto& row : rows) {
    CachedPod changed = RunningPod();
    row.change(changed);
    const Packed<CachedPod> after(changed);
    EXPECT_EQ(CauseOf(&before, &after), Cause::kChild) << row.what;
  }
  EXPECT_EQ(CauseOf(&before, nullptr), Cause::kChild);
}

TEST(CauseOfAPod, OneThatHasJustComeIsNoHurryUntilItSaysSomething) {
  CachedPod pod{.cluster = {"ns", "c"}, .broker = true, .pod = {}};
  pod.pod.name = "c-node-0";
  const auto came = [](const CachedPod& now) {
    const Packed<CachedPod> after(now);
    return CauseOf(nullptr, &after);
  };
  EXPECT_EQ(came(pod), Cause::kArrival);
  EXPECT_EQ(came(RunningPod()), Cause::kChild) << "as after a list taken anew";
  pod.pod.preparing = true;
  EXPECT_EQ(came(pod), Cause::kChild);
  pod.pod.preparing = false;
  pod.pod.trouble = "Unschedulable";
  EXPECT_EQ(came(pod), Cause::kChild);
}

CachedChild SetOfThree() {
  return {.cluster = {"ns", "c"},
          .id = {kube::kStatefulSets, "c-node"},
          .child = {.uid = "u", .resource_version = "5", .applied_hash = "a", .content_hash = 1},
          .state = StatefulSetState{3, 3, "t", "c"}};
}

TEST(CauseOfAChild, AnotherVersionThatSaysTheSameIsNone) {
  const Packed<CachedChild> before(SetOfThree());
  CachedChild changed = SetOfThree();
  changed.child.resource_version = "6";
  EXPECT_EQ(CauseOf(&before, std::make_unique<Packed<CachedChild>>(changed).get()), std::nullopt);
  const struct {
    const char* what;
    std::function<void(CachedChild&)> change;
  } rows[] = {
      {"changed by hand", [](CachedChild& c) { c.child.content_hash = 2; }},
      {"its mark taken off", [](CachedChild& c) { c.child.applied_hash.clear(); }},
      {"on its way out", [](CachedChild& c) { c.child.deleting = true; }},
      {"another owner", [](CachedChild& c) { c.child.owner_uid = "x"; }},
      {"its state",
       [](CachedChild& c) {
         c.state = StatefulSetState{3, 2, "t", "c"};
       }},
  };
  for (const auto& row : rows) {
    CachedChild other = SetOfThree();
    row.change(other);
    const Packed<CachedChild> after(other);
    EXPECT_EQ(CauseOf(&before, &after), Cause::kChild) << row.what;
  }
}

TEST(CauseOfAChild, ARecordThatSaysTheSameIsNoNews) {
  CachedChild record{.cluster = {"ns", "c"},
                     .id = {kube::kConfigMaps, "c-inventory"},
                     .child = {.uid = "u", .resource_version = "5"},
                     .state = std::make_shared<const Inventory>(Inventory{.replicas = 3})};
  const Packed<CachedChild> before(record);
  record.child.resource_version = "6";
  record.state = std::make_shared<const Inventory>(Inventory{.replicas = 3});  // read once more
  EXPECT_EQ(CauseOf(&before, std::make_unique<Packed<CachedChild>>(record).get()), std::nullopt);
  record.state = std::make_shared<const Inventory>(Inventory{.replicas = 5});
  EXPECT_EQ(CauseOf(&before, std::make_unique<Packed<CachedChild>>(record).get()), Cause::kChild);
  record.state = InventoryTrouble{"by hand"};
  EXPECT_EQ(CauseOf(&before, std::make_unique<Packed<CachedChild>>(record).get()), Cause::kChild);
}

TEST(CauseOfAChild, OneThatComesIsNoHurryAndOneThatGoesIs) {
  const Packed<CachedChild> set(SetOfThree());
  EXPECT_EQ(CauseOf(nullptr, &set), Cause::kArrival);
  EXPECT_EQ(CauseOf(&set, nullptr), Cause::kChild);
}

TEST(CauseOfAClaim, ItsBindingAndItsEndBringAReconcile) {
  CachedClaim claim{.cluster = {"ns", "c"}, .claim = {.name = "data-c-node-0", .uid = "v"}};
  const Packed<CachedClaim> before(claim);
  claim.claim.bound = true;
  const Packed<CachedClaim> bound(claim);
  EXPECT_EQ(CauseOf(nullptr, &before), Cause::kArrival);
  EXPECT_EQ(CauseOf(&before, &bound), Cause::kChild);
  EXPECT_EQ(CauseOf(&bound, &bound), std::nullopt);
  EXPECT_EQ(CauseOf(&bound, nullptr), Cause::kChild);
}

TEST(CauseOfACluster, ItsStatusAloneIsNoDeclaration) {
  api::RabbitCluster before;
  before.meta.key = {"ns", "c"};
  before.meta.resource_version = "1";
  api::RabbitCluster after = before;
  after.meta.resource_version = "2";
  after.status.version = "3.13.7";
  EXPECT_EQ(CauseOf(&before, &after), Cause::kStatus);
  after.spec.replicas = 5;
  EXPECT_EQ(CauseOf(&before, &after), Cause::kDeclaration);
  EXPECT_EQ(CauseOf(nullptr, &before), Cause::kDeclaration);
  EXPECT_EQ(CauseOf(&before, nullptr), Cause::kDeclaration);
}

}  // namespace
}  // namespace rabbit::observe
