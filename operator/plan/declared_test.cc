#include "operator/plan/declared.h"

#include <gmock/gmock.h>

#include "operator/plan/fixture.h"
#include "operator/resources/inventory.h"

namespace rabbit::plan {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class DeclaredTest : public PlanTest {
 protected:
  void MadeWith(std::string size, std::optional<std::string> class_name = {}) {
    seen_.inventory->storage = observe::StorageRecord{
        .size = std::move(size), .class_name = std::move(class_name), .ephemeral = false};
  }
  std::vector<std::string> StorageProblems() {
    Plan plan;
    PlanStorage(cluster_, Seen(), plan);
    return Problems(plan);
  }
  std::vector<std::string> StorageWarnings() {
    Plan plan;
    PlanStorage(cluster_, Seen(), plan);
    std::vector<std::string> lines;
    for (const Warning& warning : plan.warnings) {
      lines.push_back(warning.reason + ": " + warning.message);
    }
    return lines;
  }
};

TEST_F(DeclaredTest, AnImageIsTheSpecsElseThePinnedOneElseTheOperators) {
  const Settings settings;
  EXPECT_EQ(ResolveImages(cluster_, settings).broker, settings.broker_image);
  cluster_.status.image = "rabbitmq:3.12";
  EXPECT_EQ(ResolveImages(cluster_, settings).broker, "rabbitmq:3.12");
  cluster_.spec.image = "rabbitmq:3.13";
  EXPECT_EQ(ResolveImages(cluster_, settings).broker, "rabbitmq:3.13");

  EXPECT_EQ(ResolveImages(cluster_, settings).proxy, settings.proxy_image);
  cluster_.status.load_balancer.image = "haproxy:2.6";
  EXPECT_EQ(ResolveImages(cluster_, settings).proxy, "haproxy:2.6");
}

TEST_F(DeclaredTest, ANameIsRefusedWhenItsNodesWouldAskDnsForTooLongAName) {
  struct Row {
    std::size_t name, ns, domain;  // characters
    std::string says;              // of the rule; empty: allowed
  };
  const Row rows[] = {
      {47, 62, 13, ""},  // cluster.local: 109 characters together
      {46, 63, 13, ""},
      {47, 63, 13, "must have at most 46 characters in namespace "},
      {10, 10, 191, ""},
      {10, 10, 192, "must have at most 9 characters in namespace "},
      {10, 10, 194, "must have at most 8 characters in namespace "},
      {10, 10, 213, "cannot be short enough in namespace "},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::PrintToString(row.name) + " " + testing::PrintToString(row.domain));
    cluster_.meta.key = {std::string(row.ns, 'n'), std::string(row.name, 'c')};
    const Settings settings{.cluster_domain = std::string(row.domain, 'd')};
    const auto error = NodeNameError(cluster_, settings);
    ASSERT_EQ(error.has_value(), !row.says.empty());
    const bool fits = resources::FirstSearchedName(cluster_.meta.key.name, cluster_.meta.key.ns, 98,
                                                   settings.cluster_domain)
                          .size() <= 253;
    EXPECT_EQ(error.has_value(), !fits);
    if (!error) continue;
    EXPECT_EQ(error->path, "metadata.name");
    EXPECT_EQ(error->value, cluster_.meta.key.name);
    EXPECT_THAT(error->rule, StartsWith(row.says));
    EXPECT_THAT(error->rule, HasSubstr("DNS has 253 at most"));
  }
}

TEST_F(DeclaredTest, StorageAsItWasMadeIsNoProblem) {
  EXPECT_THAT(StorageProblems(), IsEmpty());  // none was made yet
  MadeWith("10Gi");
  EXPECT_THAT(StorageProblems(), IsEmpty());
  MadeWith("10240Mi");
  EXPECT_THAT(StorageProblems(), IsEmpty());
}

