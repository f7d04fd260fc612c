// lib/http/cpprest_failure.h: what an error of cpprestsdk means. Internal to lib/http. Pure.
// The phase is told by its text, the cause by a number without a category (2.10.18).
#pragma once

#include <string>
#include <string_view>

#include "http/call.h"

namespace rabbit::http {

// "connecting: refused, or the host cannot be reached". `tls_problem` is why the server's
// certificate was refused, if it was.
[[nodiscard]] std::string Describe(const Failure& failure, std::string_view tls_problem);

// Whether the two sides do not agree in TLS: see kReasonTls.
[[nodiscard]] bool IsTlsRefusal(const Failure& failure);

// Whether the connection may have been a kept-alive one that had died: once more may help.
[[nodiscard]] bool IsDeadConnection(const Failure& failure);

}  // namespace rabbit::http
