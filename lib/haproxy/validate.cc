#include <algorithm>
#include <set>
#include <string>

#include "haproxy/render.h"
#include "haproxy/stats.h"

namespace rabbit::haproxy {
namespace {

using base::ErrorKind;
using base::Fail;
using base::Result;
using std::chrono::milliseconds;

constexpr std::size_t kMaxListeners = 32;
constexpr milliseconds kLongest = std::chrono::hours(24 * 24);  // HAProxy's limit is 2^31 ms
constexpr int kMaxCount = 1'000'000;

// std::isalpha and its like depend on the locale.
bool IsLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool IsAlphanumeric(char c) { return IsLowerOrDigit(c) || (c >= 'A' && c <= 'Z'); }

bool IsLabel(std::string_view text) {
  return !text.empty() && text.size() <= 63 && IsLowerOrDigit(text.front()) &&
         IsLowerOrDigit(text.back()) &&
         std::ranges::all_of(text, [](char c) { return IsLowerOrDigit(c) || c == '-'; });
}

// Labels separated by dots: RFC 1123 names, and with them IPv4 literals.
bool IsHost(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  while (true) {
    const std::size_t dot = text.find('.');
    if (!IsLabel(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

// The value goes into an error text, which may end in a status: cut, and nothing but plain ASCII.
std::string Quote(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text.substr(0, 64)) quoted += c >= ' ' && c <= '~' ? c : '?';
  return quoted + (text.size() > 64 ? "…\"" : "\"");
}

Result<void> Invalid(std::string message) { return Fail(ErrorKind::kInvalid, std::move(message)); }

Result<void> CheckDuration(std::string_view what, milliseconds value) {
  if (value >= milliseconds(1) && value <= kLongest) return {};
  return Invalid(std::string(what) + ": " + std::to_string(value.count()) +
                 " ms is not within 1 ms and 24 days");
}

Result<void> CheckCount(std::string_view what, int value, int least, int most) {
  if (value >= least && value <= most) return {};
  return Invalid(std::string(what) + ": " + std::to_string(value) + " is not within " +
                 std::to_string(least) + " and " + std::to_string(most));
}

Result<void> CheckListeners(const Config& config) {
  if (config.listeners.empty() || config.listeners.front().protocol != Protocol::kAmqp) {
    return Invalid("listeners: the first must be the AMQP one, which has the health check");
  }
  if (config.listeners.size() > kMaxListeners) {
    return Invalid("listeners: more than " + std::to_string(kMaxListeners));
  }
  std::set<std::string_view> names;
  std::set<std::uint16_t> ports{config.admin_port};
  if (config.admin_port == 0) return Invalid("admin port: 0 is not within 1 and 65535");
  for (const Listener& listener : config.listeners) {
    if (!IsLabel(listener.name)) {
      return Invalid("listener name " + Quote(listener.name) + ": is not a DNS label");
    }
    if (!names.insert(listener.name).second) {
      return Invalid("listener name " + Quote(listener.name) + ": occurs twice");
    }
    if (listener.port == 0 || listener.server_port == 0) {
      return Invalid("listener " + listener.name + ": a port is 0");
    }
    if (!ports.insert(listener.port).second) {
      return Invalid("listener " + listener.name + ": port " + std::to_string(listener.port) +
                     " is taken by another listener or the admin port");
    }
    if (listener.protocol == Protocol::kAmqp && &listener != &config.listeners.front()) {
      return Invalid("listener " + listener.name + ": is a second AMQP listener");
    }
  }
  return {};
}

Result<void> CheckServers(const Config& config) {
  if (config.servers.size() > kMaxServers) {
    return Invalid("servers: more than " + std::to_string(kMaxServers));
  }
  std::set<std::string_view> names;
  for (const Server& server : config.servers) {
    if (!IsLabel(server.name)) {
      return Invalid("server name " + Quote(server.name) + ": is not a DNS label");
    }
    if (!names.insert(server.name).second) {
      return Invalid("server name " + Quote(server.name) + ": occurs twice");
    }
    if (!IsHost(server.host)) {
      return Invalid("host of server " + server.name + ": " + Quote(server.host) +
                     " is neither a host name nor an IPv4 address");
    }
  }
  return {};
}

Result<void> CheckNumbers(const Config& config) {
  return CheckDuration("health check interval", config.health_check.interval)
      .and_then([&] { return CheckDuration("health check timeout", config.health_check.timeout); })
      .and_then([&] { return CheckCount("health check rise", config.health_check.rise, 1, 100); })
      .and_then([&] { return CheckCount("health check fall", config.health_check.fall, 1, 100); })
      .and_then([&] { return CheckDuration("connect timeout", config.timeouts.connect); })
      .and_then([&] { return CheckDuration("client timeout", config.timeouts.client); })
      .and_then([&] { return CheckDuration("server timeout", config.timeouts.server); })
      .and_then([&] { return CheckDuration("stats refresh", config.stats.refresh); })
      .and_then([&] { return CheckCount("retries", config.retries, 0, 100); })
      .and_then([&] { return CheckCount("max connections", config.max_connections, 1, kMaxCount); })
      .and_then([&] {
        return CheckCount("max connections per listener",
                          config.max_connections_per_listener.value_or(1), 1, kMaxCount);
      });
}

}  // namespace

bool IsStatsPath(std::string_view path) {
  if (path.empty() || path.size() > 128 || path.front() != '/') return false;
  for (const std::string_view own : {kHealthPath, kLivePath, kMetricsPath, kHashPath}) {
    if (path == own) return false;
  }
  return std::ranges::all_of(path, [](char c) {
    return IsAlphanumeric(c) || std::string_view("._~/-").find(c) != std::string_view::npos;
  });
}

Result<void> Validate(const Config& config) {
  return CheckListeners(config)
      .and_then([&] { return CheckServers(config); })
      .and_then([&] { return CheckNumbers(config); })
      .and_then([&]() -> Result<void> {
        if (IsStatsPath(config.stats.path)) return {};
        return Invalid("stats path " + Quote(config.stats.path) +
                       ": is not / and up to 127 of A-Z a-z 0-9 . _ ~ / - or is a path that probes "
                       "and scrapes use");
      });
}

}  // namespace rabbit::haproxy
