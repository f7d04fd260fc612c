#include "operator/plan/tls.h"

#include <gmock/gmock.h>

#include "http/certificate.h"
#include "http/test_server.h"
#include "operator/plan/fixture.h"

namespace rabbit::plan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class TlsTest : public PlanTest {
 protected:
  static const http::TestCa& Ca() {
    static const http::TestCa kCa;
    return kCa;
  }
  static const http::TestCertificate& Good() {
    static const http::TestCertificate kGood = Ca().Issue("x", "DNS:c.ns.svc,DNS:*.c-nodes.ns.svc");
    return kGood;
  }
  static http::CertificateFacts FactsOf(const http::TestCertificate& certificate) {
    return http::ReadCertificate(certificate.pem).value();
  }

  TlsTest() {
    cluster_.spec.tls = api::Tls{.secret_name = "web"};
    Put("tls.crt", Good().pem);
    Put("tls.key", Good().key_pem);
    Put("ca.crt", Ca().pem());
    for (int i = 0; i < 3; ++i) Pod(i).tls = "Both web web/ca.crt";
    seen_.wall_now = FactsOf(Good()).not_before + std::chrono::seconds(1);
  }
  void Put(const std::string& key, const std::string& value, const std::string& secret = "web") {
    seen_.secrets[secret].state = observe::SecretState::kForeign;  // a person's own
    seen_.secrets[secret].data[key] = base::Secret(value);
  }
  void Shows(const std::vector<std::string>& fingerprints) {
    std::vector<observe::ServedCertificate> served;
    for (std::size_t i = 0; i < fingerprints.size(); ++i) {
      served.push_back({.pod = resources::PodName("c", static_cast<int>(i)),
                        .address = "10.0.0.1",
                        .fingerprint = fingerprints[i],
                        .trouble = {}});
    }
    seen_.broker.served = std::make_shared<const decltype(served)>(std::move(served));
  }
  // Problems, waits and warnings; "held" when nothing is to be changed.
  std::vector<std::string> Said() {
    plan_ = {};
    const auto hold = PlanTls(cluster_, Seen(), image_, "cluster.local", plan_);
    std::vector<std::string> said = Problems(plan_);
    for (const std::string& wait : Waits(plan_)) said.push_back("wait " + wait);
    for (const Warning& warning : plan_.warnings) {
      said.push_back(warning.reason + ": " + warning.message);
    }
    if (hold) said.emplace_back("held");
    return said;
  }

  std::string image_ = "rabbitmq:3.13-management";
  Plan plan_;
};

TEST_F(TlsTest, WhatServesIsPassedInSilence) { EXPECT_THAT(Said(), IsEmpty()); }

TEST_F(TlsTest, WithoutTlsNothingIsAskedFor) {
  cluster_.spec.tls.reset();
  seen_.secrets.clear();
  EXPECT_THAT(Said(), IsEmpty());
}

TEST_F(TlsTest, ASecretThatIsNotThereIsToBeMadeWithAllKeysThatAreWanted) {
  seen_.secrets["web"] = {.state = observe::SecretState::kAbsent};
  EXPECT_THAT(
      Said(),
      ElementsAre("NeedsPerson SecretMissing: spec.tls.secretRef: Secret web does not "
                  "exist: create it with keys tls.crt, tls.key and ca.crt; what runs is left "
                  "as it is",
                  "held"));
}

TEST_F(TlsTest, ASecretThatCouldNotBeReadIsWaitedFor) {
  seen_.secrets["web"] = {.trouble = "timed out"};
  EXPECT_THAT(Said(), ElementsAre("wait SecretUnknown: spec.tls.secretRef: Secret web could not be "
                                  "read: timed out",
                                  "held"));
}

TEST_F(TlsTest, EachKeyThatIsMissingIsNamed) {
  seen_.secrets["web"].data.erase("tls.key");
  Put("ca.crt", "");
  for (int i = 0; i < 3; ++i) Pod(i).tls.clear();
  EXPECT_THAT(
      Said(),
      ElementsAre("NeedsPerson SecretKeyMissing: spec.tls.secretRef: Secret web has no key "
                  "tls.key: add it; what runs is left as it is",
                  "NeedsPerson SecretKeyMissing: spec.tls.secretRef: Secret web has nothing under "
                  "key ca.crt: add it, or name the authorities by spec.tls.caSecretRef; what runs "
                  "is left as it is",
                  "held"));
}

