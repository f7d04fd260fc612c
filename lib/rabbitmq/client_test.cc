#include "rabbitmq/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/json.h"
#include "test/fakes/scripted_transport.h"

namespace rabbit::rabbitmq {
namespace {

using base::ErrorKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Answers of real brokers: three nodes r1 to r3@localhost; queue_1 is mirrored where that exists,
// qq, qq1 and st are quorum queues and a stream, autodel and trans are not to be counted.
std::string Captured(const std::string& name) {
  std::ifstream file(RABBIT_SOURCE_DIR "/lib/rabbitmq/testdata/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty()) << name;
  return text.str();
}

class ClientTest : public testing::Test {
 protected:
  fakes::ScriptedTransport::Call& Expect(std::string line) {
    return broker_.Expect(std::move(line));
  }
  void ExpectCaptured(const std::string& directory, const std::string& suffix = "") {
    const auto answer = [&](const std::string& name) { return Captured(directory + name); };
    Expect("GET /api/overview?*").Answer(200, answer("overview.json"));
    Expect("GET /api/nodes?*").Answer(200, answer("nodes" + suffix + ".json"));
    Expect("GET /api/vhosts?*").Answer(200, answer("vhosts" + suffix + ".json")).CutEvery(7);
    Expect("GET /api/users").Answer(200, answer("users.json"));
    Expect("GET /api/permissions").Answer(200, answer("permissions.json"));
    Expect("GET /api/topic-permissions").Answer(200, answer("topic-permissions.json"));
    Expect("GET /api/policies").Answer(200, answer("policies.json"));
    Expect("GET /api/operator-policies").Answer(200, answer("operator-policies.json"));
    Expect("GET /api/queues?disable_stats=true*").Answer(200, answer("queues" + suffix + ".json"));
  }
  BrokerView ReadAll() {
    return client_.Read({.topic_permissions = true, .operator_policies = true}, options_);
  }

  fakes::ScriptedTransport broker_;
  http::CallOptions options_{.deadline = base::ManualClock().Now()};
  ManagementClient client_{broker_, "rabbit-operator", base::Secret("pass:word")};
};

TEST_F(ClientTest, ReadsEverythingA310ClusterSaysOfItself) {
  ExpectCaptured("3.10/");
  const BrokerView view = ReadAll();
  EXPECT_EQ(*view.cluster_name, "rabbitcluster");
  EXPECT_EQ(*view.version, "3.10.8");
  EXPECT_EQ(*view.nodes,
            (std::vector<Node>{{.name = "r1@localhost", .running = true, .details_known = true},
                               {.name = "r2@localhost", .running = true, .details_known = true},
                               {.name = "r3@localhost", .running = true, .details_known = true}}));
  EXPECT_EQ(*view.vhosts,
            (std::vector<Vhost>{
                {.name = "/", .description = "Default virtual host"},
                {.name = "a b/c", .description = "d \" é", .tags = {"production", "x"}}}));
  ASSERT_EQ(view.users->size(), 3U);
  EXPECT_EQ(view.users->at(0),
            (User{.name = "app",
                  .tags = {"monitoring"},
                  .password_hash = base::Secret("NcLGagnAevXcIwjlAgYegHXLWi4smxEyjgGwEjBrk7j+ClXf"),
                  .hashing_algorithm = "rabbit_password_hashing_sha256"}));
  EXPECT_TRUE(view.users->at(2).password_hash.empty());
  EXPECT_EQ(*FindPermission(*view.permissions, "app", "/"),
            (Permission{"app", "/", "^$", "^$", ".*"}));
  EXPECT_EQ(*view.topic_permissions,
            (std::vector<TopicPermission>{{"app", "/", "amq.topic", "^a", ".*"}}));
  EXPECT_EQ(*view.policies,
            (std::vector<Policy>{{.vhost = "/",
                                  .name = "half",
                                  .pattern = "^queue.*1$",
                                  .apply_to = "queues",
                                  .definition = R"({"ha-mode":"exactly","ha-params":2})"}}));
  EXPECT_EQ(view.operator_policies->at(0).priority, 3);
  EXPECT_EQ(
      view.queues->all,
      (QueueCounts{.total = 5, .mirrored = 1, .mirrors_in_sync = 1, .quorum = 2, .stream = 1}));
  EXPECT_THAT(view.queues->examples, IsEmpty());
  EXPECT_EQ(view.queues->by_policy.at({.vhost = "/", .name = "half"}).mirrors_in_sync, 1U);
}

TEST_F(ClientTest, ReadsEverythingA40ClusterSaysOfItself) {
  ExpectCaptured("4.0/");
  const BrokerView view = ReadAll();
  EXPECT_EQ(*view.version, "4.0.5");
  EXPECT_EQ(view.nodes->size(), 3U);
  EXPECT_EQ(view.vhosts->at(1).default_queue_type, "classic");
  EXPECT_EQ(view.users->size(), 3U);
  EXPECT_EQ(view.policies->at(0).definition, R"({"max-length":1000,"overflow":"reject-publish"})");
  EXPECT_EQ(view.queues->all, (QueueCounts{.total = 5, .quorum = 2, .stream = 1}));
}

TEST_F(ClientTest, TwoLooksAtAnIdleClusterAreEqual) {
  ExpectCaptured("3.10/");
  ExpectCaptured("3.10/");
  EXPECT_TRUE(ReadAll() == ReadAll());
}

TEST_F(ClientTest, AStoppedNodeIsAMemberWhoseDetailsAreNotKnown) {
  ExpectCaptured("3.10/", "-one-stopped");
  const BrokerView view = ReadAll();
  EXPECT_EQ(*FindNode(*view.nodes, "r2@localhost"), (Node{.name = "r2@localhost"}));
  // The mirror moved to the node that is left; the quorum queue misses a member.
  EXPECT_EQ(view.queues->all.mirrors_in_sync, 1U);
  EXPECT_THAT(view.queues->examples, ElementsAre("qq in vhost /: 2 of 3 members online"));
}

TEST_F(ClientTest, AQuorumQueueWithoutMajorityIsDownOnBothVersions) {
  for (const std::string version : {"3.10", "4.0"}) {
    std::vector<Node> nodes{
        {.name = "r1@localhost"}, {.name = "r2@localhost"}, {.name = "r3@localhost"}};
    Expect("GET /api/queues?*").Answer(200, Captured(version + "/queues-two-stopped.json"));
    const auto queues = client_.GetQueueSummary({}, nodes, options_);
    ASSERT_TRUE(queues) << queues.error().message;
    EXPECT_EQ(queues->all.under_replicated, version == "4.0" ? 3U : 2U);
    EXPECT_THAT(queues->examples, testing::Contains(HasSubstr("qq in vhost /: 1 of 3 members")));
    EXPECT_THAT(queues->examples, testing::Contains("plain in vhost /: down"));
  }
}

TEST_F(ClientTest, SendsBasicCredentialsAndAsksForNoMoreThanItNeeds) {
  Expect("GET /api/overview?disable_stats=true&columns=cluster_name,rabbitmq_version,node")
      .WithHeader("Authorization", "Basic cmFiYml0LW9wZXJhdG9yOnBhc3M6d29yZA==")
      .Answer(200, R"({"rabbitmq_version":"3.10.8"})");
  EXPECT_EQ(client_.GetOverview(options_)->cluster_name, "");
  Expect("GET /api/queues?disable_stats=true&columns=vhost,name,*").Answer(200, "[]");
  EXPECT_EQ(*client_.GetQueueSummary({}, {}, options_), QueueSummary{});
  EXPECT_THAT(broker_.lines().back(), Not(HasSubstr("enable_queue_totals")));
}

TEST_F(ClientTest, OfPluginsANodeTellsWhatIsUnlikeManagementAndPrometheusAlone) {
  Expect("GET /api/nodes?columns=name,running,type,*,enabled_plugins")
      .Answer(200,
              R"([{"name":"r1","enabled_plugins":["rabbitmq_prometheus","rabbitmq_management"]},
                       {"name":"r2","enabled_plugins":["rabbitmq_management","rabbitmq_top"]},
                       {"name":"r3"}, {"name":"r4","enabled_plugins":[]}])");
  const auto nodes = client_.GetNodes(options_);
  ASSERT_TRUE(nodes);
  EXPECT_TRUE(nodes->at(0).plugins_known);
  EXPECT_THAT(nodes->at(0).plugins, IsEmpty());
  EXPECT_THAT(nodes->at(1).plugins, ElementsAre(Plugin{"rabbitmq_prometheus", Plugin::State::kOff},
                                                Plugin{"rabbitmq_top", Plugin::State::kEnabled}));
  EXPECT_FALSE(nodes->at(2).plugins_known);
  EXPECT_FALSE(nodes->at(3).plugins_known);
}

TEST_F(ClientTest, WhichPluginsRunIsAskedForWithTheSameCall) {
  Expect("GET /api/nodes?*,enabled_plugins,applications.name")
      .Answer(200, R"([{"name":"r1","enabled_plugins":["nope","rabbitmq_management",
                                                       "rabbitmq_prometheus","rabbitmq_top"],
                        "applications":[{"name":"rabbitmq_management"},{"name":"rabbitmq_top"},
                                        {"name":"rabbitmq_management_agent"},
                                        {"name":"rabbitmq_prometheus"}]},
                       {"name":"r2","enabled_plugins":["rabbitmq_management"],
                        "applications":[{"name":"rabbit"}]}])");
  const auto nodes = client_.GetNodes(options_, true);
  ASSERT_TRUE(nodes);
  EXPECT_THAT(nodes->at(0).plugins, ElementsAre(Plugin{"nope", Plugin::State::kIdle},
                                                Plugin{"rabbitmq_top", Plugin::State::kEnabled}));
  EXPECT_FALSE(nodes->at(1).plugins_known) << "it said so in the middle of its boot";
}

