#include "operator/observe/projections.h"

#include <gtest/gtest.h>

#include <string>

namespace rabbit::observe {
namespace {

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

constexpr const char* kStatefulSet = R"({"metadata":{"name":"c-node","namespace":"ns","uid":"u1",
"resourceVersion":"7","generation":2,
"labels":{"app.kubernetes.io/instance":"c","app.kubernetes.io/managed-by":"rabbit-operator"},
"annotations":{"rabbitcluster.dev/applied-hash":"abc","other":"x"},
"ownerReferences":[{"uid":"owner","controller":true}]},
"spec":{"replicas":3,"volumeClaimTemplates":[{"metadata":{"name":"data"},"spec":{
"storageClassName":"fast","resources":{"requests":{"storage":"10Gi"}}}}],"template":{"metadata":{"annotations":{"rabbitcluster.dev/template-hash":"t1"}}}},
"status":{"readyReplicas":2}})";

TEST(ProjectChild, KeepsWhatPlannersRead) {
  const auto child = ProjectChild(kube::kStatefulSets, kStatefulSet);
  ASSERT_TRUE(child);
  EXPECT_EQ(child->cluster, (kube::ObjectKey{"ns", "c"}));
  EXPECT_EQ(child->id, (ChildId{kube::kStatefulSets, "c-node"}));
  EXPECT_EQ(child->child.uid, "u1");
  EXPECT_EQ(child->child.resource_version, "7");
  EXPECT_EQ(child->child.owner_uid, "owner");
  EXPECT_EQ(child->child.applied_hash, "abc");
  EXPECT_FALSE(child->child.deleting);
  EXPECT_EQ(std::get<StatefulSetState>(child->state),
            (StatefulSetState{.replicas = 3,
                              .ready_replicas = 2,
                              .template_hash = "t1",
                              .storage = StorageRecord{.size = "10Gi", .class_name = "fast"}}));
}

TEST(ProjectChild, TheStorageOfAStatefulSetIsThatOfItsClaimTemplate) {
  const auto storage = [](const std::string& from, const std::string& to) {
    const CachedChild child =
        ProjectChild(kube::kStatefulSets, Replaced(kStatefulSet, from, to)).value();
    return std::get<StatefulSetState>(child.state).storage;
  };
  EXPECT_EQ(storage("\"storageClassName\":\"fast\",", ""), StorageRecord{.size = "10Gi"});
  EXPECT_EQ(storage("\"fast\"", "\"\""), (StorageRecord{.size = "10Gi", .class_name = ""}));
  EXPECT_EQ(storage("volumeClaimTemplates", "others"), StorageRecord{.ephemeral = true});
  EXPECT_EQ(storage("{\"name\":\"data\"}", "{\"name\":\"more\"}"), std::nullopt);
}

TEST(ProjectChild, AStatefulSetTellsFromWhichTemplatePodsAreMade) {
  const auto makes_earlier_pods = [](const std::string& revisions) {
    const std::string text = R"({"metadata":{"name":"c-node"},"spec":{"replicas":3},"status":{)";
    return std::get<StatefulSetState>(
               ProjectChild(kube::kStatefulSets, text + revisions + "}}").value().state)
        .makes_earlier_pods;
  };
  EXPECT_TRUE(makes_earlier_pods(R"("currentRevision":"c-node-a","updateRevision":"c-node-b")"));
  EXPECT_FALSE(makes_earlier_pods(R"("currentRevision":"c-node-b","updateRevision":"c-node-b")"));
  EXPECT_FALSE(makes_earlier_pods(R"("updateRevision":"c-node-b")")) << "nothing is before it";
  EXPECT_FALSE(makes_earlier_pods("")) << "nobody has looked at it yet";
}

std::uint64_t Content(const std::string& text) {
  return ProjectChild(kube::kStatefulSets, text).value().child.content_hash;
}

TEST(ProjectChild, StatusAndBookkeepingAreNoContent) {
  const std::uint64_t content = Content(kStatefulSet);
  EXPECT_EQ(Content(Replaced(kStatefulSet, "\"readyReplicas\":2", "\"readyReplicas\":3")), content);
  EXPECT_EQ(
      Content(Replaced(kStatefulSet, "\"resourceVersion\":\"7\"", "\"resourceVersion\":\"8\"")),
      content);
  EXPECT_EQ(Content(Replaced(kStatefulSet, "\"abc\"", "\"def\"")), content);
}

TEST(ProjectChild, SpecLabelsAndAnnotationsOfOthersAreContent) {
  const std::uint64_t content = Content(kStatefulSet);
  EXPECT_NE(Content(Replaced(kStatefulSet, "\"replicas\":3", "\"replicas\":2")), content);
  EXPECT_NE(Content(Replaced(kStatefulSet, "\"other\":\"x\"", "\"other\":\"y\"")), content);
  EXPECT_NE(Content(Replaced(kStatefulSet, "instance\":\"c\"", "instance\":\"d\"")), content);
}

