#include "http/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <mutex>
#include <utility>

namespace rabbit::http {
namespace {

using base::ErrorKind;
using base::Fail;

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;

Bio BioOf(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// An encrypted key must fail, not ask on the terminal.
int NoPassword(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) { return -1; }

base::Result<STACK_OF(X509) *> ReadCertificates(const std::string& pem, std::string_view what) {
  const Bio bio = BioOf(pem);
  STACK_OF(X509)* chain = sk_X509_new_null();
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, NoPassword, nullptr)) {
    sk_X509_push(chain, certificate);
  }
  const unsigned long error = ERR_peek_last_error();
  const bool at_end = ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end || sk_X509_num(chain) == 0) {
    const std::string position = std::to_string(sk_X509_num(chain) + 1);
    sk_X509_pop_free(chain, X509_free);
    return Fail(ErrorKind::kInvalid,
                std::string(what) + ": certificate " + position +
                    " cannot be read: " + (at_end ? "no PEM certificate in it" : TlsReason(error)));
  }
  return chain;
}

// The context finds its TlsContext here.
int OwnerIndex() {
  static const int kIndex = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return kIndex;
}

// Takes the place of OpenSSL's default verification. Whatever verify callback the connection's
// owner has set does not count: the host to check against stands in the context's parameters.
int Verify(X509_STORE_CTX* store_context, void* /*unused*/) {
  const auto* connection = static_cast<SSL*>(
      X509_STORE_CTX_get_ex_data(store_context, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* owner =
      static_cast<TlsContext*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), OwnerIndex()));
  if (owner == nullptr) return 0;
  const X509* shown = X509_STORE_CTX_get0_cert(store_context);
  std::string peer = shown == nullptr ? std::string() : Fingerprint(shown);
  if (owner->insecure() || owner->IsOwn(peer)) {
    X509_STORE_CTX_set_error(store_context, X509_V_OK);
    owner->SetPeer(std::move(peer));
    return 1;
  }
  X509_STORE_CTX_set_verify_cb(store_context, [](int ok, X509_STORE_CTX*) { return ok; });
  if (X509_verify_cert(store_context) == 1) {
    owner->SetPeer(std::move(peer));
    return 1;
  }
  ERR_clear_error();  // what comes first in the queue becomes the connection's error
  owner->SetProblem(X509_verify_cert_error_string(X509_STORE_CTX_get_error(store_context)));
  return 0;
}

}  // namespace

std::string Fingerprint(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) return {};
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    text += kHex[digest[i] >> 4U];
    text += kHex[digest[i] & 0xfU];
  }
  return text;
}

std::string TlsReason(unsigned long code) {
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "TLS error " + std::to_string(code);
}

bool IsTlsRefusal(unsigned long code) {
  if (ERR_GET_LIB(code) != ERR_LIB_SSL) return false;
  switch (ERR_GET_REASON(code)) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED:  // by us
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:     // by the server: our client certificate
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_WRONG_VERSION_NUMBER:  // it speaks something else
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
      return true;
    default:
      return false;
  }
}

void TlsContext::FreeCertificates::operator()(STACK_OF(X509) * chain) const {
  sk_X509_pop_free(chain, X509_free);
}
void TlsContext::FreeStore::operator()(X509_STORE* store) const { X509_STORE_free(store); }
void TlsContext::FreeKey::operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }

void TlsContext::FreeContext::operator()(SSL_CTX* context) const { SSL_CTX_free(context); }

TlsContext::~TlsContext() = default;

base::Result<std::shared_ptr<TlsContext>> TlsContext::Make(const TlsSettings& settings,
                                                           std::string server_name) {
  ERR_clear_error();
  std::shared_ptr<TlsContext> made(new TlsContext());
  made->server_name_ = std::move(server_name);
  made->insecure_ = settings.insecure;
  made->also_named_ = settings.also_named;
  made->own_certificate_ = settings.own_certificate;
  made->earlier_certificate_ = settings.earlier_certificate;
  made->roots_.reset(X509_STORE_new());
  if (!settings.ca_pem.empty()) {
    base::Result<STACK_OF(X509)*> roots = ReadCertificates(settings.ca_pem, "CA");
    if (!roots) return tl::unexpected(std::move(roots).error());
    for (int i = 0; i < sk_X509_num(*roots); ++i) {
      X509_STORE_add_cert(made->roots_.get(), sk_X509_value(*roots, i));
    }
    sk_X509_pop_free(*roots, X509_free);
  }
  if (settings.client_certificate_pem.empty()) {
    if (settings.client_key_pem.empty()) return made;
    return Fail(ErrorKind::kInvalid, "there is a client key but no client certificate");
  }
  base::Result<STACK_OF(X509)*> chain =
      ReadCertificates(settings.client_certificate_pem, "client certificate");
  if (!chain) return tl::unexpected(std::move(chain).error());
  made->client_chain_.reset(*chain);
  const Bio bio = BioOf(settings.client_key_pem.Reveal());
  made->client_key_.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassword, nullptr));
  if (!made->client_key_) {
    const std::string reason = TlsReason(ERR_peek_last_error());
    ERR_clear_error();
    return Fail(ErrorKind::kInvalid, "client key cannot be read: " + reason);
  }
  if (X509_check_private_key(sk_X509_value(*chain, 0), made->client_key_.get()) != 1) {
    ERR_clear_error();
    return Fail(ErrorKind::kInvalid, "client key and client certificate do not belong together");
  }
  return made;
}

