// lib/http/endpoint.h: where a server is and how to trust it. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/secret.h"

namespace rabbit::http {

struct TlsSettings {
  std::string ca_pem;  // the only roots that are trusted; empty: none, every handshake fails
  std::string client_certificate_pem;  // chain, leaf first; empty: none is shown
  base::Secret client_key_pem;
  std::string server_name;  // for SNI and verification, a DNS name or an IPv4 literal; empty: the
                            // host of Endpoint::host_header
  std::vector<std::string> also_named;  // DNS names that serve as well as that one
  // SHA-256 (hex) of a certificate that is the server's own: it is trusted as it is, whoever signed
  // it, and whatever names and dates it bears. Empty: there is none.
  std::string own_certificate;
  std::string earlier_certificate;  // another one that is: what it was verified by before
  bool insecure = false;  // kubeconfig's insecure-skip-tls-verify: the user's own word only

  bool operator==(const TlsSettings&) const = default;
};

// Whether the certificates and the key can be read and belong together. kInvalid says which cannot.
[[nodiscard]] base::Result<void> CheckTls(const TlsSettings& tls);

struct Endpoint {
  bool tls = false;
  std::string address;  // a literal IPv4 address, never a name (see http/resolve.h)
  std::uint16_t port = 0;
  std::string host_header;  // what goes into Host: "name" or "name:port"; empty: address and port

  bool operator==(const Endpoint&) const = default;
};

// Whether `text` is an IPv4 address in the usual four decimal parts.
[[nodiscard]] bool IsIpv4Literal(std::string_view text);

// The name that a server's certificate must be valid for: `tls.server_name`, or else the host of
// `endpoint.host_header`, or else the address.
[[nodiscard]] std::string ServerName(const Endpoint& endpoint, const TlsSettings& tls);

// What goes into the Host header: host_header, or "address:port".
[[nodiscard]] std::string HostHeader(const Endpoint& endpoint);

struct ParsedUrl {
  bool tls = false;
  std::string host;
  std::uint16_t port = 0;
  std::string path_prefix;  // without a final slash

  bool operator==(const ParsedUrl&) const = default;
};
// Splits "https://host:6443/prefix"; a missing port is 443 or 80. kInvalid for other schemes, user
// information, queries, and IPv6 literals (not supported).
[[nodiscard]] base::Result<ParsedUrl> ParseUrl(std::string_view url);

}  // namespace rabbit::http
