// lib/http/beast_transport.h: a Transport without cpprestsdk, for small programs: the proxy agent,
// the health command. Plain or TLS; a connection for each call; nothing runs but the caller's
// thread. (Its parser is Boost.Beast's.)
#pragma once

#include <memory>

#include "base/error.h"
#include "http/endpoint.h"
#include "http/transport.h"

namespace rabbit::http {

// kInvalid: the address is no IPv4 literal, or the TLS settings cannot be used.
[[nodiscard]] base::Result<std::unique_ptr<Transport>> MakeBeastTransport(
    const Endpoint& endpoint, const TlsSettings& tls = {});

}  // namespace rabbit::http
