// broker_contract: runs lib/rabbitmq against a real broker.
//   broker_contract http://10.0.0.1:15672 USER PASSWORD_FILE
// The user needs the tag administrator. It works in a vhost and with a user of its own and removes
// both; of the rest of the broker it changes the cluster's name, and puts it back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <thread>

#include "base/hash.h"
#include "base/json.h"
#include "base/random.h"
#include "http/beast_transport.h"
#include "http/endpoint.h"
#include "rabbitmq/client.h"
#include "rabbitmq/definitions.h"
#include "rabbitmq/password_hash.h"
#include "rabbitmq/policy_check.h"
#include "rabbitmq/version.h"

namespace rabbit::rabbitmq {
namespace {

using base::ErrorKind;
using base::Secret;
using testing::HasSubstr;

struct Target {
  std::unique_ptr<http::Transport> transport;
  std::string user;
  Secret password;
};
Target* target = nullptr;  // set by main before the tests run

constexpr const char* kVhost = "contract a/b%é";
constexpr const char* kUser = "contract user/1";

http::CallOptions Options() {
  return {.deadline = base::RealClock().Now() + std::chrono::seconds(20)};
}

template <typename T>
std::string Trouble(const base::Result<T>& result) {
  return result ? "" : result.error().message;
}
#define EXPECT_OK(call) EXPECT_EQ(Trouble(call), "")
#define ASSERT_OK(call) ASSERT_EQ(Trouble(call), "")

class BrokerContract : public testing::Test {
 protected:
  void SetUp() override {
    client_ =
        std::make_unique<ManagementClient>(*target->transport, target->user, target->password);
    ASSERT_OK(
        client_->PutVhost({.name = kVhost, .description = "of the contract test"}, Options()));
    ASSERT_OK(client_->PutPermission({target->user, kVhost, ".*", ".*", ".*"}, Options()));
    const auto overview = client_->GetOverview(Options());
    ASSERT_OK(overview);
    version_ = ParseVersion(overview->version);
    ASSERT_TRUE(version_) << overview->version;
  }
  void TearDown() override {
    EXPECT_OK(client_->DeleteVhost(kVhost, Options()));
    EXPECT_OK(client_->DeleteUser(kUser, Options()));
  }

