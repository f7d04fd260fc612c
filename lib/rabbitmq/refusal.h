// lib/rabbitmq/refusal.h: what a call is named by, and from an answer that is no success to an
// Error. Pure. Internal.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/message.h"

namespace rabbit::rabbitmq {

// "/api/policies/%2F/a%20b": names are escaped.
[[nodiscard]] std::string ApiPath(std::string_view collection,
                                  std::initializer_list<std::string_view> names);

// "GET /api/queues", for messages: without the query.
[[nodiscard]] std::string CallName(http::Method method, std::string_view target);

// Error::reason is the broker's own text, one bounded line.
[[nodiscard]] base::Error ErrorOfAnswer(int status, std::string_view body);

}  // namespace rabbit::rabbitmq
