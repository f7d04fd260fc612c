#include "operator/api/fields_in_effect.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "operator/api/schema_of_fields.h"

namespace rabbit::api {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string WithoutBrackets(std::string text) {
  std::erase_if(text,
                [](char c) { return std::string_view("[]{}").find(c) != std::string_view::npos; });
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
  spec.monitoring.pod_monitor = true;
  spec.binding.vhost = "v";
  spec.stopped = true;
  EXPECT_THAT(FieldsNotInEffect(spec),
              ElementsAre("spec.binding", "spec.monitoring", "spec.stopped"));
}

TEST(FieldsNotInEffect, NamesTheFieldWhereTheRestOfThePartIsInEffect) {
  Spec spec;
  spec.load_balancer.proxy_protocol = true;
  spec.storage.retention = {RetentionAction::kDelete, RetentionAction::kRetain};
  EXPECT_THAT(FieldsNotInEffect(spec),
              ElementsAre("spec.loadBalancer.proxyProtocol", "spec.storage.retention.whenScaled"));
}

TEST(FieldsNotInEffect, NamesNothingOfWhatIsDeclaredAtTheBroker) {
  Spec spec;
  spec.vhosts = {{.name = "a",
                  .on_remove = OnRemove::kDelete,
                  .default_queue_type = QueueType::kQuorum,
                  .limits = {.max_queues = 5},
                  .tags = {"t"},
                  .description = "d"}};
  spec.users = {{.name = "u",
                 .topic_permissions = {{"/", "amq.topic", "a", "b"}},
                 .limits = {.max_channels = 5}}};
  spec.operator_policies = {{.vhost = "/", .name = "a", .pattern = "x", .definition = "{\"a\":1}"}};
  spec.ownership = {Ownership::kExclusive, Ownership::kExclusive};
  EXPECT_THAT(FieldsNotInEffect(spec), IsEmpty());
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

// docs/generate-reference marks these fields: a default of one that nothing reads is no fact yet.
TEST(FieldsInEffectTable, LeavesOutWhatTheReferenceMarks) {
  std::set<std::string> fields;
  for (const auto& [path, facts] : SpecSchemaOfFields()) fields.insert(WithoutBrackets(path));
  std::set<std::string> idle;
  for (const std::string& field : fields) {
    const std::string parent = field.substr(0, std::min(field.rfind('.'), field.size()));
    const bool parent_is_idle = parent != field && !IsAnyInEffect(parent);
    if (!field.empty() && !parent_is_idle && !IsAnyInEffect(field)) idle.insert("spec." + field);
  }
  Spec spec;
  for (const std::string_view word : EnumNames<Listener>::kWords) {
    spec.service.expose.push_back(*FromName<Listener>(word));
  }
  spec.tls.emplace().secret_name = "those with TLS need it";
  const std::vector<std::string> words = FieldsNotInEffect(spec);
  idle.insert(words.begin(), words.end());
  std::string text;
  for (const std::string& field : idle) text.append(field).append(1, '\n');

  const std::string path = RABBIT_SOURCE_DIR "/test/golden/fields-without-effect.txt";
  if (std::getenv("RABBIT_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
  std::ostringstream golden;
  golden << std::ifstream(path).rdbuf();
  EXPECT_EQ(golden.str(), text) << path << ": ./dev golden rewrites it";
}

TEST(FieldsNotInEffect, ListenersWithTlsAreInEffectWhereTlsIsDeclared) {
  Spec spec;
  spec.service.expose = {Listener::kAmqps, Listener::kManagementTls};
  EXPECT_THAT(FieldsNotInEffect(spec),
              ElementsAre("spec.service.expose[amqps]", "spec.service.expose[management-tls]"));
  spec.tls.emplace().secret_name = "certificate";
  EXPECT_THAT(FieldsNotInEffect(spec), IsEmpty());
}

}  // namespace
}  // namespace rabbit::api