TEST_F(ClientTest, WithTheFlagsToEnableTheVersionsOfTheNodesAreAskedForNotWhichPluginsRun) {
  Expect("GET /api/overview?*").Answer(200, R"({"rabbitmq_version":"4.3.6"})");
  Expect("GET /api/nodes?*,enabled_plugins,applications.name,applications.version")
      .Answer(200, R"([{"name":"r1","enabled_plugins":["rabbitmq_management",
                                                       "rabbitmq_prometheus"],
                        "applications":[{"name":"rabbit","version":"4.3.6"},
                                        {"name":"rabbitmq_management_agent","version":"4.3.6"}]},
                       {"name":"r2"}])");
  for (const char* list : {"vhosts", "users", "permissions", "policies"}) {
    Expect(std::string("GET /api/") + list + "*").Answer(200, "[]");
  }
  Expect("GET /api/feature-flags*")
      .Answer(200, R"([{"name":"m","state":"disabled","stability":"stable",
                        "provided_by":"rabbitmq_management_agent"}])");
  const BrokerView view = client_.Read({.flags_to_enable = true, .queues = false}, options_);
  ASSERT_TRUE(view.nodes);
  EXPECT_EQ(view.nodes->at(0).version, "4.3.6");
  EXPECT_THAT(view.nodes->at(0).plugins, IsEmpty());
  EXPECT_EQ(view.nodes->at(1).version, "");
  ASSERT_TRUE(view.flags_to_enable);
  EXPECT_THAT(*view.flags_to_enable, ElementsAre(FeatureFlag{"m", true}));
}

