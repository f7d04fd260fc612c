#include "operator/report/report.h"

#include <random>

#include "operator/api/status_json.h"
#include "operator/report/report_fixture.h"

namespace rabbit::report {
namespace {

using plan::Aspect;
using std::chrono::seconds;
using testing::IsEmpty;

class MakeReportTest : public ReportTest {
 protected:
  [[nodiscard]] std::string Text(const api::Status& status) const {
    return api::StatusApplyBody(cluster_.meta, status);
  }

  // Changes the world at random, a little or much.
  void Shake(std::mt19937& random) {
    const auto maybe = [&] { return random() % 4 == 0; };
    NothingLeftToDo();
    for (observe::Pod& pod : seen_.nodes) pod.ready = !maybe();
    for (observe::Pod& pod : seen_.proxies) pod.ready = !maybe();
    for (rabbitmq::Node& node : *broker_.nodes) {
      node.running = !maybe();
      node.mem_alarm = maybe();
      node.partitions.clear();
      if (maybe()) node.partitions.emplace_back("rabbit@x");
    }
    if (maybe()) seen_.broker.trouble = "refused";
    if (maybe()) seen_.broker.trouble.clear();
    broker_answered_ = !maybe();
    ShakeCounts(random);
    if (maybe()) broker_.version = "3.13." + std::to_string(random() % 9);
    if (maybe()) cluster_.meta.generation++;
    if (maybe()) Problem(Aspect::kTopology, "InvalidPattern", "policy p in vhost /: bad");
    if (maybe()) Problem(Aspect::kSpec, "StorageChangeRefused", "no");
    if (maybe()) Wait(Aspect::kLoadBalancer, "ProxiesRolling", "one of two");
    if (maybe()) Did(plan::PutPolicy{.vhost = "/", .name = "p"}, "was changed", maybe());
    if (maybe()) Failed(Create(kube::kServices, "c"), base::ErrorKind::kRetry, "503");
    if (maybe()) plan_.warnings.push_back({"SpecWarning", "even"});
    cluster_.spec.paused = maybe();
    cluster_.spec.load_balancer.enabled = !maybe();
    Advance(seconds(0));  // who answers has answered now
  }
  void ShakeCounts(std::mt19937& random) {
    // Never under-replicated: becoming so is news.
    const auto count = static_cast<std::uint32_t>(random() % 100);
    Queues() = {.total = count, .mirrored = count / 2, .mirrors_in_sync = count / 2, .quorum = 1};
    broker_.queues->by_policy[{"/", "p"}] = {
        .total = count, .mirrored = count, .mirrors_in_sync = count / 3};
  }
};

TEST_F(MakeReportTest, ReportingOnWhatWasReportedChangesNothing) {
  Declare("p");
  for (unsigned seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    Shake(random);
    Make();
    for (const seconds pause : {seconds(0), seconds(1), seconds(3'600)}) {
      Advance(pause);
      const api::Status before = report_.status;
      Make();
      EXPECT_TRUE(!written_ || pause.count() > 0) << Text(before) << "\n" << Text(report_.status);
      Make();
      EXPECT_FALSE(written_) << "after " << pause.count() << " s";
    }
  }
}

TEST_F(MakeReportTest, AnIdleClusterIsNeverWritten) {
  Make();
  for (int i = 0; i < 200; ++i) {
    Advance(seconds(15));
    Make();
    ASSERT_FALSE(written_);
    ASSERT_THAT(report_.events, IsEmpty());
  }
}

TEST_F(MakeReportTest, AnIdleClusterWhoseBrokerDoesNotAnswerIsNeverWritten) {
  NoBrokerAnsweredYet();
  BrokerIsSilent("c-node-0: connection refused");
  Make();
  for (int i = 0; i < 100; ++i) {
    Advance(seconds(15));
    // Each look asks the nodes in turn, and the cause that is left is another one.
    BrokerIsSilent("c-node-" + std::to_string(i % 3) + (i % 2 == 0 ? ": timed out" : ": refused"));
    Make();
    ASSERT_FALSE(written_);
    ASSERT_THAT(report_.events, IsEmpty());
  }
}

TEST_F(MakeReportTest, CountsThatMoveAreWrittenOnceAMinute) {
  Declare("p");
  std::mt19937 random(1);
  Make();
  int writes = 0;
  for (int i = 0; i < 300; ++i) {
    Advance(seconds(1));
    ShakeCounts(random);
    Make();
    writes += written_ ? 1 : 0;
  }
  EXPECT_EQ(writes, 5);
}

TEST_F(MakeReportTest, NodesThatStartAreWrittenAFewTimes) {
  for (std::size_t i = 0; i < 3; ++i) NodeIsNotReady(i);
  NoBrokerAnsweredYet();
  Make();
  int writes = 0;
  for (int tick = 0; tick < 100; ++tick) {  // ten seconds, something new each tenth
    Advance(std::chrono::milliseconds(100));
    seen_.nodes[0].ip = std::to_string(tick);
    if (tick == 10) seen_.nodes[0].ready = true;
    if (tick == 20) seen_.nodes[1].ready = true;
    if (tick == 30) seen_.nodes[2].ready = true;
    Make();
    writes += written_ ? 1 : 0;
  }
  EXPECT_LE(writes, 2);
  EXPECT_EQ(Condition("NodesReady").reason, "BrokerNotAnswering");
}

TEST_F(MakeReportTest, BecomingReadyIsWrittenAtOnce) {
  NodeIsNotReady(0);
  Make();
  Advance(std::chrono::milliseconds(100));
  seen_.nodes[0].ready = true;
  Make();
  EXPECT_TRUE(written_);
  EXPECT_EQ(Says("Ready"), "True/InEffect");
}

TEST_F(MakeReportTest, WhatIsLeftOutIsLookedAtAgainInTime) {
  Make();
  Advance(seconds(55));
  Queues().total = 7;
  Make();
  EXPECT_FALSE(written_);
  EXPECT_EQ(report_.look_again, base::Duration(seconds(5)));
}

TEST_F(MakeReportTest, ASettledClusterIsLookedAtEachDriftInterval) {
  Make();
  EXPECT_EQ(report_.look_again, base::Duration(seconds(15)));
  EXPECT_TRUE(report_.settled);
  EXPECT_FALSE(report_.failed);
}

TEST_F(MakeReportTest, ALookThatWasAskedForIsWaitedForAMomentNotADriftInterval) {
  cluster_.spec.drift_interval = std::chrono::minutes(10);
  Make();
  EXPECT_EQ(report_.look_again, base::Duration(std::chrono::minutes(10)));
  plan_.look_at_broker = true;
  Wait(Aspect::kNodes, "NodeAtGuard", "c-node-3 is held until the broker was asked again");
  for (int reconcile = 0; reconcile < 3; ++reconcile) {
    Make();
    EXPECT_EQ(report_.look_again, base::Duration(seconds(1)));
    Advance(std::chrono::minutes(5));  // also when it is settled, and looks are rare
  }
}

TEST_F(MakeReportTest, ASecretThatIsWaitedForIsLookedForSoonAndThenLessOften) {
  Make();
  Wait(Aspect::kTopology, "SecretUnknown", "user a: Secret s is being created");
  Make();
  EXPECT_EQ(report_.look_again, base::Duration(seconds(1)));
  Advance(seconds(20));
  Make();
  EXPECT_EQ(report_.look_again, base::Duration(seconds(5)));
  Advance(seconds(3'600));
  Make();
  EXPECT_EQ(report_.look_again, base::Duration(seconds(15)));
}

TEST_F(MakeReportTest, ASecretThatNodesWaitForIsLookedForSoonToo) {
  cluster_.spec.drift_interval = std::chrono::hours(1);
  Make();
  Wait(Aspect::kChildren, "SecretUnknown", "Secret c-erlang-cookie could not be read");
  Make();
  EXPECT_EQ(report_.look_again, base::Duration(seconds(1)));
  Advance(seconds(40));
  Make();
  EXPECT_EQ(report_.look_again, base::Duration(seconds(10)));
}

TEST_F(MakeReportTest, WhatAPersonWasAskedToMendIsLookedForSoonAndThenEachMinute) {
  cluster_.spec.drift_interval = std::chrono::hours(1);
  const struct {
    Aspect aspect;
    const char* reason;
  } rows[] = {
      {Aspect::kChildren, "NameTaken"},        {Aspect::kTopology, "NameTaken"},
      {Aspect::kChildren, "SecretLost"},       {Aspect::kTopology, "SecretMissing"},
      {Aspect::kTopology, "SecretKeyMissing"}, {Aspect::kTopology, "BrokerDenied"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.reason);
    NothingLeftToDo();
    Make();
    Problem(row.aspect, row.reason, "do something about it");
    Make();
    EXPECT_EQ(report_.look_again, base::Duration(seconds(1)));
    Advance(seconds(40));
    Make();
    EXPECT_EQ(report_.look_again, base::Duration(seconds(10)));
    Advance(seconds(3'600));
    Make();
    EXPECT_EQ(report_.look_again, base::Duration(std::chrono::minutes(1)));
  }
  cluster_.spec.drift_interval = seconds(20);
  Make();
  EXPECT_EQ(report_.look_again, base::Duration(seconds(20)));
}

TEST_F(MakeReportTest, WhatWasWrittenIsLookedForSoonHoweverLongSomethingElseIsWrong) {
  cluster_.spec.drift_interval = std::chrono::hours(1);
  Problem(Aspect::kTopology, "VhostMissing", "policy p: vhost v is neither declared nor there");
  Make();
  Advance(seconds(3'000));
  Make();
  EXPECT_EQ(report_.look_again, base::Duration(std::chrono::hours(1)));
  Did(plan::PutVhost{"w"});
  Make();
  EXPECT_EQ(report_.look_again, base::Duration(seconds(1)));
  // What never takes effect is written less and less often, also when a look was taken in between.
  Advance(seconds(10));
  plan_.steps.clear();
  results_.clear();
  Wait(Aspect::kTopology, "LookingAgain", "for a look at the broker");
  Make();
  plan_.waits.clear();
  Did(plan::PutVhost{"w"});
  Advance(seconds(10));
  Make();
  EXPECT_EQ(report_.look_again, base::Duration(seconds(5)));
  NothingLeftToDo();
  Make();
  EXPECT_TRUE(report_.waiting.empty());
}

TEST_F(MakeReportTest, AGuardThatLastsTooLongIsSeenInTime) {
  cluster_.spec.drift_interval = std::chrono::hours(1);
  seen_.nodes[1].preparing = true;
  Make();
  EXPECT_EQ(report_.look_again, base::Duration(seconds(31)));
}

TEST_F(MakeReportTest, PodsThatNobodyMakesForLongAreToldInTime) {
  cluster_.spec.drift_interval = std::chrono::hours(1);
  seen_.pods_missing_since = now_;
  Make();
  EXPECT_EQ(report_.look_again, base::Duration(seconds(31)));
}

TEST_F(MakeReportTest, AClusterOnItsWayIsNotSettledForAWhile) {
  NodeIsNotReady(0);
  Make();
  EXPECT_FALSE(report_.settled);
  Advance(std::chrono::minutes(4));
  Make();
  EXPECT_TRUE(report_.settled);
}

TEST_F(MakeReportTest, AFailedStepIsRetried) {
  Failed(plan::PutVhost{"v"}, base::ErrorKind::kRetry, "503");
  Make();
  EXPECT_TRUE(report_.failed);
  EXPECT_FALSE(report_.settled);
  NothingLeftToDo();
  Failed(plan::PutVhost{"v"}, base::ErrorKind::kCancelled, "stopping");
  Make();
  EXPECT_FALSE(report_.failed);
}

TEST_F(MakeReportTest, WhatTheBrokerRefusesForGoodIsToldAndTriedAgainEachDriftInterval) {
  for (const auto kind : {base::ErrorKind::kInvalid, base::ErrorKind::kDenied}) {
    NothingLeftToDo();
    Failed(plan::PutPolicy{.vhost = "/", .name = "p"}, kind, "refused");
    Make();
    EXPECT_EQ(Says("TopologySynced"), "False/StepRefused");
    EXPECT_FALSE(report_.failed);
    EXPECT_EQ(report_.look_again, base::Duration(cluster_.spec.drift_interval));
    Advance(std::chrono::minutes(4));
    Make();
    EXPECT_TRUE(report_.settled);
  }
}

TEST_F(MakeReportTest, WhatAnotherStepOrARaceMayHaveCausedIsRetried) {
  // A vhost that is being deleted is not found; what failed beside a refusal is tried again.
  Failed(plan::PutPolicy{.vhost = "v", .name = "p"}, base::ErrorKind::kNotFound, "404");
  Make();
  EXPECT_TRUE(report_.failed);
  NothingLeftToDo();
  Failed(plan::PutPolicy{.vhost = "/", .name = "p"}, base::ErrorKind::kInvalid, "400");
  Failed(plan::PutVhost{"v"}, base::ErrorKind::kRetry, "503");
  Make();
  EXPECT_TRUE(report_.failed);
}

TEST_F(MakeReportTest, ARightThatWasMissingIsTriedSoonAndThenEachMinute) {
  cluster_.spec.drift_interval = std::chrono::hours(1);
  Failed(Create(kube::kServices, "c"), base::ErrorKind::kDenied, "403");
  Make();
  EXPECT_FALSE(report_.failed);
  EXPECT_EQ(report_.look_again, base::Duration(seconds(1)));
  Advance(std::chrono::hours(2));
  Make();
  EXPECT_EQ(report_.look_again, base::Duration(std::chrono::minutes(1)));
}

}  // namespace
}  // namespace rabbit::report
