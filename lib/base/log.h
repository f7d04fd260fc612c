// lib/base/log.h: log lines are a constant message and key=value pairs, as text or as JSON.
//   logger.Info("status written", {{"cluster", key.ToString()}, {"generation", generation}});
// Thread-safe; a line is written whole. Secrets have no conversion to a field, on purpose.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace rabbit::base {

enum class LogLevel { kDebug, kInfo, kWarn, kError };
enum class LogFormat { kText, kJson };

struct LogField {
  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  LogField(std::string_view k, std::same_as<bool> auto v)
      : key(k), value(v ? "true" : "false"), bare(true) {}
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  LogField(std::string_view k, T v) : key(k), value(std::to_string(v)), bare(true) {}

  std::string_view key;
  std::string value;
  bool bare = false;  // a number or a bool: written without quotes in JSON
};

class Logger {
 public:
  using Fields = std::initializer_list<LogField>;
  virtual ~Logger() = default;
  virtual void Log(LogLevel level, std::string_view message, Fields fields) = 0;

  void Debug(std::string_view message, Fields fields = {}) {
    Log(LogLevel::kDebug, message, fields);
  }
  void Info(std::string_view message, Fields fields = {}) { Log(LogLevel::kInfo, message, fields); }
  void Warn(std::string_view message, Fields fields = {}) { Log(LogLevel::kWarn, message, fields); }
  void Error(std::string_view message, Fields fields = {}) {
    Log(LogLevel::kError, message, fields);
  }
};

// Writes to standard error; lines below `least` are dropped.
[[nodiscard]] std::unique_ptr<Logger> MakeLogger(LogLevel least, LogFormat format);
// Drops everything: for tests.
[[nodiscard]] Logger& NullLogger();

}  // namespace rabbit::base
