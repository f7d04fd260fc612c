// operator/api/advanced_config.h: what a user may put into advanced.config: everything but what the
// operator needs to be its own. (rabbitmq.conf: rabbitmq/config.h.) Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rabbit::api {

// The first thing wrong with `text` ("line 3: …"), or nothing. It must be one Erlang list that ends
// with a dot, its brackets in balance, with no setting that is the operator's. Not a full parser:
// the broker has the last word. Empty is good.
[[nodiscard]] std::optional<std::string> AdvancedConfigError(std::string_view text);

}  // namespace rabbit::api
