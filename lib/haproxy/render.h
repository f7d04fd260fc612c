// lib/haproxy/render.h: from the typed model to haproxy.cfg. Pure, thread-safe.
// The text is stable (equal models, equal bytes), one directive a line, and valid without a warning
// on HAProxy 2.6, 3.0 and 3.2. It takes nothing from its user but what passed Validate(): a
// newline, a space, a quote, `$` or a socket path in a name would be a directive of the user's own.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "haproxy/model.h"

namespace rabbit::haproxy {

struct Rendered {
  std::string text;  // haproxy.cfg
  std::string hash;  // 16 hex digits over the text with "-" where the hash stands
};

// kInvalid names the value and its rule; the first one that fails.
[[nodiscard]] base::Result<void> Validate(const Config& config);
// What Validate() says, or the text.
[[nodiscard]] base::Result<Rendered> RenderConfig(const Config& config);

// Where the statistics CSV is: "/rabbitmq-stats;csv". Also served when the page for people is off.
[[nodiscard]] std::string StatsCsvTarget(const Stats& stats);

// ^/[A-Za-z0-9._~/-]{0,127}$ and not a path of our own. For the operator's validation of the spec.
[[nodiscard]] bool IsStatsPath(std::string_view path);

// Name of the back end that has the checks; the statistics know the brokers by it.
inline constexpr std::string_view kBackendName = "rabbitmq_cluster";

}  // namespace rabbit::haproxy
