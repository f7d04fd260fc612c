#include "http/stream.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "http/transport.h"

namespace rabbit::http {
namespace {

using base::ErrorKind;
using base::Fail;
using base::Result;

std::string ErrnoText(int error) { return std::generic_category().message(error); }

// OpenSSL's own socket BIO writes without MSG_NOSIGNAL: a peer that has gone would end the process.
int SocketOf(BIO* bio) { return *static_cast<const int*>(BIO_get_data(bio)); }

int WriteBio(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t sent = send(SocketOf(bio), data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

int ReadBio(BIO* bio, char* data, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t got = recv(SocketOf(bio), data, static_cast<std::size_t>(size), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  if (got == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(got);
}

long ControlBio(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

// `socket` must outlive it.
BIO* NewBio(int* socket) {
  static BIO_METHOD* const kMethod = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "rabbit socket");
    BIO_meth_set_write(made, WriteBio);
    BIO_meth_set_read(made, ReadBio);
    BIO_meth_set_ctrl(made, ControlBio);
    return made;
  }();
  BIO* bio = BIO_new(kMethod);
  BIO_set_data(bio, socket);
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace

void EnableKeepAlive(int socket) {
  const auto set = [socket](int level, int name, int value) {
    setsockopt(socket, level, name, &value, sizeof value);
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 15);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, 30'000);
}

Stream::Stream(int socket) : socket_(socket) {
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Stream::~Stream() {
  if (ssl_ != nullptr) {
    SSL_shutdown(ssl_);  // says that we end in order, if the socket takes it at once
    SSL_free(ssl_);
    ERR_clear_error();
  }
  if (socket_ >= 0) close(socket_);
  if (wake_ >= 0) close(wake_);
}

Result<std::unique_ptr<Stream>> Stream::Connect(const Endpoint& endpoint,
                                                const std::shared_ptr<TlsContext>& tls,
                                                const IoLimits& limits) {
  auto stream =
      std::make_unique<Stream>(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (stream->socket_ < 0) {
    return Fail(ErrorKind::kRetry, "connecting: no socket: " + ErrnoText(errno));
  }
  // To this machine, say, a connect succeeds before anything has waited.
  Result<void> connected = stream->Check(limits);
  if (connected) connected = stream->ConnectSocket(endpoint, limits);
  if (!connected) return base::FailWrapped(std::move(connected).error(), "connecting");
  if (tls) {
    stream->tls_ = tls;
    Result<void> secured = stream->Handshake(limits);
    if (!secured) return base::FailWrapped(std::move(secured).error(), "TLS handshake");
  }
  return stream;
}

Result<void> Stream::ConnectSocket(const Endpoint& endpoint, const IoLimits& limits) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint.port);
  if (inet_pton(AF_INET, endpoint.address.c_str(), &address.sin_addr) != 1) {
    return Fail(ErrorKind::kInvalid, "\"" + endpoint.address + "\" is not an IPv4 address");
  }
  EnableKeepAlive(socket_);
  if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return {};
  if (errno != EINPROGRESS) return Fail(ErrorKind::kRetry, ErrnoText(errno));
  Result<void> ready = Wait(Need::kWrite, limits);
  if (!ready) return ready;
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return Fail(ErrorKind::kRetry, ErrnoText(error));
  return {};
}

Result<void> Stream::Handshake(const IoLimits& limits) {
  Result<SSL_CTX*> context = tls_->Context();
  if (!context) return tl::unexpected(std::move(context).error());
  ssl_ = SSL_new(*context);
  BIO* bio = NewBio(&socket_);
  SSL_set_bio(ssl_, bio, bio);
  tls_->BeginHandshake(ssl_);
  while (true) {
    ERR_clear_error();
    const int result = SSL_connect(ssl_);
    if (result == 1) return {};
    const bool refused = SSL_get_verify_result(ssl_) != X509_V_OK;
    Result<void> waited = WaitForTls(result, limits);
    if (waited) continue;
    if (refused && waited.error().kind == ErrorKind::kRetry) {
      waited.error().message.append(": ").append(
          X509_verify_cert_error_string(SSL_get_verify_result(ssl_)));
    }
    return waited;
  }
}

Result<std::size_t> Stream::Read(char* data, std::size_t size, const IoLimits& limits) {
  while (true) {
    Result<void> allowed = Check(limits);  // a peer that never pauses does not outrun the deadline
    if (!allowed) return tl::unexpected(std::move(allowed).error());
    if (ssl_ != nullptr) {
      ERR_clear_error();
      std::size_t got = 0;
      const int result = SSL_read_ex(ssl_, data, size, &got);
      if (result == 1) return got;
      if (SSL_get_error(ssl_, result) == SSL_ERROR_ZERO_RETURN) return 0;
      Result<void> waited = WaitForTls(result, limits);
      if (!waited) return tl::unexpected(std::move(waited).error());
    } else {
      const ssize_t got = recv(socket_, data, size, 0);
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EAGAIN && errno != EINTR) return Fail(ErrorKind::kRetry, ErrnoText(errno));
      Result<void> waited = Wait(Need::kRead, limits);
      if (!waited) return tl::unexpected(std::move(waited).error());
    }
  }
}

Result<void> Stream::Write(std::string_view data, const IoLimits& limits) {
  while (!data.empty()) {
    Result<void> allowed = Check(limits);
    if (!allowed) return allowed;
    if (ssl_ != nullptr) {
      ERR_clear_error();
      std::size_t sent = 0;
      const int result = SSL_write_ex(ssl_, data.data(), data.size(), &sent);
      if (result == 1) {
        data.remove_prefix(sent);
        continue;
      }
      Result<void> waited = WaitForTls(result, limits);
      if (!waited) return waited;
    } else {
      const ssize_t sent = send(socket_, data.data(), data.size(), MSG_NOSIGNAL);
      if (sent >= 0) {
        data.remove_prefix(static_cast<std::size_t>(sent));
        continue;
      }
      if (errno != EAGAIN && errno != EINTR) return Fail(ErrorKind::kRetry, ErrnoText(errno));
      Result<void> waited = Wait(Need::kWrite, limits);
      if (!waited) return waited;
    }
  }
  return {};
}

Result<void> Stream::WaitForTls(int result, const IoLimits& limits) {
  const int system_error = errno;
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
      return Wait(Need::kRead, limits);
    case SSL_ERROR_WANT_WRITE:
      return Wait(Need::kWrite, limits);
    case SSL_ERROR_SYSCALL:
      return Fail(ErrorKind::kRetry,
                  system_error != 0 ? ErrnoText(system_error) : "the server closed the connection");
    default: {
      const unsigned long code = ERR_peek_error();
      if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        return Fail(ErrorKind::kRetry, "the server closed the connection");
      }
      base::Error error{.kind = ErrorKind::kRetry, .message = TlsReason(code)};
      if (IsTlsRefusal(code)) error.reason = kReasonTls;
      return tl::unexpected(std::move(error));
    }
  }
}

void Stream::Rest() {
  if (wake_ >= 0) close(wake_);
  wake_ = -1;
}

Result<void> Stream::Check(const IoLimits& limits) const {
  if (limits.stop.stop_requested()) return Fail(ErrorKind::kCancelled, "stopped");
  if (clock_.Now() >= limits.deadline) return Fail(ErrorKind::kRetry, "the deadline passed");
  return {};
}

Result<void> Stream::Wait(Need need, const IoLimits& limits) {
  // Wakes the poll below. Made before the token is looked at: no stop is missed.
  if (limits.stop.stop_possible() && wake_ < 0) wake_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  const auto wake = [fd = wake_] { eventfd_write(fd, 1); };
  std::optional<std::stop_callback<decltype(wake)>> on_stop;
  if (limits.stop.stop_possible()) on_stop.emplace(limits.stop, wake);

  const short wanted = need == Need::kRead ? POLLIN : POLLOUT;
  std::array<pollfd, 2> waiting = {{{socket_, wanted, 0}, {wake_, POLLIN, 0}}};
  while (true) {
    Result<void> allowed = Check(limits);
    if (!allowed) return allowed;
    const base::Duration left = limits.deadline - clock_.Now();
    const auto milliseconds = std::min(std::chrono::ceil<std::chrono::milliseconds>(left),
                                       std::chrono::milliseconds(60'000));
    const int ready = poll(waiting.data(), waiting.size(), static_cast<int>(milliseconds.count()));
    if (ready < 0 && errno != EINTR) return Fail(ErrorKind::kRetry, ErrnoText(errno));
    if (ready <= 0) continue;
    if (waiting[1].revents != 0) {  // of this token, or left over from an earlier call's
      eventfd_t ignored = 0;
      eventfd_read(wake_, &ignored);
      if (limits.stop.stop_requested()) return Fail(ErrorKind::kCancelled, "stopped");
    }
    if (waiting[0].revents != 0) return {};
  }
}

}  // namespace rabbit::http
