#include "operator/act/executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/json.h"
#include "kube/credentials.h"
#include "operator/resources/own_user.h"
#include "rabbitmq/password_hash.h"
#include "test/fakes/scripted_transport.h"

namespace rabbit::act {
namespace {

using Outcome = report::StepResult::Outcome;

constexpr const char* kOurs =
    R"({"metadata":{"name":"c","namespace":"ns","uid":"s1","resourceVersion":"5",
    "labels":{"app.kubernetes.io/managed-by":"rabbit-operator","app.kubernetes.io/instance":"c"},
    "annotations":{"rabbitcluster.dev/applied-hash":"h1"},
    "ownerReferences":[{"kind":"RabbitCluster","name":"c","uid":"u1","controller":true}]},"spec":{}})";
constexpr const char* kExists =
    R"({"kind":"Status","status":"Failure","reason":"AlreadyExists","message":"exists","code":409})";

class ExecutorTest : public testing::Test {
 protected:
  ExecutorTest() {
    broker_.nodes = {{.pod = "c-node-0", .address = "10.0.0.1"},
                     {.pod = "c-node-1", .address = "10.0.0.2"}};
    broker_.user = "rabbit-operator";
    broker_.password = base::Secret("p");
  }

  Executed Execute(std::vector<plan::Step> steps) {
    plan::Plan plan;
    plan.steps = std::move(steps);
    return executor_.Execute({"ns", "c"}, "u1", plan, broker_,
                             clock_.Now() + std::chrono::minutes(1), {});
  }
  static plan::Step CreateService() {
    return {.action = plan::CreateObject{kube::kServices, "c", "{}"}, .reason = "does not exist"};
  }
  static plan::Step NameIt() {
    return {.action = plan::PutClusterName{"rabbit"}, .reason = "differs"};
  }
  fakes::ScriptedTransport::Call& ExpectCreate() {
    return api_.Expect("POST /api/v1/namespaces/ns/services*");
  }
  fakes::ScriptedTransport::Call& ExpectRead() {
    return api_.Expect("GET /api/v1/namespaces/ns/services/c");
  }

  class Forward final : public http::Transport {
   public:
    explicit Forward(http::Transport& to) : to_(to) {}
    base::Result<http::Response> Send(const http::Request& request,
                                      const http::CallOptions& options) override {
      return to_.Send(request, options);
    }
    base::Result<void> Stream(const http::Request& request, const http::CallOptions& options,
                              http::BodySink& sink) override {
      return to_.Stream(request, options, sink);
    }

   private:
    http::Transport& to_;
  };

  base::ManualClock clock_;
  base::SequenceRandom random_;
  fakes::ScriptedTransport api_;
  std::map<std::string, fakes::ScriptedTransport> nodes_;
  kube::StaticCredentials credentials_;
  kube::Client client_{api_, credentials_, nullptr};
  observe::Connections connections_{
      [this](const std::string& address,
             std::uint16_t) -> base::Result<std::unique_ptr<http::Transport>> {
        return std::make_unique<Forward>(nodes_[address]);
      }};
  observe::BrokerTarget broker_;
  runtime::Fence fence_;  // open
  std::vector<std::string> commands_;
  std::vector<std::string> command_;  // the last one, and its standard input
  std::string input_;
  int exit_code_ = 0;
  std::string errors_;
  Executor executor_{client_,
                     connections_,
                     [this](const kube::ObjectKey& pod, const std::string& container,
                            const std::vector<std::string>& command, const base::Secret& input,
                            const http::CallOptions&) -> base::Result<kube::ExecResult> {
                       commands_.push_back(pod.name + "/" + container + ": " + command.front());
                       command_ = command;
                       input_ = std::string(input.Reveal());
                       return kube::ExecResult{.exit_code = exit_code_, .errors = errors_};
                     },
                     fence_,
                     clock_,
                     random_};
};

TEST_F(ExecutorTest, AHandedOverSecretIsPatchedAndRemembered) {
  api_.Expect("PATCH /api/v1/namespaces/ns/secrets/c-erlang-cookie*")
      .Answer(200, R"({"metadata": {"name": "c-erlang-cookie", "uid": "s1",
                       "labels": {"app.kubernetes.io/managed-by": "rabbit-operator"},
                       "ownerReferences": [{"uid": "u1", "controller": true,
                                            "kind": "RabbitCluster", "name": "c"}]}})");
  const Executed done =
      Execute({{.action = plan::ChangeSecret{"c-erlang-cookie", R"({"metadata": {"uid": "s1"}})"},
                .reason = "goes with the cluster"}});
  EXPECT_EQ(done.results[0].outcome, Outcome::kDone);
  EXPECT_EQ(done.secrets.at("c-erlang-cookie").owner_uid, "u1");
}

