#include "operator/resources/made_of.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "operator/resources/stateful_set.h"

namespace rabbit::resources {
namespace {

using base::Json;
using testing::ElementsAre;
using testing::IsEmpty;

class MadeOfTest : public testing::Test {
 protected:
  MadeOfTest() {
    cluster_.meta.key = {"ns", "c"};
    inputs_.cluster = &cluster_;
    inputs_.broker_image = "rabbitmq:3.13-management";
  }
  // A pod as Kubernetes makes it of what is declared now, with what it adds of its own.
  Json Started() {
    Json pod = base::ParseJson(BuildStatefulSet(inputs_).body).value()["spec"]["template"];
    pod["spec"]["tolerations"] = {{{"key", "node.kubernetes.io/not-ready"}}};
    pod["spec"]["containers"][0]["resources"]["limits"]["cpu"] = "4";
    const BrokerFiles files = MakeBrokerFiles(inputs_).value();
    const std::string told = files.hash + "\n" + DigestText(MadeOfFiles(files));
    pod["status"]["initContainerStatuses"] = {
        {{"name", "prepare"}, {"state", {{"terminated", {{"message", told}}}}}}};
    return pod;
  }
  std::vector<std::string> Differ(const Json& pod) {
    return Differences(MadeOfRunning(pod), MadeOfDeclared(inputs_));
  }

  api::RabbitCluster cluster_;
  ChildInputs inputs_;
};

TEST_F(MadeOfTest, APodOfNowDiffersInNothing) {
  cluster_.spec.config = "log.console.level = warning\n";
  EXPECT_THAT(Differ(Started()), IsEmpty());
}

TEST_F(MadeOfTest, WhatTheApiServerWritesInItsOwnWayDiffersInNothing) {
  cluster_.spec.env = {
      {.name = "EMPTY"},
      {.name = "CPU", .value_from = R"({"resourceFieldRef":{"resource":"limits.cpu"}})"}};
  cluster_.spec.resources.limits = {{"cpu", "0.5"}, {"memory", "2048Mi"}};
  Json pod = Started();
  Json& broker = pod["spec"]["containers"][0];
  broker["resources"]["limits"] = {{"cpu", "500m"}, {"memory", "2Gi"}};
  int written = 0;
  for (Json& variable : broker["env"]) {
    if (variable["name"] == "EMPTY") variable.erase("value");
    if (!variable.contains("valueFrom")) continue;
    Json& source = variable["valueFrom"];
    if (source.contains("fieldRef")) source["fieldRef"]["apiVersion"] = "v1";
    if (source.contains("resourceFieldRef")) source["resourceFieldRef"]["divisor"] = "0";
    ++written;
  }
  EXPECT_EQ(written, 2);
  EXPECT_THAT(Differ(pod), IsEmpty());
}

TEST_F(MadeOfTest, AnotherNodeInTheListIsNoDifference) {
  const Json pod = Started();
  inputs_.replicas = 5;
  EXPECT_THAT(Differ(pod), IsEmpty());
}

// They are put into effect without a restart.
TEST_F(MadeOfTest, OtherPluginsAreNoDifference) {
  const Json pod = Started();
  cluster_.spec.plugins = {"rabbitmq_mqtt"};
  EXPECT_THAT(Differ(pod), IsEmpty());
}

TEST_F(MadeOfTest, EachPartIsNamedAsPeopleKnowIt) {
  cluster_.spec.config = "heartbeat = 30\nlog.console.level = warning\n";
  cluster_.spec.env = {{.name = "GONE", .value = "1"}, {.name = "TZ", .value = "UTC"}};
  const Json pod = Started();
  cluster_.spec.config = "channel_max = 100\nlog.console.level = debug\n";
  cluster_.spec.env = {{.name = "NEW", .value = "1"}, {.name = "TZ", .value = "CET"}};
  cluster_.spec.advanced_config = "[{rabbit, []}].";
  cluster_.spec.pod.node_selector = {{"disk", "fast"}};
  cluster_.spec.tls = api::Tls{.secret_name = "web"};
  inputs_.broker_image = "rabbitmq:4.0-management";
  EXPECT_THAT(Differ(pod), ElementsAre("advanced.config", "env GONE", "env NEW", "env TZ", "image",
                                       "pod.nodeSelector", "rabbitmq.conf key channel_max",
                                       "rabbitmq.conf key heartbeat",
                                       "rabbitmq.conf key log.console.level", "tls"));
}

TEST_F(MadeOfTest, MemoryIsNamedWithWhatFollowsFromIt) {
  const Json pod = Started();
  cluster_.spec.resources.limits["memory"] = "1Gi";
  cluster_.spec.resources.requests["memory"] = "1Gi";
  EXPECT_THAT(Differ(pod), ElementsAre("rabbitmq.conf key raft.wal_max_size_bytes",
                                       "rabbitmq.conf key total_memory_available_override_value",
                                       "resources.limits.memory", "resources.requests.memory"));
}

TEST_F(MadeOfTest, OfFilesThatAreNotKnownNothingIsSaid) {
  Json pod = Started();
  pod["status"]["initContainerStatuses"][0]["state"]["terminated"]["message"] = "spec-made";
  cluster_.spec.config = "heartbeat = 30\n";
  cluster_.spec.env = {{.name = "TZ", .value = "UTC"}};
  EXPECT_THAT(Differ(pod), ElementsAre("env TZ"));
}

TEST_F(MadeOfTest, AConfigurationThatIsTooLongToBeToldByKeysIsToldAsAWhole) {
  for (int i = 0; i < 200; ++i) {
    cluster_.spec.config += "auth_ldap.queries.some_long_name_" + std::to_string(i) + " = x\n";
  }
  const Json pod = Started();
  EXPECT_LT(DigestText(MadeOfFiles(MakeBrokerFiles(inputs_).value())).size(), 3'600U);
  EXPECT_THAT(Differ(pod), IsEmpty());
  cluster_.spec.config += "heartbeat = 30\n";
  cluster_.spec.advanced_config = "[{rabbit, []}].";
  EXPECT_THAT(Differ(pod), ElementsAre("advanced.config", "rabbitmq.conf"));
}

TEST_F(MadeOfTest, NoValueIsTold) {
  cluster_.spec.config = "auth_ldap.dn_lookup_bind.password = hunter2\n";
  EXPECT_EQ(DigestText(MadeOfFiles(MakeBrokerFiles(inputs_).value())).find("hunter2"),
            std::string::npos);
}

}  // namespace
}  // namespace rabbit::resources
