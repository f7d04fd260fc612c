#include "base/json.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace rabbit::base {
namespace {

constexpr int kMaxDepth = 200;

// Brackets are counted ahead of the parser, which knows no limit; its values are destroyed and
// written recursively.
bool IsTooDeep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxDepth) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

bool IsEmpty(const Json& value) {
  return value.is_null() || ((value.is_object() || value.is_array()) && value.empty());
}

}  // namespace

Result<Json> ParseJson(std::string_view text) {
  if (IsTooDeep(text)) {
    return Fail(ErrorKind::kInternal, "JSON nested deeper than " + std::to_string(kMaxDepth));
  }
  // The library's messages quote the text, which may hold a secret.
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    return Fail(ErrorKind::kInternal, "not JSON at byte " + std::to_string(error.byte) + " of " +
                                          std::to_string(text.size()));
  } catch (const Json::exception&) {
    return Fail(ErrorKind::kInternal, "JSON with a number out of range");
  }
}

std::string Dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string DumpPretty(const Json& value) {
  return value.dump(2, ' ', false, Json::error_handler_t::replace);
}

const Json* Find(const Json& value, std::initializer_list<std::string_view> path) {
  const Json* at = &value;
  for (const std::string_view step : path) {
    if (!at->is_object()) return nullptr;
    const auto found = at->find(step);
    if (found == at->end()) return nullptr;
    at = &*found;
  }
  return at;
}

std::string FindString(const Json& value, std::initializer_list<std::string_view> path,
                       std::string_view otherwise) {
  const Json* found = Find(value, path);
  if (found == nullptr || !found->is_string()) return std::string(otherwise);
  return found->get<std::string>();
}

std::int64_t FindInt(const Json& value, std::initializer_list<std::string_view> path,
                     std::int64_t otherwise) {
  const Json* found = Find(value, path);
  if (found == nullptr || !found->is_number_integer()) return otherwise;
  return found->get<std::int64_t>();
}

bool FindBool(const Json& value, std::initializer_list<std::string_view> path, bool otherwise) {
  const Json* found = Find(value, path);
  if (found == nullptr || !found->is_boolean()) return otherwise;
  return found->get<bool>();
}

void MergePatch(Json& target, const Json& patch) { target.merge_patch(patch); }

void DropEmpty(Json& value) {
  if (value.is_object()) {
    for (auto it = value.begin(); it != value.end();) {
      DropEmpty(*it);
      it = IsEmpty(*it) ? value.erase(it) : std::next(it);
    }
  } else if (value.is_array()) {
    for (Json& element : value) DropEmpty(element);
    // An element that became empty stays: its place in the list may mean something.
    std::erase_if(value.get_ref<Json::array_t&>(), [](const Json& e) { return e.is_null(); });
  }
}

}  // namespace rabbit::base
