#include "operator/resources/plugins.h"

#include <algorithm>

namespace rabbit::resources {

std::string_view SetPluginsScript();  // set_plugins.sh without its comments; made by CMake

std::vector<std::string> SetPluginsCommand(const std::vector<std::string>& plugins) {
  std::vector<std::string> command{"/bin/sh", "-c", std::string(SetPluginsScript()), "set-plugins"};
  command.insert(command.end(), plugins.begin(), plugins.end());
  return command;
}

std::vector<std::string> MissingPlugins(std::string_view said) {
  std::vector<std::string> names;
  const std::size_t at = said.rfind(kNoSuchPlugin);
  if (at == std::string_view::npos) return names;
  said.remove_prefix(at + kNoSuchPlugin.size());
  const auto is_of_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  while (said.starts_with(' ')) {
    said.remove_prefix(1);
    const auto end = std::ranges::find_if_not(said, is_of_name);
    const auto size = static_cast<std::size_t>(end - said.begin());
    if (size == 0) break;
    names.emplace_back(said.substr(0, size));
    said.remove_prefix(size);
  }
  return names;
}

std::string TroubleIn(std::string_view said) {
  for (const std::string_view begin : {"** (", "Error:"}) {
    if (const std::size_t at = said.find(begin); at != std::string_view::npos) {
      said.remove_prefix(at);
      break;
    }
  }
  std::string line;
  for (const char c : said) {
    const bool is_space = static_cast<unsigned char>(c) <= ' ';
    if (!is_space) {
      line += c;
    } else if (!line.empty() && !line.ends_with(' ')) {
      line += ' ';
    }
  }
  if (line.ends_with(' ')) line.pop_back();
  return line;
}

}  // namespace rabbit::resources
