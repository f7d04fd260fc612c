#include "http/test_server.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <csignal>
#include <utility>

#include "http/message.h"

namespace rabbit::http {
namespace {

EVP_PKEY* NewKey() { return EVP_EC_gen("P-256"); }

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

std::string PemOf(X509* certificate) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  return TextOf(bio);
}

std::string PemOf(EVP_PKEY* key) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  return TextOf(bio);
}

void AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

X509* NewCertificate(EVP_PKEY* key, const std::string& common_name,
                     std::chrono::hours valid = std::chrono::hours(24)) {
  static std::atomic<long> serial = 1;
  X509* certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), std::chrono::seconds(valid).count());
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                             0);
  return certificate;
}

SSL_CTX* NewServerContext(const TestTls& tls) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  BIO* bio = BIO_new_mem_buf(tls.certificate.pem.data(), -1);
  X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  SSL_CTX_use_certificate(context, certificate);
  X509_free(certificate);
  BIO_free(bio);
  bio = BIO_new_mem_buf(tls.certificate.key_pem.data(), -1);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  SSL_CTX_use_PrivateKey(context, key);
  EVP_PKEY_free(key);
  BIO_free(bio);
  if (!tls.client_ca_pem.empty()) {
    bio = BIO_new_mem_buf(tls.client_ca_pem.data(), -1);
    X509* ca = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca);
    X509_free(ca);
    BIO_free(bio);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  return context;
}

}  // namespace

TestCa::TestCa(const std::string& common_name)
    : key_(NewKey()), certificate_(NewCertificate(key_, common_name)) {
  X509_set_issuer_name(certificate_, X509_get_subject_name(certificate_));
  AddExtension(certificate_, certificate_, NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(certificate_, certificate_, NID_key_usage, "critical,keyCertSign");
  AddExtension(certificate_, certificate_, NID_subject_key_identifier, "hash");
  X509_sign(certificate_, key_, EVP_sha256());
  pem_ = PemOf(certificate_);
}

TestCa::~TestCa() {
  X509_free(certificate_);
  EVP_PKEY_free(key_);
}

TestCertificate TestCa::Issue(const std::string& common_name, const std::string& names,
                              std::chrono::hours valid) const {
  EVP_PKEY* key = NewKey();
  X509* certificate = NewCertificate(key, common_name, valid);
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate_));
  if (!names.empty()) AddExtension(certificate, certificate_, NID_subject_alt_name, names);
  X509_sign(certificate, key_, EVP_sha256());
  TestCertificate issued{PemOf(certificate), PemOf(key)};
  X509_free(certificate);
  EVP_PKEY_free(key);
  return issued;
}

Peer::Peer(int fd, SSL_CTX* context) : fd_(fd) {
  if (context == nullptr) return;
  ssl_ = SSL_new(context);
  SSL_set_fd(ssl_, fd);
}

Peer::~Peer() {
  if (ssl_ == nullptr) return;
  SSL_shutdown(ssl_);
  SSL_free(ssl_);
  ERR_clear_error();
}

bool Peer::Handshake() {
  ERR_clear_error();
  return ssl_ == nullptr || SSL_accept(ssl_) == 1;
}

std::string Peer::ReadSome() {
  if (!unread_.empty()) return std::exchange(unread_, {});
  std::array<char, 16384> bytes;
  ERR_clear_error();
  const auto got = ssl_ != nullptr ? SSL_read(ssl_, bytes.data(), bytes.size())
                                   : recv(fd_, bytes.data(), bytes.size(), 0);
  return got > 0 ? std::string(bytes.data(), static_cast<std::size_t>(got)) : std::string();
}