TEST_F(TlsTest, AuthoritiesMayLieElsewhereUnderAnotherKey) {
  seen_.secrets["web"].data.erase("ca.crt");
  cluster_.spec.tls->ca_secret_ref = api::KeyRef{"roots", "bundle.pem"};
  seen_.secrets["roots"] = {.state = observe::SecretState::kAbsent};
  EXPECT_THAT(Said(), ElementsAre("NeedsPerson SecretMissing: spec.tls.caSecretRef: Secret roots "
                                  "does not exist: create it with key bundle.pem; what runs is "
                                  "left as it is",
                                  "held"));
  Put("bundle.pem", Ca().pem(), "roots");
  EXPECT_THAT(Said(), IsEmpty());
}

TEST_F(TlsTest, AKeyOfAnotherCertificateIsRefused) {
  Put("tls.key", Ca().Issue("x", "").key_pem);
  for (int i = 0; i < 3; ++i) Pod(i).tls.clear();
  EXPECT_THAT(Said(), ElementsAre("NeedsPerson SecretInvalid: spec.tls.secretRef: Secret web, key "
                                  "tls.key: does not belong to the certificate: replace it; what "
                                  "runs is left as it is",
                                  "held"));
}

// Pods mount the Secret itself: nobody stands between it and them.
TEST_F(TlsTest, WhatIsWrongInASecretThatBrokersReadIsSaidToReachThem) {
  const std::string reaches =
      "; pods mount this Secret: brokers that run read it within minutes, and then refuse TLS: put "
      "what serves there now";
  const auto said_of = [&](const std::string& key, const std::string& value) {
    const std::string before(seen_.secrets["web"].data.at(key).Reveal());
    Put(key, value);
    std::string said = Said().at(0);
    Put(key, before);
    return said;
  };
  EXPECT_THAT(said_of("tls.key", Ca().Issue("x", "").key_pem), testing::EndsWith(reaches));
  EXPECT_THAT(said_of("tls.crt", "nonsense"), testing::EndsWith(reaches));
  EXPECT_THAT(said_of("tls.key", ""), testing::EndsWith(reaches));
  EXPECT_THAT(said_of("ca.crt", "nonsense"), testing::EndsWith(reaches));
  // Files whose key is gone stay as they were: the kubelet changes none of them then.
  seen_.secrets["web"].data.erase("tls.key");
  EXPECT_THAT(Said().at(0), testing::EndsWith("what runs is left as it is"));
}

TEST_F(TlsTest, ASecretThatOnlyPodsOfBeforeMountIsMissedToo) {
  Pod(0).tls = "Both old roots/ca.crt";
  Pod(2).tls = "Only old web/ca.crt";
  seen_.secrets["old"] = {.state = observe::SecretState::kForeign};
  seen_.secrets["roots"] = {.state = observe::SecretState::kForeign};
  EXPECT_THAT(Said(), IsEmpty());
  seen_.secrets["old"] = {.state = observe::SecretState::kAbsent};
  seen_.secrets["roots"] = {.state = observe::SecretState::kAbsent};
  const auto missed = ElementsAre(
      "SecretMissing: c-node-0 and c-node-2 still mount Secret old, which does not exist: put it "
      "back until they are made anew, or they do not start again",
      "SecretMissing: c-node-0 still mounts Secret roots, which does not exist: put it back until "
      "it is made anew, or it does not start again");
  EXPECT_THAT(Said(), missed);
  cluster_.spec.tls.reset();
  EXPECT_THAT(Said(), missed);
}

TEST_F(TlsTest, MetricsThatStayInClearAreTold) {
  const auto told = [this](const char* image) {
    image_ = image;
    return Said();
  };
  EXPECT_THAT(told("rabbitmq:3.11.5"), IsEmpty()) << "of Both nobody expects otherwise";
  cluster_.spec.tls->mode = api::TlsMode::kOnly;
  for (int i = 0; i < 3; ++i) Pod(i).tls = "Only web web/ca.crt";
  for (const char* image :
       {"rabbitmq:3.8.9", "rabbitmq:3.10.8", "rabbitmq:3.12.0", "rabbitmq:4.3.6"}) {
    EXPECT_THAT(told(image), IsEmpty()) << image;
  }
  EXPECT_THAT(told("rabbitmq:3.11.5"),
              ElementsAre("MetricsInClear: spec.tls.mode Only: RabbitMQ 3.11.5 serves metrics on "
                          "port 15692 as before, without TLS: take an image of 3.12 or later, or "
                          "close that port by a NetworkPolicy"));
  EXPECT_THAT(told("mine/rabbit:stable"),
              ElementsAre("MetricsInClear: spec.tls.mode Only: the image's tag says no version, "
                          "and brokers from 3.11 on then go on serving metrics on port 15692 "
                          "without TLS: take a tag that begins with the version, or close that "
                          "port by a NetworkPolicy"));
}

