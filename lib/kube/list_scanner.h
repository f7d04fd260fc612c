// lib/kube/list_scanner.h: the items of a list page, one by one, while the page is still coming in.
// The page is never held as a whole, neither as text nor as a DOM: the memory is one item's text.
// A server may ignore `limit` (it does for resourceVersion=0), so pages have no bound.
// Checks the list's own structure; what stands inside an item is its reader's matter.
// Not thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace rabbit::kube {

class ListScanner {
 public:
  static constexpr std::size_t kMaxItem = 8 << 20;

  // `item` is called with the text of each item, in order, valid during the call; its error ends
  // the Feed() and is returned by it.
  using ItemFunction = std::function<base::Result<void>(std::string_view text)>;
  explicit ListScanner(ItemFunction item, std::size_t max_item_bytes = kMaxItem);

  // Any cut of the body. After an error the scanner is of no more use.
  base::Result<void> Feed(std::string_view data);

  // Call it at the end of the body: an error (kRetry) when the list was not complete.
  [[nodiscard]] base::Result<void> Finish() const;

  // Of the list's metadata, once Finish() has succeeded.
  [[nodiscard]] const std::string& resource_version() const { return resource_version_; }
  [[nodiscard]] const std::string& continue_token() const { return continue_token_; }
  [[nodiscard]] std::size_t items() const { return items_; }

 private:
  enum class State {
    kStart,       // before the opening brace
    kKeyOrEnd,    // after the opening brace
    kKey,         // a key must come: after a comma
    kInKey,       // inside a key
    kColon,       // after a key
    kValue,       // before a value of the list
    kAfterValue,  // comma or closing brace
    kItemOrEnd,   // in items: after the opening bracket
    kItem,        // in items: after a comma
    kAfterItem,   // in items: comma or closing bracket
    kEnd,         // after the closing brace
  };

  base::Result<void> Step(char c);
  base::Result<void> StepItems(char c);
  // Collects the value that is open from `data`; returns how much of it was used.
  std::size_t Collect(std::string_view data);
  void OpenValue();
  base::Result<void> CloseValue();

  const ItemFunction item_;
  const std::size_t max_;
  State state_ = State::kStart;
  // The value being collected. Depth counts brackets; a scalar has depth 0 and ends before , } or
  // ].
  bool in_value_ = false;
  bool closed_ = false;
  bool in_string_ = false;
  bool escaped_ = false;
  bool in_items_ = false;  // the value is an item, not a member of the list
  bool keep_ = false;      // else its text is not wanted
  std::size_t depth_ = 0;
  std::size_t size_ = 0;
  std::string key_;
  std::string text_;
  std::size_t items_ = 0;
  std::string resource_version_, continue_token_;
};

}  // namespace rabbit::kube