TEST_F(ClientTest, OfFeatureFlagsThoseAreToldThatAreStableAndNotEnabled) {
  const auto flag = [](const std::string& name, const std::string& state,
                       const std::string& stability, const std::string& by) {
    return R"({"name":")" + name + R"(","state":")" + state + R"(","stability":")" + stability +
           R"(","provided_by":")" + by + "\"}";
  };
  Expect("GET /api/feature-flags?columns=name,state,stability,provided_by")
      .Answer(200, "[" + flag("z", "disabled", "stable", "") + "," +
                       flag("khepri_db", "disabled", "experimental", "rabbit") + "," +
                       flag("on", "enabled", "stable", "rabbit") + "," +
                       flag("gone", "disabled", "stable", "rabbitmq_mqtt") + "," +
                       flag("new", "unavailable", "stable", "rabbit") + "," +
                       flag("now", "state_changing", "stable", "rabbit") + "," +
                       flag("a", "disabled", "stable", "rabbitmq_top") + "]");
  EXPECT_THAT(*client_.GetFlagsToEnable({"rabbit", "rabbitmq_top"}, options_),
              ElementsAre(FeatureFlag{"a", true}, FeatureFlag{"new", false},
                          FeatureFlag{"now", false}, FeatureFlag{"z", true}))
      << "a plugin that does not run any more leaves its flags behind";
  Expect("PUT /api/feature-flags/a%20b/enable").WithBodyContaining("{}").Answer(204);
  EXPECT_TRUE(client_.EnableFlag("a b", options_));
}

TEST_F(ClientTest, DefinitionsAreComparedAsTheyStreamIn) {
  const auto wanted = std::make_shared<const Definitions>(
      *ParseDefinitions(R"({"vhosts":[{"name":"v"},{"name":"w"}]})"));
  Expect("GET /api/definitions").Answer(200, R"({"x":1,"vhosts":[{"name":"v"}]})").CutEvery(3);
  const auto missing = client_.FindMissing(wanted, options_);
  EXPECT_EQ(missing->of, wanted);
  EXPECT_THAT(missing->keys, ElementsAre(VhostDefinition("w")));
  Expect("GET /api/definitions").Answer(503, "busy");
  EXPECT_THAT(client_.FindMissing(wanted, options_).error().message,
              HasSubstr("GET /api/definitions: 503"));
}

TEST_F(ClientTest, ARefusedImportSaysWhyButForWhatMayHoldAPassword) {
  const base::Secret body(R"({"users":[]})");
  Expect("POST /api/definitions").WithBodyContaining("users").Answer(204);
  EXPECT_TRUE(client_.PostDefinitions(body, options_));
  Expect("POST /api/definitions")
      .Answer(400, R"({"error":"bad_request","reason":["no_such_vhost","v"]})");
  EXPECT_EQ(client_.PostDefinitions(body, options_).error().message,
            "POST /api/definitions: 400 bad_request: no_such_vhost v");
  Expect("POST /api/definitions")
      .Answer(400, R"({"error":"bad_request","reason":"src-uri amqp://u:hunter2@h is bad"})");
  EXPECT_EQ(client_.PostDefinitions(body, options_).error().message,
            "POST /api/definitions: 400: the reason is in the broker's log");
}

TEST_F(ClientTest, ARefusedImportQuotesNoSecretOfTheDocument) {
  const base::Secret body(R"({"users":[{"name":"u","password":"hun\"ter2","password_hash":"abcd"}],
      "parameters":[{"name":"p","value":{"uris":["sesame+"],"n":5}}],
      "policies":[{"name":"q","value":"harmless"}]})");
  const auto told = [&](const std::string& reason) {
    Expect("POST /api/definitions").Answer(400, base::Dump(base::Json{{"reason", reason}}));
    const std::string message = client_.PostDefinitions(body, options_).error().message;
    return message.substr(message.find("400"));
  };
  const std::string withheld = "400: the reason is in the broker's log";
  EXPECT_EQ(told("bad harmless value 5"), "400: bad harmless value 5");
  EXPECT_EQ(told("bad hun\"ter2"), withheld);
  EXPECT_EQ(told(R"(bad <<"hun\"ter2">>)"), withheld);
  EXPECT_EQ(told("bad abcd!"), withheld);
  EXPECT_EQ(told("bad [sesame+]"), withheld);
  EXPECT_EQ(told(std::string(509, 'x') + "sesame+"), withheld) << "of which it would tell a part";
  EXPECT_EQ(told("bad <<104,117,110>>"), withheld);
}

TEST_F(ClientTest, APartThatFailsDoesNotHoldBackTheOthers) {
  Expect("GET /api/overview?*").Answer(200, Captured("3.10/overview.json"));
  Expect("GET /api/nodes?*").Answer(500, R"({"error":"internal_server_error"})");
  Expect("GET /api/vhosts?*").Answer(200, "[]");
  Expect("GET /api/users")
      .Answer(401, R"({"error":"not_authorised","reason":"Not administrator user"})");
  Expect("GET /api/permissions").Answer(200, "[");
  Expect("GET /api/policies").Answer(200, "[]");
  const BrokerView view = client_.Read({}, options_);
  EXPECT_TRUE(view.version);
  EXPECT_EQ(view.nodes.kind(), ErrorKind::kRetry);
  EXPECT_EQ(view.nodes.why(), "GET /api/nodes: 500 internal_server_error");
  EXPECT_TRUE(view.vhosts && view.vhosts->empty());
  EXPECT_EQ(view.users.kind(), ErrorKind::kDenied);
  EXPECT_THAT(view.users.why(), HasSubstr("Not administrator user"));
  EXPECT_THAT(view.permissions.why(), HasSubstr("ends in the middle"));
  EXPECT_EQ(view.topic_permissions.why(), "not asked yet");
  EXPECT_THAT(view.queues.why(), HasSubstr("cannot be judged: GET /api/nodes: 500"));
}

