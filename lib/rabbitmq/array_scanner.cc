#include "rabbitmq/array_scanner.h"

namespace rabbit::rabbitmq {
namespace {

using base::ErrorKind;
using base::Fail;
using base::Result;

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

Result<void> NotAList() {
  return Fail(ErrorKind::kInternal, "the broker's answer is not a list of objects");
}

}  // namespace

Result<void> ArrayScanner::Feed(std::string_view data) {
  for (const char c : data) {
    if (auto done = OnByte(c); !done) return done;
  }
  return {};
}

Result<void> ArrayScanner::OnByte(char c) {
  if (state_ == State::kElement) return InElement(c);
  if (IsSpace(c)) return {};
  switch (state_) {
    case State::kStart:
      if (c != '[') return NotAList();
      state_ = State::kFirst;
      return {};
    case State::kBetween:
      if (c != ',' && c != ']') return NotAList();
      state_ = c == ',' ? State::kNext : State::kDone;
      return {};
    case State::kFirst:
    case State::kNext:
      if (c == ']' && state_ == State::kFirst) {
        state_ = State::kDone;
        return {};
      }
      if (c != '{') return NotAList();
      state_ = State::kElement;
      element_ = "{";
      depth_ = 1;
      return {};
    case State::kElement:
    case State::kDone:
      break;
  }
  return NotAList();
}

Result<void> ArrayScanner::InElement(char c) {
  if (element_.size() == max_element_bytes_) {
    return Fail(ErrorKind::kInternal, "an entry of the broker's list is longer than " +
                                          std::to_string(max_element_bytes_) + " bytes");
  }
  element_ += c;
  if (in_string_) {
    if (escaped_) {
      escaped_ = false;
    } else if (c == '\\') {
      escaped_ = true;
    } else if (c == '"') {
      in_string_ = false;
    }
    return {};
  }
  if (c == '"') {
    in_string_ = true;
  } else if (c == '{' || c == '[') {
    ++depth_;
  } else if ((c == '}' || c == ']') && --depth_ == 0) {
    state_ = State::kBetween;
    return on_element_(element_);
  }
  return {};
}

Result<void> ArrayScanner::Finish() const {
  if (state_ == State::kDone) return {};
  return Fail(ErrorKind::kInternal, "the broker's list ends in the middle");
}

}  // namespace rabbit::rabbitmq
