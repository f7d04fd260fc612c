#include "operator/commands/import_document.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/yaml.h"
#include "operator/api/parse.h"
#include "operator/plan/topology_fixture.h"

namespace rabbit::commands {
namespace {

using plan::TopologyTest;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class DescribeBrokerTest : public TopologyTest {
 protected:
  DescribeBrokerTest() {
    EverythingIsRead();
    broker_.vhosts->clear();
    HasVhost("/").description = "Default virtual host";
  }

  ImportDocument Describe() {
    auto made = DescribeBroker(broker_, {.name = "c", .ns = "ns", .from = "http://old:15672"});
    EXPECT_TRUE(made) << made.error().message;
    return made ? *std::move(made) : ImportDocument();
  }

  // What the API makes of the document.
  api::RabbitCluster Parsed(const ImportDocument& made) {
    const auto documents = base::ParseYaml(made.yaml);
    if (!documents || documents->size() != 1) {
      ADD_FAILURE() << made.yaml << (documents ? "" : documents.error().message);
      return {};
    }
    auto parsed = api::ParseRabbitCluster(base::Dump(documents->front()));
    EXPECT_TRUE(parsed);
    EXPECT_THAT(parsed->findings.structural, IsEmpty());
    EXPECT_THAT(parsed->findings.entries, IsEmpty()) << made.yaml;
    EXPECT_THAT(parsed->findings.unknown_fields, IsEmpty());
    return *std::move(parsed);
  }

  // Applies the document: the planners then see the same broker, with the Secrets that it asks for.
  ImportDocument Apply() {
    ImportDocument made = Describe();
    cluster_ = Parsed(made);
    cluster_.meta.generation = 1;
    for (const api::User& user : cluster_.spec.users) {
      EXPECT_TRUE(user.password_secret_ref);
      if (!user.password_secret_ref) continue;
      HasSecret(user.password_secret_ref->name,
                {{user.password_secret_ref->key, "of " + user.name}});
    }
    return made;
  }

  void HasUserOf(const std::string& name, std::vector<std::string> tags = {}) {
    HasUser(name, "of " + name, std::move(tags));
  }

  void ExpectNothingToDo() {
    EXPECT_THAT(Steps(), IsEmpty());
    EXPECT_THAT(Problems(), IsEmpty());
    EXPECT_THAT(Waits(), IsEmpty());
  }
};

constexpr const char* kNames[] = {"orders/eu", "100%", "%2F",      "a b",  " edge ", "it's \"so\"",
                                  "用户",      "🐇",   "yes",      "1e3",  "# no",   "- a: b",
                                  "back\\s",   "~",    "a\u2028b", "null", "{}",     "Ünïcode"};

TEST_F(DescribeBrokerTest, AppliedToTheSameBrokerItChangesNothingWhateverTheNames) {
  broker_.cluster_name = "rabbit@old / 集群";
  for (const char* name : kNames) {
    rabbitmq::Vhost& vhost = HasVhost(name);
    vhost.description = "of " + std::string(name);
    vhost.tags = {"eu", "shop"};
    broker_.vhost_limits->push_back({name, 7, {}});
    HasUserOf(name, {"monitoring", "own-tag"});
    HasPermission(name, name, "", "^(a|b)\\.", ".*");
    HasPermission(name, "/", "^$", "^$", "^$");
    broker_.topic_permissions->push_back({name, name, "amq.topic", "^\"x\"", ""});
    broker_.topic_permissions->push_back({name, "/", name, ".*", ".*"});
    broker_.user_limits->push_back({name, {}, 0});
    Has(Policy(name, R"({"max-length":5,"overflow":"reject-publish"})", name));
    HasForOperators(Policy(name, R"({"expires":1000})", name));
  }
  const ImportDocument made = Apply();
  EXPECT_THAT(made.left_out,
              ElementsAre(HasSubstr("user \"default\""), HasSubstr("user \"rabbit-operator\"")));
  EXPECT_EQ(cluster_.spec.vhosts.size(), std::size(kNames) + 1);
  EXPECT_EQ(cluster_.spec.users.size(), std::size(kNames));
  EXPECT_EQ(cluster_.spec.policies.size(), std::size(kNames));
  EXPECT_EQ(cluster_.spec.operator_policies.size(), std::size(kNames));
  EXPECT_EQ(cluster_.spec.cluster_name, "rabbit@old / 集群");
  EXPECT_EQ(cluster_.spec.replicas, 3);
  ExpectNothingToDo();
  // The planners look: whoever changes anything of it is put right.
  broker_.cluster_name = "other";
  broker_.vhosts->back().description = "other";
  broker_.users->back().tags.clear();
  broker_.permissions->back().read = ".*";
  broker_.topic_permissions->back().read = "^$";
  broker_.user_limits->clear();
  broker_.vhost_limits->clear();
  broker_.policies->back().priority = 9;
  broker_.operator_policies->back().pattern = "x";
  EXPECT_EQ(Steps().size(), 7 + 2 * std::size(kNames));
}

TEST_F(DescribeBrokerTest, ValuesOfDefinitionsKeepTheirType) {
  Has(Policy("types", R"({"a":"1","b":1,"c":0.5,"d":true,"e":"true","f":[1,"1",null],)"
                      R"("g":{"h":"no"},"i":-9223372036854775808,"j":"1e3"})"));
  EXPECT_THAT(Apply().left_out, Not(Contains(HasSubstr("policy"))));
  EXPECT_EQ(cluster_.spec.policies.front().definition, broker_.policies->front().definition);
  ExpectNothingToDo();
}

TEST_F(DescribeBrokerTest, TheDefaultQueueTypeOfAVhostIsKeptByEitherOfItsNames) {
  broker_.version = "4.0.5";
  HasVhost("a").default_queue_type = "quorum";
  HasVhost("b").default_queue_type = "rabbit_stream_queue";
  HasVhost("c").default_queue_type = "x-of-a-plugin";
  EXPECT_THAT(Apply().left_out,
              Contains("vhost \"c\": its default queue type: \"x-of-a-plugin\" is none that a "
                       "RabbitCluster knows"));
  EXPECT_EQ(cluster_.spec.vhosts[1].default_queue_type, api::QueueType::kQuorum);
  EXPECT_EQ(cluster_.spec.vhosts[2].default_queue_type, api::QueueType::kStream);
  EXPECT_EQ(cluster_.spec.vhosts[3].default_queue_type, std::nullopt);
  ExpectNothingToDo();
}

TEST_F(DescribeBrokerTest, AnOldBrokerHasNoLimitsOfUsers) {
  broker_.version = "3.8.9";
  broker_.user_limits = base::Error{.kind = base::ErrorKind::kNotFound, .message = "404"};
  HasUserOf("u");
  Apply();
  EXPECT_EQ(cluster_.spec.users.size(), 1U);
  ExpectNothingToDo();
}

// Each is left out whole, told once, and what is at the broker stays as it is.
TEST_F(DescribeBrokerTest, WhatTheApiCannotSayIsToldAndLeftAlone) {
  HasVhost("tab\there");
  broker_.vhost_limits->push_back({"many", 2'000'000'000, 5});
  HasVhost("many");
  HasVhost("wordy").description = std::string(2000, 'x');
  HasUserOf("spaced", {"two words"});
  HasUserOf("pattern");
  HasPermission("pattern", "/", "(", ".*", ".*");
  HasUserOf("certificate");
  broker_.users->back().password_hash = base::Secret();
  HasUserOf("ancient");
  broker_.users->back().hashing_algorithm = "rabbit_password_hashing_md5";
  HasUserOf("topics");
  broker_.topic_permissions->push_back({"topics", "/", "", ".*", ".*"});
  broker_.topic_permissions->push_back({"topics", "/", "amq.topic", ".*", ".*"});
  HasUserOf("unnamed");
  broker_.topic_permissions->push_back({"unnamed", "/", "amq.default", ".*", ".*"});
  broker_.topic_permissions->push_back({"unnamed", "/", "amq.topic", ".*", ".*"});
  Has(Policy("rabbit-operator:migrate", R"({"max-length":1})"));
  Has(Policy("float", R"({"x-of-a-plugin":5.0})"));
  broker_.policies->push_back({"/", "bad", "(", "all", 0, R"({"max-length":1})"});
  broker_.policies->push_back({"/", "far", "^x", "all", 2'000'000'000, R"({"max-length":1})"});
  HasForOperators(Policy("empty", "{}"));

  const ImportDocument made = Apply();
  EXPECT_THAT(
      made.left_out,
      ElementsAre(
          HasSubstr("user \"default\": "), HasSubstr("user \"rabbit-operator\": "),
          HasSubstr("user \"certificate\": has no password"),
          HasSubstr("user \"ancient\": its password is hashed by"),
          HasSubstr("user \"topics\": all topic permissions: "),
          HasSubstr("user \"unnamed\": topic permission on exchange amq.default in vhost \"/\": "),
          HasSubstr("policy \"rabbit-operator:migrate\" in vhost \"/\": is a temporary one"),
          HasSubstr("policy \"float\" in vhost \"/\": its definition holds"),
          HasSubstr("policy \"bad\" in vhost \"/\": "), HasSubstr("operator policy \"empty\""),
          HasSubstr("vhost \"tab?here\": name: "),
          HasSubstr("vhost \"many\": limits.maxConnections: 2000000000: must be at most"),
          HasSubstr("vhost \"wordy\": description: "), HasSubstr("user \"spaced\": tags[0]: "),
          HasSubstr("user \"pattern\": permissions[0].configure: "),
          HasSubstr("policy \"far\" in vhost \"/\": priority: ")));
  for (const std::string& line : made.left_out) {
    EXPECT_THAT(made.yaml, HasSubstr("\n# - " + line + "\n"));
  }
  ExpectNothingToDo();
}

TEST_F(DescribeBrokerTest, MirroringThatABrokerNoLongerKnowsIsLeftOut) {
  broker_.version = "4.0.5";
  Has(Policy("half", R"({"ha-mode":"all"})"));
  EXPECT_THAT(Apply().left_out, Contains(HasSubstr("policy \"half\" in vhost \"/\": ")));
  ExpectNothingToDo();
}

TEST_F(DescribeBrokerTest, AListHoldsAThousandEntriesAndTheOthersAreTold) {
  for (int i = 0; i < 1001; ++i) {
    Has(Policy("p" + std::to_string(10'000 + i), R"({"max-length":1})"));
  }
  EXPECT_THAT(Apply().left_out, Contains(HasSubstr("policy \"p11000\" in vhost \"/\": ")));
  EXPECT_EQ(cluster_.spec.policies.size(), 1000U);
  ExpectNothingToDo();
}

TEST_F(DescribeBrokerTest, AFieldThatIsRefusedIsTakenOut) {
  broker_.cluster_name = std::string(300, 'x');
  EXPECT_THAT(Describe().left_out, Contains(HasSubstr("spec.clusterName: ")));
}

TEST_F(DescribeBrokerTest, NoCommentEndsBeforeItsLine) {
  HasVhost("a\nspec: {}");
  broker_.vhosts->back().tags = {"x"};
  Has(Policy("p", R"({"x":1.0,"y":"\u2028kind: Pod"})"));
  const ImportDocument made = Apply();
  EXPECT_THAT(made.left_out, Contains(HasSubstr("vhost \"a?spec: {}\"")));
  EXPECT_THAT(made.yaml, Not(HasSubstr("\u2028")));
}

TEST_F(DescribeBrokerTest, ReadsAsAPersonWouldWriteIt) {
  broker_.users->clear();
  broker_.permissions->clear();
  broker_.vhosts->clear();
  HasVhost("/");
  HasVhost("orders").tags = {"shop"};
  HasUserOf("root", {"administrator"});
  HasPermission("root", "/", "^$", "^$", ".*");
  Has(Policy("half", R"({"ha-mode":"exactly","ha-params":2})"));
  EXPECT_EQ(Describe().yaml,
            R"(# What the broker at http://old:15672 holds: RabbitMQ 3.10.8, 3 nodes.
# Not in here: queues, exchanges, bindings and messages; plugins, their parameters, and the configuration.
# Apply it with kubectl apply --server-side: without, a copy of it must fit an annotation.
#
# A broker does not tell passwords. Before this is applied, put each user's present one into the Secret
# that the user's passwordSecretRef names, from a file without a newline at its end:
#   kubectl create secret generic NAME --from-file=password=FILE
# Without the Secret a user who exists keeps its password, and the cluster is not Ready; without passwordSecretRef
# the operator makes a password and sets it.
apiVersion: rabbitcluster.dev/v1beta1
kind: RabbitCluster
metadata:
  name: c
  namespace: ns
spec:
  # Or an image of your own with RabbitMQ 3.10.8:
  # image: rabbitmq:3.10-management
  replicas: 3
  clusterName: c
  vhosts:
  - name: orders
    tags:
    - shop
  users:
  - name: root
    passwordSecretRef:
      name: )" + ImportedSecretName("c", "root") +
                R"(
      key: password
    tags:
    - administrator
    permissions:
    - vhost: /
      configure: "^$"
      write: "^$"
      read: ".*"
  policies:
  - vhost: /
    name: half
    pattern: "^q"
    applyTo: queues
    priority: 0
    definition:
      ha-mode: exactly
      ha-params: 2
)");
}

TEST_F(DescribeBrokerTest, APartThatCouldNotBeReadIsAnErrorAndNeverAnEmptyList) {
  broker_.operator_policies = base::Error{.kind = base::ErrorKind::kDenied, .message = "not yours"};
  const auto made = DescribeBroker(broker_, {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().message, "not yours");
}

TEST(NameOfCluster, IsOneThatARabbitClusterMayHave) {
  EXPECT_EQ(NameOfCluster("rabbit@Old-1.example.com"), "rabbit-old-1-example-com");
  EXPECT_EQ(NameOfCluster("9 lives!"), "lives");
  EXPECT_EQ(NameOfCluster("集群"), "rabbitcluster");
  EXPECT_EQ(NameOfCluster(""), "rabbitcluster");
  EXPECT_EQ(NameOfCluster(std::string(46, 'a') + "-b"), std::string(46, 'a'));
}

}  // namespace
}  // namespace rabbit::commands