TEST_F(ClientTest, AnUnreachableBrokerIsAskedOnce) {
  Expect("GET /api/overview?*").Refuse();
  const BrokerView view = ReadAll();
  for (const std::string& why :
       {view.version.why(), view.nodes.why(), view.users.why(), view.topic_permissions.why()}) {
    EXPECT_EQ(why, "GET /api/overview: connection refused");
  }
  EXPECT_THAT(view.queues.why(), HasSubstr("connection refused"));
}

TEST_F(ClientTest, ABrokerThatHangsHalfWayIsNotAskedFurther) {
  Expect("GET /api/overview?*").Answer(200, Captured("3.10/overview.json"));
  Expect("GET /api/nodes?*").Answer(200, Captured("3.10/nodes.json"));
  Expect("GET /api/vhosts?*").Fail({.kind = ErrorKind::kRetry, .message = "deadline exceeded"});
  const BrokerView view = ReadAll();
  EXPECT_TRUE(view.nodes);
  EXPECT_EQ(view.policies.why(), "GET /api/vhosts: deadline exceeded");
}

TEST_F(ClientTest, AllRequestsOfALookShareItsDeadline) {
  ExpectCaptured("3.10/");
  options_.deadline += std::chrono::seconds(4);
  (void)ReadAll();
  for (const auto& call : broker_.seen()) EXPECT_EQ(call.deadline, options_.deadline);
}

TEST_F(ClientTest, ARequestedStopEndsTheLook) {
  std::stop_source stop;
  options_.stop = stop.get_token();
  Expect("GET /api/overview?*").Answer(200, Captured("3.10/overview.json"));
  Expect("GET /api/nodes?*").Open().Send("[").Do([&] { stop.request_stop(); }).Hold();
  const BrokerView view = ReadAll();
  EXPECT_EQ(view.nodes.kind(), ErrorKind::kCancelled);
  EXPECT_EQ(view.policies.kind(), ErrorKind::kCancelled);
}

TEST_F(ClientTest, WrongCredentialsAreToldApartFromMissingRights) {
  const auto get = [&](std::string body) {
    Expect("GET /api/users").Answer(401, std::move(body));
    return client_.GetUsers(options_).error();
  };
  EXPECT_TRUE(IsBadCredentials(get(R"({"error":"not_authorized","reason":"Login failed"})")));
  EXPECT_TRUE(IsBadCredentials(get(R"({"error":"not_authorized","reason":"Not_Authorized"})")));
  EXPECT_FALSE(
      IsBadCredentials(get(R"({"error":"not_authorised","reason":"Not administrator user"})")));
  EXPECT_FALSE(
      IsBadCredentials(get(R"({"error":"not_authorised","reason":"Not management user"})")));
}

TEST_F(ClientTest, WithWrongCredentialsNothingMoreIsAsked) {
  Expect("GET /api/overview?*")
      .Answer(401, R"({"error":"not_authorized","reason":"Login failed"})");
  const BrokerView view = ReadAll();
  EXPECT_EQ(view.users.kind(), ErrorKind::kDenied);
  EXPECT_EQ(view.version.kind(), ErrorKind::kDenied);
}

TEST_F(ClientTest, NamesWithAnyCharacterAreEscapedInPaths) {
  Expect("PUT /api/policies/%2F/a%20b%2F%C3%A9%3F%25")
      .WithBody(
          R"({"apply-to":"queues","definition":{"ha-mode":"exactly","ha-params":2},"pattern":"^q","priority":1})")
      .WithHeader("Content-Type", "application/json")
      .Answer(201);
  EXPECT_TRUE(client_.PutPolicy({.vhost = "/",
                                 .name = "a b/é?%",
                                 .pattern = "^q",
                                 .apply_to = "queues",
                                 .priority = 1,
                                 .definition = R"({"ha-params":2,"ha-mode":"exactly"})"},
                                options_));
  Expect("DELETE /api/permissions/v%2F1/u%40x").Answer(204);
  EXPECT_TRUE(client_.DeletePermission("u@x", "v/1", options_));
}

