// lib/rabbitmq/part.h: one part of what was asked for: its value, or why there is none.
// A value: copied, compared with ==, no thread affinity.
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <utility>

#include "base/error.h"

namespace rabbit::rabbitmq {

inline constexpr const char* kNotAsked = "not asked yet";

//   if (!view.users) return Wait(view.users.why());
//   for (const User& user : *view.users) …
template <typename T>
class Part {
 public:
  Part() = default;  // "not asked yet"
  template <typename U = T>
    requires std::convertible_to<U&&, T>
  Part(U&& value) : value_(std::forward<U>(value)) {}  // NOLINT: implicit on purpose
  Part(const base::Error& error) : why_(error.message), kind_(error.kind) {}  // NOLINT
  Part(base::Result<T> result) {                                              // NOLINT
    if (result) {
      value_ = std::move(*result);
    } else {
      *this = Part(result.error());
    }
  }

  [[nodiscard]] bool has_value() const { return value_.has_value(); }
  explicit operator bool() const { return has_value(); }
  // REQUIRES: has_value().
  const T& operator*() const { return *value_; }
  const T* operator->() const { return &*value_; }
  T& operator*() { return *value_; }
  T* operator->() { return &*value_; }

  // Why there is no value; meaningless when there is one.
  [[nodiscard]] const std::string& why() const { return why_; }
  // kDenied: the credentials are refused; kRetry: not reachable, or not yet.
  [[nodiscard]] base::ErrorKind kind() const { return kind_; }

  bool operator==(const Part& other) const {
    return value_ == other.value_ && (value_ || (why_ == other.why_ && kind_ == other.kind_));
  }

 private:
  std::optional<T> value_;
  std::string why_ = kNotAsked;
  base::ErrorKind kind_ = base::ErrorKind::kRetry;
};

}  // namespace rabbit::rabbitmq
