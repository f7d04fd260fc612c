#include "runtime/events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "kube/credentials.h"
#include "test/fakes/scripted_transport.h"

namespace rabbit::runtime {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr const char* kCreate = "POST /apis/events.k8s.io/v1/namespaces/ns/events*";
constexpr const char* kCount = "PATCH /apis/events.k8s.io/v1/namespaces/ns/events/rabbit.*";

Event About(const std::string& note) {
  return {{"rabbitcluster.dev/v1beta1", "RabbitCluster", {"ns", "rabbit"}, "u1"},
          true,
          "NameTaken",
          "Create",
          note};
}

class EventRecorderTest : public testing::Test {
 protected:
  EventRecorderTest() { fence_.OpenUntil(base::TimePoint::max()); }
  void Finish() {
    recorder_.Start();
    EXPECT_TRUE(recorder_.Stop(clock_.Now() + minutes(1)));
  }
  bool Counted(const std::string& result, int count) {
    const std::string line =
        "rabbit_operator_events_total{result=\"" + result + "\"} " + std::to_string(count) + "\n";
    return registry_.Text().find(line) != std::string::npos;
  }
  base::Json Body(std::size_t call) {
    return base::ParseJson(server_.seen().at(call).request.body).value();
  }

  base::RealClock clock_;
  fakes::ScriptedTransport server_;
  kube::StaticCredentials credentials_;
  kube::Client client_{server_, credentials_, nullptr};
  Registry registry_;
  Fence fence_{seconds(1)};
  EventRecorder recorder_{
      client_,
      fence_,
      clock_,
      registry_,
      base::NullLogger(),
      {.instance = "pod-1", .queue = 5, .between_tries = std::chrono::milliseconds(1)}};
};

TEST_F(EventRecorderTest, WritesWhatTheApiServerDemands) {
  server_.Expect(kCreate).Answer(201);
  recorder_.Record(About("Service rabbit belongs to somebody else"));
  Finish();
  base::Json body = Body(0);
  const std::string time = body["eventTime"];
  EXPECT_EQ(time.size(), std::string("2026-01-01T00:00:00.000000Z").size());
  body.erase("eventTime");
  EXPECT_EQ(body["metadata"]["name"].get<std::string>().substr(0, 7), "rabbit.");
  body["metadata"].erase("name");
  EXPECT_EQ(body, base::ParseJson(R"({
      "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"namespace": "ns"},
      "reportingController": "rabbitcluster.dev/operator", "reportingInstance": "pod-1",
      "regarding": {"apiVersion": "rabbitcluster.dev/v1beta1", "kind": "RabbitCluster",
                    "namespace": "ns", "name": "rabbit", "uid": "u1"},
      "type": "Warning", "reason": "NameTaken", "action": "Create",
      "note": "Service rabbit belongs to somebody else"})")
                      .value());
  EXPECT_TRUE(Counted("written", 1));
}

TEST_F(EventRecorderTest, AnEventWithoutAnActionGetsItsReasonForOne) {
  server_.Expect(kCreate).Answer(201);
  Event event = About("x");
  event.action.clear();
  recorder_.Record(event);
  Finish();
  EXPECT_EQ(base::FindString(Body(0), {"action"}), "NameTaken");
}

TEST_F(EventRecorderTest, ARepeatRaisesTheCount) {
  server_.Expect(kCreate).Answer(201);
  server_.Expect(kCount).Answer(200);
  recorder_.Record(About("x"));
  recorder_.Record(About("x"));
  Finish();
  const base::Json body = Body(1);
  EXPECT_EQ(base::FindInt(body, {"series", "count"}), 2);
  EXPECT_NE(base::FindString(body, {"series", "lastObservedTime"}), "");
}

TEST_F(EventRecorderTest, AnEventThatTheServerForgotIsMadeAnew) {
  server_.Expect(kCreate).Answer(201);
  server_.Expect(kCount).Answer(404, R"({"kind":"Status","reason":"NotFound"})");
  server_.Expect(kCreate).Answer(201);
  recorder_.Record(About("x"));
  recorder_.Record(About("x"));
  Finish();
  EXPECT_TRUE(Counted("written", 2));
}

