#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/plan/policies.h"

namespace rabbit::plan {
namespace {

rabbitmq::Policy Half() {
  return {.vhost = "/",
          .name = "half",
          .pattern = "^q",
          .apply_to = "queues",
          .priority = 0,
          .definition = R"({"ha-mode":"exactly","ha-params":2})"};
}

struct Row {
  const char* name;
  void (*change)(rabbitmq::Policy& actual);
  const char* says;
};

constexpr Row kRows[] = {
    {"equal", [](rabbitmq::Policy&) {}, ""},
    {"another value",
     [](rabbitmq::Policy& p) { p.definition = R"({"ha-mode":"exactly","ha-params":1})"; },
     "ha-params is 1, declared is 2"},
    {"another type of the same value",
     [](rabbitmq::Policy& p) { p.definition = R"({"ha-mode":"exactly","ha-params":"2"})"; },
     R"(ha-params is "2", declared is 2)"},
    {"the same in another order and spacing",
     [](rabbitmq::Policy& p) { p.definition = R"({ "ha-params": 2, "ha-mode": "exactly" })"; }, ""},
    {"a key less", [](rabbitmq::Policy& p) { p.definition = R"({"ha-mode":"exactly"})"; },
     "ha-params is absent, declared is 2"},
    {"a key more",
     [](rabbitmq::Policy& p) { p.definition = R"({"a":null,"ha-mode":"exactly","ha-params":2})"; },
     "a is null, declared is absent"},
    {"no object at all", [](rabbitmq::Policy& p) { p.definition = "[]"; },
     R"(definition is [], declared is {"ha-mode":"exactly","ha-params":2})"},
    {"all the rest",
     [](rabbitmq::Policy& p) {
       p.pattern = "^x";
       p.apply_to = "all";
       p.priority = 7;
     },
     R"(pattern is "^x", declared is "^q"; applyTo is all, declared is queues; )"
     "priority is 7, declared is 0"},
};

TEST(PolicyDifferenceTest, SaysWhatIsOtherwiseAndNothingElse) {
  for (const Row& row : kRows) {
    rabbitmq::Policy actual = Half();
    row.change(actual);
    EXPECT_EQ(PolicyDifference(Half(), actual), row.says) << row.name;
  }
}

TEST(PolicyDifferenceTest, CutsLongValuesShort) {
  rabbitmq::Policy actual = Half();
  actual.definition = R"({"ha-mode":"exactly","ha-params":")" + std::string(5'000, 'x') + "\"}";
  EXPECT_LT(PolicyDifference(Half(), actual).size(), 200U);
}

TEST(ToBrokerTest, KeepsTheDefinitionAsItWasDeclared) {
  const rabbitmq::Policy policy = ToBroker({.vhost = "v",
                                            .name = "p",
                                            .pattern = "^a",
                                            .apply_to = api::ApplyTo::kQueues,
                                            .priority = 3,
                                            .definition = R"({"max-length":10})"});
  EXPECT_EQ(policy.vhost, "v");
  EXPECT_EQ(policy.apply_to, "queues");
  EXPECT_EQ(policy.priority, 3);
  EXPECT_EQ(policy.definition, R"({"max-length":10})");
  EXPECT_EQ(PolicySubject("v", "p"), "policy p in vhost v");
  EXPECT_EQ(PolicySubject("v", "p", rabbitmq::PolicyKind::kOperator),
            "operator policy p in vhost v");
}

}  // namespace
}  // namespace rabbit::plan