TEST_F(ExecutorTest, ACreatedChildIsRememberedAsTheServerAnsweredIt) {
  ExpectCreate().Answer(201, kOurs);
  const Executed done = Execute({CreateService()});
  EXPECT_EQ(done.results[0].outcome, Outcome::kDone);
  ASSERT_EQ(done.written.size(), 1U);
  EXPECT_EQ(done.written[0].child.uid, "s1");
  EXPECT_EQ(done.written[0].child.applied_hash, "h1");
}

TEST_F(ExecutorTest, ATakenNameIsAStrangersAndIsLeftAlone) {
  ExpectCreate().Answer(409, kExists);
  ExpectRead().Answer(200, R"({"metadata":{"name":"c","uid":"x"}})");
  const Executed done = Execute({CreateService()});
  EXPECT_EQ(done.results[0].outcome, Outcome::kFailed);
  ASSERT_EQ(done.strangers.size(), 1U);
  EXPECT_EQ(done.strangers.begin()->first.name, "c");
}

TEST_F(ExecutorTest, OurOwnObjectThatTheCacheHasNotShownIsNoStranger) {
  ExpectCreate().Answer(409, kExists);
  ExpectRead().Answer(200, kOurs);
  const Executed done = Execute({CreateService()});
  EXPECT_EQ(done.results[0].error.value().kind, base::ErrorKind::kConflict);
  EXPECT_TRUE(done.strangers.empty());
  // Nor will it ever show it, where somebody took the labels off: the next plan goes on with it.
  ASSERT_EQ(done.written.size(), 1U);
  EXPECT_EQ(done.written[0].child.uid, "s1");
  EXPECT_EQ(done.written[0].child.applied_hash, "") << "it was not compared";
}

TEST_F(ExecutorTest, OurOwnObjectIsTheClustersWhateverItsLabelsSay) {
  ExpectCreate().Answer(409, kExists);
  ExpectRead().Answer(200, R"({"metadata":{"name":"c","namespace":"ns","uid":"s1",
    "labels":{"app.kubernetes.io/instance":"other"},
    "ownerReferences":[{"kind":"RabbitCluster","name":"c","uid":"u1","controller":true}]}})");
  const Executed done = Execute({CreateService()});
  EXPECT_TRUE(done.strangers.empty());
  ASSERT_EQ(done.written.size(), 1U);
  EXPECT_EQ(done.written[0].cluster, (kube::ObjectKey{"ns", "c"}));
}

TEST_F(ExecutorTest, AFailedStepHoldsBackOnlyThoseThatNameIt) {
  ExpectCreate().Refuse();
  nodes_["10.0.0.1"].Expect("PUT /api/cluster-name").Answer(204);
  plan::Step after = NameIt();
  after.after = 0;
  const Executed done = Execute({CreateService(), after, NameIt()});
  EXPECT_EQ(done.results[0].outcome, Outcome::kFailed);
  EXPECT_EQ(done.results[1].outcome, Outcome::kSkipped);
  EXPECT_EQ(done.results[2].outcome, Outcome::kDone);
}

TEST_F(ExecutorTest, NothingIsWrittenWhenWeDoNotLead) {
  fence_.Shut();
  const Executed done = Execute({CreateService(), NameIt()});
  EXPECT_EQ(done.results[0].outcome, Outcome::kSkipped);
  EXPECT_EQ(done.results[1].outcome, Outcome::kSkipped);
  EXPECT_TRUE(api_.lines().empty());
}

TEST_F(ExecutorTest, AWriteEndsBeforeAnybodyElseMayLead) {
  runtime::Fence fence(std::chrono::seconds(5));
  fence.OpenUntil(clock_.Now() + std::chrono::seconds(2));
  Executor executor(client_, connections_, nullptr, fence, clock_, random_);
  ExpectCreate().Answer(201, kOurs);
  plan::Plan plan;
  plan.steps = {CreateService()};
  EXPECT_EQ(
      executor.Execute({"ns", "c"}, "u1", plan, broker_, clock_.Now() + std::chrono::minutes(1), {})
          .results[0]
          .outcome,
      Outcome::kDone);
  EXPECT_EQ(api_.seen().at(0).deadline, clock_.Now() + std::chrono::seconds(7));
}

