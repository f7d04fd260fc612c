// operator/api/schema_of_fields.h: the OpenAPI schema that the field description amounts to,
// without the descriptions and without the rules between fields. For the test that holds it against
// the CRD. Pure.
#pragma once

#include <map>
#include <string>

namespace rabbit::api {

// For `spec` and `status`: path ("users[].name", "storage", "storage.size"; "" is the whole) to
// what the schema says at that place: keyword ("type", "maxLength", "default", "required" …) to
// JSON text.
using SchemaFacts = std::map<std::string, std::map<std::string, std::string>>;
[[nodiscard]] SchemaFacts SpecSchemaOfFields();
[[nodiscard]] SchemaFacts StatusSchemaOfFields();

// The CEL rule that a duration's bounds are written as.
[[nodiscard]] std::string DurationRule(std::int64_t min_ms, std::int64_t max_ms);

}  // namespace rabbit::api
