#include "haproxy/stats.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "haproxy/render.h"

namespace rabbit::haproxy {
namespace {

using base::ErrorKind;
using base::Fail;

// Takes the next field of a CSV line off `rest`. Quoted fields ("a ""b"", c") are unquoted.
std::string TakeField(std::string_view& rest) {
  std::string field;
  if (!rest.empty() && rest.front() == '"') {
    std::size_t i = 1;
    for (; i < rest.size(); ++i) {
      if (rest[i] != '"') {
        field += rest[i];
      } else if (i + 1 < rest.size() && rest[i + 1] == '"') {
        field += rest[++i];
      } else {
        break;
      }
    }
    rest.remove_prefix(std::min(i + 1, rest.size()));
    if (!rest.empty()) rest.remove_prefix(1);  // the comma
    return field;
  }
  const std::size_t comma = rest.find(',');
  field = rest.substr(0, comma);
  rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  return field;
}

std::vector<std::string> Split(std::string_view line) {
  std::vector<std::string> fields;
  while (!line.empty()) fields.push_back(TakeField(line));
  return fields;
}

std::string_view TakeLine(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

ServerState StateOf(std::string_view status, std::string_view weight) {
  // "UP 1/2" is up and losing, "DOWN 1/2" down and coming.
  if (status.starts_with("MAINT")) return ServerState::kMaintenance;
  if (status.starts_with("DRAIN")) return ServerState::kDraining;
  if (status.starts_with("NOLB")) return ServerState::kDraining;
  if (status.starts_with("DOWN")) return ServerState::kDown;
  if (status.starts_with("UP") || status == "no check") {
    return weight == "0" ? ServerState::kDraining : ServerState::kUp;
  }
  return ServerState::kUnknown;
}

// The columns by their names in the first line: versions add some, and may move them.
class Columns {
 public:
  explicit Columns(std::string_view header) {
    header.remove_prefix(std::min<std::size_t>(2, header.size()));  // "# "
    names_ = Split(header);
  }
  [[nodiscard]] std::string_view Get(const std::vector<std::string>& row,
                                     std::string_view name) const {
    const auto found = std::ranges::find(names_, name);
    const auto index = static_cast<std::size_t>(found - names_.begin());
    return index < row.size() && found != names_.end() ? std::string_view(row[index])
                                                       : std::string_view();
  }

 private:
  std::vector<std::string> names_;
};

}  // namespace

std::string_view Name(ServerState state) {
  switch (state) {
    case ServerState::kUp:
      return "Up";
    case ServerState::kDown:
      return "Down";
    case ServerState::kDraining:
      return "Draining";
    case ServerState::kMaintenance:
      return "Maintenance";
    case ServerState::kUnknown:
      return "Unknown";
  }
  return "Unknown";
}

base::Result<ProxyView> ParseStats(std::string_view csv, std::string_view hash_header) {
  const std::string_view header = TakeLine(csv);
  if (!header.starts_with("# pxname,svname,")) {
    return Fail(ErrorKind::kInternal, "the proxy's answer is not its statistics");
  }
  const Columns columns(header);
  ProxyView view{.config_hash = std::string(hash_header)};
  bool backend_seen = false;
  while (!csv.empty()) {
    const std::vector<std::string> row = Split(TakeLine(csv));
    if (columns.Get(row, "pxname") != kBackendName) continue;
    const std::string_view name = columns.Get(row, "svname");
    if (name == "BACKEND") {
      backend_seen = true;
      continue;
    }
    if (view.servers.size() == kMaxServers) {
      return Fail(ErrorKind::kInternal,
                  "the proxy lists more than " + std::to_string(kMaxServers) + " servers");
    }
    ServerView server{.name = std::string(name),
                      .state = StateOf(columns.Get(row, "status"), columns.Get(row, "weight")),
                      .status = std::string(columns.Get(row, "status")),
                      .last_check = std::string(columns.Get(row, "check_status"))};
    const std::string_view sessions = columns.Get(row, "scur");
    std::from_chars(sessions.data(), sessions.data() + sessions.size(), server.sessions);
    view.servers.push_back(std::move(server));
  }
  if (!backend_seen) {
    return Fail(ErrorKind::kInternal,
                "the proxy's statistics have no back end " + std::string(kBackendName));
  }
  return view;
}

std::size_t CountUp(const ProxyView& view) {
  return static_cast<std::size_t>(
      std::ranges::count(view.servers, ServerState::kUp, &ServerView::state));
}

bool SameState(const ProxyView& a, const ProxyView& b) {
  return a.config_hash == b.config_hash &&
         std::ranges::equal(a.servers, b.servers, [](const ServerView& x, const ServerView& y) {
           return x.name == y.name && x.state == y.state;
         });
}

}  // namespace rabbit::haproxy
