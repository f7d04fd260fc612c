#include "operator/resources/inventory.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>
#include <vector>

namespace rabbit::resources {
namespace {

using observe::Inventory;
using Data = std::map<std::string, std::string>;

Inventory Full() {
  return {
      .replicas = 5,
      .formed = true,
      .reforming = true,
      .users = {"root", "a \"quoted\" one"},
      .policies = {{"/", "half"}, {"v/w", "all"}},
      .volumes = {{0, "uid-0"}, {10, "uid-10"}},
      .storage = observe::StorageRecord{.size = "10Gi", .class_name = "fast", .ephemeral = false},
      .vhosts = {{"a \"quoted\" one", api::OnRemove::kRetain},
                 {"orders", api::OnRemove::kDelete},
                 {"v/w", api::OnRemove::kDeleteIfEmpty}},
      .operator_policies = {{"/", "cap"}, {"v/w", "cap"}},
      .topic_permissions = {"root"},
      .permissions = {{"root", "/"}, {"root", "v/w"}},
      .vhost_limits = {"/", "orders"},
      .user_limits = {"a \"quoted\" one"},
      .flags_version = "4.3.6",
      .definitions = "c0ntent-wanted"};
}

// What an operator of before did not write.
const std::set<std::string> kLater = {"reforming",        "vhosts",      "operatorPolicies",
                                      "topicPermissions", "permissions", "vhostLimits",
                                      "userLimits",       "definitions", "featureFlagsOf"};

TEST(Inventory, ComesBackAsItWasWritten) {
  EXPECT_EQ(InventoryFromData(InventoryToData(Full())), Full());
  Inventory ephemeral;
  ephemeral.replicas = 1;
  ephemeral.storage = observe::StorageRecord{.size = {}, .class_name = {}, .ephemeral = true};
  EXPECT_EQ(InventoryFromData(InventoryToData(ephemeral)), ephemeral);
}

TEST(Inventory, AnEmptyClassIsNotAnAbsentOne) {
  Inventory inventory = Full();
  inventory.storage->class_name = "";
  EXPECT_EQ(InventoryFromData(InventoryToData(inventory)), inventory);
}

TEST(Inventory, AKeyThatIsNotThereWasTakenOutByHand) {
  EXPECT_FALSE(InventoryFromData(Data{}));
  for (const auto& [key, text] : InventoryToData(Full())) {
    if (kLater.contains(key)) continue;
    Data data = InventoryToData(Full());
    data.erase(key);
    const auto read = InventoryFromData(data);
    ASSERT_FALSE(read) << key;
    EXPECT_EQ(read.error().message, "key " + key + " is not there");
  }
}

TEST(Inventory, OfAnEarlierOperatorIsReadWithoutWhatThatOneDidNotRecord) {
  const Data data = {{"replicas", "3"},
                     {"formed", "true"},
                     {"users", R"(["root"])"},
                     {"policies", R"([["/","half"]])"},
                     {"volumes", R"({"0":"uid-0"})"},
                     {"storage", R"({"size":"10Gi"})"}};
  const observe::Inventory before = {
      .replicas = 3,
      .formed = true,
      .reforming = false,
      .users = {"root"},
      .policies = {{"/", "half"}},
      .volumes = {{0, "uid-0"}},
      .storage = observe::StorageRecord{.size = "10Gi", .class_name = {}, .ephemeral = false}};
  EXPECT_EQ(InventoryFromData(data), before);
}

TEST(Inventory, WhatIsEmptyIsWrittenTooSoThatNoKeyEverVanishes) {
  Inventory early;
  early.replicas = 3;
  early.storage = Full().storage;
  EXPECT_EQ(InventoryToData(early).size(), InventoryToData(Full()).size());
  EXPECT_EQ(InventoryFromData(InventoryToData(early)), early);
}

TEST(Inventory, AGuardThatWasOpenedByHandBesideRecordedVolumesIsReadAsClosed) {
  Data data = InventoryToData(Full());
  data["formed"] = "false";
  EXPECT_EQ(InventoryFromData(data), Full());
}

TEST(Inventory, WhatSomebodyEditedIsRefusedRatherThanGuessed) {
  const std::vector<std::pair<std::string, std::string>> edits = {{"replicas", "three"},
                                                                  {"replicas", "-1"},
                                                                  {"formed", "yes"},
                                                                  {"users", "root"},
                                                                  {"reforming", "1"},
                                                                  {"users", "[1]"},
                                                                  {"policies", R"([["/"]])"},
                                                                  {"volumes", "[]"},
                                                                  {"volumes", R"({"a":"u"})"},
                                                                  {"storage", "{}"},
                                                                  {"vhosts", "[]"},
                                                                  {"vhosts", R"({"v":1})"},
                                                                  {"vhosts", R"({"v":"delete"})"},
                                                                  {"operatorPolicies", R"(["p"])"},
                                                                  {"topicPermissions", "{}"},
                                                                  {"permissions", R"(["u"])"},
                                                                  {"vhostLimits", "[1]"},
                                                                  {"userLimits", "{}"}};
  for (const auto& [key, text] : edits) {
    Data data = InventoryToData(Full());
    data[key] = text;
    const auto read = InventoryFromData(data);
    ASSERT_FALSE(read) << key << ": " << text;
    EXPECT_NE(read.error().message.find(key), std::string::npos);
  }
}

}  // namespace
}  // namespace rabbit::resources
