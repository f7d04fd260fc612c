#include "http/certificate.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>

#include "http/message.h"
#include "http/tls_context.h"

namespace rabbit::http {
namespace {

using base::ErrorKind;
using base::Fail;

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

// An encrypted key must fail, not ask on the terminal.
int NoPassword(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) { return -1; }

Owned<BIO> BioOf(std::string_view text) {
  return Owned<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Of the oldest error in the queue, which it empties.
std::string Reason() {
  std::string reason = TlsReason(ERR_peek_error());
  ERR_clear_error();
  return reason;
}

base::Result<Owned<X509>> First(std::string_view pem) {
  ERR_clear_error();
  Owned<X509> certificate(PEM_read_bio_X509(BioOf(pem).get(), nullptr, NoPassword, nullptr));
  if (certificate) return certificate;
  if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) {
    ERR_clear_error();
    return Fail(ErrorKind::kInvalid, "holds no PEM certificate");
  }
  return Fail(ErrorKind::kInvalid, "cannot be read: " + Reason());
}

base::WallTime TimeOf(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return base::WallTime(std::chrono::seconds(timegm(&parts)));
}

std::vector<std::string> NamesOf(const X509* certificate) {
  std::vector<std::string> found;
  const Owned<GENERAL_NAMES> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) {
      found.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                         static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    } else if (name->type == GEN_IPADD && ASN1_STRING_length(name->d.iPAddress) == 4) {
      std::array<char, INET_ADDRSTRLEN> text{};
      inet_ntop(AF_INET, ASN1_STRING_get0_data(name->d.iPAddress), text.data(), text.size());
      found.emplace_back(text.data());
    }
  }
  return found;
}

}  // namespace

base::Result<CertificateFacts> ReadCertificate(std::string_view pem) {
  const base::Result<Owned<X509>> certificate = First(pem);
  if (!certificate) return tl::unexpected(certificate.error());
  const X509* read = certificate->get();
  return CertificateFacts{.names = NamesOf(read),
                          .not_before = TimeOf(X509_get0_notBefore(read)),
                          .not_after = TimeOf(X509_get0_notAfter(read)),
                          .fingerprint = Fingerprint(read)};
}

base::Result<void> CheckCertificates(std::string_view pem) {
  ERR_clear_error();
  const Owned<BIO> bio = BioOf(pem);
  int count = 0;
  while (Owned<X509>(PEM_read_bio_X509(bio.get(), nullptr, NoPassword, nullptr))) ++count;
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
    return Fail(ErrorKind::kInvalid,
                "certificate " + std::to_string(count + 1) + " in it cannot be read: " + Reason());
  }
  ERR_clear_error();
  if (count == 0) return Fail(ErrorKind::kInvalid, "holds no PEM certificate");
  return {};
}

base::Result<void> CheckKey(std::string_view pem, const base::Secret& key) {
  const base::Result<Owned<X509>> certificate = First(pem);
  if (!certificate) return tl::unexpected(certificate.error());
  const Owned<EVP_PKEY> read(
      PEM_read_bio_PrivateKey(BioOf(key.Reveal()).get(), nullptr, NoPassword, nullptr));
  if (!read) {
    ERR_clear_error();  // its reasons ("no start line") help nobody
    return Fail(ErrorKind::kInvalid, "holds no PEM private key that opens without a password");
  }
  if (X509_check_private_key(certificate->get(), read.get()) != 1) {
    ERR_clear_error();
    return Fail(ErrorKind::kInvalid, "does not belong to the certificate");
  }
  return {};
}

bool IsFor(const CertificateFacts& facts, std::string_view name) {
  const std::size_t dot = name.find('.');
  return std::ranges::any_of(facts.names, [&](std::string_view given) {
    if (EqualsIgnoringCase(given, name)) return true;
    return given.starts_with("*.") && dot != std::string_view::npos && dot > 0 &&
           EqualsIgnoringCase(given.substr(1), name.substr(dot));
  });
}

}  // namespace rabbit::http
