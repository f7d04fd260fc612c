#include "rabbitmq/policy_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rabbit::rabbitmq {
namespace {

using testing::HasSubstr;
using Kind = PolicyIssue::Kind;

constexpr Version k310{3, 10, 8};
constexpr Version k40{4, 0, 5};

class PolicyCheckTest : public testing::Test {
 protected:
  std::vector<PolicyIssue> Issues(std::string definition,
                                  std::optional<Version> version = std::nullopt,
                                  PolicyKind kind = PolicyKind::kUser) {
    const Policy policy{.vhost = "/",
                        .name = "p",
                        .pattern = pattern_,
                        .apply_to = apply_to_,
                        .definition = std::move(definition)};
    return CheckPolicy(policy, kind, {.version = version, .nodes = nodes_});
  }
  // The message of what forbids the policy; empty: it may be written.
  std::string Refusal(std::string definition, std::optional<Version> version = std::nullopt,
                      PolicyKind kind = PolicyKind::kUser) {
    const auto issues = Issues(std::move(definition), version, kind);
    const PolicyIssue* refusal = FirstRefusal(issues);
    return refusal == nullptr ? "" : refusal->message;
  }

  std::string pattern_ = "^queue.*1$";
  std::string apply_to_ = "queues";
  std::vector<std::string> nodes_{"rabbit@a", "rabbit@b", "rabbit@c"};
};

TEST_F(PolicyCheckTest, TheExamplesPolicyIsFineOnTheOldBroker) {
  EXPECT_TRUE(Issues(R"({"ha-mode":"exactly","ha-params":2})", k310).empty());
}

TEST_F(PolicyCheckTest, MirroringIsNeverWrittenFrom40On) {
  const auto issues = Issues(R"({"ha-mode":"exactly","ha-params":2})", k40);
  ASSERT_EQ(issues.size(), 1U);
  EXPECT_EQ(issues[0].kind, Kind::kMirroringUnsupported);
  EXPECT_EQ(Name(issues[0].kind), "MirroringUnsupported");
  EXPECT_THAT(issues[0].message, HasSubstr("quorum queues"));
  EXPECT_THAT(issues[0].message, HasSubstr("3.13"));
  EXPECT_NE(Refusal(R"({"max-length":5,"ha-sync-mode":"automatic"})", k40), "") << "in a mix";
  EXPECT_NE(Refusal(R"({"ha-something-new":1})", {{4, 3, 0}}), "");
}

// One row for each answer of 3.10.8 that was asked for; true: the broker said 400 or 500.
TEST_F(PolicyCheckTest, AgreesWithTheAnswersOf310) {
  const std::pair<const char*, bool> rows[] = {
      {R"({})", true},
      {R"([])", true},
      {R"("x")", true},
      {R"({"max-length":"5"})", true},
      {R"({"max-length":-1})", true},
      {R"({"max-length":0})", false},
      {R"({"max-length":1.5})", true},
      {R"({"max-length":1e3})", true},
      // The broker takes it, but 64 bits do not: it would be written as 1e20, which is refused.
      {R"({"max-length":99999999999999999999})", true},
      {R"({"message-ttl":4294967296})", false},
      {R"({"expires":0})", true},
      {R"({"dead-letter-exchange":1})", true},
      {R"({"dead-letter-routing-key":"a"})", false},
      {R"({"dead-letter-strategy":"x"})", true},
      {R"({"dead-letter-strategy":"at-least-once"})", false},
      {R"({"overflow":"x"})", true},
      {R"({"overflow":"reject-publish-dlx"})", false},
      {R"({"queue-mode":"x"})", true},
      {R"({"queue-mode":"lazy"})", false},
      {R"({"queue-version":3})", true},
      {R"({"queue-version":1})", false},
      {R"({"queue-leader-locator":"least-leaders"})", false},
      {R"({"queue-leader-locator":"min-masters"})", true},
      {R"({"queue-master-locator":"min-masters"})", false},
      {R"({"delivery-limit":-1})", true},
      {R"({"max-in-memory-length":-1})", true},
      {R"({"max-age":1})", true},
      {R"({"max-age":"x"})", true},
      {R"({"max-age":""})", true},
      {R"({"max-age":"7D"})", false},
      {R"({"max-age":"7s"})", false},
      {R"({"max-age":"7d"})", true},
      {R"({"max-age":"0D"})", true},
      {R"({"stream-max-segment-size-bytes":3000000001})", true},
      {R"({"stream-max-segment-size-bytes":1000})", false},
      {R"({"consumer-timeout":1})", true},
      {R"({"target-group-size":3})", true},
      {R"({"stream-filter-size-bytes":16})", true},
      {R"({"initial-cluster-size":"3"})", true},
      {R"({"initial-cluster-size":0})", false},
      {R"({"alternate-exchange":1})", true},
      {R"({"ha-mode":"all"})", false},
      {R"({"ha-mode":"x"})", true},
      {R"({"ha-mode":"exactly"})", true},
      {R"({"ha-mode":"exactly","ha-params":0})", true},
      {R"({"ha-mode":"exactly","ha-params":"2"})", true},
      {R"({"ha-mode":"exactly","ha-params":2.0})", true},
      {R"({"ha-mode":"exactly","ha-params":99})", false},
      {R"({"ha-mode":"nodes","ha-params":[]})", true},
      {R"({"ha-mode":"nodes","ha-params":[1]})", true},
      {R"({"ha-mode":"nodes","ha-params":"a"})", true},
      {R"({"ha-mode":"all","ha-params":2})", true},
      {R"({"ha-mode":"all","ha-sync-mode":"x"})", true},
      {R"({"ha-sync-mode":"automatic"})", true},
      {R"({"ha-mode":"all","ha-sync-batch-size":0})", true},
      {R"({"ha-mode":"all","ha-promote-on-shutdown":"x"})", true},
      {R"({"ha-mode":"all","ha-promote-on-failure":"when-synced"})", false},
  };
  for (const auto& [definition, refused] : rows) {
    EXPECT_EQ(Refusal(definition, k310) != "", refused) << definition;
  }
}

TEST_F(PolicyCheckTest, AgreesWithTheAnswersOf389) {
  for (const char* definition :
       {R"({"dead-letter-strategy":"at-least-once"})", R"({"queue-version":1})",
        R"({"queue-leader-locator":"balanced"})", R"({"max-age":"7D"})",
        R"({"stream-max-segment-size-bytes":1000})", R"({"initial-cluster-size":3})"}) {
    EXPECT_THAT(Refusal(definition, Version{3, 8, 9}), HasSubstr("3.8.9")) << definition;
    EXPECT_EQ(Refusal(definition, k310), "") << definition;
  }
}

TEST_F(PolicyCheckTest, AgreesWithTheAnswersOf40) {
  const std::pair<const char*, bool> rows[] = {
      {R"({"delivery-limit":-1})", false},
      {R"({"delivery-limit":"1"})", true},
      {R"({"consumer-timeout":0})", false},
      {R"({"consumer-timeout":"1"})", true},
      {R"({"consumer-timeout":-1})", true},
      {R"({"target-group-size":3})", false},
      {R"({"target-group-size":0})", true},
      {R"({"stream-filter-size-bytes":16})", false},
      {R"({"stream-filter-size-bytes":15})", true},
      {R"({"stream-filter-size-bytes":256})", true},
      {R"({"queue-master-locator":"min-masters"})", false},
      {R"({"max-age":"x"})", true},
      {R"({"overflow":"drop-head"})", false},
  };
  for (const auto& [definition, refused] : rows) {
    EXPECT_EQ(Refusal(definition, k40) != "", refused) << definition;
  }
}

TEST_F(PolicyCheckTest, OperatorPoliciesTakeFewerKeys) {
  const auto refusal = [&](const char* definition, const Version& version) {
    return Refusal(definition, version, PolicyKind::kOperator);
  };
  EXPECT_EQ(refusal(R"({"max-length":5,"delivery-limit":3})", k310), "");
  EXPECT_THAT(refusal(R"({"overflow":"drop-head"})", k310),
              HasSubstr("definition.overflow: RabbitMQ 3.10.8 does not take it"));
  EXPECT_EQ(refusal(R"({"overflow":"drop-head"})", k40), "");
  EXPECT_NE(refusal(R"({"dead-letter-exchange":"a"})", k40), "");
  EXPECT_NE(refusal(R"({"ha-mode":"all"})", k310), "");
  EXPECT_EQ(refusal(R"({"target-group-size":3})", k40), "");
}

TEST_F(PolicyCheckTest, WithoutAVersionOnlyWhatNoVersionTakesIsRefused) {
  EXPECT_EQ(Refusal(R"({"ha-mode":"exactly","ha-params":2})"), "");
  EXPECT_EQ(Refusal(R"({"delivery-limit":-1})"), "");
  EXPECT_EQ(Refusal(R"({"consumer-timeout":5})"), "");
  EXPECT_NE(Refusal(R"({"max-length":"5"})"), "");
  EXPECT_NE(Refusal(R"({"ha-mode":"exactly","ha-params":"2"})"), "");
}

TEST_F(PolicyCheckTest, AQuotedNumberIsToldAsWhatItIs) {
  EXPECT_EQ(Refusal(R"({"max-length":"5"})"),
            "definition.max-length: \"5\" is a string; write the number without quotes");
}

TEST_F(PolicyCheckTest, KeysOfPluginsAreLeftToTheBroker) {
  EXPECT_EQ(Refusal(R"({"federation-upstream-set":"all"})", k310), "");
}

TEST_F(PolicyCheckTest, PatternsMustCompile) {
  for (const char* good : {"", "^a", "a(?<x>b)", "(?i)a"}) {
    pattern_ = good;
    EXPECT_EQ(Refusal(R"({"max-length":5})", k310), "") << good;
  }
  for (const char* bad : {"(", "*", "a{1000000}", "[z-a]"}) {
    pattern_ = bad;
    const auto issues = Issues(R"({"max-length":5})", k310);
    ASSERT_EQ(issues.size(), 1U) << bad;
    EXPECT_EQ(issues[0].kind, Kind::kBadPattern);
  }
  EXPECT_EQ(PatternError("a(b"), "missing closing parenthesis at 3");
}

TEST_F(PolicyCheckTest, QueueTypesInApplyToCameWith312) {
  apply_to_ = "quorum_queues";
  EXPECT_THAT(Refusal(R"({"max-length":5})", k310), HasSubstr("came with 3.12"));
  EXPECT_EQ(Refusal(R"({"max-length":5})", k40), "");
  EXPECT_EQ(Refusal(R"({"max-length":5})"), "");
  apply_to_ = "x";
  EXPECT_THAT(Refusal(R"({"max-length":5})", k40), HasSubstr("is not one of"));
}

TEST_F(PolicyCheckTest, MoreCopiesThanNodesAndUnknownNodesAreWarningsOnly) {
  const auto many = Issues(R"({"ha-mode":"exactly","ha-params":4})", k310);
  ASSERT_EQ(many.size(), 1U);
  EXPECT_EQ(many[0].kind, Kind::kWarning);
  EXPECT_THAT(many[0].message, HasSubstr("4 copies on 3 nodes"));
  EXPECT_EQ(FirstRefusal(many), nullptr);
  const auto named = Issues(R"({"ha-mode":"nodes","ha-params":["rabbit@a","rabbit@x"]})", k310);
  ASSERT_EQ(named.size(), 1U);
  EXPECT_THAT(named[0].message, HasSubstr("\"rabbit@x\" is not a node"));
  nodes_.clear();
  EXPECT_TRUE(Issues(R"({"ha-mode":"exactly","ha-params":4})", k310).empty());
}

TEST_F(PolicyCheckTest, TheWorstComesFirst) {
  pattern_ = "(";
  const auto issues = Issues(R"({"max-length":"5","ha-mode":"all"})", k40);
  ASSERT_EQ(issues.size(), 3U);
  EXPECT_EQ(issues[0].kind, Kind::kMirroringUnsupported);
  EXPECT_EQ(issues[1].kind, Kind::kBadDefinition);
  EXPECT_EQ(issues[2].kind, Kind::kBadPattern);
}

TEST(CanonicalDefinition, SortsKeysAndKeepsTypes) {
  EXPECT_EQ(CanonicalDefinition(R"( {"ha-params": 2, "ha-mode": "exactly"} )"),
            R"({"ha-mode":"exactly","ha-params":2})");
  EXPECT_EQ(CanonicalDefinition("[]"), std::nullopt);
  EXPECT_EQ(CanonicalDefinition("{"), std::nullopt);
}

}  // namespace
}  // namespace rabbit::rabbitmq
