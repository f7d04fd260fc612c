// operator/api/leaf.h: single values between C++ and JSON, for the visitors of
// operator/api/fields.h. Pure, thread-safe. REQUIRES everywhere: Violation(rule, value) found
// nothing.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/clock.h"
#include "operator/api/common.h"
#include "operator/api/enums.h"
#include "operator/api/rules.h"

namespace rabbit::api {

using Json = nlohmann::json;

[[nodiscard]] std::int64_t IntegerOf(const Json& value);
[[nodiscard]] std::vector<std::string> TextsOf(const Json& value);
void WriteInteger(Json& out, std::int64_t value);
void WriteTexts(Json& out, const std::vector<std::string>& values);

void Read(const Rule& rule, const Json& in, bool& value);
void Read(const Rule& rule, const Json& in, std::string& value);  // kText, kQuantity, kJson…
void Read(const Rule& rule, const Json& in, StringMap& value);
void Read(const Rule& rule, const Json& in, Duration& value);
void Read(const Rule& rule, const Json& in, std::chrono::seconds& value);  // a number, as in a pod
void Read(const Rule& rule, const Json& in, base::WallTime& value);
void Write(const Rule& rule, Json& out, bool value);
void Write(const Rule& rule, Json& out, const std::string& value);
void Write(const Rule& rule, Json& out, const StringMap& value);
void Write(const Rule& rule, Json& out, Duration value);
void Write(const Rule& rule, Json& out, std::chrono::seconds value);
void Write(const Rule& rule, Json& out, base::WallTime value);

// One member, whatever its type.
class LeafRef {
 public:
  virtual ~LeafRef() = default;
  virtual void ReadFrom(const Rule& rule, const Json& in) = 0;
  // Leaves `out` null when the member is absent: an empty optional, text, list or map.
  virtual void WriteTo(const Rule& rule, Json& out) const = 0;
};

template <typename T>
struct IsOptional : std::false_type {};
template <typename T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <typename T>
struct IsWordList : std::false_type {};  // a std::vector of an enum
template <typename T>
struct IsWordList<std::vector<T>> : std::is_enum<T> {};

template <typename T>
class LeafOf final : public LeafRef {
 public:
  explicit LeafOf(T& value) : value_(value) {}
  void ReadFrom(const Rule& rule, const Json& in) override { ReadValue(rule, in, value_); }
  void WriteTo(const Rule& rule, Json& out) const override {
    if constexpr (IsOptional<T>::value) {
      if (value_) WriteValue(rule, out, *value_);
    } else if constexpr (requires { value_.empty(); }) {
      if (!value_.empty()) WriteValue(rule, out, value_);
    } else {
      WriteValue(rule, out, value_);
    }
  }

 private:
  template <typename V>
  static void ReadValue(const Rule& rule, const Json& in, V& value) {
    if constexpr (IsOptional<V>::value) {
      ReadValue(rule, in, value.emplace());
    } else if constexpr (std::is_enum_v<V>) {
      std::string word;
      Read(rule, in, word);
      value = *FromName<V>(word);
    } else if constexpr (std::is_integral_v<V> && !std::is_same_v<V, bool>) {
      value = static_cast<V>(IntegerOf(in));
    } else if constexpr (std::is_same_v<V, std::vector<std::string>>) {
      value = TextsOf(in);
    } else if constexpr (IsWordList<V>::value) {
      value.clear();
      for (const std::string& word : TextsOf(in)) {
        value.push_back(*FromName<typename V::value_type>(word));
      }
    } else {
      Read(rule, in, value);
    }
  }

  template <typename V>
  static void WriteValue(const Rule& rule, Json& out, const V& value) {
    if constexpr (std::is_enum_v<V>) {
      Write(rule, out, std::string(Name(value)));
    } else if constexpr (std::is_integral_v<V> && !std::is_same_v<V, bool>) {
      WriteInteger(out, value);
    } else if constexpr (std::is_same_v<V, std::vector<std::string>>) {
      WriteTexts(out, value);
    } else if constexpr (IsWordList<V>::value) {
      std::vector<std::string> words;
      words.reserve(value.size());
      for (const auto& word : value) words.emplace_back(Name(word));
      WriteTexts(out, words);
    } else {
      Write(rule, out, value);
    }
  }

  T& value_;
};

}  // namespace rabbit::api