TEST_F(ExecutorTest, NoCallOfAStepBeginsOnceTheFenceIsShut) {
  ExpectRead().Do([this] { fence_.Shut(); }).Answer(200, kOurs);
  // The real transport refuses a call whose deadline has passed: see its contract.
  api_.Expect("PATCH /api/v1/namespaces/ns/services/c*").Refuse();
  const Executed done = Execute(
      {{.action = plan::ApplyObject{kube::kServices, "c", "s1", "{}"}, .reason = "differs"}});
  EXPECT_EQ(done.results[0].outcome, Outcome::kFailed);
  EXPECT_GT(api_.seen().at(0).deadline, clock_.Now());
  EXPECT_LE(api_.seen().at(1).deadline, clock_.Now());
}

TEST_F(ExecutorTest, ABrokerCallGoesToNoFurtherNodeOnceTheFenceIsShut) {
  nodes_["10.0.0.1"].Otherwise([this](const http::Request&) -> base::Result<http::Response> {
    fence_.Shut();
    return base::Fail(base::ErrorKind::kRetry, "no answer");
  });
  const Executed done = Execute({NameIt()});
  EXPECT_EQ(done.results[0].outcome, Outcome::kFailed);
  EXPECT_TRUE(nodes_["10.0.0.2"].lines().empty());
}

TEST_F(ExecutorTest, NoStepBeginsAfterTheDeadline) {
  ExpectCreate().Do([this] { clock_.Advance(std::chrono::minutes(2)); }).Answer(201, kOurs);
  const Executed done = Execute({CreateService(), CreateService()});
  EXPECT_EQ(done.results[1].outcome, Outcome::kSkipped);
}

TEST_F(ExecutorTest, ABrokerCallGoesToTheNextNodeWhenOneIsDown) {
  nodes_["10.0.0.1"].Otherwise([](const http::Request&) -> base::Result<http::Response> {
    return base::Fail(base::ErrorKind::kRetry, "connection refused");
  });
  nodes_["10.0.0.2"].Expect("PUT /api/cluster-name").WithBodyContaining("rabbit").Answer(204);
  const Executed done = Execute({NameIt()});
  EXPECT_EQ(done.results[0].outcome, Outcome::kDone);
  EXPECT_TRUE(done.broker_written);
}

TEST_F(ExecutorTest, FurtherStepsBeginAtTheNodeThatAnsweredLast) {
  nodes_["10.0.0.1"].Otherwise([this](const http::Request&) -> base::Result<http::Response> {
    clock_.Advance(std::chrono::seconds(5));  // it accepts, and hangs
    return base::Fail(base::ErrorKind::kRetry, "deadline exceeded");
  });
  nodes_["10.0.0.2"].Expect("PUT /api/vhosts/a").Answer(400);  // a refusal is an answer
  nodes_["10.0.0.2"].Expect("PUT /api/cluster-name").Answer(204);
  nodes_["10.0.0.2"].Expect("PUT /api/cluster-name").Refuse();
  const Executed done =
      Execute({{.action = plan::PutVhost{"a"}, .reason = "does not exist"}, NameIt(), NameIt()});
  EXPECT_EQ(done.results[0].outcome, Outcome::kFailed);
  EXPECT_EQ(done.results[1].outcome, Outcome::kDone);
  EXPECT_EQ(nodes_["10.0.0.1"].lines().size(), 2U) << "once first, and once after the other failed";
}