TEST(ProjectChild, ADeploymentIsSettledOnlyWhenItsStatusSpeaksOfTheNewestSpec) {
  const std::string text = R"({"metadata":{"name":"c-haproxy","namespace":"ns","generation":3},
"spec":{"replicas":2},"status":{"observedGeneration":3,"replicas":2,"updatedReplicas":2,"readyReplicas":2}})";
  const auto settled = [](const std::string& deployment) {
    return std::get<DeploymentState>(ProjectChild(kube::kDeployments, deployment).value().state)
        .settled;
  };
  EXPECT_TRUE(settled(text));
  EXPECT_FALSE(settled(Replaced(text, "\"observedGeneration\":3", "\"observedGeneration\":2")));
  EXPECT_FALSE(settled(Replaced(text, "\"updatedReplicas\":2", "\"updatedReplicas\":1")));
  EXPECT_FALSE(settled(Replaced(text, "3,\"replicas\":2", "3,\"replicas\":3")));
}

TEST(ProjectChild, AnObjectWithoutANameIsRefused) {
  EXPECT_FALSE(ProjectChild(kube::kServices, "{}"));
  EXPECT_FALSE(ProjectChild(kube::kServices, "[1]"));
}

TEST(ProjectChild, AnInventoryThatCannotBeReadIsThereWithTheReason) {
  const auto read = [](const std::string& data) {
    Observation seen;
    seen.inventory = Inventory{.replicas = 5};  // of before
    ApplyState(ProjectChild(kube::kConfigMaps,
                            R"({"metadata":{"name":"c-inventory","namespace":"ns","uid":"i",
"labels":{"app.kubernetes.io/instance":"c"}},"data":)" +
                                data + "}")
                   .value(),
               "c", seen);
    return seen;
  };
  const Observation bad = read(R"({"formed":"perhaps","replicas":"3"})");
  EXPECT_EQ(bad.inventory, std::nullopt);
  EXPECT_EQ(bad.inventory_trouble, "key formed does not hold what the operator wrote there");
  const Observation good =
      read(R"({"formed":"true","replicas":"3","reforming":"false","users":"[]","policies":"[]",
                                     "volumes":"{}","storage":"{\"ephemeral\":true}"})");
  EXPECT_EQ(good.inventory.value().replicas, 3);
  EXPECT_EQ(good.inventory_trouble, "");
}

// Its labels may have been changed by hand: the name tells.
TEST(ProjectChild, AnInventoryIsThatOfTheClusterWhoseNameItHas) {
  const CachedChild child =
      ProjectChild(kube::kConfigMaps,
                   R"({"metadata":{"name":"c-inventory","namespace":"ns","uid":"i",
"labels":{"app.kubernetes.io/instance":"d"}},"data":{"formed":"perhaps"}})")
          .value();
  Observation seen;
  ApplyState(child, "d", seen);
  EXPECT_EQ(seen.inventory_trouble, "");
  ApplyState(child, "c", seen);
  EXPECT_NE(seen.inventory_trouble, "");
}

TEST(ProjectChild, AControllerOtherThanTheClusterOfTheLabelsIsForeign) {
  const auto owner = [](const std::string& references) {
    return ProjectChild(kube::kServices,
                        R"({"metadata":{"name":"c","namespace":"ns","uid":"s",
"labels":{"app.kubernetes.io/instance":"c"},"ownerReferences":)" +
                            references + "}}")
        .value()
        .child.foreign_owner;
  };
  EXPECT_EQ(owner("[]"), "");
  EXPECT_EQ(owner(R"([{"apiVersion":"apps/v1","kind":"Deployment","name":"web","uid":"d"}])"), "")
      << "an owner, but no controller";
  EXPECT_EQ(owner(R"([{"apiVersion":"apps/v1","kind":"Deployment","name":"web","uid":"d",
                       "controller":true}])"),
            "Deployment web");
  EXPECT_EQ(owner(R"([{"apiVersion":"rabbitcluster.dev/v1beta1","kind":"RabbitCluster",
                       "name":"c","uid":"of-before","controller":true}])"),
            "");
  EXPECT_EQ(owner(R"([{"apiVersion":"rabbitcluster.dev/v1beta1","kind":"RabbitCluster",
                       "name":"d","uid":"u","controller":true}])"),
            "RabbitCluster d");
  EXPECT_EQ(owner(R"([{"apiVersion":"rabbitmq.com/v1beta1","kind":"RabbitCluster",
                       "name":"c","uid":"u","controller":true}])"),
            "RabbitCluster c");
}

constexpr const char* kPod = R"({"metadata":{"name":"c-node-1","namespace":"ns","uid":"p1",
"labels":{"app.kubernetes.io/instance":"c","app.kubernetes.io/component":"broker"},
"annotations":{"rabbitcluster.dev/template-hash":"t1","rabbitcluster.dev/config-hash":"g1"}},
"spec":{"nodeName":"host-1","containers":[{"name":"rabbitmq","image":"rabbitmq:3"}]},
"status":{"podIP":"10.0.0.5","conditions":[{"type":"Ready","status":"True"}],
"initContainerStatuses":[{"name":"prepare","state":{"terminated":{}}}],
"containerStatuses":[{"name":"rabbitmq","restartCount":2,"state":{"running":{}}}]}})";

