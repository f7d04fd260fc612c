#include "operator/resources/golden.h"

#include <gtest/gtest.h>

#include <cctype>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace rabbit::resources {
namespace {

using base::Json;

bool IsPlain(const std::string& text) {
  for (const char* word : {"true", "false", "null", "yes", "no", "on", "off"}) {
    if (text == word) return false;
  }
  if (text.empty() || (std::isalpha(static_cast<unsigned char>(text[0])) == 0 && text[0] != '/')) {
    return false;
  }
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                       std::string_view("./@-_$()").find(c) != std::string_view::npos;
    if (!plain) return false;
  }
  return true;
}

// Lines that block style would change, or that begin with a blank, stay in quotes.
bool IsBlock(const std::string& text) {
  return text.find('\n') != std::string::npos && text.back() == '\n' && text[0] != ' ' &&
         text[0] != '\n' && !text.ends_with("\n\n") && text.find('\t') == std::string::npos;
}

void Write(const Json& value, const std::string& indent, std::string& out);

void WriteText(const std::string& text, const std::string& indent, std::string& out) {
  if (IsPlain(text)) {
    out += " " + text + "\n";
  } else if (IsBlock(text)) {
    out += " |\n";
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      out += line.empty() ? "\n" : indent + line + "\n";
    }
  } else {
    out += " " + Json(text).dump() + "\n";
  }
}

void Write(const Json& value, const std::string& indent, std::string& out) {
  if (value.is_string()) {
    WriteText(value.get<std::string>(), indent, out);
  } else if (value.is_primitive() || value.empty()) {
    out += " " + value.dump() + "\n";
  } else if (value.is_object()) {
    out += "\n";
    for (const auto& [key, member] : value.items()) {
      out += indent + (IsPlain(key) ? key : Json(key).dump()) + ":";
      Write(member, indent + "  ", out);
    }
  } else {
    out += "\n";
    for (const Json& element : value) {
      std::string item;
      Write(element, indent + "  ", item);
      // The first member stands beside the dash.
      if (element.is_structured() && !element.empty()) item = " " + item.substr(indent.size() + 3);
      out.append(indent).append("-").append(item);
    }
  }
}

}  // namespace

std::string ToYaml(const Json& document) {
  std::string out;
  Write(document, "", out);
  return out.substr(1);
}

void ExpectGolden(const std::string& name, const std::vector<Json>& documents) {
  std::string actual;
  for (const Json& document : documents) {
    if (!actual.empty()) actual += "---\n";
    actual += ToYaml(document);
  }
  const std::string path = std::string(RABBIT_SOURCE_DIR) + "/test/golden/" + name;
  if (std::getenv("RABBIT_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path) << actual;
    return;
  }
  std::ostringstream golden;
  golden << std::ifstream(path).rdbuf();
  EXPECT_EQ(golden.str(), actual) << path << ": ./dev golden rewrites it";
}

}  // namespace rabbit::resources
