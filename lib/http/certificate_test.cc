#include "http/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/test_server.h"

namespace rabbit::http {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const TestCa& Ca() {
  static const TestCa kCa;
  return kCa;
}

TEST(Certificate, SaysForWhichNamesItIsAndWhen) {
  const auto facts =
      ReadCertificate(Ca().Issue("x", "DNS:*.c-nodes.ns.svc,DNS:c.ns.svc,IP:10.0.0.1").pem);
  ASSERT_TRUE(facts) << facts.error().message;
  EXPECT_THAT(facts->names, ElementsAre("*.c-nodes.ns.svc", "c.ns.svc", "10.0.0.1"));
  EXPECT_LT(facts->not_before, facts->not_after);
  EXPECT_GT(facts->not_after, base::RealClock().WallNow());
  EXPECT_EQ(facts->fingerprint.size(), 64U);
  EXPECT_NE(facts->fingerprint, ReadCertificate(Ca().pem())->fingerprint);
}

TEST(Certificate, OneWithoutNamesHasNone) {
  EXPECT_THAT(ReadCertificate(Ca().Issue("x", "").pem)->names, IsEmpty());
}

TEST(Certificate, OnlyTheFirstOfAChainIsRead) {
  const TestCertificate leaf = Ca().Issue("x", "DNS:leaf");
  EXPECT_EQ(ReadCertificate(leaf.pem + Ca().pem()), ReadCertificate(leaf.pem));
}

TEST(Certificate, WhatIsNoneIsToldWithoutRepeatingIt) {
  EXPECT_EQ(ReadCertificate("hunter2").error().message, "holds no PEM certificate");
  EXPECT_EQ(CheckCertificates("hunter2").error().message, "holds no PEM certificate");
  const std::string broken =
      "-----BEGIN CERTIFICATE-----\naHVudGVyMg==\n-----END CERTIFICATE-----\n";
  EXPECT_THAT(ReadCertificate(broken).error().message, testing::StartsWith("cannot be read: "));
  EXPECT_THAT(CheckCertificates(Ca().pem() + broken).error().message,
              testing::StartsWith("certificate 2 in it cannot be read: "));
  EXPECT_TRUE(CheckCertificates(Ca().pem() + Ca().pem()));
}

TEST(Certificate, AKeyBelongsToItOrNot) {
  const TestCertificate one = Ca().Issue("x", "");
  const TestCertificate other = Ca().Issue("x", "");
  EXPECT_TRUE(CheckKey(one.pem, base::Secret(one.key_pem)));
  EXPECT_EQ(CheckKey(one.pem, base::Secret(other.key_pem)).error().message,
            "does not belong to the certificate");
  EXPECT_EQ(CheckKey(one.pem, base::Secret("no key")).error().message,
            "holds no PEM private key that opens without a password");
}

TEST(Certificate, AStarStandsForOneLabel) {
  CertificateFacts facts;
  facts.names = {"*.c-nodes.ns.svc", "C.ns"};
  EXPECT_TRUE(IsFor(facts, "c-node-0.c-nodes.ns.svc"));
  EXPECT_TRUE(IsFor(facts, "c.NS"));
  EXPECT_FALSE(IsFor(facts, "a.c-node-0.c-nodes.ns.svc"));
  EXPECT_FALSE(IsFor(facts, "c-nodes.ns.svc"));
  EXPECT_FALSE(IsFor(facts, ".c-nodes.ns.svc"));
  EXPECT_FALSE(IsFor(facts, "ns"));
}

}  // namespace
}  // namespace rabbit::http