TEST_F(DeclaredTest, StorageThatCannotChangeIsRefusedWithTheReason) {
  MadeWith("20Gi");
  EXPECT_THAT(StorageProblems(),
              ElementsAre("NeedsPerson StorageChangeRefused: spec.storage.size: 10Gi: must not "
                          "shrink (it is 20Gi); the volumes stay as they are: set "
                          "spec.storage.size back to 20Gi"));
  MadeWith("10Gi", "fast");
  cluster_.spec.storage.class_name = "slow";
  EXPECT_THAT(StorageProblems(),
              ElementsAre(AllOf(HasSubstr("spec.storage.className"),
                                HasSubstr("apply it again as it was (volumes are retained"))));
  cluster_.spec.storage.retention.when_deleted = api::RetentionAction::kDelete;
  EXPECT_THAT(StorageProblems(), ElementsAre(HasSubstr("(volumes go with it unless")));
  MadeWith("10Gi");
  cluster_.spec.storage.class_name.reset();
  cluster_.spec.storage.ephemeral = true;
  EXPECT_THAT(StorageProblems(), ElementsAre(HasSubstr("spec.storage.ephemeral")));
}

TEST_F(DeclaredTest, VolumesThatShouldGrowAreToldToBePendingUntilTheSizeIsSetBack) {
  MadeWith("5Gi");
  EXPECT_THAT(StorageProblems(),
              ElementsAre("NeedsPerson VolumeExpansionPending: spec.storage.size is 10Gi, the "
                          "volumes were made with 5Gi: this version of the operator does not grow "
                          "them: set spec.storage.size back to 5Gi"));
  cluster_.spec.storage.size = "5Gi";
  EXPECT_THAT(StorageProblems(), IsEmpty());
}

TEST_F(DeclaredTest, WhatWasRecordedIsRecordedForEver) {
  EXPECT_EQ(StorageInEffect(cluster_, seen_).size, "10Gi");
  seen_.stateful_set->storage = observe::StorageRecord{.size = "7Gi"};
  MadeWith("5Gi");
  EXPECT_EQ(StorageInEffect(cluster_, seen_).size, "5Gi");
}

TEST_F(DeclaredTest, WithoutARecordStorageIsAsTheStatefulSetSays) {
  seen_.inventory.reset();
  seen_.stateful_set->storage = observe::StorageRecord{.size = "7Gi", .class_name = "fast"};
  EXPECT_EQ(StorageInEffect(cluster_, seen_), *seen_.stateful_set->storage);
  cluster_.spec.storage.class_name = "slow";
  EXPECT_THAT(StorageProblems(),
              ElementsAre(HasSubstr("className: slow: must not change (it is fast)")));
  seen_.stateful_set->storage = observe::StorageRecord{.ephemeral = true};
  EXPECT_THAT(StorageProblems(), ElementsAre(HasSubstr("spec.storage.ephemeral")));
}

class TakenUpAgainTest : public DeclaredTest {
 protected:
  TakenUpAgainTest() {
    seen_.inventory.reset();
    seen_.stateful_set.reset();
  }
  void Claim(const std::string& name, std::string size, std::optional<std::string> class_name) {
    seen_.claims.push_back({.name = name,
                            .uid = "uid-of-" + name,
                            .size = std::move(size),
                            .class_name = std::move(class_name),
                            .bound = true});
  }
  std::string Storage() {
    const observe::StorageRecord storage = StorageInEffect(cluster_, seen_);
    return storage.ephemeral ? "ephemeral" : storage.size + " " + storage.class_name.value_or("-");
  }
};

TEST_F(TakenUpAgainTest, StorageIsThatOfTheClaims) {
  EXPECT_EQ(Storage(), "10Gi -");
  Claim("data-c-node-1", "7Gi", "fast");
  EXPECT_EQ(Storage(), "7Gi fast");
}

// What a node may fill is told by it (disk_free_limit), and holds for all of them.
TEST_F(TakenUpAgainTest, OfClaimsThatDifferTheSmallestCounts) {
  Claim("data-c-node-0", "20Gi", "fast");
  Claim("data-c-node-2", "7Gi", "fast");
  Claim("data-c-node-1", "7168Mi", "slow");
  EXPECT_EQ(Storage(), "7168Mi slow");
}

TEST_F(TakenUpAgainTest, ClaimsThatAreLeavingOrWithoutAVolumeOrNotOfANodeDoNotCount) {
  Claim("data-c-node-0", "7Gi", "fast");
  seen_.claims.back().deleting = true;
  Claim("data-c-node-1", "7Gi", "fsat");
  seen_.claims.back().bound = false;
  Claim("other-c-node-0", "6Gi", "fast");
  Claim("data-c-node-x", "5Gi", "fast");
  Claim("data-c-node-1", "", {});
  EXPECT_EQ(Storage(), "10Gi -");
}

