#include "rabbitmq/node_name.h"

#include <charconv>

namespace rabbit::rabbitmq {
namespace {
constexpr std::string_view kPrefix = "rabbit@";
}

std::string NodeAddress::NodeName() const {
  return std::string(kPrefix) + pod + '.' + service + '.' + ns;
}

std::optional<NodeAddress> ParseNodeName(std::string_view name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  const std::size_t first = name.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = name.find('.', first + 1);
  if (second == std::string_view::npos || name.find('.', second + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  NodeAddress address{.pod = std::string(name.substr(0, first)),
                      .service = std::string(name.substr(first + 1, second - first - 1)),
                      .ns = std::string(name.substr(second + 1))};
  if (address.pod.empty() || address.service.empty() || address.ns.empty()) return std::nullopt;
  return address;
}

std::optional<int> OrdinalOfPod(std::string_view pod) {
  const std::size_t dash = pod.rfind('-');
  if (dash == std::string_view::npos || dash == 0) return std::nullopt;
  const std::string_view digits = pod.substr(dash + 1);
  if (digits.empty() || digits.size() > 6 || (digits.size() > 1 && digits.front() == '0')) {
    return std::nullopt;
  }
  int ordinal = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), ordinal);
  if (error != std::errc() || end != digits.data() + digits.size() || ordinal < 0) {
    return std::nullopt;
  }
  return ordinal;
}

}  // namespace rabbit::rabbitmq
