#include "rabbitmq/password_hash.h"

#include <gtest/gtest.h>

#include "base/hash.h"

namespace rabbit::rabbitmq {
namespace {

using base::Secret;

// Made by RabbitMQ 3.10.8 and 4.0.5 for the password "pässwörd" in UTF-8.
constexpr const char* kByBroker310 = "NcLGagnAevXcIwjlAgYegHXLWi4smxEyjgGwEjBrk7j+ClXf";
constexpr const char* kByBroker40 = "3Q9feCI+eSbL7yZMULX36qCW5q7ibcoPvVRcmNlT4n7Q4zWU";

TEST(PasswordMatches, AgreesWithHashesOfRealBrokers) {
  for (const char* hash : {kByBroker310, kByBroker40}) {
    EXPECT_TRUE(PasswordMatches(Secret("pässwörd"), Secret(hash), kSha256));
    EXPECT_FALSE(PasswordMatches(Secret("passwörd"), Secret(hash), kSha256));
    EXPECT_FALSE(PasswordMatches(Secret(""), Secret(hash), kSha256));
    EXPECT_FALSE(PasswordMatches(Secret("pässwörd"), Secret(hash), kSha512));
  }
}

TEST(PasswordMatches, IsFalseForWhatIsNoHash) {
  const Secret password("x");
  for (const char* hash : {"", "!!!", "AAAA", "NcLGagnAevXcIwjl"}) {
    EXPECT_FALSE(PasswordMatches(password, Secret(hash), kSha256)) << hash;
  }
  EXPECT_FALSE(PasswordMatches(password, Secret(kByBroker310), "rabbit_password_hashing_md5"));
}

TEST(HashPassword, MakesWhatItThenMatches) {
  base::SequenceRandom random;
  for (const std::string_view algorithm : {kSha256, kSha512}) {
    const auto hash = HashPassword(Secret("s3cret"), algorithm, random);
    ASSERT_TRUE(hash);
    EXPECT_TRUE(PasswordMatches(Secret("s3cret"), *hash, algorithm));
    EXPECT_FALSE(PasswordMatches(Secret("s3cre"), *hash, algorithm));
  }
}

TEST(HashPassword, HasFourBytesOfSaltThatAreFreshEachTime) {
  base::SequenceRandom random;
  const auto one = HashPassword(Secret("s3cret"), kSha256, random);
  const auto two = HashPassword(Secret("s3cret"), kSha256, random);
  EXPECT_FALSE(*one == *two);
  EXPECT_EQ(base::Base64Decode(one->Reveal())->size(), 36U);
  EXPECT_EQ(base::Base64Decode(HashPassword(Secret("x"), kSha512, random)->Reveal())->size(), 68U);
}

TEST(HashPassword, RefusesAnEmptyPasswordAndAnUnknownAlgorithm) {
  base::SequenceRandom random;
  EXPECT_EQ(HashPassword(Secret(""), kSha256, random).error().kind, base::ErrorKind::kInvalid);
  EXPECT_EQ(HashPassword(Secret("x"), "md5", random).error().kind, base::ErrorKind::kInvalid);
}

}  // namespace
}  // namespace rabbit::rabbitmq
