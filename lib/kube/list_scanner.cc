#include "kube/list_scanner.h"

#include "kube/json_text.h"

namespace rabbit::kube {
namespace {

constexpr std::size_t kMaxKey = 256;

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

tl::unexpected<base::Error> NotAList(const char* what) {
  return base::Fail(base::ErrorKind::kInternal, std::string("the answer is not a list: ") + what);
}

}  // namespace

ListScanner::ListScanner(ItemFunction item, std::size_t max_item_bytes)
    : item_(std::move(item)), max_(max_item_bytes) {}

base::Result<void> ListScanner::Feed(std::string_view data) {
  while (!data.empty()) {
    if (in_value_) {
      const std::size_t used = Collect(data);
      size_ += used;
      if (size_ > max_) return base::Fail(base::ErrorKind::kInternal, "a list item is too large");
      if (keep_) text_.append(data.substr(0, used));
      data.remove_prefix(used);
      if (closed_) {
        if (auto result = CloseValue(); !result) return result;
      }
      continue;
    }
    const char c = data.front();
    if (state_ != State::kInKey && IsSpace(c)) {
      data.remove_prefix(1);
      continue;
    }
    // A value's first character belongs to the value.
    if (auto result = Step(c); !result) return result;
    if (!in_value_) data.remove_prefix(1);
  }
  return {};
}

base::Result<void> ListScanner::Step(char c) {
  switch (state_) {
    case State::kStart:
      if (c != '{') return NotAList("no object");
      state_ = State::kKeyOrEnd;
      return {};
    case State::kKeyOrEnd:
    case State::kKey:
      if (c == '"') {
        key_.clear();
        state_ = State::kInKey;
        return {};
      }
      if (c != '}' || state_ == State::kKey) return NotAList("no key");
      state_ = State::kEnd;
      return {};
    case State::kInKey:
      if (c == '"') {
        state_ = State::kColon;
      } else if (key_.size() >= kMaxKey || c == '\\') {
        return NotAList("strange key");
      } else {
        key_ += c;
      }
      return {};
    case State::kColon:
      if (c != ':') return NotAList("no colon");
      state_ = State::kValue;
      return {};
    case State::kValue:
      if (key_ == "items" && c == '[') {
        state_ = State::kItemOrEnd;
        return {};
      }
      if (c == ',' || c == '}' || c == ']') return NotAList("no value");
      if (key_ == "items" && c != 'n') return NotAList("items is no array");
      in_items_ = false;
      keep_ = key_ == "metadata" || key_ == "items";
      OpenValue();
      return {};
    case State::kAfterValue:
      if (c != ',' && c != '}') return NotAList("no comma");
      state_ = c == ',' ? State::kKey : State::kEnd;
      return {};
    case State::kItemOrEnd:
    case State::kItem:
    case State::kAfterItem:
      return StepItems(c);
    case State::kEnd:
      return NotAList("something after its end");
  }
  return NotAList("unknown state");
}

base::Result<void> ListScanner::StepItems(char c) {
  if (state_ == State::kAfterItem) {
    if (c != ',' && c != ']') return NotAList("no comma between items");
    state_ = c == ',' ? State::kItem : State::kAfterValue;
    return {};
  }
  if (c == ']' && state_ == State::kItemOrEnd) {
    state_ = State::kAfterValue;
    return {};
  }
  if (c != '{') return NotAList("an item is no object");
  in_items_ = true;
  keep_ = true;
  OpenValue();
  return {};
}

void ListScanner::OpenValue() {
  in_value_ = true;
  closed_ = in_string_ = escaped_ = false;
  depth_ = 0;
  size_ = 0;
  text_.clear();
}

std::size_t ListScanner::Collect(std::string_view data) {
  // The hot loop: its state is kept in locals.
  bool in_string = in_string_, escaped = escaped_, closed = false;
  std::size_t depth = depth_, pos = 0;
  for (; pos < data.size() && !closed; ++pos) {
    const char c = data[pos];
    if (in_string) {
      if (escaped) {
        escaped = false;
      } else if (c == '\\') {
        escaped = true;
      } else if (c == '"') {
        in_string = false;
        closed = depth == 0;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth == 0) break;  // the end of the list itself, after a scalar
      closed = --depth == 0;
    } else if (depth == 0 && (c == ',' || IsSpace(c))) {
      break;  // the end of a scalar
    }
  }
  closed_ = closed || (pos < data.size() && depth == 0 && !in_string);
  in_string_ = in_string;
  escaped_ = escaped;
  depth_ = depth;
  return pos;
}

base::Result<void> ListScanner::CloseValue() {
  in_value_ = false;
  if (in_items_) {
    state_ = State::kAfterItem;
    ++items_;
    return item_(text_);
  }
  state_ = State::kAfterValue;
  if (key_ == "items" && text_ != "null") return NotAList("items is no array");
  if (key_ == "metadata") {
    if (const auto version = FindMember(text_, "resourceVersion")) {
      resource_version_ = Unquote(*version).value_or("");
    }
    if (const auto token = FindMember(text_, "continue")) {
      continue_token_ = Unquote(*token).value_or("");
    }
  }
  return {};
}

base::Result<void> ListScanner::Finish() const {
  if (state_ == State::kEnd) return {};
  return base::Fail(base::ErrorKind::kRetry, "the list was cut off");
}

}  // namespace rabbit::kube