  User MakeUser(const std::string& password, std::string_view algorithm = kSha256) {
    base::SystemRandom random;
    return {.name = kUser,
            .tags = {"management"},
            .password_hash = HashPassword(Secret(password), algorithm, random).value(),
            .hashing_algorithm = std::string(algorithm)};
  }
  bool CanLogIn(const std::string& password) {
    ManagementClient other(*target->transport, kUser, Secret(password));
    return other.GetOverview(Options()).has_value();
  }
  // The API has no call of ours for queues.
  void DeclareQueue(const std::string& name, const std::string& body) {
    const auto answer = target->transport->Send(
        {.method = http::Method::kPut,
         .target = "/api/queues/" + http::Escape(kVhost) + '/' + http::Escape(name),
         .headers = {{"Authorization",
                      "Basic " + base::Base64Encode(target->user + ':' +
                                                    std::string(target->password.Reveal()))},
                     {"Content-Type", "application/json"}},
         .body = body},
        Options());
    ASSERT_OK(answer);
    EXPECT_EQ(answer->status / 100, 2) << name << ": " << answer->status << ' ' << answer->body;
  }
  // A broker that has just booted answers some seconds before it has told itself anything about its
  // nodes: neither alarms nor plugins (seen on 3.8.9 and 4.3.6).
  base::Result<std::vector<Node>> NodesInFull(bool running_plugins,
                                              std::set<std::string>* running) {
    const http::CallOptions options = Options();
    while (true) {
      auto nodes = client_->GetNodes(options, running_plugins, running);
      const bool told = !nodes || std::ranges::all_of(*nodes, [](const Node& node) {
        return !node.running || node.plugins_known;
      });
      if (told || base::RealClock().Now() >= options.deadline) return nodes;
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
  }
  // As the vhost itself and as the list of all queues tell it.
  std::optional<std::size_t> Queues() {
    const auto count = client_->CountQueues(kVhost, Options());
    EXPECT_OK(count);
    const BrokerView view = client_->Read({.queues_of = {kVhost}}, Options());
    EXPECT_TRUE(view.queues) << view.queues.why();
    if (count && view.queues) {
      EXPECT_EQ(*view.vhost_queues.at(kVhost), *count);
    }
    return count ? std::optional(*count) : std::nullopt;
  }
  // Of the vhost or user of the test; without any limit when the list does not name it.
  VhostLimits LimitsOfVhost() {
    const auto all = client_->GetVhostLimits(Options());
    EXPECT_OK(all);
    for (const VhostLimits& limits : all.value_or(std::vector<VhostLimits>())) {
      if (limits.vhost == kVhost) return limits;
    }
    return {.vhost = kVhost};
  }
  UserLimits LimitsOfUser() {
    const auto all = client_->GetUserLimits(Options());
    EXPECT_OK(all);
    for (const UserLimits& limits : all.value_or(std::vector<UserLimits>())) {
      if (limits.user == kUser) return limits;
    }
    return {.user = kUser};
  }
  // Whether a topic permission is refused for an exchange that is not there: not by 4.0.5,
  // by 4.3.6.
  [[nodiscard]] bool NeedsTheExchange() const { return *version_ >= Version{4, 3, 0}; }
  Policy MakePolicy(std::string definition) {
    return {.vhost = kVhost,
            .name = "policy ä/1",
            .pattern = "^nothing$",
            .definition = std::move(definition)};
  }

  std::unique_ptr<ManagementClient> client_;
  std::optional<Version> version_;
};

TEST_F(BrokerContract, EveryPartOfTheViewCanBeRead) {
  const BrokerView view = client_->Read({.vhost_limits = true,
                                         .user_limits = true,
                                         .topic_permissions = true,
                                         .operator_policies = true,
                                         .queues_of = {kVhost, "/"}},
                                        Options());
  EXPECT_TRUE(view.cluster_name) << view.cluster_name.why();
  EXPECT_TRUE(view.version) << view.version.why();
  ASSERT_TRUE(view.nodes) << view.nodes.why();
  EXPECT_TRUE(view.nodes->at(0).running);
  ASSERT_TRUE(view.vhosts) << view.vhosts.why();
  EXPECT_NE(FindVhost(*view.vhosts, kVhost), nullptr);
  ASSERT_TRUE(view.users) << view.users.why();
  ASSERT_NE(FindUser(*view.users, target->user), nullptr);
  EXPECT_TRUE(PasswordMatches(target->password, FindUser(*view.users, target->user)->password_hash,
                              FindUser(*view.users, target->user)->hashing_algorithm));
  EXPECT_TRUE(view.permissions) << view.permissions.why();
  EXPECT_TRUE(view.topic_permissions) << view.topic_permissions.why();
  EXPECT_TRUE(view.policies) << view.policies.why();
  EXPECT_TRUE(view.operator_policies) << view.operator_policies.why();
  EXPECT_TRUE(view.queues) << view.queues.why();
  EXPECT_TRUE(view.vhost_limits) << view.vhost_limits.why();
  EXPECT_TRUE(view.user_limits || view.user_limits.kind() == ErrorKind::kNotFound)
      << view.user_limits.why();
  for (const auto& [vhost, queues] : view.vhost_queues) EXPECT_TRUE(queues) << queues.why();
}

TEST_F(BrokerContract, LimitsOfAVhostComeAndGoOneByOne) {
  EXPECT_EQ(LimitsOfVhost(), (VhostLimits{.vhost = kVhost}));
  ASSERT_OK(client_->PutVhostLimit(kVhost, kMaxConnections, 10, Options()));
  ASSERT_OK(client_->PutVhostLimit(kVhost, kMaxQueues, 0, Options()));
  EXPECT_EQ(LimitsOfVhost(),
            (VhostLimits{.vhost = kVhost, .max_connections = 10, .max_queues = 0}));
  ASSERT_OK(client_->PutVhostLimit(kVhost, kMaxQueues, 7, Options()));
  EXPECT_OK(client_->DeleteVhostLimit(kVhost, kMaxConnections, Options()));
  EXPECT_EQ(LimitsOfVhost(), (VhostLimits{.vhost = kVhost, .max_queues = 7}));
  ASSERT_OK(client_->PutVhostLimit(kVhost, kMaxConnections, -1, Options()));
  EXPECT_EQ(LimitsOfVhost(), (VhostLimits{.vhost = kVhost, .max_queues = 7}));
  EXPECT_OK(client_->DeleteVhostLimit(kVhost, kMaxConnections, Options()));
  EXPECT_OK(client_->DeleteVhostLimit(kVhost, kMaxQueues, Options()));
  EXPECT_OK(client_->DeleteVhostLimit(kVhost, kMaxQueues, Options()));
  EXPECT_EQ(LimitsOfVhost(), (VhostLimits{.vhost = kVhost}));
}

TEST_F(BrokerContract, LimitsOfAVhostThatIsDeletedGoWithIt) {
  ASSERT_OK(client_->PutVhostLimit(kVhost, kMaxConnections, 10, Options()));
  ASSERT_OK(client_->DeleteVhost(kVhost, Options()));
  ASSERT_OK(client_->PutVhost({.name = kVhost}, Options()));
  EXPECT_EQ(LimitsOfVhost(), (VhostLimits{.vhost = kVhost}));
}

TEST_F(BrokerContract, LimitsOfUsersComeAndGoWhereTheBrokerHasThem) {
  const auto all = client_->GetUserLimits(Options());
  if (*version_ < Version{.major = 3, .minor = 8, .patch = 10}) {
    ASSERT_FALSE(all);
    EXPECT_EQ(all.error().kind, ErrorKind::kNotFound) << all.error().message;
    GTEST_SKIP() << version_->ToString() << " has no limits of users";
  }
  ASSERT_OK(all);
  ASSERT_OK(client_->PutUser(MakeUser("s3cret"), Options()));
  EXPECT_EQ(LimitsOfUser(), (UserLimits{.user = kUser}));
  const auto put = client_->PutUserLimit(kUser, kMaxConnections, 3, Options());
  if (!put && put.error().reason.find("feature flag") != std::string::npos) {
    GTEST_SKIP() << put.error().message;
  }
  ASSERT_OK(put);
  ASSERT_OK(client_->PutUserLimit(kUser, kMaxChannels, 0, Options()));
  EXPECT_EQ(LimitsOfUser(), (UserLimits{.user = kUser, .max_connections = 3, .max_channels = 0}));
  // Writing the user anew, as a repair does, leaves them.
  ASSERT_OK(client_->PutUser(MakeUser("0ther"), Options()));
  EXPECT_EQ(LimitsOfUser(), (UserLimits{.user = kUser, .max_connections = 3, .max_channels = 0}));
  EXPECT_OK(client_->DeleteUserLimit(kUser, kMaxConnections, Options()));
  EXPECT_EQ(LimitsOfUser(), (UserLimits{.user = kUser, .max_channels = 0}));
  EXPECT_OK(client_->DeleteUserLimit(kUser, kMaxChannels, Options()));
  EXPECT_OK(client_->DeleteUserLimit(kUser, kMaxChannels, Options()));
  EXPECT_EQ(LimitsOfUser(), (UserLimits{.user = kUser}));
}

TEST_F(BrokerContract, ALimitThatIsUnknownOrOfNobodyIsRefused) {
  EXPECT_EQ(client_->PutVhostLimit(kVhost, "max-nothing", 1, Options()).error().kind,
            ErrorKind::kInvalid);
  EXPECT_EQ(client_->PutVhostLimit("no such vhost", kMaxQueues, 1, Options()).error().kind,
            ErrorKind::kNotFound);
  EXPECT_FALSE(client_->PutUserLimit("no such user", kMaxChannels, 1, Options()));
  const auto gone = client_->DeleteVhostLimit("no such vhost", kMaxQueues, Options());
  if (*version_ < Version{.major = 3, .minor = 12, .patch = 1}) {
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().kind, ErrorKind::kRetry) << gone.error().message;
  } else {
    EXPECT_OK(gone);
  }
}

TEST_F(BrokerContract, QueuesOfEveryKindAreCounted) {
  EXPECT_EQ(Queues(), 0U);
  DeclareQueue("durable/%é", R"({"durable":true})");
  EXPECT_EQ(Queues(), 1U);
  DeclareQueue("auto-delete", R"({"durable":true,"auto_delete":true})");
  DeclareQueue("quorum", R"({"durable":true,"arguments":{"x-queue-type":"quorum"}})");
  EXPECT_EQ(Queues(), 3U);
  // None of our permission is needed for that: a vhost of somebody else's is not taken for empty.
  ASSERT_OK(client_->DeletePermission(target->user, kVhost, Options()));
  EXPECT_EQ(Queues(), 3U);
  ASSERT_OK(client_->DeleteVhost(kVhost, Options()));
  EXPECT_EQ(Queues(), 0U);
}

TEST_F(BrokerContract, TheClusterNameIsReadAsItWasWritten) {
  const std::string before = client_->GetOverview(Options())->cluster_name;
  EXPECT_OK(client_->PutClusterName("contract-name", Options()));
  EXPECT_EQ(client_->GetOverview(Options())->cluster_name, "contract-name");
  EXPECT_OK(client_->PutClusterName(before, Options()));
}

TEST_F(BrokerContract, AUserWithAHashOfOursCanLogInAndReadsBackUnchanged) {
  for (const std::string_view algorithm : {kSha256, kSha512}) {
    const User user = MakeUser("pässwörd", algorithm);
    ASSERT_OK(client_->PutUser(user, Options()));
    EXPECT_TRUE(CanLogIn("pässwörd"));
    EXPECT_FALSE(CanLogIn("password"));
    const auto users = client_->GetUsers(Options());
    ASSERT_OK(users);
    ASSERT_NE(FindUser(*users, kUser), nullptr);
    EXPECT_EQ(*FindUser(*users, kUser), user);
  }
}

TEST_F(BrokerContract, ChangingTagsKeepsThePassword) {
  User user = MakeUser("s3cret");
  ASSERT_OK(client_->PutUser(user, Options()));
  user.tags = {"management", "policymaker"};
  ASSERT_OK(client_->PutUser(user, Options()));
  EXPECT_TRUE(CanLogIn("s3cret"));
  EXPECT_EQ(FindUser(*client_->GetUsers(Options()), kUser)->tags, user.tags);
}

TEST_F(BrokerContract, WrongCredentialsAndMissingRightsAreToldApart) {
  ASSERT_OK(client_->PutUser(MakeUser("s3cret"), Options()));
  ManagementClient wrong(*target->transport, kUser, Secret("other"));
  EXPECT_TRUE(IsBadCredentials(wrong.GetOverview(Options()).error()));
  ManagementClient poor(*target->transport, kUser, Secret("s3cret"));
  const auto users = poor.GetUsers(Options());
  ASSERT_FALSE(users);
  EXPECT_EQ(users.error().kind, ErrorKind::kDenied);
  EXPECT_FALSE(IsBadCredentials(users.error())) << users.error().message;
}

TEST_F(BrokerContract, PermissionsComeAndGo) {
  ASSERT_OK(client_->PutUser(MakeUser("s3cret"), Options()));
  const Permission permission{kUser, kVhost, "^$", "^a.*\\.b$", ".*"};
  ASSERT_OK(client_->PutPermission(permission, Options()));
  const auto seen = client_->GetPermissions(Options());
  ASSERT_OK(seen);
  ASSERT_NE(FindPermission(*seen, kUser, kVhost), nullptr);
  EXPECT_EQ(*FindPermission(*seen, kUser, kVhost), permission);
  const TopicPermission topic{kUser, kVhost, "amq.topic", "^a", ".*"};
  ASSERT_OK(client_->PutTopicPermission(topic, Options()));
  EXPECT_THAT(*client_->GetTopicPermissions(Options()), testing::Contains(topic));
  EXPECT_OK(client_->DeleteTopicPermission(kUser, kVhost, topic.exchange, Options()));
  EXPECT_OK(client_->DeletePermission(kUser, kVhost, Options()));
  EXPECT_EQ(FindPermission(*client_->GetPermissions(Options()), kUser, kVhost), nullptr);
}

TEST_F(BrokerContract, TopicPermissionsGoOneExchangeAtATime) {
  ASSERT_OK(client_->PutUser(MakeUser("s3cret"), Options()));
  const auto of_user = [&] {
    auto all = client_->GetTopicPermissions(Options());
    EXPECT_OK(all);
    auto mine = all.value_or(std::vector<TopicPermission>());
    std::erase_if(mine, [](const TopicPermission& one) { return one.user != kUser; });
    return mine;
  };
  const TopicPermission first{kUser, kVhost, "amq.direct", "^a\\.", ".*"};
  const std::string other = NeedsTheExchange() ? "amq.topic" : "x/ é%";
  TopicPermission second{kUser, kVhost, other, "", "^b$"};
  const TopicPermission unnamed{kUser, kVhost, "", "^c$", "^c$"};
  for (const TopicPermission& one : {first, second, unnamed}) {
    ASSERT_OK(client_->PutTopicPermission(one, Options()));
  }
  EXPECT_THAT(of_user(), testing::ElementsAre(unnamed, first, second));
  second.read = "^changed$";
  ASSERT_OK(client_->PutTopicPermission(second, Options()));
  EXPECT_THAT(of_user(), testing::ElementsAre(unnamed, first, second));
  EXPECT_OK(client_->DeleteTopicPermission(kUser, kVhost, "", Options()));
  EXPECT_OK(client_->DeleteTopicPermission(kUser, kVhost, "never was", Options()));
  EXPECT_THAT(of_user(), testing::ElementsAre(first, second));
  EXPECT_OK(client_->DeleteTopicPermission(kUser, kVhost, second.exchange, Options()));
  EXPECT_THAT(of_user(), testing::ElementsAre(first));
  EXPECT_OK(client_->DeleteTopicPermission(kUser, kVhost, first.exchange, Options()));
  EXPECT_THAT(of_user(), testing::IsEmpty());
}

TEST_F(BrokerContract, ATopicPermissionThatCannotBeIsRefusedWithAReason) {
  ASSERT_OK(client_->PutUser(MakeUser("s3cret"), Options()));
  const auto put = client_->PutTopicPermission({kUser, kVhost, "amq.topic", "(", ".*"}, Options());
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(put.error().reason, HasSubstr("invalid_regexp"));
  for (const TopicPermission& nowhere :
       {TopicPermission{"no such user", kVhost, "amq.topic", "", ""},
        TopicPermission{kUser, "no such vhost", "amq.topic", "", ""}}) {
    const auto refused = client_->PutTopicPermission(nowhere, Options());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid) << refused.error().message;
    EXPECT_THAT(refused.error().reason, HasSubstr("not_found"));
  }
  const auto nowhere = client_->PutTopicPermission({kUser, kVhost, "x/ é%", "", ""}, Options());
  ASSERT_EQ(nowhere.has_value(), !NeedsTheExchange()) << Trouble(nowhere);
  if (!nowhere) {
    EXPECT_THAT(nowhere.error().reason, HasSubstr("no_such_exchange x/ é%"));
  }
}

TEST_F(BrokerContract, AMissingVhostOrUserIsRefusedWithAReason) {
  Policy policy = MakePolicy(R"({"max-length":5})");
  policy.vhost = "no such vhost";
  EXPECT_EQ(client_->PutPolicy(policy, Options()).error().kind, ErrorKind::kNotFound);
  const auto put = client_->PutPermission({"no such user", kVhost, "", "", ""}, Options());
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(put.error().reason, HasSubstr("not_found"));
}

TEST_F(BrokerContract, DeletingTwiceIsSuccess) {
  EXPECT_OK(client_->DeletePolicy(kVhost, "never was", Options()));
  EXPECT_OK(client_->DeletePolicy("no such vhost", "never was", Options()));
  EXPECT_OK(client_->DeleteOperatorPolicy(kVhost, "never was", Options()));
  EXPECT_OK(client_->DeleteUser("never was", Options()));
  EXPECT_OK(client_->DeleteVhost("never was", Options()));
  EXPECT_OK(client_->DeletePermission("never was", kVhost, Options()));
}

TEST_F(BrokerContract, APolicyReadsBackAsTheSameCanonicalText) {
  Policy policy = MakePolicy(R"({"overflow":"drop-head","max-length":5})");
  policy.apply_to = "queues";
  policy.priority = 7;
  policy.pattern = "^a\\.(b|ü)+$";
  ASSERT_OK(client_->PutPolicy(policy, Options()));
  const auto seen = client_->GetPolicies(Options());
  ASSERT_OK(seen);
  ASSERT_NE(FindPolicy(*seen, kVhost, policy.name), nullptr);
  policy.definition = *CanonicalDefinition(policy.definition);
  EXPECT_EQ(*FindPolicy(*seen, kVhost, policy.name), policy);
}

TEST_F(BrokerContract, AnOperatorPolicyReadsBackAsWrittenAndIsNoOrdinaryOne) {
  Policy policy = MakePolicy(R"({"max-length":5,"expires":60000})");
  policy.apply_to = "queues";
  policy.priority = 7;
  ASSERT_OK(client_->PutOperatorPolicy(policy, Options()));
  policy.definition = *CanonicalDefinition(policy.definition);
  const auto seen = client_->GetOperatorPolicies(Options());
  ASSERT_OK(seen);
  ASSERT_NE(FindPolicy(*seen, kVhost, policy.name), nullptr);
  EXPECT_EQ(*FindPolicy(*seen, kVhost, policy.name), policy);
  EXPECT_EQ(FindPolicy(*client_->GetPolicies(Options()), kVhost, policy.name), nullptr);
  // One of the same name is another thing.
  ASSERT_OK(client_->PutPolicy(MakePolicy(R"({"max-length":9})"), Options()));
  EXPECT_OK(client_->DeleteOperatorPolicy(kVhost, policy.name, Options()));
  EXPECT_EQ(FindPolicy(*client_->GetOperatorPolicies(Options()), kVhost, policy.name), nullptr);
  EXPECT_NE(FindPolicy(*client_->GetPolicies(Options()), kVhost, policy.name), nullptr);
  policy.vhost = "no such vhost";
  EXPECT_FALSE(client_->PutOperatorPolicy(policy, Options()));  // 404, and 500 of 4.0
}

// The rules must say of a policy what the broker says of it. Exceptions are those of the rules:
// keys that plugins bring, and numbers beyond 64 bits.
TEST_F(BrokerContract, TheRulesForPoliciesAgreeWithTheBroker) {
  const char* definitions[] = {R"({})",
                               R"({"max-length":"5"})",
                               R"({"max-length":-1})",
                               R"({"max-length":0})",
                               R"({"max-length":1.5})",
                               R"({"max-length-bytes":1})",
                               R"({"message-ttl":4294967296})",
                               R"({"message-ttl":"1"})",
                               R"({"expires":0})",
                               R"({"expires":1})",
                               R"({"dead-letter-exchange":1})",
                               R"({"dead-letter-exchange":"x"})",
                               R"({"dead-letter-routing-key":1})",
                               R"({"dead-letter-strategy":"x"})",
                               R"({"dead-letter-strategy":"at-least-once"})",
                               R"({"overflow":"x"})",
                               R"({"overflow":"drop-head"})",
                               R"({"overflow":"reject-publish-dlx"})",
                               R"({"queue-mode":"x"})",
                               R"({"queue-mode":"lazy"})",
                               R"({"queue-version":1})",
                               R"({"queue-version":3})",
                               R"({"queue-leader-locator":"balanced"})",
                               R"({"queue-leader-locator":"min-masters"})",
                               R"({"queue-master-locator":"min-masters"})",
                               R"({"delivery-limit":-1})",
                               R"({"delivery-limit":3})",
                               R"({"delivery-limit":"3"})",
                               R"({"max-in-memory-length":-1})",
                               R"({"max-in-memory-bytes":1})",
                               R"({"max-age":1})",
                               R"({"max-age":""})",
                               R"({"max-age":"x"})",
                               R"({"max-age":"0D"})",
                               R"({"max-age":"7d"})",
                               R"({"max-age":"7D"})",
                               R"({"max-age":"10m"})",
                               R"({"stream-max-segment-size-bytes":1000})",
                               R"({"stream-max-segment-size-bytes":3000000001})",
                               R"({"stream-filter-size-bytes":16})",
                               R"({"stream-filter-size-bytes":15})",
                               R"({"stream-filter-size-bytes":256})",
                               R"({"consumer-timeout":1})",
                               R"({"consumer-timeout":-1})",
                               R"({"target-group-size":3})",
                               R"({"target-group-size":0})",
                               R"({"initial-cluster-size":3})",
                               R"({"initial-cluster-size":"3"})",
                               R"({"alternate-exchange":"x"})",
                               R"({"alternate-exchange":1})",
                               R"({"ha-mode":"all"})",
                               R"({"ha-mode":"x"})",
                               R"({"ha-mode":"exactly"})",
                               R"({"ha-mode":"exactly","ha-params":0})",
                               R"({"ha-mode":"exactly","ha-params":2})",
                               R"({"ha-mode":"exactly","ha-params":"2"})",
                               R"({"ha-mode":"exactly","ha-params":2.0})",
                               R"({"ha-mode":"exactly","ha-params":99})",
                               R"({"ha-mode":"nodes","ha-params":[]})",
                               R"({"ha-mode":"nodes","ha-params":[1]})",
                               R"({"ha-mode":"nodes","ha-params":["rabbit@x"]})",
                               R"({"ha-mode":"all","ha-params":2})",
                               R"({"ha-mode":"all","ha-sync-mode":"automatic"})",
                               R"({"ha-mode":"all","ha-sync-mode":"x"})",
                               R"({"ha-sync-mode":"automatic"})",
                               R"({"ha-mode":"all","ha-sync-batch-size":0})",
                               R"({"ha-mode":"all","ha-promote-on-shutdown":"x"})",
                               R"({"ha-mode":"all","ha-promote-on-failure":"when-synced"})"};
  const PolicyContext context{.version = version_};
  for (const char* definition : definitions) {
    const Policy policy = MakePolicy(definition);
    const auto issues = CheckPolicy(policy, PolicyKind::kUser, context);
    const auto put = client_->PutPolicy(policy, Options());
    EXPECT_EQ(FirstRefusal(issues) == nullptr, put.has_value())
        << definition << " broker: " << Trouble(put);
    const auto operator_issues = CheckPolicy(policy, PolicyKind::kOperator, context);
    const auto operator_put = client_->PutOperatorPolicy(policy, Options());
    EXPECT_EQ(FirstRefusal(operator_issues) == nullptr, operator_put.has_value())
        << "operator policy " << definition << " broker: " << Trouble(operator_put);
  }
}

TEST_F(BrokerContract, TheRulesForPatternsAndApplyToAgreeWithTheBroker) {
  for (const char* pattern : {"", "^a", "a(?<x>b)", "(?i)a", "(", "*", "a{1000000}", "[z-a]"}) {
    Policy policy = MakePolicy(R"({"max-length":5})");
    policy.pattern = pattern;
    EXPECT_EQ(PatternError(pattern).has_value(), !client_->PutPolicy(policy, Options())) << pattern;
  }
  for (const char* apply_to :
       {"all", "queues", "exchanges", "classic_queues", "quorum_queues", "streams", "x"}) {
    Policy policy = MakePolicy(R"({"max-length":5})");
    policy.apply_to = apply_to;
    const auto issues = CheckPolicy(policy, PolicyKind::kUser, {.version = version_});
    EXPECT_EQ(FirstRefusal(issues) == nullptr, client_->PutPolicy(policy, Options()).has_value())
        << apply_to;
  }
}

TEST_F(BrokerContract, ARunningNodeTellsItsPlugins) {
  const auto nodes = NodesInFull(true, nullptr);
  ASSERT_OK(nodes);
  for (const Node& node : *nodes) {
    if (!node.running) continue;
    EXPECT_TRUE(node.plugins_known) << node.name;
    for (const Plugin& plugin : node.plugins) {
      EXPECT_NE(plugin.name, kManagementPlugin) << "it answers";
    }
  }
}

// There are some at a broker that first booted with $RABBITMQ_FEATURE_FLAGS empty.
TEST_F(BrokerContract, StableFeatureFlagsThatAreDisabledCanBeEnabledAllAtOnce) {
  std::set<std::string> running;
  const auto nodes = NodesInFull(false, &running);
  ASSERT_OK(nodes);
  for (const Node& node : *nodes) {
    EXPECT_EQ(ParseVersion(node.version), node.running ? version_ : std::nullopt) << node.name;
  }
  EXPECT_TRUE(running.contains("rabbitmq_management_agent")) << "it brings flags too";
  const auto flags = client_->GetFlagsToEnable(running, Options());
  ASSERT_OK(flags);
  for (const FeatureFlag& flag : *flags) {
    std::cout << "to enable: " << flag.name << "\n";
    EXPECT_TRUE(flag.disabled) << flag.name;
    EXPECT_OK(client_->EnableFlag(flag.name, Options()));
  }
  const auto left = client_->GetFlagsToEnable(running, Options());
  ASSERT_OK(left);
  EXPECT_TRUE(left->empty());
}

TEST_F(BrokerContract, AFeatureFlagThatIsEnabledMayBeEnabledAgain) {
  EXPECT_OK(client_->EnableFlag("quorum_queue", Options()));
  const auto unknown = client_->EnableFlag("no/such flag", Options());
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, ErrorKind::kInvalid) << unknown.error().message;
}

