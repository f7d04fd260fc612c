// lib/base/secret.h: a password, token or cookie that cannot reach a log by accident.
// It has no stream or format operator and no conversion; it prints as Digest(), a keyed hash that
// is the same for equal values within one process and worthless outside of it. A value: copyable
// and comparable (in constant time). The bytes are wiped on destruction, on assignment and on being
// moved from.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

namespace rabbit::base {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value);
  ~Secret();
  Secret(const Secret& other);
  // By hand: a short string that was moved from keeps its bytes.
  Secret(Secret&& other) noexcept;
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;

  // The bytes themselves: only for building the request, file or hash that needs them.
  [[nodiscard]] std::string_view Reveal() const { return value_; }
  [[nodiscard]] bool empty() const { return value_.empty(); }
  // "secret:1f3a…" (8 hex digits).
  [[nodiscard]] std::string Digest() const;

  friend bool operator==(const Secret& a, const Secret& b);
  // What a failed test prints; without it gtest would dump the object's bytes.
  friend void PrintTo(const Secret& secret, std::ostream* out);

 private:
  std::string value_;
};

}  // namespace rabbit::base
