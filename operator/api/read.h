// operator/api/read.h: the visitor of fields.h that fills a value from JSON and notes what is
// wrong. For parse.cc. One use, one thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "operator/api/fields.h"
#include "operator/api/findings.h"

namespace rabbit::api {

class JsonReader final : public Visitor {
 public:
  // Neither is owned. `object` is what stands at `path`; REQUIRES: it is a JSON object.
  JsonReader(const nlohmann::json& object, std::string path, Findings& findings);

  void OnLeaf(std::string_view name, const Rule& rule, LeafRef& leaf) override;
  void OnObject(std::string_view name, const Rule& rule, const ObjectRef& object) override;
  void OnList(std::string_view name, const Rule& rule, const ListRef& list) override;

  // After the visit: notes the members of the object that no field has asked for.
  void NoteUnknown();

 private:
  // The member, or nullptr when it is absent, null or breaks `rule`, which is noted.
  const nlohmann::json* Find(std::string_view name, const Rule& rule);

  const nlohmann::json& object_;
  std::string path_;
  Findings& findings_;
  std::vector<std::string_view> known_;
};

// `value` as JSON, cut to a length that a message can bear.
[[nodiscard]] std::string ShortValue(const nlohmann::json& value);

}  // namespace rabbit::api