TEST_F(ExecutorTest, ABrokerOfWhichNoNodeAnswersIsNotAskedByEachStep) {
  for (const char* node : {"10.0.0.1", "10.0.0.2"}) {
    nodes_[node].Otherwise([this](const http::Request&) -> base::Result<http::Response> {
      clock_.Advance(std::chrono::seconds(5));
      return tl::unexpected(base::Error{.kind = base::ErrorKind::kRetry,
                                        .message = "deadline exceeded",
                                        .sent = base::Sent::kMaybe});
    });
  }
  // A vhost is left to the node that may still be at it, so each of these asks one node only.
  const plan::Step vhost{.action = plan::PutVhost{"a"}, .reason = "does not exist"};
  EXPECT_EQ(Execute({vhost, vhost, vhost, NameIt()}).results[2].outcome, Outcome::kSkipped);
  EXPECT_EQ(nodes_["10.0.0.1"].lines().size() + nodes_["10.0.0.2"].lines().size(), 2U);
  // One call alone may be slow because of what it asks for.
  const Executed done = Execute({NameIt(), NameIt(), NameIt()});
  EXPECT_EQ(done.results[1].outcome, Outcome::kFailed);
  EXPECT_EQ(done.results[2].outcome, Outcome::kSkipped);
}

TEST_F(ExecutorTest, ACallWhoseAnswerWasLostMayHaveBeenDone) {
  const struct {
    base::Result<http::Response> answer;
    bool may_be_done;
  } rows[] = {
      {tl::unexpected(base::Error{
           .kind = base::ErrorKind::kRetry, .message = "timeout", .sent = base::Sent::kMaybe}),
       true},
      {http::Response{.status = 503, .headers = {}, .body = "{}"}, true},
      {tl::unexpected(base::Error{.kind = base::ErrorKind::kRetry, .message = "refused"}), false},
      {http::Response{.status = 404, .headers = {}, .body = "{}"}, false},
  };
  for (const auto& row : rows) {
    for (const char* node : {"10.0.0.1", "10.0.0.2"}) {
      nodes_[node].Otherwise([&](const http::Request&) { return row.answer; });
    }
    const Executed done = Execute({NameIt()});
    EXPECT_EQ(done.results[0].outcome, Outcome::kFailed);
    EXPECT_EQ(done.broker_written, row.may_be_done) << done.results[0].error.value().message;
  }
}

TEST_F(ExecutorTest, WhatTheBrokerRefusesIsNotTriedAtTheNextNode) {
  nodes_["10.0.0.1"]
      .Expect("PUT /api/policies/*")
      .Answer(400, R"({"error":"bad_request","reason":"Validation failed"})");
  const Executed done = Execute({{.action = plan::PutPolicy{.vhost = "/",
                                                            .name = "half",
                                                            .pattern = "x",
                                                            .apply_to = "queues",
                                                            .definition = R"({"max-length":1})"},
                                  .reason = "differs"}});
  EXPECT_EQ(done.results[0].error.value().kind, base::ErrorKind::kInvalid);
  EXPECT_NE(done.results[0].error.value().message.find("Validation failed"), std::string::npos);
  EXPECT_FALSE(done.broker_written);
}

TEST_F(ExecutorTest, ASecretIsCreatedWithRandomValuesThatAreLearnt) {
  api_.Expect("POST /api/v1/namespaces/ns/secrets*")
      .WithBodyContaining("\"cookie\"")
      .Answer(201, R"({"metadata":{"name":"c-erlang-cookie","uid":"k1",
        "labels":{"app.kubernetes.io/managed-by":"rabbit-operator"}},"data":{"cookie":"YWJj"}})");
  const Executed done = Execute({{.action = plan::CreateSecretOnce{.name = "c-erlang-cookie",
                                                                   .body = R"({"metadata":{}})",
                                                                   .random = {{"cookie", 32}}},
                                  .reason = "does not exist"}});
  EXPECT_EQ(done.results[0].outcome, Outcome::kDone);
  EXPECT_EQ(done.secrets.at("c-erlang-cookie").data.at("cookie"), base::Secret("abc"));
}

TEST_F(ExecutorTest, ASecretThatIsThereIsReadNotWritten) {
  api_.Expect("POST /api/v1/namespaces/ns/secrets*").Answer(409, kExists);
  api_.Expect("GET /api/v1/namespaces/ns/secrets/c-erlang-cookie")
      .Answer(200, R"({"metadata":{"name":"c-erlang-cookie","uid":"k0",
        "labels":{"app.kubernetes.io/managed-by":"rabbit-operator"}},"data":{"cookie":"b2xk"}})");
  const Executed done = Execute({{.action = plan::CreateSecretOnce{.name = "c-erlang-cookie",
                                                                   .body = R"({"metadata":{}})",
                                                                   .random = {{"cookie", 32}}},
                                  .reason = "not known"}});
  EXPECT_EQ(done.secrets.at("c-erlang-cookie").data.at("cookie"), base::Secret("old"));
}