TEST_F(ClientTest, WritesEachKindOfThing) {
  Expect("PUT /api/cluster-name").WithBody(R"({"name":"rabbitcluster"})").Answer(204);
  EXPECT_TRUE(client_.PutClusterName("rabbitcluster", options_));
  Expect("PUT /api/vhosts/v")
      .WithBody(R"({"default_queue_type":"quorum","defaultqueuetype":"quorum",)"
                R"("description":"d","tags":"a,b"})")
      .Answer(201);
  EXPECT_TRUE(client_.PutVhost(
      {.name = "v", .description = "d", .tags = {"a", "b"}, .default_queue_type = "quorum"},
      options_));
  Expect("PUT /api/vhosts/w").WithBody(R"({"description":"","tags":""})").Answer(204);
  EXPECT_TRUE(client_.PutVhost({.name = "w"}, options_));
  Expect("PUT /api/users/root")
      .WithBody(R"({"hashing_algorithm":"alg","password_hash":"hash","tags":"administrator,b"})")
      .Answer(204);
  EXPECT_TRUE(client_.PutUser({.name = "root",
                               .tags = {"administrator", "b"},
                               .password_hash = base::Secret("hash"),
                               .hashing_algorithm = "alg"},
                              options_));
  Expect("PUT /api/permissions/%2F/root")
      .WithBody(R"({"configure":"^$","read":".*","write":"^$"})")
      .Answer(201);
  EXPECT_TRUE(client_.PutPermission({"root", "/", "^$", "^$", ".*"}, options_));
  Expect("PUT /api/topic-permissions/%2F/root")
      .WithBody(R"({"exchange":"amq.topic","read":"b","write":"a"})")
      .Answer(201);
  EXPECT_TRUE(client_.PutTopicPermission({"root", "/", "amq.topic", "a", "b"}, options_));
  Expect("PUT /api/operator-policies/%2F/o").Answer(201);
  EXPECT_TRUE(client_.PutOperatorPolicy(
      {.vhost = "/", .name = "o", .definition = R"({"max-length":1})"}, options_));
  for (const char* line : {"DELETE /api/vhosts/v", "DELETE /api/users/root",
                           "DELETE /api/topic-permissions/%2F/root/logs",
                           "DELETE /api/policies/%2F/p", "DELETE /api/operator-policies/%2F/o"}) {
    Expect(line).Answer(204);
  }
  EXPECT_TRUE(client_.DeleteVhost("v", options_));
  EXPECT_TRUE(client_.DeleteUser("root", options_));
  EXPECT_TRUE(client_.DeleteTopicPermission("root", "/", "logs", options_));
  EXPECT_TRUE(client_.DeletePolicy("/", "p", options_));
  EXPECT_TRUE(client_.DeleteOperatorPolicy("/", "o", options_));
}

TEST_F(ClientTest, AUserIsNeverWrittenWithoutAPasswordHash) {
  const auto put = client_.PutUser({.name = "root", .tags = {"administrator"}}, options_);
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(broker_.lines(), IsEmpty());
}

TEST_F(ClientTest, APolicyWithoutAProperDefinitionIsNotSent) {
  for (const char* definition : {"", "{}", "[]", "{"}) {
    EXPECT_FALSE(client_.PutPolicy({.vhost = "/", .name = "p", .definition = definition}, options_))
        << definition;
  }
  EXPECT_THAT(broker_.lines(), IsEmpty());
}

TEST_F(ClientTest, DeletingWhatIsNotThereIsSuccess) {
  Expect("DELETE /api/users/x").Answer(404, R"({"error":"Object Not Found","reason":"Not Found"})");
  EXPECT_TRUE(client_.DeleteUser("x", options_));
}

// The bodies are those of a 3.10.8.
TEST_F(ClientTest, TheBrokersReasonBecomesOneReadableLine) {
  const auto refusal = [&](int status, std::string body) {
    Expect("PUT /api/cluster-name").Answer(status, std::move(body));
    return client_.PutClusterName("x", options_).error();
  };
  const base::Error type = refusal(
      400,
      R"({"error":"bad_request","reason":"Validation failed\n\nha-mode=\"exactly\" takes an integer, &lt;&lt;\"2\"&gt;&gt; given\n"})");
  EXPECT_EQ(type.kind, ErrorKind::kInvalid);
  EXPECT_EQ(type.reason, "Validation failed ha-mode=\"exactly\" takes an integer, <<\"2\">> given");
  EXPECT_EQ(type.message, "PUT /api/cluster-name: 400 bad_request: " + type.reason);
  EXPECT_EQ(type.http_status, 400);
  EXPECT_EQ(
      refusal(
          400,
          R"({"error":"bad_request","reason":["invalid_regexp",[40],[[109,105,115,115,105,110,103,32,41],1]]})")
          .reason,
      "invalid_regexp ( missing ) 1");
  EXPECT_EQ(refusal(404, R"({"error":"not_found","reason":"vhost_not_found"})").kind,
            ErrorKind::kNotFound);
  EXPECT_EQ(refusal(500, "").kind, ErrorKind::kRetry);
  EXPECT_EQ(refusal(503, "<html>\x01 down</html>").reason, "<html> down</html>");
  EXPECT_EQ(refusal(302, "").kind, ErrorKind::kInternal);
  EXPECT_EQ(refusal(429, "").kind, ErrorKind::kThrottled);
  EXPECT_LT(refusal(400, std::string(100'000, 'x')).message.size(), 1000U);
}

TEST_F(ClientTest, AnEntryWithoutANameMakesThePartUnknown) {
  for (const char* body : {R"([{"tags":[]}])", R"([{"name":7}])", R"([{"name":"a"},{]})", "7"}) {
    Expect("GET /api/users").Answer(200, body);
    EXPECT_EQ(client_.GetUsers(options_).error().kind, ErrorKind::kInternal) << body;
  }
}

TEST_F(ClientTest, ListsAreSortedAndNullsAreLeftOut) {
  Expect("GET /api/nodes?*")
      .Answer(200, R"([{"name":"b","running":true,"type":"ram","partitions":["z","a"],
                        "mem_alarm":null,"disk_free_alarm":null},
                       {"name":"a","partitions":null,"mem_alarm":true,"disk_free_alarm":true,
                        "being_drained":true}])");
  EXPECT_EQ(*client_.GetNodes(options_),
            (std::vector<Node>{
                {.name = "a",
                 .mem_alarm = true,
                 .disk_free_alarm = true,
                 .being_drained = true,
                 .details_known = true},
                {.name = "b", .running = true, .type = NodeType::kRam, .partitions = {"a", "z"}}}));
}

