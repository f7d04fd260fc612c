// lib/http/endpoint.h: where a server is and how to trust it. Plain values.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/secret.h"

namespace rabbit::http {

struct TlsSettings {
  std::string ca_pem;        // the only roots that are trusted; empty: none, every handshake fails
  std::string client_certificate_pem;  // chain, leaf first; empty: none is shown
  base::Secret client_key_pem;
  std::string server_name;   // for SNI and verification; a DNS name or an IP literal
  bool insecure = false;     // kubeconfig's insecure-skip-tls-verify: the user's own word only

  bool operator==(const TlsSettings&) const = default;
};

struct Endpoint {
  bool tls = false;
  std::string address;      // a literal IPv4 address, never a name (see http/resolve.h)
  std::uint16_t port = 0;
  std::string host_header;  // what goes into Host, and the SNI name when `server_name` is empty

  bool operator==(const Endpoint&) const = default;
};

// Splits "https://host:6443/prefix"; a missing port is 443 or 80. kInvalid for other schemes, user
// information, queries, and IPv6 literals (not supported: cpprestsdk cannot connect to them).
struct ParsedUrl {
  bool tls = false;
  std::string host;
  std::uint16_t port = 0;
  std::string path_prefix;  // without a final slash
};
[[nodiscard]] base::Result<ParsedUrl> ParseUrl(std::string_view url);

}  // namespace rabbit::http