TEST(ProjectPod, KeepsWhatPlannersRead) {
  const auto pod = ProjectPod(kPod);
  ASSERT_TRUE(pod);
  EXPECT_TRUE(pod->broker);
  EXPECT_EQ(pod->cluster, (kube::ObjectKey{"ns", "c"}));
  EXPECT_EQ(pod->pod, (Pod{.name = "c-node-1",
                           .uid = "p1",
                           .ip = "10.0.0.5",
                           .host = "host-1",
                           .image = "rabbitmq:3",
                           .template_hash = "t1",
                           .config_hash = "g1",
                           .ready = true,
                           .restarts = 2}));
}

TEST(ProjectPod, WhatANodeBootedFromIsWhatItsGuardSays) {
  const auto hash = [](const std::string& state) {
    return ProjectPod(Replaced(kPod, R"({"terminated":{}})", state)).value().pod.config_hash;
  };
  EXPECT_EQ(hash(R"({"terminated":{"message":"g2"}})"), "g2");
  EXPECT_EQ(hash(R"({"terminated":{}})"), "g1") << "an older guard: the annotation";
  EXPECT_EQ(hash(R"({"running":{}})"), "") << "it takes what is there when it is done";
  EXPECT_EQ(ProjectPod(Replaced(kPod, R"("name":"prepare")", R"("name":"other")"))
                .value()
                .pod.config_hash,
            "");
  EXPECT_EQ(ProjectPod(Replaced(Replaced(kPod, R"("name":"prepare")", R"("name":"other")"),
                                R"(component":"broker")", R"(component":"proxy")"))
                .value()
                .pod.config_hash,
            "g1");
}

TEST(ProjectPod, ARunningGuardMeansThatThePodIsHeld) {
  const auto pod = ProjectPod(Replaced(kPod, R"("terminated":{})", R"("running":{})"));
  EXPECT_TRUE(pod.value().pod.preparing);
}

TEST(ProjectPod, AContainerThatCannotStartIsTrouble) {
  const auto pod = ProjectPod(
      Replaced(kPod, R"({"running":{}})",
               R"({"waiting":{"reason":"ImagePullBackOff","message":"no such image"}})"));
  EXPECT_EQ(pod.value().pod.trouble, "ImagePullBackOff: no such image");
}

TEST(ProjectPod, AContainerThatIsBeingMadeIsNone) {
  const auto pod = ProjectPod(
      Replaced(kPod, R"({"running":{}})", R"({"waiting":{"reason":"PodInitializing"}})"));
  EXPECT_EQ(pod.value().pod.trouble, "");
}

TEST(ProjectPod, APodThatFitsNowhereSaysWhy) {
  const auto pod = ProjectPod(Replaced(
      kPod, R"({"type":"Ready","status":"True"})",
      R"({"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/1 nodes"})"));
  EXPECT_EQ(pod.value().pod.trouble, "Unschedulable: 0/1 nodes");
  EXPECT_FALSE(pod.value().pod.ready);
}

TEST(ProjectClaim, KeepsTheUidOfTheDiskAndWhatWasAskedFor) {
  const auto claim = ProjectClaim(
      R"({"metadata":{"name":"data-c-node-0","namespace":"ns","uid":"v1",
      "labels":{"app.kubernetes.io/instance":"c"}},
      "spec":{"storageClassName":"fast","resources":{"requests":{"storage":"10Gi"}}},
      "status":{"phase":"Bound","capacity":{"storage":"12Gi"}}})");
  ASSERT_TRUE(claim);
  EXPECT_EQ(claim->claim, (VolumeClaim{.name = "data-c-node-0",
                                       .uid = "v1",
                                       .size = "10Gi",
                                       .class_name = "fast",
                                       .bound = true}));
  EXPECT_EQ(claim->cluster.name, "c");
}

TEST(ProjectClaim, OneThatBelongsToItsStatefulSetGoesWithIt) {
  const auto owned = [](const std::string& owners) {
    return ProjectClaim(R"({"metadata":{"name":"data-c-node-0",
                        "labels":{"app.kubernetes.io/instance":"c"},"ownerReferences":)" +
                        owners + R"(},"status":{}})")
        ->claim.owned;
  };
  EXPECT_TRUE(owned(R"([{"kind":"StatefulSet","name":"c-node","uid":"s1"}])"));
  EXPECT_FALSE(owned("[]"));
  EXPECT_FALSE(owned(R"([{"kind":"Backup","name":"c-node","uid":"b1"}])"));
  EXPECT_FALSE(owned(R"([{"kind":"StatefulSet","name":"other","uid":"s2"}])"));
}

}  // namespace
}  // namespace rabbit::observe
