// lib/kube/json_text.h: reading a few members out of a JSON text without a DOM, and cutting one
// out. A watch event or a list item is parsed once, by the function that projects it; everything
// before that (which object is it, which version, where does it end) is done here by skipping,
// which costs about a hundredth of a parse. Skipping checks brackets and strings, not the grammar
// of scalars. Keys written with escapes ("n\u0061me") are not recognised: the API server never
// writes them. Pure functions, thread-safe; views point into the text given.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "kube/resource.h"

namespace rabbit::kube {

// Walks over the members of a JSON object: while (members.Next()) use members.key(), .value().
class Members {
 public:
  explicit Members(std::string_view object);

  // Goes to the next member; false at the end, and when the text is malformed.
  bool Next();
  [[nodiscard]] std::string_view key() const { return key_; }      // without quotes, still escaped
  [[nodiscard]] std::string_view value() const { return value_; }  // the JSON text of the value
  [[nodiscard]] std::size_t key_start() const { return key_start_; }  // offset of the key's quote
  [[nodiscard]] std::size_t value_end() const { return pos_; }        // offset after the value
  [[nodiscard]] bool malformed() const { return malformed_; }

 private:
  bool Malformed();

  std::string_view text_;
  std::size_t pos_ = 0;
  bool first_ = true;
  bool malformed_ = false;
  std::string_view key_, value_;
  std::size_t key_start_ = 0;
};

// The text of member `key` of the JSON object `object`.
[[nodiscard]] std::optional<std::string_view> FindMember(std::string_view object,
                                                         std::string_view key);

// What a JSON string means: without quotes, escapes resolved. Nothing if it is not a string.
[[nodiscard]] std::optional<std::string> Unquote(std::string_view json);

// `text` (UTF-8) as a JSON string, with quotes.
[[nodiscard]] std::string Quote(std::string_view text);

// An object as the server sent it: which one it is, and its text. metadata.managedFields, often
// half of the text, are cut out, so that nobody parses or keeps them.
struct Item {
  ObjectKey key;
  std::string resource_version;
  std::string text;
};

// kInternal when `text` is not a JSON object with metadata.name.
[[nodiscard]] base::Result<Item> ReadItem(std::string_view text);

}  // namespace rabbit::kube