TEST_F(TlsTest, WhatCannotBeReadIsNamedAndNeverShown) {
  Put("tls.crt", "hunter2");
  Put("ca.crt", "hunter2");
  for (int i = 0; i < 3; ++i) Pod(i).tls.clear();
  const auto said = Said();
  EXPECT_THAT(said,
              ElementsAre("NeedsPerson SecretInvalid: spec.tls.secretRef: Secret web, key tls.crt: "
                          "holds no PEM certificate: replace it; what runs is left as it is",
                          "NeedsPerson SecretInvalid: spec.tls.secretRef: Secret web, key ca.crt: "
                          "holds no PEM certificate: replace it; what runs is left as it is",
                          "held"));
}

TEST_F(TlsTest, DatesOfTheCertificateAreToldButKeepNothingBack) {
  const auto lasting = Ca().Issue("x", "DNS:c.ns.svc,DNS:*.c-nodes.ns.svc", std::chrono::days(90));
  Put("tls.crt", lasting.pem);
  Put("tls.key", lasting.key_pem);
  const auto facts = FactsOf(lasting);
  const std::string until = base::FormatTime(facts.not_after).substr(0, 10);
  seen_.wall_now = facts.not_after;
  EXPECT_THAT(Said(), ElementsAre("CertificateExpired: certificate in Secret web: expired on " +
                                  until + ": clients refuse it; renew it"));
  seen_.wall_now = facts.not_after - std::chrono::days(7) + std::chrono::seconds(1);
  EXPECT_THAT(Said(), ElementsAre("CertificateExpires: certificate in Secret web: expires on " +
                                  until + ": renew it"));
  seen_.wall_now = facts.not_after - std::chrono::days(7);
  EXPECT_THAT(Said(), IsEmpty());
  seen_.wall_now = facts.not_before - std::chrono::seconds(1);
  EXPECT_THAT(Said(), ElementsAre(HasSubstr("CertificateNotYetValid: certificate in Secret web: is "
                                            "not valid before ")));
}

TEST_F(TlsTest, OneThatIsMadeToLastForADayExpiresSoonInItsLastQuarter) {
  const auto facts = FactsOf(Good());
  seen_.wall_now = facts.not_after - std::chrono::hours(7);
  EXPECT_THAT(Said(), IsEmpty());
  seen_.wall_now = facts.not_after - std::chrono::hours(6);
  EXPECT_THAT(Said(), ElementsAre(HasSubstr("CertificateExpires: ")));
}

TEST_F(TlsTest, ACertificateForNoneOfTheClustersNamesSaysWhichAreWanted) {
  const auto other = Ca().Issue("x", "DNS:rabbit.example.com");
  Put("tls.crt", other.pem);
  Put("tls.key", other.key_pem);
  EXPECT_THAT(Said(), ElementsAre("CertificateNames: certificate in Secret web: is for "
                                  "rabbit.example.com, and for none of this cluster's: wanted are "
                                  "c.ns.svc for clients, c-brokers.ns.svc and *.c-nodes.ns.svc"));
}

TEST_F(TlsTest, NodesThatShowAnotherCertificateYetAreNamed) {
  const std::string good = FactsOf(Good()).fingerprint;
  Shows({good, "old", "old"});
  EXPECT_THAT(Said(), ElementsAre("CertificateRotating: c-node-1 and c-node-2 show another "
                                  "certificate than the one in Secret web yet: brokers read a "
                                  "renewed one by themselves, within minutes"));
  EXPECT_EQ(plan_.certificate_live, "");
  Shows({good, good, ""});  // one that has not been greeted yet
  EXPECT_THAT(Said(), IsEmpty());
  EXPECT_EQ(plan_.certificate_live, "");
  Shows({good, good, good});
  EXPECT_THAT(Said(), IsEmpty());
  EXPECT_THAT(plan_.certificate_live,
              HasSubstr("every node that speaks TLS shows the certificate in Secret web, valid "
                        "until "));
}

TEST_F(TlsTest, NodesThatWereMadeWithAnotherSecretShowItsCertificateAndWaitForARestart) {
  for (int i = 0; i < 3; ++i) Pod(i).tls = "Both of-before of-before/ca.crt";
  Shows({"old", "old", "old"});
  EXPECT_THAT(Said(), IsEmpty());
}

TEST_F(TlsTest, Tls13AloneIsRefusedWhereBrokersDoNotStartWithIt) {
  cluster_.spec.tls->min_version = api::TlsVersion::kTls13;
  EXPECT_THAT(Said(), IsEmpty());
  image_ = "rabbitmq:3.8-management";
  EXPECT_THAT(Said(), ElementsAre("NeedsPerson UnsupportedField: spec.tls.minVersion: RabbitMQ "
                                  "3.8.0 does not start with TLSv1.3 alone: take TLSv1.2, which "
                                  "speaks both, or an image of 3.10 or later; what runs is left "
                                  "as it is",
                                  "held"));
}

}  // namespace
}  // namespace rabbit::plan