std::string Peer::ReadRequest() {
  std::string text;
  std::size_t needed = std::string::npos;
  while (needed == std::string::npos || text.size() < needed) {
    const std::string more = ReadSome();
    if (more.empty()) return {};
    text += more;
    const std::size_t end = text.find("\r\n\r\n");
    if (end == std::string::npos) continue;
    needed = end + 4;
    for (std::size_t line = text.find("\r\n") + 2; line < end; line = text.find("\r\n", line) + 2) {
      constexpr std::string_view kLength = "Content-Length:";
      if (!EqualsIgnoringCase(std::string_view(text).substr(line, kLength.size()), kLength))
        continue;
      std::size_t length = 0;
      const std::size_t digits = text.find_first_of("0123456789", line);
      std::from_chars(text.data() + digits, text.data() + end, length);
      needed += length;
    }
  }
  unread_ = text.substr(needed);
  text.resize(needed);
  return text;
}

bool Peer::Write(std::string_view bytes) {
  ERR_clear_error();
  while (!bytes.empty()) {
    const auto sent = ssl_ != nullptr
                          ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                          : send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::size_t Peer::WriteUntilHeldUp(std::string_view bytes, std::chrono::milliseconds patience) {
  std::size_t written = 0;
  pollfd writable{fd_, POLLOUT, 0};
  while (written < bytes.size() && poll(&writable, 1, static_cast<int>(patience.count())) > 0) {
    const ssize_t sent =
        send(fd_, bytes.data() + written, bytes.size() - written, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) break;
    written += static_cast<std::size_t>(sent);
  }
  return written;
}

bool Peer::Answer(std::string_view body) {
  return Write("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " +
               std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
}

void Peer::WaitUntilClosed() {
  while (!ReadSome().empty()) {
  }
}

void Peer::WaitForHangUp() {
  pollfd state{fd_, POLLRDHUP, 0};
  (void)poll(&state, 1, -1);
}

void Peer::Close() {
  if (reset_) {
    sockaddr
        none{};  // connecting to nowhere ends a connection at once, and with SO_LINGER 0 by RST
    none.sa_family = AF_UNSPEC;
    (void)connect(fd_, &none, sizeof none);
  } else {
    if (ssl_ != nullptr) SSL_shutdown(ssl_);
    shutdown(fd_, SHUT_RDWR);
  }
}

void Peer::Reset() {
  reset_ = true;
  const linger abort{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
  if (ssl_ != nullptr) SSL_set_quiet_shutdown(ssl_, 1);
}

std::string Peer::client_name() const {
  X509* certificate = SSL_get1_peer_certificate(ssl_);
  if (certificate == nullptr) return {};
  std::array<char, 256> name{};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name.data(),
                            name.size());
  X509_free(certificate);
  return name.data();
}

std::string Peer::server_name() const {
  const char* name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
  return name != nullptr ? name : "";
}

TestServer::TestServer(Script script, const TestTls* tls)
    : script_(std::move(script)), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  if (tls != nullptr) context_ = NewServerContext(*tls);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  (void)bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
  listen(listener_, 128);
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::jthread([this] { Accept(); });
}

TestServer::~TestServer() {
  {
    const base::MutexLock lock(mutex_);
    stopping_ = true;
    for (const int fd : open_) shutdown(fd, SHUT_RDWR);
  }
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  threads_.clear();
  close(listener_);
  SSL_CTX_free(context_);
}

void TestServer::Accept() {
  while (true) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::list<int>::iterator position;
    {
      const base::MutexLock lock(mutex_);
      if (stopping_) {
        close(fd);
        return;
      }
      position = open_.insert(open_.end(), fd);
    }
    const int number = ++connections_;
    threads_.emplace_back([this, fd, number, position] {
      {
        Peer peer(fd, context_);
        peer.number_ = number;
        if (peer.Handshake()) script_(peer);
      }
      const base::MutexLock lock(mutex_);
      open_.erase(position);
      close(fd);
    });
  }
}

TestServer::Script AnswerAll(std::string body) {
  return [body = std::move(body)](Peer& peer) {
    while (!peer.ReadRequest().empty()) {
      if (!peer.Answer(body)) return;
    }
  };
}

}  // namespace rabbit::http
