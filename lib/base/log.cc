#include "base/log.h"

#include <spdlog/common.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <array>
#include <cstdio>

#include "base/utf8.h"

namespace rabbit::base {
namespace {

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

// As a JSON string. Text lines use the same quoting: a line break in a value would forge a line.
void AppendQuoted(std::string& line, std::string_view text) {
  line += '"';
  while (!text.empty()) {
    const std::size_t length = Utf8Length(text);
    const auto c = static_cast<unsigned char>(text[0]);
    if (length == 0) {
      line += "\xEF\xBF\xBD";  // U+FFFD
    } else if (c == '"' || c == '\\') {
      line += '\\';
      line += text[0];
    } else if (c == '\n') {
      line += "\\n";
    } else if (c < 0x20 || c == 0x7F) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", c);
      line += escape.data();
    } else {
      line += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  line += '"';
}

bool NeedsQuotes(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7F || c == '"' || c == '=' || c == '\\') return true;
  }
  return text.empty();
}

std::string JsonMembers(std::string_view message, Logger::Fields fields) {
  std::string line = R"("message":)";
  AppendQuoted(line, message);
  for (const LogField& field : fields) {
    line += ',';
    AppendQuoted(line, field.key);
    line += ':';
    if (field.bare) {
      line += field.value;
    } else {
      AppendQuoted(line, field.value);
    }
  }
  return line;
}

std::string TextLine(std::string_view message, Logger::Fields fields) {
  std::string line(message);
  for (const LogField& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    if (NeedsQuotes(field.value)) {
      AppendQuoted(line, field.value);
    } else {
      line += field.value;
    }
  }
  return line;
}

class SpdlogLogger final : public Logger {
 public:
  SpdlogLogger(LogLevel least, LogFormat format)
      : format_(format), logger_("", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger_.set_level(ToSpdlog(least));
    logger_.flush_on(spdlog::level::debug);
    logger_.set_formatter(std::make_unique<spdlog::pattern_formatter>(
        format == LogFormat::kJson ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                                   : "%Y-%m-%dT%H:%M:%S.%eZ %l %v",
        spdlog::pattern_time_type::utc));
  }

  void Log(LogLevel level, std::string_view message, Fields fields) override {
    const auto spdlog_level = ToSpdlog(level);
    if (!logger_.should_log(spdlog_level)) return;
    logger_.log(spdlog_level,
                spdlog::string_view_t(format_ == LogFormat::kJson ? JsonMembers(message, fields)
                                                                  : TextLine(message, fields)));
  }

 private:
  const LogFormat format_;
  spdlog::logger logger_;
};

class Nowhere final : public Logger {
 public:
  void Log(LogLevel, std::string_view, Fields) override {}
};

}  // namespace

std::unique_ptr<Logger> MakeLogger(LogLevel least, LogFormat format) {
  return std::make_unique<SpdlogLogger>(least, format);
}

Logger& NullLogger() {
  static Nowhere nowhere;  // without state
  return nowhere;
}

}  // namespace rabbit::base
