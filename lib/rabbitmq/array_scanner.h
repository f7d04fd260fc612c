// lib/rabbitmq/array_scanner.h: cuts a JSON array of objects, as it streams in, into its elements,
// so that a list of 100,000 queues costs the memory of one. It finds the elements' ends and leaves
// the JSON inside of them to a parser. Not thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace rabbit::rabbitmq {

class ArrayScanner {
 public:
  // Gets each element's text; an error of it ends the scan.
  using OnElement = std::function<base::Result<void>(std::string_view)>;

  // An element longer than `max_element_bytes` is kInternal.
  explicit ArrayScanner(OnElement on_element, std::size_t max_element_bytes = 1 << 20)
      : on_element_(std::move(on_element)), max_element_bytes_(max_element_bytes) {}

  // Any cut of the text. After an error the scanner must not be used again.
  [[nodiscard]] base::Result<void> Feed(std::string_view data);
  // kInternal unless the array has ended: a cut list is not a short list.
  [[nodiscard]] base::Result<void> Finish() const;

 private:
  enum class State { kStart, kFirst, kBetween, kNext, kElement, kDone };
  [[nodiscard]] base::Result<void> OnByte(char c);
  [[nodiscard]] base::Result<void> InElement(char c);

  OnElement on_element_;
  std::size_t max_element_bytes_;
  State state_ = State::kStart;
  std::string element_;
  int depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

}  // namespace rabbit::rabbitmq
