// lib/base/json.h: what we do with JSON beyond the library. Pure functions, thread-safe.
// This header includes the forward declaration only; a .cc that touches values includes
// <nlohmann/json.hpp> itself (3 s of compile time). A DOM never outlives a function.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace rabbit::base {

using Json = nlohmann::json;

// Parses; kInternal with the position (never the text) on bad input. Depth is limited to 200.
[[nodiscard]] Result<Json> ParseJson(std::string_view text);

// Compact, keys sorted; invalid UTF-8 becomes U+FFFD instead of an exception.
[[nodiscard]] std::string Dump(const Json& value);
// The same over several lines, indented by two.
[[nodiscard]] std::string DumpPretty(const Json& value);

// The value at `path`, or nullptr when a step is missing or not an object:
// Find(pod, {"status", "podIP"}).
[[nodiscard]] const Json* Find(const Json& value, std::initializer_list<std::string_view> path);
[[nodiscard]] std::string FindString(const Json& value,
                                     std::initializer_list<std::string_view> path,
                                     std::string_view otherwise = {});
[[nodiscard]] std::int64_t FindInt(const Json& value, std::initializer_list<std::string_view> path,
                                   std::int64_t otherwise = 0);
[[nodiscard]] bool FindBool(const Json& value, std::initializer_list<std::string_view> path,
                            bool otherwise = false);

// RFC 7386.
void MergePatch(Json& target, const Json& patch);

// Where `actual` first lacks or contradicts what `desired` says, as "spec.ports[name=amqp].port",
// or nothing when `actual` contains `desired`. Objects: every desired key must match. Arrays of
// objects told apart by "mountPath", "name", "containerPort", "port", "ip", "type",
// "vhost" and "name", "vhost" and "exchange", or "vhost" (the first that does so in both) are
// matched by it, and `actual` may hold more; other arrays element by element and of equal length.
// Below requests, limits, capacity, hard, sizeLimit and divisor
// quantities of equal value are equal ("1000m" and 1, "1024Mi" and "1Gi"); everywhere else "1k" is
// a text. An absent value equals an empty map, list or null.
[[nodiscard]] std::optional<std::string> FirstDifference(const Json& desired, const Json& actual);

// `actual` with all that `desired` says put into it, by the same rules: FirstDifference() of
// `desired` and the outcome is nothing, and what `desired` does not speak of stays.
[[nodiscard]] Json PutInto(const Json& desired, Json actual);

// One place at which two values differ. The values are JSON texts (Dump); absent: not there.
struct Difference {
  std::string path;  // "spec.ports[name=amqp].port", `data["rabbitmq.conf"]`
  std::optional<std::string> before, after;
  bool operator==(const Difference&) const = default;
};
// Every place, in the order of the keys; arrays by the rules above, others as a whole. What is only
// on one side is told as one value, however large. An absent value equals an empty map, list or
// null.
[[nodiscard]] std::vector<Difference> Differences(const Json& before, const Json& after);

// Removes null members, empty objects and empty arrays, bottom-up: what server-side apply would
// stumble over. Strings, numbers and false stay; so does an empty object that is an element of an
// array, because its place may mean something.
void DropEmpty(Json& value);

}  // namespace rabbit::base