TEST_F(ClientTest, TagsOfOldBrokersAreOneText) {
  Expect("GET /api/users").Answer(200, R"([{"name":"a","tags":"management,administrator"}])");
  EXPECT_THAT(client_.GetUsers(options_)->at(0).tags, ElementsAre("administrator", "management"));
}

TEST_F(ClientTest, AVhostSaysWhereItIsNotRunning) {
  Expect("GET /api/vhosts?*")
      .Answer(200,
              R"([{"name":"/","cluster_state":{"b":"stopped","a":"running","c":"nodedown"}}])");
  EXPECT_THAT(client_.GetVhosts(options_)->at(0).not_running_on, ElementsAre("b", "c"));
}

TEST_F(ClientTest, MoreNodesThanAreKeptMakeThePartUnknown) {
  std::string body = "[";
  for (std::size_t i = 0; i <= kMaxNodes; ++i) {
    body += (i == 0 ? "{\"name\":\"" : ",{\"name\":\"") + std::to_string(i) + "\"}";
  }
  Expect("GET /api/nodes?*").Answer(200, body + "]");
  EXPECT_THAT(client_.GetNodes(options_).error().message, HasSubstr("too many to keep"));
}

TEST_F(ClientTest, ReadsLimitsAndLeavesOutWhereThereAreNone) {
  Expect("GET /api/vhost-limits")
      .Answer(200, R"([{"vhost":"b","value":{"max-queues":0}},
                       {"vhost":"cleared up to 3.12","value":[]},
                       {"vhost":"cleared since","value":{}},
                       {"vhost":"below zero","value":{"max-queues":-1,"max-connections":-7}},
                       {"vhost":"a/%","value":{"max-queues":5,"max-connections":10,"max-x":1}}])")
      .CutEvery(5);
  EXPECT_EQ(
      *client_.GetVhostLimits(options_),
      (std::vector<VhostLimits>{{.vhost = "a/%", .max_connections = 10, .max_queues = 5},
                                {.vhost = "b", .max_connections = std::nullopt, .max_queues = 0}}));
  Expect("GET /api/user-limits")
      .Answer(200, R"([{"user":"u é","value":{"max-channels":3,"max-connections":null}},
                       {"user":"free","value":{"max-channels":-1}},
                       {"user":"app","value":{"max-connections":1}}])");
  EXPECT_EQ(*client_.GetUserLimits(options_),
            (std::vector<UserLimits>{
                {.user = "app", .max_connections = 1, .max_channels = std::nullopt},
                {.user = "u é", .max_connections = std::nullopt, .max_channels = 3}}));
}

// The broker takes integers of any length.
TEST_F(ClientTest, ALimitThatNoNumberHoldsIsTheGreatest) {
  Expect("GET /api/vhost-limits")
      .Answer(200, R"([{"vhost":"v","value":{"max-queues":18446744073709551615,
                        "max-connections":100000000000000000000000}},
                       {"vhost":"w","value":{"max-queues":-100000000000000000000000}}])");
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(
      *client_.GetVhostLimits(options_),
      (std::vector<VhostLimits>{{.vhost = "v", .max_connections = kMost, .max_queues = kMost}}));
}

TEST_F(ClientTest, LimitsThatCannotBeUnderstoodAreUnknownAndNotAbsent) {
  for (const char* body :
       {R"([{"value":{}}])", R"([{"vhost":"v"}])", R"([{"vhost":"v","value":7}])",
        R"([{"vhost":"v","value":null}])", R"([{"vhost":"v","value":[1]}])",
        R"([{"vhost":"v","value":{"max-queues":"5"}}])",
        R"([{"vhost":"v","value":{"max-connections":true}}])", R"([{"vhost":"v","value":{}})", "{}",
        "null", ""}) {
    Expect("GET /api/vhost-limits").Answer(200, body);
    const auto limits = client_.GetVhostLimits(options_);
    ASSERT_FALSE(limits) << body;
    EXPECT_EQ(limits.error().kind, ErrorKind::kInternal) << body;
  }
  for (const char* body : {R"([{"vhost":"v","value":{}}])", R"([{"user":"u","value":"x"}])",
                           R"([{"user":"u","value":{"max-channels":[]}}])"}) {
    Expect("GET /api/user-limits").Answer(200, body);
    EXPECT_FALSE(client_.GetUserLimits(options_)) << body;
  }
}

TEST_F(ClientTest, MoreLimitsThanAreKeptMakeThePartUnknown) {
  std::string body = "[";
  for (std::size_t i = 0; i <= kMaxVhosts; ++i) {
    body += (i == 0 ? R"({"vhost":")" : R"(,{"vhost":")") + std::to_string(i) + R"(","value":{}})";
  }
  Expect("GET /api/vhost-limits").Answer(200, body + "]");
  EXPECT_THAT(client_.GetVhostLimits(options_).error().message, HasSubstr("too many to keep"));
}

// 3.8.9 takes /api/user-limits for a file of its pages: 406 to who accepts JSON only, else 404.
TEST_F(ClientTest, ABrokerWithoutLimitsOfUsersIsToldApart) {
  for (const int status : {404, 406}) {
    Expect("GET /api/user-limits").WithHeader("Accept", "application/json").Answer(status);
    EXPECT_EQ(client_.GetUserLimits(options_).error().kind, ErrorKind::kNotFound) << status;
  }
  Expect("GET /api/user-limits").Answer(500);
  EXPECT_EQ(client_.GetUserLimits(options_).error().kind, ErrorKind::kRetry);
}

