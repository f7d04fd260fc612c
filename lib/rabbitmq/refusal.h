// lib/rabbitmq/refusal.h: from an answer that is no success to an Error. Pure. Internal.
#pragma once

#include <string_view>

#include "base/error.h"

namespace rabbit::rabbitmq {

// Error::reason is the broker's own text, one bounded line.
[[nodiscard]] base::Error ErrorOfAnswer(int status, std::string_view body);

}  // namespace rabbit::rabbitmq
