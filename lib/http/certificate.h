// lib/http/certificate.h: what a PEM certificate says, for who judges it without a connection.
// Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"

namespace rabbit::http {

struct CertificateFacts {
  std::vector<std::string> names;  // DNS names and IPv4 addresses of its subjectAltName
  base::WallTime not_before, not_after;
  std::string fingerprint;  // SHA-256 of the certificate, 64 lower-case hex digits

  bool operator==(const CertificateFacts&) const = default;
};

// The first certificate of `pem`. kInvalid: it cannot be read; the text holds nothing of it.
[[nodiscard]] base::Result<CertificateFacts> ReadCertificate(std::string_view pem);

// Whether every certificate of `pem` can be read, and there is one. kInvalid says which cannot.
[[nodiscard]] base::Result<void> CheckCertificates(std::string_view pem);

// Whether the private key can be read without a password, and belongs to the first certificate of
// `pem`. kInvalid says which of both it does not.
[[nodiscard]] base::Result<void> CheckKey(std::string_view pem, const base::Secret& key);

// Whether a certificate for these names is one for `name`: the same, letters' case aside, or with
// "*" for the first label.
[[nodiscard]] bool IsFor(const CertificateFacts& facts, std::string_view name);

}  // namespace rabbit::http