TEST_F(ClientTest, CountsTheQueuesOfAVhostWithoutReadingThem) {
  Expect("GET /api/queues/a%20b%2F%25?page=1&page_size=1&columns=name")
      .Answer(200, R"({"total_count":100000,"item_count":1,"filtered_count":100000,"page":1,
                       "page_size":1,"page_count":100000,"items":[{"name":"q"}]})");
  EXPECT_EQ(*client_.CountQueues("a b/%", options_), 100'000U);
  Expect("GET /api/queues/%2F?*").Answer(200, R"({"total_count":0,"items":[]})");
  EXPECT_EQ(*client_.CountQueues("/", options_), 0U);
  Expect("GET /api/queues/gone?*")
      .Answer(404, R"({"error":"Object Not Found","reason":"Not Found"})");
  EXPECT_EQ(*client_.CountQueues("gone", options_), 0U);
}

TEST_F(ClientTest, ACountThatIsNotToldIsNeverNone) {
  for (const char* body : {"", "[]", "{}", R"({"total_count":null})", R"({"total_count":-1})",
                           R"({"total_count":"0"})", R"({"total_count":0)"}) {
    Expect("GET /api/queues/v?*").Answer(200, body);
    EXPECT_FALSE(client_.CountQueues("v", options_)) << body;
  }
  for (const int status : {204, 401, 500, 503}) {
    Expect("GET /api/queues/v?*").Answer(status, R"({"error":"e","reason":"r"})");
    EXPECT_FALSE(client_.CountQueues("v", options_)) << status;
  }
  // Of something in between that is not the broker.
  for (const char* body : {"", "<html>no such host</html>", R"({"total_count":0})"}) {
    Expect("GET /api/queues/v?*").Answer(404, body);
    const auto count = client_.CountQueues("v", options_);
    ASSERT_FALSE(count) << body;
    EXPECT_THAT(count.error().message, testing::StartsWith("GET /api/queues/v: 404"));
  }
  Expect("GET /api/queues/v?*").Refuse();
  EXPECT_EQ(client_.CountQueues("v", options_).error().kind, ErrorKind::kRetry);
}

TEST_F(ClientTest, LimitsAreWrittenOneByOneAndNamesAreEscaped) {
  Expect("PUT /api/vhost-limits/a%20b%2F%25/max-connections")
      .WithHeader("Accept", "*/*")
      .WithBody(R"({"value":10})")
      .Answer(204);
  EXPECT_TRUE(client_.PutVhostLimit("a b/%", kMaxConnections, 10, options_));
  Expect("PUT /api/vhost-limits/%2F/max-queues").WithBody(R"({"value":0})").Answer(204);
  EXPECT_TRUE(client_.PutVhostLimit("/", kMaxQueues, 0, options_));
  Expect("DELETE /api/vhost-limits/%2F/max-queues").Answer(204);
  EXPECT_TRUE(client_.DeleteVhostLimit("/", kMaxQueues, options_));
  Expect("PUT /api/user-limits/u%40x%2F1/max-channels")
      .WithBody(R"({"value":9223372036854775807})")
      .Answer(204);
  EXPECT_TRUE(client_.PutUserLimit("u@x/1", kMaxChannels, std::numeric_limits<std::int64_t>::max(),
                                   options_));
  Expect("DELETE /api/user-limits/u%40x%2F1/max-connections").Answer(404);
  EXPECT_TRUE(client_.DeleteUserLimit("u@x/1", kMaxConnections, options_));
}

TEST_F(ClientTest, ALimitThatIsRefusedSaysWhy) {
  Expect("PUT /api/vhost-limits/v/max-queues")
      .Answer(404, R"({"error":"not_found","reason":"vhost_not_found"})");
  EXPECT_EQ(client_.PutVhostLimit("v", kMaxQueues, 1, options_).error().kind, ErrorKind::kNotFound);
  const std::string reason =
      "cannot set any user limits: the user_limits feature flag is not enabled";
  Expect("PUT /api/user-limits/u/max-channels")
      .Answer(400, R"({"error":"bad_request","reason":")" + reason + "\"}");
  const auto put = client_.PutUserLimit("u", kMaxChannels, 1, options_);
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(put.error().reason, reason);
  // What brokers before 3.12.1 say when the vhost is not there.
  Expect("DELETE /api/vhost-limits/v/max-queues").Answer(500);
  EXPECT_EQ(client_.DeleteVhostLimit("v", kMaxQueues, options_).error().kind, ErrorKind::kRetry);
}

TEST_F(ClientTest, ThePermissionsOnOneTopicExchangeGoWithoutTheOthers) {
  Expect("DELETE /api/topic-permissions/a%2Fb/u%201/x%25y").Answer(204);
  EXPECT_TRUE(client_.DeleteTopicPermission("u 1", "a/b", "x%y", options_));
  Expect("DELETE /api/topic-permissions/v/u/amq.default").Answer(204);
  EXPECT_TRUE(client_.DeleteTopicPermission("u", "v", "", options_));
}

class LookAtLimitsTest : public ClientTest {
 protected:
  void ExpectWhatIsAlwaysAsked() {
    Expect("GET /api/overview?*").Answer(200, Captured("3.10/overview.json"));
    Expect("GET /api/nodes?*").Answer(200, Captured("3.10/nodes.json"));
    Expect("GET /api/vhosts?*").Answer(200, "[]");
  }
  const ViewParts limits_{
      .vhost_limits = true, .user_limits = true, .queues = false, .counted_apart = {"a", "b/%"}};
};