TEST_F(ExecutorTest, ASecretThatAnEarlierClusterTakesAlongIsNotTakenForOurs) {
  const auto create_over_one_of = [this](const std::string& owner_uid) {
    api_.Expect("POST /api/v1/namespaces/ns/secrets*").Answer(409, kExists);
    api_.Expect("GET /api/v1/namespaces/ns/secrets/c-erlang-cookie")
        .Answer(200, R"({"metadata":{"name":"c-erlang-cookie","uid":"k0",
          "labels":{"app.kubernetes.io/managed-by":"rabbit-operator",
                    "app.kubernetes.io/instance":"c"},
          "ownerReferences":[{"apiVersion":"rabbitcluster.dev/v1beta1","kind":"RabbitCluster",
            "name":"c","controller":true,"uid":")" +
                         owner_uid + R"("}]},"data":{"cookie":"b2xk"}})");
    return Execute({{.action = plan::CreateSecretOnce{.name = "c-erlang-cookie",
                                                      .body = R"({"metadata":{}})",
                                                      .random = {{"cookie", 32}}},
                     .reason = "not known"}});
  };
  EXPECT_EQ(create_over_one_of("u1").results[0].outcome, Outcome::kDone);
  const Executed before = create_over_one_of("u0");
  EXPECT_EQ(before.results[0].error.value().kind, base::ErrorKind::kConflict);
  EXPECT_TRUE(before.secrets.empty());
}

TEST_F(ExecutorTest, OurPostEntryBecomesAnApplyEntryBeforeTheApply) {
  ExpectRead().Answer(200, R"({"metadata":{"name":"c","uid":"s1","managedFields":[
    {"manager":"kubectl","operation":"Update"},{"manager":"rabbit-operator","operation":"Update"}]}})");
  api_.Expect("PATCH /api/v1/namespaces/ns/services/c*")
      .WithHeader("Content-Type", "application/json-patch+json")
      .WithBodyContaining("/metadata/managedFields/1/operation")
      .Answer(200, kOurs);
  api_.Expect("PATCH /api/v1/namespaces/ns/services/c*")
      .WithBodyContaining(R"("uid":"s1")")
      .Answer(200, kOurs);
  const Executed done = Execute(
      {{.action = plan::ApplyObject{kube::kServices, "c", "s1", "{}"}, .reason = "differs"}});
  EXPECT_EQ(done.results[0].outcome, Outcome::kDone);
  EXPECT_EQ(done.written.size(), 1U);
}

TEST_F(ExecutorTest, AListThatSomebodyMadeInvalidIsReplacedWhole) {
  ExpectRead().Answer(200, kOurs);
  api_.Expect("PATCH /api/v1/namespaces/ns/services/c*")
      .WithHeader("Content-Type", "application/apply-patch+yaml")
      .Answer(422, R"({"kind":"Status","status":"Failure","reason":"Invalid",
        "message":"spec.ports[1].name: Duplicate value","code":422})");
  api_.Expect("PATCH /api/v1/namespaces/ns/services/c*")
      .WithHeader("Content-Type", "application/merge-patch+json")
      .WithBodyContaining(R"("uid":"s1")")
      .Answer(200, kOurs);
  api_.Expect("PATCH /api/v1/namespaces/ns/services/c*")
      .WithHeader("Content-Type", "application/apply-patch+yaml")
      .Answer(200, kOurs);
  const Executed done = Execute(
      {{.action = plan::ApplyObject{kube::kServices, "c", "s1", "{}", /*replace_lists=*/true},
        .reason = "was changed by hand"}});
  EXPECT_EQ(done.results[0].outcome, Outcome::kDone);
}

TEST_F(ExecutorTest, AnApplyOntoAnotherVersionThanTheOneSeenIsAConflictAndIsNotRepeated) {
  ExpectRead().Answer(200, kOurs);
  api_.Expect("PATCH /api/v1/namespaces/ns/services/c*")
      .WithBodyContaining(R"("resourceVersion":"4","uid":"s1")")
      .Answer(409, R"({"kind":"Status","status":"Failure","reason":"Conflict",
        "message":"the object has been modified","code":409})");
  const Executed done =
      Execute({{.action = plan::ApplyObject{kube::kServices, "c", "s1",
                                            R"({"metadata":{"resourceVersion":"4"}})"},
                .reason = "differs"}});
  EXPECT_EQ(done.results[0].error.value().kind, base::ErrorKind::kConflict);
}

