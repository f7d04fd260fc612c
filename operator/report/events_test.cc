#include "operator/plan/tls.h"
#include "operator/report/report_fixture.h"

namespace rabbit::report {
namespace {

using plan::Aspect;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

class EventsTest : public ReportTest {};

TEST_F(EventsTest, ASettledClusterHasNone) {
  Make();
  EXPECT_THAT(Events(), IsEmpty());
}

TEST_F(EventsTest, TheCreationOfAWholeClusterIsOneEvent) {
  Did(plan::CreateSecretOnce{.name = "c-erlang-cookie", .body = {}, .random = {}});
  for (const char* name : {"c", "c-brokers", "c-nodes", "c-haproxy-admin"}) {
    Did(Create(kube::kServices, name));
  }
  Did(Create(kube::kStatefulSets, "c-node"));
  Did(Create(kube::kDeployments, "c-haproxy"));
  // The count in the spec is bookkeeping.
  Did(plan::ApplyObject{api::kRabbitClusters, "c", "uid", "{}"}, "is not said");
  Make();
  EXPECT_THAT(Events(),
              ElementsAre("Normal Created: 7 steps: create Secret c-erlang-cookie, create "
                          "Service c, create Service c-brokers, create Service c-nodes, "
                          "create Service c-haproxy-admin and 2 more"));
}

TEST_F(EventsTest, WhatIsWrittenToTheBrokerIsOneEvent) {
  Did(plan::PutUser{.name = "root", .tags = {}, .password = base::Secret("s3cret")});
  Did(plan::PutPolicy{.vhost = "/", .name = "half"}, "ha-params is 2, declared is 1");
  Make();
  EXPECT_THAT(Events(), ElementsAre("Normal TopologyWritten: 2 steps: write user root (does not "
                                    "exist) and write policy half in vhost / (ha-params is 2, "
                                    "declared is 1)"));
}

TEST_F(EventsTest, ARepairSaysWhatWasFoundAndDone) {
  Did(plan::PutClusterName{"c"}, "was changed at the broker to \"x\", declared is \"c\"", true);
  Make();
  EXPECT_THAT(Events(),
              ElementsAre("Warning DriftRepaired: set the cluster name \"c\": was changed "
                          "at the broker to \"x\", declared is \"c\""));
}

TEST_F(EventsTest, ManyRepairsAreCounted) {
  for (int i = 0; i < 9; ++i) {
    Did(plan::PutVhost{"v" + std::to_string(i)}, "was removed at the broker", true);
  }
  Make();
  EXPECT_THAT(Events(), SizeIs(5));
  EXPECT_THAT(Events().back(), HasSubstr("write vhost v4: was removed at the broker; and 4 more"));
}

TEST_F(EventsTest, AFailureIsToldWithItsCauseAndOnce) {
  Failed(plan::PutVhost{"v"}, base::ErrorKind::kRetry, "write vhost v: 503 Service Unavailable");
  Make();
  EXPECT_THAT(Events(), ElementsAre("Warning StepFailed: write vhost v: 503 Service Unavailable"));
  Make();
  EXPECT_THAT(Events(), IsEmpty());
  Advance(std::chrono::hours(1));
  Make();
  EXPECT_THAT(Events(), IsEmpty());
}

TEST_F(EventsTest, AProblemIsToldOnceAlsoBesideOthers) {
  Problem(Aspect::kTopology, "SecretMissing", "user a: Secret s does not exist");
  Make();
  EXPECT_THAT(Events(), ElementsAre("Warning SecretMissing: user a: Secret s does not exist"));
  Advance(std::chrono::seconds(10));
  Problem(Aspect::kTopology, "VhostMissing", "policy p in vhost v: the vhost does not exist");
  Make();
  EXPECT_THAT(Events(), ElementsAre(StartsWith("Warning VhostMissing")));
  Make();
  EXPECT_THAT(Events(), IsEmpty());
}

TEST_F(EventsTest, OfVeryManyProblemsAFewAreToldAndNoneAgain) {
  for (int i = 0; i < 50; ++i) {
    Problem(Aspect::kTopology, "InvalidPattern",
            "policy " + std::string(1, static_cast<char>('A' + i)) +
                " in vhost /: " + std::string(100, 'x'));
  }
  Make();
  EXPECT_THAT(Events(), SizeIs(testing::Le(5U)));
  EXPECT_THAT(Events(), testing::Not(IsEmpty()));
  for (int i = 0; i < 3; ++i) {
    Advance(std::chrono::minutes(2));
    Make();
    EXPECT_THAT(Events(), IsEmpty());
  }
}

TEST_F(EventsTest, AWarningOfTheSpecIsToldOnce) {
  cluster_.findings.warnings.push_back({"spec.replicas", "is even"});
  Make();
  EXPECT_THAT(Events(), ElementsAre("Warning SpecWarning: spec.replicas: is even"));
  Make();
  EXPECT_THAT(Events(), IsEmpty());
}

TEST_F(EventsTest, ACountThatMovesInAProblemIsNoNews) {
  Problem(Aspect::kNodes, "NodeAtGuard", "1 of 3 nodes held");
  Make();
  plan_.problems[0].message = "2 of 3 nodes held";
  Advance(std::chrono::minutes(2));
  Make();
  EXPECT_TRUE(written_);
  EXPECT_THAT(Events(), IsEmpty());
}

TEST_F(EventsTest, LosingAvailabilityIsTold) {
  Make();
  for (std::size_t i = 0; i < 3; ++i) NodeIsNotReady(i);
  Make();
  EXPECT_THAT(Events(), ElementsAre("Warning NoNodeReady: no longer available: no node is ready"));
  Make();
  EXPECT_THAT(Events(), IsEmpty());
}

TEST_F(EventsTest, WaitingIsNoEvent) {
  Wait(Aspect::kTopology, "ClusterForming", "2 of 3");
  NodeIsNotReady(0);
  Make();
  EXPECT_THAT(Events(), IsEmpty());
}

TEST_F(EventsTest, AConflictIsNoEvent) {
  Failed(Create(kube::kServices, "c"), base::ErrorKind::kConflict, "409");
  Make();
  EXPECT_THAT(Events(), IsEmpty());
  EXPECT_TRUE(report_.failed);
}

TEST_F(EventsTest, NothingSecretIsTold) {
  Did(plan::PutUser{.name = "root",
                    .tags = {},
                    .password = base::Secret("s3cret"),
                    .password_hash = base::Secret("aGFzaA==")});
  Make();
  for (const std::string& event : Events()) {
    EXPECT_EQ(event.find("s3cret"), std::string::npos);
    EXPECT_EQ(event.find("aGFzaA"), std::string::npos);
  }
}

TEST_F(EventsTest, ThatARenewedCertificateIsLiveIsToldOnceAfterItWasWaitedFor) {
  plan_.certificate_live = "every node that speaks TLS shows the certificate in Secret web";
  Make();
  EXPECT_THAT(Events(), IsEmpty()) << "nothing has changed";
  plan_.certificate_live.clear();
  plan_.warnings.push_back(
      {"CertificateRotating", "c-node-0 shows " + std::string(plan::kRotating) + "web yet"});
  Advance(std::chrono::minutes(2));
  Make();
  EXPECT_THAT(Events(), ElementsAre(StartsWith("Warning CertificateRotating: c-node-0")));
  plan_.warnings.clear();
  plan_.certificate_live = "every node that speaks TLS shows the certificate in Secret web";
  Make();
  EXPECT_THAT(Events(), IsEmpty()) << "the status is yet to be written";
  Advance(std::chrono::minutes(2));
  Make();
  EXPECT_THAT(Events(), ElementsAre("Normal CertificateLive: every node that speaks TLS shows the "
                                    "certificate in Secret web"));
  Make();
  EXPECT_THAT(Events(), IsEmpty());
}

}  // namespace
}  // namespace rabbit::report