TEST_F(EventRecorderTest, AFullQueueDropsAndNeverBlocks) {
  for (int i = 0; i < 7; ++i) recorder_.Record(About("note " + std::to_string(i)));
  EXPECT_TRUE(Counted("dropped", 2));
  for (int i = 0; i < 5; ++i) server_.Expect(kCreate).Answer(201);
  Finish();
  EXPECT_TRUE(Counted("written", 5));
}

TEST_F(EventRecorderTest, ARefusedEventIsCountedAndTheNextOneWritten) {
  server_.Expect(kCreate).Answer(403, R"({"kind":"Status","reason":"Forbidden"})");
  server_.Expect(kCreate).Answer(201);
  recorder_.Record(About("x"));
  recorder_.Record(About("y"));
  Finish();
  EXPECT_TRUE(Counted("failed", 1));
  EXPECT_TRUE(Counted("written", 1));
}

TEST_F(EventRecorderTest, AFailureOfTheServerIsTriedAgain) {
  server_.Expect(kCreate).Answer(500);
  server_.Expect(kCreate).Answer(201);
  recorder_.Record(About("x"));
  Finish();
  EXPECT_TRUE(Counted("written", 1));
}

TEST_F(EventRecorderTest, AnEventThatAnEarlierTryWroteIsWritten) {
  server_.Expect(kCreate).Refuse(base::Sent::kMaybe);
  server_.Expect(kCreate).Answer(409, R"({"kind":"Status","reason":"AlreadyExists"})");
  recorder_.Record(About("x"));
  Finish();
  EXPECT_TRUE(Counted("written", 1));
}

TEST_F(EventRecorderTest, LongNotesAreCutBetweenCharacters) {
  server_.Expect(kCreate).Answer(201);
  std::string note = "x";
  while (note.size() < 3000) note += "\xC3\xA9";
  recorder_.Record(About(note));
  Finish();
  const std::string written = Body(0)["note"];
  EXPECT_EQ(written.size(), 1023U);
  EXPECT_EQ(written.substr(1021), "\xC3\xA9");
}

TEST_F(EventRecorderTest, EventsOfClusterScopedObjectsGoToTheDefaultNamespace) {
  server_.Expect("POST /apis/events.k8s.io/v1/namespaces/default/events*").Answer(201);
  Event event = About("x");
  event.regarding.key.ns.clear();
  recorder_.Record(event);
  Finish();
  EXPECT_FALSE(Body(0)["regarding"].contains("namespace"));
}

TEST_F(EventRecorderTest, WhoLostTheLeaseWritesNoEvents) {
  recorder_.Record(About("x"));
  recorder_.Record(About("y"));
  fence_.Shut();
  Finish();  // the transport was told to expect nothing
  EXPECT_THAT(server_.seen(), testing::IsEmpty());
  EXPECT_TRUE(Counted("dropped", 2));
}

TEST_F(EventRecorderTest, WhoLostItMeanwhileDoesNotTryAgain) {
  server_.Otherwise([this](const http::Request&) -> base::Result<http::Response> {
    fence_.Shut();
    return base::Fail(base::ErrorKind::kRetry, "no route");
  });
  recorder_.Record(About("x"));
  recorder_.Record(About("y"));
  Finish();
  EXPECT_EQ(server_.seen().size(), 1U);
  EXPECT_TRUE(Counted("failed", 1));
  EXPECT_TRUE(Counted("dropped", 1));
}

TEST_F(EventRecorderTest, AWriteEndsBeforeAnotherMayLead) {
  const base::TimePoint until = clock_.Now() + seconds(2);  // and a margin of one second
  fence_.OpenUntil(until);
  server_.Expect(kCreate).Answer(201);
  recorder_.Record(About("x"));
  Finish();
  EXPECT_EQ(server_.seen().at(0).deadline, until + seconds(1));
}

TEST_F(EventRecorderTest, StopGivesUpAtItsDeadline) {
  server_.Otherwise([](const http::Request&) -> base::Result<http::Response> {
    return base::Fail(base::ErrorKind::kRetry, "no route");
  });
  for (int i = 0; i < 5; ++i) recorder_.Record(About("note " + std::to_string(i)));
  recorder_.Start();
  EXPECT_FALSE(recorder_.Stop(clock_.Now()));
  recorder_.Record(About("late"));
  EXPECT_TRUE(Counted("written", 0));
  EXPECT_FALSE(Counted("dropped", 0));
}

}  // namespace
}  // namespace rabbit::runtime
