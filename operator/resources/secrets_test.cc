#include "operator/resources/secrets.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "operator/resources/names.h"

namespace rabbit::resources {
namespace {

using base::Json;

class SecretsTest : public testing::Test {
 protected:
  SecretsTest() {
    cluster_.meta.key = {"ns", "c"};
    cluster_.meta.uid = "uid";
  }
  static Json Body(const NewSecret& secret) { return base::ParseJson(secret.body).value(); }
  api::RabbitCluster cluster_;
};

TEST_F(SecretsTest, HoldNothingSecretBeforeTheyAreMade) {
  for (const NewSecret& secret : {CookieSecret(cluster_), OperatorUserSecret(cluster_),
                                  DefaultUserSecret(cluster_), UserSecret(cluster_, "app")}) {
    EXPECT_FALSE(Body(secret)["stringData"].contains(secret.random_key)) << secret.name;
    EXPECT_GE(secret.random_length, 32U);
    EXPECT_EQ(Body(secret)["metadata"]["name"], secret.name);
    EXPECT_EQ(base::FindString(Body(secret), {"metadata", "labels", kManagedByLabel}),
              "rabbit-operator");
  }
}

TEST_F(SecretsTest, StayBehindWithTheDisksThatTheyOpen) {
  EXPECT_FALSE(Body(CookieSecret(cluster_))["metadata"].contains("ownerReferences"));
  cluster_.spec.storage.retention.when_deleted = api::RetentionAction::kDelete;
  EXPECT_EQ(Body(CookieSecret(cluster_))["metadata"]["ownerReferences"][0]["uid"], "uid");
}

TEST_F(SecretsTest, FollowTheRetentionWhenItChanges) {
  const auto patch = [this] {
    return base::ParseJson(SecretOwnerPatch(cluster_, "uid-of-secret", SecretsGoWith(cluster_)))
        .value();
  };
  EXPECT_FALSE(SecretsGoWith(cluster_));
  EXPECT_EQ(patch()["metadata"]["uid"], "uid-of-secret");
  EXPECT_TRUE(patch()["metadata"].at("ownerReferences").is_null());  // taken out
  cluster_.spec.storage.retention.when_deleted = api::RetentionAction::kDelete;
  EXPECT_TRUE(SecretsGoWith(cluster_));
  EXPECT_EQ(patch()["metadata"]["ownerReferences"][0]["uid"], "uid");
}

TEST_F(SecretsTest, TheDefaultUserIsOfferedByTheServiceBindingSpecification) {
  const Json secret = Body(DefaultUserSecret(cluster_));
  EXPECT_EQ(secret["type"], "servicebinding.io/rabbitmq");
  const Json& data = secret["stringData"];
  EXPECT_EQ(data["type"], "rabbitmq");
  EXPECT_EQ(data["host"], "c.ns.svc");
  EXPECT_EQ(data["port"], "5672");
  cluster_.spec.tls = api::Tls{.secret_name = "t", .mode = api::TlsMode::kOnly};
  EXPECT_EQ(Body(DefaultUserSecret(cluster_))["stringData"]["port"], "5671");
  EXPECT_EQ(data["username"], "default");
}

TEST_F(SecretsTest, AUserKeepsItsNameWhateverTheSecretIsCalled) {
  EXPECT_EQ(Body(UserSecret(cluster_, "Über user"))["stringData"]["username"], "Über user");
}

}  // namespace
}  // namespace rabbit::resources
