// operator/commands/forward.h: a request that came to a server of ours, passed on to another one.
#pragma once

#include "http/server.h"
#include "http/transport.h"

namespace rabbit::commands {

// The answer is passed back as it comes, but for headers that speak of the connection. Status 502
// when there is none, with the reason; an answer that is cut off is cut off.
void ForwardTo(http::Transport& there, const http::Request& request, http::ResponseWriter& writer);

}  // namespace rabbit::commands
