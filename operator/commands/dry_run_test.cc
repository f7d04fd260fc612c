#include "operator/commands/dry_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "kube/credentials.h"
#include "test/fakes/scripted_transport.h"

namespace rabbit::commands {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST(ThreeWayMerge, WhatWasAppliedAndIsNoMoreGoesAndWhatOthersSaidStays) {
  struct Row {
    const char *what, *last, *declared, *live, *outcome;
  };
  for (const Row& row : {
           Row{"a change", R"({"a":1})", R"({"a":2})", R"({"a":1,"b":3})", R"({"a":2,"b":3})"},
           Row{"a removal", R"({"a":1,"b":2})", R"({"a":1})", R"({"a":1,"b":2,"c":3})",
               R"({"a":1,"c":3})"},
           Row{"below", R"({"s":{"a":1,"b":2}})", R"({"s":{"a":1}})",
               R"({"s":{"a":1,"b":2,"c":3}})", R"({"s":{"a":1,"c":3}})"},
           Row{"a whole map", R"({"s":{"a":1}})", R"({})", R"({"s":{"a":1,"c":3},"t":1})",
               R"({"t":1})"},
           Row{"null", R"({})", R"({"a":null})", R"({"a":1,"b":2})", R"({"b":2})"},
           Row{"lists are values", R"({"l":[1,2]})", R"({"l":[1]})", R"({"l":[1,2,3]})",
               R"({"l":[1]})"},
           Row{"another type", R"({"a":1})", R"({"a":{"b":1}})", R"({"a":1})", R"({"a":{"b":1}})"},
           Row{"kubectl's own note, which always has annotations",
               R"({"metadata":{"annotations":{},"name":"c"}})",
               R"({"metadata":{"annotations":{},"name":"c"}})",
               R"({"metadata":{"annotations":{"note":"x"},"name":"c"}})",
               R"({"metadata":{"annotations":{"note":"x"},"name":"c"}})"},
           Row{"never applied", R"({})", R"({"a":1})", R"({"a":0,"b":2})", R"({"a":1,"b":2})"},
       }) {
    EXPECT_EQ(
        ThreeWayMerge(json::parse(row.last), json::parse(row.declared), json::parse(row.live)),
        json::parse(row.outcome))
        << row.what;
  }
}

class DryRunTest : public testing::Test {
 protected:
  static std::string Live(const std::string& metadata) {
    return R"({"metadata":{"name":"c","namespace":"ns","uid":"u","resourceVersion":"7")" +
           metadata + R"(},"spec":{"replicas":3,"paused":true},"status":{"image":"i"}})";
  }
  base::Result<Applied> Ask() {
    return DryRunApply(client_, document_, {.deadline = base::TimePoint(std::chrono::hours(1))});
  }
  const Manifest::Document document_{
      {"ns", "c"},
      R"({"apiVersion":"rabbitcluster.dev/v1beta1","kind":"RabbitCluster",)"
      R"("metadata":{"name":"c","namespace":"ns"},"spec":{"replicas":5}})"};
  const std::string collection_ = "/apis/rabbitcluster.dev/v1beta1/namespaces/ns/rabbitclusters";
  fakes::ScriptedTransport server_;
  kube::StaticCredentials credentials_;
  kube::Client client_{server_, credentials_, nullptr};
};

TEST_F(DryRunTest, ANewOneIsCreated) {
  server_.Expect("GET " + collection_ + "/c").Answer(404, R"({"reason":"NotFound"})");
  server_
      .Expect("POST " + collection_ +
              "?fieldManager=kubectl-client-side-apply&dryRun=All&fieldValidation=Strict")
      .WithBody(document_.text)
      .Answer(201, "{\"new\":1}");
  const auto applied = Ask();
  ASSERT_TRUE(applied) << applied.error().message;
  EXPECT_EQ(applied->before, "");
  EXPECT_EQ(applied->after, "{\"new\":1}");
}

TEST_F(DryRunTest, WhatKubectlAppliedLastIsMerged) {
  const std::string live =
      Live(R"(,"managedFields":[{"manager":"x"}],"annotations":{)"
           R"("kubectl.kubernetes.io/last-applied-configuration":"{\"spec\":{\"paused\":true}}"})");
  server_.Expect("GET *").Answer(200, live);
  server_
      .Expect("PUT " + collection_ +
              "/c?fieldManager=kubectl-client-side-apply&dryRun=All&fieldValidation=Strict")
      .WithBodyContaining(R"("resourceVersion":"7")")
      .WithBodyContaining(R"("spec":{"replicas":5})")
      .Answer(200, "{}");
  const auto applied = Ask();
  ASSERT_TRUE(applied) << applied.error().message;
  EXPECT_EQ(applied->before, live);
  EXPECT_EQ(applied->note, "");
  EXPECT_EQ(server_.seen().at(1).request.body.find("managedFields"), std::string::npos);
}

TEST_F(DryRunTest, OfAnnotationsOnlyThoseGoThatWereAppliedLast) {
  // As kubectl writes it: annotations are there also when the file has none.
  const auto live = [](const std::string& applied) {
    const std::string last =
        R"({"apiVersion":"rabbitcluster.dev/v1beta1","kind":"RabbitCluster","metadata":{)"
        R"("annotations":{)" +
        applied + R"(},"name":"c","namespace":"ns"},"spec":{"replicas":5}})" + "\n";
    return Live(R"(,"annotations":{"a":"b","others":"stay",)"
                R"("kubectl.kubernetes.io/last-applied-configuration":)" +
                json(last).dump() + "}");
  };
  for (const bool mine : {false, true}) {
    const json before = json::parse(live(mine ? R"("a":"b")" : ""));
    server_.Expect("GET *").Answer(200, before.dump());
    server_.Expect("PUT *").Answer(200, "{}");
    ASSERT_TRUE(Ask());
    json expected = before;
    if (mine) expected["metadata"]["annotations"].erase("a");
    expected["spec"]["replicas"] = 5;
    expected["apiVersion"] = "rabbitcluster.dev/v1beta1";
    expected["kind"] = "RabbitCluster";
    EXPECT_EQ(json::parse(server_.seen().back().request.body), expected);
  }
}

TEST_F(DryRunTest, WhatSomebodyAppliesServerSideIsAppliedAsByThem) {
  server_.Expect("GET *").Answer(
      200,
      Live(R"(,"managedFields":[{"manager":"rabbit-operator","operation":"Apply"},)"
           R"({"manager":"other","operation":"Apply","subresource":"status"},)"
           R"({"manager":"edit","operation":"Update"},{"manager":"e2e","operation":"Apply"}])"));
  server_
      .Expect("PATCH " + collection_ +
              "/c?fieldManager=e2e&force=true&dryRun=All&fieldValidation=Strict")
      .WithHeader("Content-Type", "application/apply-patch+yaml")
      .WithBody(document_.text)
      .Answer(200, "{}");
  EXPECT_TRUE(Ask());
}

TEST_F(DryRunTest, WhereNobodyAppliedBeforeWhatIsLeftOutStaysAndThatIsSaid) {
  server_.Expect("GET *").Answer(200, Live(""));
  server_.Expect("PUT *").WithBodyContaining(R"("spec":{"paused":true,"replicas":5})").Answer(200);
  const auto applied = Ask();
  ASSERT_TRUE(applied) << applied.error().message;
  EXPECT_THAT(applied->note, HasSubstr("what the file leaves out stays"));
}

TEST_F(DryRunTest, WhatIsWrittenInBetweenIsReadAgainOnce) {
  const std::string conflict =
      R"({"message":"the object has been modified","reason":"Conflict","code":409})";
  const std::string later = json::parse(Live(""))
                                .patch(json::parse(R"([{"op":"replace",
          "path":"/metadata/resourceVersion","value":"8"}])"))
                                .dump();
  server_.Expect("GET *").Answer(200, Live(""));
  server_.Expect("PUT *").WithBodyContaining(R"("resourceVersion":"7")").Answer(409, conflict);
  server_.Expect("GET *").Answer(200, later);
  server_.Expect("PUT *").WithBodyContaining(R"("resourceVersion":"8")").Answer(200, "{}");
  const auto applied = Ask();
  ASSERT_TRUE(applied) << applied.error().message;
  EXPECT_EQ(applied->before, later);

