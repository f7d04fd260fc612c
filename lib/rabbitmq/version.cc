#include "rabbitmq/version.h"

#include <charconv>

namespace rabbit::rabbitmq {
namespace {

// Takes a number of at most six digits off `text`.
std::optional<int> TakeNumber(std::string_view& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const auto length = static_cast<std::size_t>(end - text.data());
  if (error != std::errc() || value < 0 || length > 6 || text.front() == '-') return std::nullopt;
  text.remove_prefix(length);
  return value;
}

std::string_view WithoutFolders(std::string_view image) {
  return image.substr(image.rfind('/') + 1);  // npos + 1 is 0
}

}  // namespace

std::string Version::ToString() const {
  return std::to_string(major) + '.' + std::to_string(minor) + '.' + std::to_string(patch);
}

std::optional<Version> ParseVersion(std::string_view text) {
  Version version;
  const auto major = TakeNumber(text);
  if (!major || !text.starts_with('.')) return std::nullopt;
  text.remove_prefix(1);
  const auto minor = TakeNumber(text);
  if (!minor) return std::nullopt;
  version = {.major = *major, .minor = *minor};
  if (!text.starts_with('.')) return version;
  text.remove_prefix(1);
  version.patch = TakeNumber(text).value_or(0);
  return version;
}

std::optional<Version> VersionOfImage(std::string_view image) {
  image = image.substr(0, image.find('@'));  // a digest behind a tag promises nothing more
  const std::size_t colon = image.rfind(':');
  if (colon == std::string_view::npos || image.find('/', colon) != std::string_view::npos) {
    return std::nullopt;  // no tag: the colon belongs to the registry's port
  }
  std::string_view tag = image.substr(colon + 1);
  if (tag.starts_with('v')) tag.remove_prefix(1);
  return ParseVersion(tag);
}

bool IsOfSeries(std::string_view image_of_pod, std::string_view image) {
  const auto runs = VersionOfImage(image_of_pod);
  const auto promised = VersionOfImage(image);
  if (runs && promised) return runs->major == promised->major && runs->minor == promised->minor;
  std::string_view name = WithoutFolders(image_of_pod);
  std::string_view other = WithoutFolders(image);
  if (name.find('@') != std::string_view::npos && other.find('@') == std::string_view::npos) {
    name = name.substr(0, name.find('@'));
    if (name.find(':') == std::string_view::npos) other = other.substr(0, other.find(':'));
  }
  return name == other;
}

}  // namespace rabbit::rabbitmq
