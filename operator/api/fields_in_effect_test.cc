#include "operator/api/fields_in_effect.h"

#include <gmock/gmock.h>

#include <map>

#include "operator/api/schema_of_fields.h"

namespace rabbit::api {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string WithoutBrackets(std::string text) {
  std::erase_if(text, [](char c) { return c == '[' || c == ']'; });
  return text;
}

TEST(FieldsNotInEffect, NamesNothingOfAnEmptySpec) {
  EXPECT_THAT(FieldsNotInEffect(Spec()), IsEmpty());
}

TEST(FieldsNotInEffect, NamesNothingThatStandsAtItsDefault) {
  Spec spec;
  spec.monitoring.interval = std::chrono::seconds(30);
  spec.service.expose = {Listener::kAmqp};
  EXPECT_THAT(FieldsNotInEffect(spec), IsEmpty());
}

TEST(FieldsNotInEffect, NamesAPartOfWhichNothingIsInEffectAsAWhole) {
  Spec spec;
  spec.tls.emplace().secret_name = "certificate";
  spec.tls->mode = TlsMode::kOnly;
  spec.operator_policies = {{.vhost = "/", .name = "a", .pattern = "x", .definition = "{\"a\":1}"}};
  spec.stopped = true;
  EXPECT_THAT(FieldsNotInEffect(spec),
              ElementsAre("spec.operatorPolicies", "spec.stopped", "spec.tls"));
}

TEST(FieldsNotInEffect, NamesTheFieldWhereTheRestOfThePartIsInEffect) {
  Spec spec;
  spec.vhosts = {{.name = "a"}, {.name = "b", .on_remove = OnRemove::kDelete}};
  spec.users = {{.name = "u", .limits = {.max_channels = 5}}};
  spec.load_balancer.proxy_protocol = true;
  spec.storage.retention = {RetentionAction::kDelete, RetentionAction::kRetain};
  EXPECT_THAT(FieldsNotInEffect(spec),
              ElementsAre("spec.loadBalancer.proxyProtocol", "spec.storage.retention.whenScaled",
                          "spec.users[].limits", "spec.vhosts[].onRemove"));
}

TEST(FieldsNotInEffect, NamesEachListenerButAmqp) {
  Spec spec;
  spec.service.expose = {Listener::kAmqp, Listener::kManagement, Listener::kMqtt};
  EXPECT_THAT(FieldsNotInEffect(spec),
              ElementsAre("spec.service.expose[management]", "spec.service.expose[mqtt]"));
}

// A typing error in the table would leave a field out of effect for ever.
TEST(FieldsInEffectTable, NamesOnlyFieldsThatExist) {
  std::set<std::string> known;
  for (const auto& [path, facts] : SpecSchemaOfFields()) known.insert(WithoutBrackets(path));
  for (std::string_view row : FieldsInEffectTable()) {
    if (row.ends_with(".*")) row.remove_suffix(2);
    EXPECT_TRUE(known.contains(std::string(row))) << row;
  }
}

}  // namespace
}  // namespace rabbit::api