TEST_F(ExecutorTest, EachStepAtTheBrokerIsItsCall) {
  using rabbitmq::PolicyKind;
  const plan::PutPolicy policy{.vhost = "/",
                               .name = "p",
                               .pattern = "x",
                               .apply_to = "queues",
                               .priority = 1,
                               .definition = R"({"max-length":1})"};
  plan::PutPolicy operators = policy;
  operators.kind = PolicyKind::kOperator;
  const struct {
    plan::Action action;
    const char* call;
    const char* body_part;
  } rows[] = {
      {plan::PutVhost{"v w", "d", {"t"}, "quorum"}, "PUT /api/vhosts/v%20w",
       R"("description":"d","tags":"t")"},
      {plan::PutVhost{"v"}, "PUT /api/vhosts/v", R"({"description":"","tags":""})"},
      {plan::DeleteVhost{"v", false}, "DELETE /api/vhosts/v", ""},
      {plan::PutVhostLimit{"v", "max-queues", 5}, "PUT /api/vhost-limits/v/max-queues",
       R"({"value":5})"},
      {plan::DeleteVhostLimit{"v", "max-queues"}, "DELETE /api/vhost-limits/v/max-queues", ""},
      {plan::PutUserLimit{"u", "max-channels", 0}, "PUT /api/user-limits/u/max-channels",
       R"({"value":0})"},
      {plan::DeleteUserLimit{"u", "max-channels"}, "DELETE /api/user-limits/u/max-channels", ""},
      {plan::PutTopicPermission{"u", "/", "amq.topic", "^a", "^b"},
       "PUT /api/topic-permissions/%2F/u", R"({"exchange":"amq.topic","read":"^b","write":"^a"})"},
      {plan::DeleteTopicPermission{"u", "/", "x"}, "DELETE /api/topic-permissions/%2F/u/x", ""},
      {policy, "PUT /api/policies/%2F/p", R"("priority":1)"},
      {plan::EnableFlag{"f"}, "PUT /api/feature-flags/f/enable", "{}"},
      {plan::ImportDefinitions{
           "ConfigMap d", "vhosts", 1, {{"vhost v", base::Secret(R"({"vhosts":[]})")}}},
       "POST /api/definitions", R"({"vhosts":[]})"},
      {operators, "PUT /api/operator-policies/%2F/p", R"("priority":1)"},
      {plan::DeletePolicy{"/", "p"}, "DELETE /api/policies/%2F/p", ""},
      {plan::DeletePolicy{"/", "p", PolicyKind::kOperator}, "DELETE /api/operator-policies/%2F/p",
       ""},
  };
  for (const auto& [action, call, body_part] : rows) {
    SCOPED_TRACE(call);
    nodes_["10.0.0.1"].Expect(call).WithBodyContaining(body_part).Answer(204);
    const Executed done = Execute({{.action = action, .reason = "differs"}});
    EXPECT_EQ(done.results[0].outcome, Outcome::kDone);
    EXPECT_TRUE(done.broker_written);
  }
}

class ImportTest : public ExecutorTest {
 protected:
  auto& Expect(const std::string& entry) {
    return nodes_["10.0.0.1"].Expect("POST /api/definitions").WithBodyContaining(entry);
  }
  report::StepResult Import() {
    plan::ImportDefinitions step{"ConfigMap d", "policies", 3, {}};
    for (const char* entry : {"one", "two", "three"}) {
      step.parts.push_back({"policy " + std::string(entry), base::Secret(entry)});
    }
    return Execute({{.action = step, .reason = "are missing"}}).results[0];
  }
};

TEST_F(ImportTest, WhatIsRefusedHoldsBackNothingElseAndIsNamed) {
  Expect("one").Answer(400, R"({"reason":"no"})");
  Expect("two").Answer(204);
  Expect("three").Answer(400, R"({"reason":"nor this"})");
  const auto result = Import();
  EXPECT_EQ(result.error.value().kind, base::ErrorKind::kInvalid);
  EXPECT_EQ(result.error.value().message,
            "import definitions of ConfigMap d: policies (3 entries): policy one: POST "
            "/api/definitions: 400: no (and 1 more)");
}