base::Result<void> CheckTls(const TlsSettings& tls) {
  if (auto made = TlsContext::Make(tls, ""); !made) return tl::unexpected(std::move(made).error());
  return {};
}

base::Result<std::shared_ptr<TlsContext>> TlsContext::For(const Endpoint& endpoint,
                                                          const TlsSettings& settings) {
  if (!IsIpv4Literal(endpoint.address) || endpoint.port == 0) {
    return Fail(ErrorKind::kInvalid, "\"" + endpoint.address + "\" with port " +
                                         std::to_string(endpoint.port) +
                                         " is not an IPv4 address and port");
  }
  if (!endpoint.tls) return nullptr;
  base::Result<std::shared_ptr<TlsContext>> made = Make(settings, ServerName(endpoint, settings));
  if (!made) return base::FailWrapped(std::move(made).error(), "TLS");
  return made;
}

base::Result<SSL_CTX*> TlsContext::Context() {
  const base::MutexLock lock(mutex_);
  if (context_ == nullptr) {
    std::unique_ptr<SSL_CTX, FreeContext> made(SSL_CTX_new(TLS_client_method()));
    base::Result<void> applied = Apply(made.get());
    if (!applied) return tl::unexpected(std::move(applied).error());
    context_ = std::move(made);
  }
  return context_.get();
}

base::Result<void> TlsContext::Apply(SSL_CTX* context) {
  ERR_clear_error();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set1_cert_store(context, roots_.get());  // also drops the system's roots
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_ex_data(context, OwnerIndex(), this);
  SSL_CTX_set_cert_verify_callback(context, Verify, nullptr);

  X509_VERIFY_PARAM* rules = SSL_CTX_get0_param(context);
  // Any certificate in the CA file is an anchor, self-signed or not: what kubectl (Go) does.
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_hostflags(
      rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  const int named = IsIpv4Literal(server_name_)
                        ? X509_VERIFY_PARAM_set1_ip_asc(rules, server_name_.c_str())
                        : X509_VERIFY_PARAM_set1_host(rules, server_name_.c_str(), 0);
  if (named != 1)
    return Fail(ErrorKind::kInvalid, "TLS server name " + server_name_ + " is not one");
  // Any of them will do; an address can only be the first.
  for (const std::string& name : also_named_) {
    if (X509_VERIFY_PARAM_add1_host(rules, name.c_str(), 0) != 1) {
      return Fail(ErrorKind::kInvalid, "TLS server name " + name + " is not one");
    }
  }

  if (client_chain_) {
    bool shown = SSL_CTX_use_certificate(context, sk_X509_value(client_chain_.get(), 0)) == 1;
    for (int i = 1; i < sk_X509_num(client_chain_.get()); ++i) {
      shown = shown && SSL_CTX_add1_chain_cert(context, sk_X509_value(client_chain_.get(), i)) == 1;
    }
    shown = shown && SSL_CTX_use_PrivateKey(context, client_key_.get()) == 1;
    if (!shown) {
      const std::string reason = TlsReason(ERR_peek_last_error());
      ERR_clear_error();
      return Fail(ErrorKind::kInvalid, "client certificate cannot be used: " + reason);
    }
  }
  return {};
}

void TlsContext::BeginHandshake(SSL* connection) {
  SetProblem("");  // else it would explain a later failure of another kind
  if (!IsIpv4Literal(server_name_)) SSL_set_tlsext_host_name(connection, server_name_.c_str());
}

std::string TlsContext::LastProblem() const {
  const base::MutexLock lock(mutex_);
  return last_problem_;
}

void TlsContext::SetProblem(std::string problem) {
  const base::MutexLock lock(mutex_);
  last_problem_ = std::move(problem);
}

std::string TlsContext::LastPeer() const {
  const base::MutexLock lock(mutex_);
  return last_peer_;
}

void TlsContext::SetPeer(std::string fingerprint) {
  const base::MutexLock lock(mutex_);
  last_peer_ = std::move(fingerprint);
}

}  // namespace rabbit::http