TEST_F(TakenUpAgainTest, AClassThatTheSpecLeavesOpenIsThatOfTheClaims) {
  Claim("data-c-node-0", "10Gi", "standard");
  EXPECT_EQ(Storage(), "10Gi standard");
  EXPECT_THAT(StorageProblems(), IsEmpty());
  cluster_.spec.storage.class_name = "";
  EXPECT_THAT(StorageProblems(), ElementsAre(HasSubstr("must not change (it is standard)")));
}

TEST_F(TakenUpAgainTest, EphemeralStorageUsesNoClaimAndNamesThem) {
  cluster_.spec.storage.ephemeral = true;
  EXPECT_THAT(StorageWarnings(), IsEmpty());
  Claim("data-c-node-0", "10Gi", "standard");
  Claim("data-c-node-1", "10Gi", "standard");
  seen_.claims.back().deleting = true;
  EXPECT_EQ(Storage(), "ephemeral");
  EXPECT_THAT(StorageProblems(), IsEmpty());
  EXPECT_THAT(
      StorageWarnings(),
      ElementsAre("VolumesUnused: spec.storage.ephemeral is true, so no node uses these volume "
                  "claims, which may hold the data of an earlier cluster: data-c-node-0: delete "
                  "them, or delete the RabbitCluster and apply it again without ephemeral"));
  seen_.inventory = observe::Inventory{};  // the same later
  seen_.inventory->storage = observe::StorageRecord{.ephemeral = true};
  EXPECT_EQ(StorageWarnings().size(), 1U);
}

TEST_F(TakenUpAgainTest, ClaimsThatStillWaitForWhatIsNoLongerDeclaredAreNamed) {
  cluster_.spec.storage.size = "10Gi";
  cluster_.spec.storage.class_name = "fast";
  Claim("data-c-node-0", "10Gi", "fsat");
  Claim("data-c-node-1", "10Gi", "fast");
  Claim("data-c-node-2", "5Gi", "fast");
  for (observe::VolumeClaim& claim : seen_.claims) claim.bound = false;
  EXPECT_THAT(
      StorageWarnings(),
      ElementsAre("ClaimsOutdated: volume claims that still wait for a volume ask for "
                  "something else than 10Gi of class fast: data-c-node-0 and data-c-node-2: "
                  "delete them, and those of nodes are made anew"));
  seen_.claims[0].deleting = seen_.claims[2].deleting = true;
  EXPECT_THAT(StorageWarnings(), IsEmpty());
}

TEST_F(DeclaredTest, ACountThatIsNotSaidIsWrittenIntoTheSpec) {
  Plan plan;
  PlanCountInSpec(cluster_, 5, {}, plan);
  EXPECT_THAT(Steps(plan), IsEmpty());
  cluster_.spec.replicas.reset();
  PlanCountInSpec(cluster_, 5, {}, plan);
  EXPECT_THAT(Steps(plan),
              ElementsAre("apply RabbitCluster c: spec.replicas is not said; the count "
                          "last declared is 5"));
  const auto& apply = std::get<ApplyObject>(plan.steps[0].action);
  EXPECT_EQ(apply.uid, "uid-of-c");
  EXPECT_EQ(apply.body, R"({"apiVersion":"rabbitcluster.dev/v1beta1","kind":"RabbitCluster",)"
                        R"("metadata":{"name":"c"},"spec":{"replicas":5}})");
}

TEST_F(DeclaredTest, ACountIsWrittenIntoTheVersionThatWasSeenOnlyAndOnceItIsRecorded) {
  cluster_.spec.replicas.reset();
  cluster_.meta.resource_version = "41";
  Plan plan;
  PlanCountInSpec(cluster_, 5, 0, plan);
  EXPECT_EQ(plan.steps.at(0).after, 0U);
  EXPECT_THAT(std::get<ApplyObject>(plan.steps[0].action).body,
              HasSubstr(R"("metadata":{"name":"c","resourceVersion":"41"})"));
}

}  // namespace
}  // namespace rabbit::plan
