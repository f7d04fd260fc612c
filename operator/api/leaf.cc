#include "operator/api/leaf.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "operator/api/duration.h"

namespace rabbit::api {
namespace {

bool IsJson(const Rule& rule) {
  return rule.kind == Rule::Kind::kJsonObject || rule.kind == Rule::Kind::kJsonArray;
}

// Quantities may be written as numbers.
std::string TextOrNumber(const Json& value) {
  return value.is_string() ? value.get<std::string>() : std::to_string(value.get<std::int64_t>());
}

}  // namespace

std::int64_t IntegerOf(const Json& value) { return value.get<std::int64_t>(); }

std::vector<std::string> TextsOf(const Json& value) {
  return value.get<std::vector<std::string>>();
}

void WriteInteger(Json& out, std::int64_t value) { out = value; }

void WriteTexts(Json& out, const std::vector<std::string>& values) { out = values; }

void Read(const Rule&, const Json& in, bool& value) { value = in.get<bool>(); }

void Read(const Rule& rule, const Json& in, std::string& value) {
  if (IsJson(rule)) {
    // An empty list or object says as little as an absent one.
    value = in.empty() ? std::string() : base::Dump(in);
  } else {
    value = TextOrNumber(in);
  }
}

// Adds to what is there, so that a default of one key outlives the mention of another.
void Read(const Rule&, const Json& in, StringMap& value) {
  for (const auto& [key, entry] : in.items()) value[key] = TextOrNumber(entry);
}

void Read(const Rule&, const Json& in, Duration& value) {
  value = ParseDuration(in.get_ref<const std::string&>()).value_or(Duration(0));
}

void Read(const Rule&, const Json& in, std::chrono::seconds& value) {
  value = std::chrono::seconds(in.get<std::int64_t>());
}

void Read(const Rule&, const Json& in, base::WallTime& value) {
  value = ParseTime(in.get_ref<const std::string&>()).value_or(base::WallTime{});
}

void Write(const Rule&, Json& out, bool value) { out = value; }

void Write(const Rule& rule, Json& out, const std::string& value) {
  if (!IsJson(rule)) {
    out = value;
  } else if (base::Result<Json> parsed = base::ParseJson(value)) {
    out = *std::move(parsed);
  }
}

void Write(const Rule&, Json& out, const StringMap& value) { out = value; }

void Write(const Rule&, Json& out, Duration value) { out = FormatDuration(value); }

void Write(const Rule&, Json& out, std::chrono::seconds value) { out = value.count(); }

void Write(const Rule&, Json& out, base::WallTime value) { out = base::FormatTime(value); }

}  // namespace rabbit::api