TEST_F(BrokerContract, WhatIsImportedIsFoundAsItWasImported) {
  const std::string vhost = base::Dump(base::Json(kVhost));
  const std::string user = base::Dump(base::Json(kUser));
  const auto parsed = ParseDefinitions(R"({"users":[{"name":)" + user + R"(,"tags":"monitoring",
      "password":"pässword"}],
    "permissions":[{"user":)" + user + R"(,"vhost":)" +
                                       vhost +
                                       R"(,"configure":"","write":".*","read":".*"}],
    "policies":[{"vhost":)" + vhost + R"(,"name":"p {","pattern":"^\\{","apply-to":"queues",
                 "priority":1,"definition":{"max-length":5}}],
    "parameters":[{"component":"vhost-limits","vhost":)" +
                                       vhost + R"(,"name":"limits","value":{"max-queues":7}}],
    "queues":[{"name":"q \"","vhost":)" +
                                       vhost +
                                       R"(,"durable":true,"auto_delete":false,"arguments":{}}],
    "exchanges":[{"name":"e","vhost":)" +
                                       vhost + R"(,"type":"topic","durable":true,
                  "auto_delete":false,"internal":false,"arguments":{}}],
    "bindings":[{"source":"e","vhost":)" +
                                       vhost + R"(,"destination":"q \"",
                 "destination_type":"queue","routing_key":"k","arguments":{}}]})");
  ASSERT_OK(parsed);
  const auto wanted = std::make_shared<const Definitions>(*parsed);
  std::vector<DefinitionKey> keys;
  for (const auto& [key, text] : *wanted) keys.push_back(key);
  const auto before = client_->FindMissing(wanted, Options());
  ASSERT_OK(before);
  EXPECT_EQ(before->keys, keys);
  ASSERT_OK(client_->PostDefinitions(ComposeDefinitions(*wanted, keys), Options()));
  const auto after = client_->FindMissing(wanted, Options());
  ASSERT_OK(after);
  EXPECT_TRUE(after->keys.empty()) << after->keys.front().ToString();

  ASSERT_OK(client_->DeletePolicy(kVhost, "p {", Options()));
  ASSERT_OK(client_->PutVhostLimit(kVhost, kMaxQueues, 8, Options()));
  const auto changed = client_->FindMissing(wanted, Options());
  ASSERT_OK(changed);
  EXPECT_EQ(changed->keys,
            (std::vector<DefinitionKey>{ParameterDefinition("vhost-limits", kVhost, "limits"),
                                        PolicyDefinition(kVhost, "p {")}));
  ASSERT_OK(client_->PostDefinitions(ComposeDefinitions(*wanted, changed->keys), Options()));
  EXPECT_TRUE(client_->FindMissing(wanted, Options())->keys.empty());
}