  for (int i = 0; i < 2; ++i) {
    server_.Expect("GET *").Answer(200, Live(""));
    server_.Expect("PUT *").Answer(409, conflict);
  }
  const auto again = Ask();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, base::ErrorKind::kConflict);
}

TEST_F(DryRunTest, WhatIsMadeInBetweenIsNotNew) {
  server_.Expect("GET *").Answer(404, R"({"reason":"NotFound"})");
  server_.Expect("POST *").Answer(409, R"({"reason":"AlreadyExists"})");
  server_.Expect("GET *").Answer(200, Live(""));
  server_.Expect("PUT *").Answer(200, "{}");
  const auto applied = Ask();
  ASSERT_TRUE(applied) << applied.error().message;
  EXPECT_EQ(applied->before, Live(""));
}

TEST_F(DryRunTest, ARefusalIsTheServersWords) {
  server_.Expect("GET *").Answer(404, R"({"reason":"NotFound"})");
  server_.Expect("POST *").Answer(
      422, R"({"message":"spec.replicas: Invalid value: 100","reason":"Invalid","code":422})");
  const auto applied = Ask();
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().message, "422 Invalid: spec.replicas: Invalid value: 100");
}

TEST_F(DryRunTest, WhatCannotBeReadIsNotTakenForNew) {
  server_.Expect("GET *").Answer(403, R"({"message":"no","reason":"Forbidden"})");
  EXPECT_FALSE(Ask());
}

}  // namespace
}  // namespace rabbit::commands
