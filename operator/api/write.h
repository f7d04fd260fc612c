// operator/api/write.h: values of types.h as JSON text, by the field description of fields.h.
// Pure, thread-safe.
#pragma once

#include <map>
#include <string>

#include "operator/api/spec.h"
#include "operator/api/status.h"

namespace rabbit::api {

// What is absent or empty is left out. Compact, keys sorted.
[[nodiscard]] std::string StatusToJson(const Status& status);

// Each field that differs from its default: path without indices ("users[].limits.maxChannels",
// without "spec.") to the value of its first difference as JSON.
[[nodiscard]] std::map<std::string, std::string> DeclaredFields(const Spec& spec);

}  // namespace rabbit::api