TEST_F(BrokerContract, AnImportThatNamesNoVhostIsRefusedWithTheReason) {
  const auto refused = client_->PostDefinitions(
      Secret(R"({"policies":[{"vhost":"no such vhost","name":"p","pattern":"^a",
                              "definition":{"max-length":1}}]})"),
      Options());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(refused.error().message, HasSubstr("no such vhost"));
}

base::Result<Target> MakeTarget(const char* url, const char* user, const char* password_file) {
  const auto parsed = http::ParseUrl(url);
  if (!parsed) return tl::unexpected(parsed.error());
  std::ifstream file(password_file);
  std::string password;
  if (!std::getline(file, password)) {
    return base::Fail(ErrorKind::kInvalid, std::string("cannot read ") + password_file);
  }
  auto transport = http::MakeBeastTransport(
      {.address = parsed->host, .port = parsed->port, .host_header = parsed->host}, {},
      {.keep = 1});
  if (!transport) return tl::unexpected(transport.error());
  return Target{std::move(*transport), user, Secret(password)};
}

}  // namespace
}  // namespace rabbit::rabbitmq

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc != 4) {
    std::cerr << "usage: broker_contract http://ADDRESS:PORT USER PASSWORD_FILE\n";
    return 2;
  }
  auto target = rabbit::rabbitmq::MakeTarget(argv[1], argv[2], argv[3]);
  if (!target) {
    std::cerr << "broker_contract: " << target.error().message << '\n';
    return 2;
  }
  rabbit::rabbitmq::target = &*target;
  return RUN_ALL_TESTS();
}
