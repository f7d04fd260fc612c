// operator/api/fields_in_effect.h: what a user declared that this version of the operator does not
// act on yet. The table of what it acts on is in fields_in_effect.cc, in one place. Pure,
// thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "operator/api/spec.h"

namespace rabbit::api {

// Paths of the declared fields (those that differ from their defaults) without effect, in order,
// each once: "spec.tls", "spec.loadBalancer.proxyProtocol". A part of which nothing is in effect is
// named as a whole. For condition FieldsInEffect.
[[nodiscard]] std::vector<std::string> FieldsNotInEffect(const Spec& spec);

// The rows of the table, for the test that holds them against the fields: "replicas", "storage.*".
[[nodiscard]] std::span<const std::string_view> FieldsInEffectTable();

// Whether the field at `path` ("users.tags", without brackets), or any below it, is acted on.
[[nodiscard]] bool IsAnyInEffect(std::string_view path);

}  // namespace rabbit::api