TEST_F(ImportTest, WhatIsNotAnsweredEndsItAndIsNoRefusal) {
  Expect("one").Answer(204);
  Expect("two").Refuse(base::Sent::kMaybe);
  EXPECT_EQ(Import().error.value().kind, base::ErrorKind::kRetry);
}

TEST_F(ImportTest, WhatIsNotAnsweredAfterARefusalIsNoRefusalOfAllAndBothAreTold) {
  Expect("one").Answer(400, R"({"reason":"no"})");
  Expect("two").Refuse(base::Sent::kMaybe);
  const auto result = Import();
  EXPECT_EQ(result.error.value().kind, base::ErrorKind::kRetry);
  EXPECT_THAT(result.error.value().message,
              testing::EndsWith("; before that: policy one: POST /api/definitions: 400: no"));
}

TEST_F(ImportTest, AnEntryThatTheBrokerFailsAtHoldsBackNoOtherAndIsNoRefusal) {
  Expect("one").Answer(500, "{}");
  nodes_["10.0.0.2"].Expect("POST /api/definitions").WithBodyContaining("one").Answer(500, "{}");
  Expect("two").Answer(204);
  Expect("three").Answer(400, R"({"reason":"nor this"})");
  const auto result = Import();
  EXPECT_EQ(result.error.value().kind, base::ErrorKind::kRetry);
  EXPECT_THAT(result.error.value().message, testing::HasSubstr("policy one: POST"));
}

class DeleteIfEmptyTest : public ExecutorTest {
 protected:
  fakes::ScriptedTransport::Call& ExpectCount(const std::string& node = "10.0.0.1") {
    return nodes_[node].Expect("GET /api/queues/v?*");
  }
  Executed Delete() {
    return Execute({{.action = plan::DeleteVhost{"v", true}, .reason = "is no longer declared"}});
  }
};

TEST_F(DeleteIfEmptyTest, AVhostIsDeletedWhenItStillHasNoQueue) {
  ExpectCount().Answer(200, R"({"total_count":0,"items":[]})");
  nodes_["10.0.0.1"].Expect("DELETE /api/vhosts/v").Answer(204);
  EXPECT_EQ(Delete().results[0].outcome, Outcome::kDone);
}

TEST_F(DeleteIfEmptyTest, AVhostWithAQueueByNowStaysAndIsLookedAtAgain) {
  ExpectCount().Answer(200, R"({"total_count":2,"items":[]})");
  const Executed done = Delete();
  EXPECT_EQ(done.results[0].error.value().kind, base::ErrorKind::kConflict);
  EXPECT_EQ(done.results[0].error.value().message,
            "delete vhost v: it is not empty any more: 2 queues");
  EXPECT_FALSE(done.broker_written);
}

TEST_F(DeleteIfEmptyTest, AVhostWhoseQueuesCannotBeCountedStays) {
  ExpectCount().Answer(500, "{}");
  ExpectCount("10.0.0.2").Answer(200, "garbage");
  EXPECT_EQ(Delete().results[0].outcome, Outcome::kFailed);
}

TEST_F(DeleteIfEmptyTest, EachNodeThatIsToDeleteItCountsFirst) {
  ExpectCount().Answer(200, R"({"total_count":0,"items":[]})");
  nodes_["10.0.0.1"].Expect("DELETE /api/vhosts/v").Answer(503, "{}");
  ExpectCount("10.0.0.2").Answer(200, R"({"total_count":1,"items":[]})");
  EXPECT_EQ(Delete().results[0].outcome, Outcome::kFailed);
}

TEST_F(DeleteIfEmptyTest, ANodeThatDoesNotAnswerTheCountHasDeletedNothing) {
  ExpectCount().Refuse(base::Sent::kYes);
  ExpectCount("10.0.0.2").Answer(200, R"({"total_count":0,"items":[]})");
  nodes_["10.0.0.2"].Expect("DELETE /api/vhosts/v").Answer(204);
  EXPECT_EQ(Delete().results[0].outcome, Outcome::kDone);
}

