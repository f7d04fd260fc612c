// Holds crd/rabbitcluster.yaml against the description of the fields: a field, bound, word, default
// or key that only one of them knows fails here.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/yaml.h"
#include "operator/api/crd_text.h"
#include "operator/api/schema_of_fields.h"
#include "operator/api/types.h"

namespace rabbit::api {
namespace {

using base::Json;
using testing::IsEmpty;

// The facts of a schema as schema_of_fields.h tells them of the types.
void Collect(const Json& schema, const std::string& path, bool in_list, SchemaFacts& facts,
             std::vector<std::string>& complaints) {
  auto& here = facts[path];
  for (const auto& [key, value] : schema.items()) {
    if (key == "properties") {
      for (const auto& [name, inner] : value.items()) {
        Collect(inner, path.empty() ? name : path + "." + name, in_list, facts, complaints);
      }
    } else if (key == "items") {
      Collect(value, path + "[]", true, facts, complaints);
    } else if (key == "additionalProperties") {
      Collect(value, path + "{}", in_list, facts, complaints);
    } else if (key == "x-kubernetes-validations") {
      for (const Json& rule : value) {
        if (base::FindString(rule, {"message"}).empty())
          complaints.push_back(path + ": no message");
        const std::string text = base::FindString(rule, {"rule"});
        if (text.starts_with("duration(")) here[key] = base::Dump(text);
      }
    } else if (key == "description") {
      if (!value.get<std::string>().ends_with(".")) complaints.push_back(path + ": no sentence");
    } else {
      here[key] = base::Dump(value);
    }
  }
  if (!schema.contains("description")) complaints.push_back(path + ": no description");
  if (in_list && schema.contains("default")) complaints.push_back(path + ": default in a list");
}

class Crd : public testing::Test {
 protected:
  Crd() {
    auto documents = base::ParseYaml(CrdText());
    if (!documents || documents->size() != 1) return;
    crd_ = documents->front();
  }
  const Json& Version() { return crd_["spec"]["versions"][0]; }
  SchemaFacts FactsOf(const char* part) {
    SchemaFacts facts;
    Collect(Version()["schema"]["openAPIV3Schema"]["properties"][part], "", false, facts,
            complaints_);
    return facts;
  }
  // Says each difference by itself: two maps of hundreds of lines tell nobody anything.
  void ExpectSame(const SchemaFacts& of_types, const SchemaFacts& of_crd) {
    for (const auto& [path, facts] : of_types) {
      ASSERT_TRUE(of_crd.contains(path)) << path << " is not in the CRD";
      EXPECT_EQ(facts, of_crd.at(path)) << path;
    }
    for (const auto& [path, facts] : of_crd) {
      EXPECT_TRUE(of_types.contains(path)) << path << " is only in the CRD";
    }
  }

  Json crd_;
  std::vector<std::string> complaints_;
};

TEST_F(Crd, SpecIsWhatTheTypesSay) { ExpectSame(SpecSchemaOfFields(), FactsOf("spec")); }

TEST_F(Crd, StatusIsWhatTheTypesSay) { ExpectSame(StatusSchemaOfFields(), FactsOf("status")); }

TEST_F(Crd, DescribesEveryFieldInSentencesAndHasNoDefaultInListItems) {
  FactsOf("spec");
  FactsOf("status");
  EXPECT_THAT(complaints_, IsEmpty());
}

TEST_F(Crd, NamesTheResourceAsTheCodeDoes) {
  EXPECT_EQ(crd_["spec"]["group"], kRabbitClusters.group());
  EXPECT_EQ(Version()["name"], kRabbitClusters.version());
  EXPECT_EQ(crd_["spec"]["names"]["plural"], kRabbitClusters.plural());
  EXPECT_EQ(crd_["spec"]["names"]["kind"], kRabbitClusters.kind());
  EXPECT_EQ(crd_["metadata"]["name"],
            std::string(kRabbitClusters.plural()) + "." + std::string(kRabbitClusters.group()));
}

TEST_F(Crd, KeepsItsNamesForPeople) {
  const Json& names = crd_["spec"]["names"];
  EXPECT_EQ(names["shortNames"], Json({"rabbit"}));
  EXPECT_EQ(names["categories"], Json({"messaging"}));  // `delete all` must not take clusters
  std::string columns;
  for (const Json& column : Version()["additionalPrinterColumns"]) {
    columns += column["name"].get<std::string>() + (column.value("priority", 0) > 0 ? "+ " : " ");
  }
  EXPECT_EQ(columns, "Nodes Version Cluster Mirrors Proxies Ready Age Message+ ");
}

TEST_F(Crd, ScalesByReplicas) {
  const Json& scale = Version()["subresources"]["scale"];
  EXPECT_EQ(scale["specReplicasPath"], ".spec.replicas");
  EXPECT_EQ(scale["statusReplicasPath"], ".status.replicas");
  EXPECT_EQ(scale["labelSelectorPath"], ".status.selector");
  // A default would be a scale-down for whoever removes the line.
  EXPECT_FALSE(FactsOf("spec").at("replicas").contains("default"));
}

}  // namespace
}  // namespace rabbit::api
