// lib/http/tls_context.h: trust rules of TlsSettings on an OpenSSL context. Internal to lib/http.
// The same for every client: only the given roots are trusted, never the system's; TLS 1.2 or
// newer; the server's name or IPv4 address must stand in a subjectAltName (a common name does not
// count, as for kubectl); a client certificate is shown when there is one.
// Parsed once, for any number of connections, which share one OpenSSL context. Immutable but for
// LastProblem() and LastPeer(); thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "http/endpoint.h"

// OpenSSL's own names, so that its headers stay out of this one.
struct evp_pkey_st;
struct ssl_ctx_st;
struct ssl_st;
struct x509_st;
struct x509_store_st;
struct stack_st_X509;

namespace rabbit::http {

class TlsContext {
 public:
  // kInvalid: a certificate or key cannot be read, or they do not belong together.
  [[nodiscard]] static base::Result<std::shared_ptr<TlsContext>> Make(const TlsSettings& settings,
                                                                      std::string server_name);
  // For a client of `endpoint`; null when that is plain. kInvalid also when its address is no IPv4
  // literal or it has no port.
  [[nodiscard]] static base::Result<std::shared_ptr<TlsContext>> For(const Endpoint& endpoint,
                                                                     const TlsSettings& settings);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // That of all its connections, which this object must outlive: made when the first asks for it.
  [[nodiscard]] base::Result<ssl_ctx_st*> Context() RABBIT_EXCLUDES(mutex_);

  // Before each handshake: sets the SNI name of `connection` (none for an IPv4 literal), and
  // forgets the last problem.
  void BeginHandshake(ssl_st* connection);

  // Why the last refused certificate was refused, as OpenSSL says it; empty: none was. With several
  // connections at once it may be another one's: for texts only.
  [[nodiscard]] std::string LastProblem() const;
  void SetProblem(std::string problem);

  [[nodiscard]] bool insecure() const { return insecure_; }
  // Whether the certificate with this fingerprint is trusted as it is.
  [[nodiscard]] bool IsOwn(const std::string& fingerprint) const {
    return !fingerprint.empty() &&
           (fingerprint == own_certificate_ || fingerprint == earlier_certificate_);
  }

  // Of the certificate that was shown last and not refused; empty: none was. See Fingerprint().
  [[nodiscard]] std::string LastPeer() const;
  void SetPeer(std::string fingerprint);

 private:
  struct FreeCertificates {
    void operator()(stack_st_X509* chain) const;
  };
  struct FreeStore {
    void operator()(x509_store_st* store) const;
  };
  struct FreeKey {
    void operator()(evp_pkey_st* key) const;
  };
  struct FreeContext {
    void operator()(ssl_ctx_st* context) const;
  };
  TlsContext() = default;
  // Makes `context` follow the rules.
  [[nodiscard]] base::Result<void> Apply(ssl_ctx_st* context);

  std::string server_name_;
  std::vector<std::string> also_named_;
  std::string own_certificate_, earlier_certificate_;
  bool insecure_ = false;
  std::unique_ptr<x509_store_st, FreeStore> roots_;
  std::unique_ptr<stack_st_X509, FreeCertificates> client_chain_;  // leaf first
  std::unique_ptr<evp_pkey_st, FreeKey> client_key_;
  mutable base::Mutex mutex_;
  std::unique_ptr<ssl_ctx_st, FreeContext> context_ RABBIT_GUARDED_BY(mutex_);
  std::string last_problem_ RABBIT_GUARDED_BY(mutex_);
  std::string last_peer_ RABBIT_GUARDED_BY(mutex_);
};

// SHA-256 of the certificate, 64 lower-case hex digits.
[[nodiscard]] std::string Fingerprint(const x509_st* certificate);

// OpenSSL's reason for the packed error code `code`, e.g. "certificate verify failed".
[[nodiscard]] std::string TlsReason(unsigned long code);

// Whether that error says that the two sides will never agree: see kReasonTls in transport.h.
[[nodiscard]] bool IsTlsRefusal(unsigned long code);

}  // namespace rabbit::http