// Deleting a vhost with many queues takes its time, and goes on when nobody waits for it any more.
TEST_F(ExecutorTest, AVhostThatOneNodeMayStillBeAtIsLeftToThatNodeAndLookedAtAgain) {
  const std::pair<plan::Action, std::string> table[] = {
      {plan::DeleteVhost{"v", false}, "DELETE /api/vhosts/v"},
      {plan::PutVhost{"v"}, "PUT /api/vhosts/v"}};
  for (const auto& [action, call] : table) {
    SCOPED_TRACE(call);
    nodes_["10.0.0.1"].Expect(call).Refuse(base::Sent::kMaybe);
    const Executed done = Execute({{.action = action, .reason = "differs"}});
    EXPECT_EQ(done.results[0].outcome, Outcome::kFailed);
    EXPECT_TRUE(done.broker_written);
    EXPECT_TRUE(nodes_["10.0.0.2"].lines().empty());
  }
  EXPECT_EQ(nodes_["10.0.0.1"].seen().back().deadline, clock_.Now() + kLongestBrokerCall);
}

TEST_F(ExecutorTest, AVhostThatANodeSurelyDidNotGetIsTheNextNodes) {
  nodes_["10.0.0.1"].Expect("DELETE /api/vhosts/v").Refuse(base::Sent::kNo);
  nodes_["10.0.0.2"].Expect("DELETE /api/vhosts/v").Answer(204);
  const Executed done =
      Execute({{.action = plan::DeleteVhost{"v", false}, .reason = "is no longer declared"}});
  EXPECT_EQ(done.results[0].outcome, Outcome::kDone);
}

TEST_F(ExecutorTest, ACommandThatFailsIsAFailedStep) {
  exit_code_ = 3;
  const Executed done = Execute({{.action = plan::ExecInPod{.pod = "c-node-1",
                                                            .container = "prepare",
                                                            .command = {"/bin/sh"},
                                                            .input = base::Secret("v1")},
                                  .reason = "new node"}});
  EXPECT_EQ(commands_, std::vector<std::string>{"c-node-1/prepare: /bin/sh"});
  EXPECT_EQ(done.results[0].outcome, Outcome::kFailed);
}

TEST_F(ExecutorTest, TheOwnUserIsSetByAHashOnStandardInputAndTheBrokerIsLookedAtAgain) {
  const Executed done = Execute({{.action = plan::ResetOwnUser{"c-node-1", base::Secret("s3cret")},
                                  .reason = "the broker refuses it"}});
  EXPECT_EQ(commands_, std::vector<std::string>{"c-node-1/rabbitmq: /bin/sh"});
  EXPECT_EQ(command_, resources::ImportCommand());
  const auto definition = base::ParseJson(input_);
  ASSERT_TRUE(definition) << input_;
  const base::Json& user = (*definition)["users"][0];
  EXPECT_EQ(user["name"], "rabbit-operator");
  EXPECT_EQ(user["tags"], "administrator");
  EXPECT_TRUE(rabbitmq::PasswordMatches(base::Secret("s3cret"),
                                        base::Secret(user["password_hash"].get<std::string>()),
                                        user["hashing_algorithm"].get<std::string>()));
  EXPECT_EQ(input_.find("s3cret"), std::string::npos);
  EXPECT_EQ(input_.find('\n'), input_.size() - 1) << "it is read as one line";
  EXPECT_TRUE(done.broker_written);
}

TEST_F(ExecutorTest, PluginsAreSetInTheBrokersContainerAndTheBrokerIsLookedAtAgain) {
  const plan::Step set{.action = plan::SetPlugins{"c-node-1", {"a", "b"}}, .reason = "differ"};
  Executed done = Execute({set});
  EXPECT_EQ(commands_, std::vector<std::string>{"c-node-1/rabbitmq: /bin/sh"});
  EXPECT_EQ(done.results[0].outcome, Outcome::kDone);
  EXPECT_TRUE(done.broker_written);

  exit_code_ = 3;
  errors_ = "no such plugin: b\n";
  done = Execute({set});
  EXPECT_EQ(done.results[0].error->message,
            "enable plugins a and b in pod c-node-1: no such plugin: b");
  EXPECT_EQ(done.results[0].error->kind, base::ErrorKind::kInvalid) << "it is not mended by itself";

  exit_code_ = 1;
  errors_.clear();
  done = Execute({set});
  EXPECT_EQ(done.results[0].error->message, "enable plugins a and b in pod c-node-1: exit code 1");
  EXPECT_EQ(done.results[0].error->kind, base::ErrorKind::kRetry);
}

}  // namespace
}  // namespace rabbit::act