TEST_F(LookAtLimitsTest, ALookAsksForThemOnlyWhenTold) {
  ExpectWhatIsAlwaysAsked();
  Expect("GET /api/users").Answer(200, "[]");
  Expect("GET /api/permissions").Answer(200, "[]");
  Expect("GET /api/policies").Answer(200, "[]");
  const BrokerView view = client_.Read({.queues = false}, options_);
  EXPECT_EQ(view.vhost_limits.why(), "not asked yet");
  EXPECT_EQ(view.user_limits.why(), "not asked yet");
  EXPECT_THAT(view.vhost_queues, IsEmpty());
}

TEST_F(LookAtLimitsTest, ALookShowsThemAndThatTheBrokerIsTooOldForThoseOfUsers) {
  ExpectWhatIsAlwaysAsked();
  Expect("GET /api/vhost-limits").Answer(200, R"([{"vhost":"v","value":{"max-queues":1}}])");
  Expect("GET /api/users").Answer(200, "[]");
  Expect("GET /api/user-limits").Answer(406);
  Expect("GET /api/permissions").Answer(200, "[]");
  Expect("GET /api/policies").Answer(200, "[]");
  Expect("GET /api/queues/a?*").Answer(200, R"({"total_count":3})");
  Expect("GET /api/queues/b%2F%25?*").Answer(500);
  const BrokerView view = client_.Read(limits_, options_);
  EXPECT_EQ(view.vhost_limits->at(0).max_queues, 1);
  EXPECT_EQ(view.user_limits.kind(), ErrorKind::kNotFound);
  EXPECT_TRUE(view.policies);
  EXPECT_EQ(*view.vhost_queues.at("a"), 3U);
  EXPECT_FALSE(view.vhost_queues.at("b/%"));
  EXPECT_EQ(view.queues.why(), "not asked yet");
}

TEST_F(LookAtLimitsTest, WhenTheBrokerHangsTheyAreUnknown) {
  ExpectWhatIsAlwaysAsked();
  Expect("GET /api/vhost-limits").Fail({.kind = ErrorKind::kRetry, .message = "deadline exceeded"});
  const BrokerView view = client_.Read(limits_, options_);
  for (const std::string& why :
       {view.vhost_limits.why(), view.user_limits.why(), view.vhost_queues.at("a").why(),
        view.vhost_queues.at("b/%").why()}) {
    EXPECT_EQ(why, "GET /api/vhost-limits: deadline exceeded");
  }
}

class LookAtQueuesOfVhostsTest : public LookAtLimitsTest {
 protected:
  // A look up to the list of queues; what is answered to that is for the test to say.
  void ExpectUpToTheQueues() {
    ExpectWhatIsAlwaysAsked();
    Expect("GET /api/users").Answer(200, "[]");
    Expect("GET /api/permissions").Answer(200, "[]");
    Expect("GET /api/policies").Answer(200, "[]");
  }
};

TEST_F(LookAtQueuesOfVhostsTest, TheListOfAllTellsThemWithoutACallMore) {
  ExpectUpToTheQueues();
  Expect("GET /api/queues?*").Answer(200, R"([{"vhost":"a","name":"q","durable":true},
                       {"vhost":"a","name":"e","exclusive":true},
                       {"vhost":"a","name":"d","durable":true,"auto_delete":true,"state":"down"},
                       {"vhost":"other","name":"q","durable":true}])");
  const BrokerView view = client_.Read({.queues_of = {"a", "b"}}, options_);
  EXPECT_EQ(view.queues->all.total, 2U);
  EXPECT_EQ(view.vhost_queues.size(), 2U);
  EXPECT_EQ(*view.vhost_queues.at("a"), 3U) << "of any kind";
  EXPECT_EQ(*view.vhost_queues.at("b"), 0U);
}

TEST_F(LookAtQueuesOfVhostsTest, WhileTheListIsNotReadWholeNoVhostIsEmpty) {
  ExpectUpToTheQueues();
  Expect("GET /api/queues/b?*").Answer(200, R"({"total_count":7})");
  Expect("GET /api/queues?*").Answer(200, R"([{"vhost":"a","name":"q"},)");
  const BrokerView view =
      client_.Read({.queues_of = {"a", "b", "c"}, .counted_apart = {"b"}}, options_);
  ASSERT_FALSE(view.queues);
  EXPECT_EQ(view.vhost_queues.at("a").why(), view.queues.why());
  EXPECT_EQ(view.vhost_queues.at("a").kind(), view.queues.kind());
  EXPECT_EQ(*view.vhost_queues.at("b"), 7U);
  EXPECT_FALSE(view.vhost_queues.at("c"));
}

TEST_F(LookAtQueuesOfVhostsTest, WhenTheListCannotBeJudgedNoVhostIsEmpty) {
  ExpectWhatIsAlwaysAsked();
  Expect("GET /api/users").Answer(200, "[]");
  Expect("GET /api/permissions").Answer(200, "[]");
  Expect("GET /api/policies").Answer(500);
  const BrokerView view = client_.Read({.queues_of = {"a"}}, options_);
  EXPECT_THAT(view.vhost_queues.at("a").why(), HasSubstr("GET /api/policies: 500"));
}

TEST_F(ClientTest, ErrorsNeverHoldTheCredentials) {
  Expect("GET /api/users").Answer(401, R"({"error":"not_authorized","reason":"Login failed"})");
  const std::string message = client_.GetUsers(options_).error().message;
  EXPECT_THAT(message, Not(HasSubstr("pass:word")));
  EXPECT_THAT(message, Not(HasSubstr("cmFiYml0")));
}

}  // namespace
}  // namespace rabbit::rabbitmq
