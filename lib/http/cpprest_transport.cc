#include "http/cpprest_transport.h"

#include <cpprest/http_client.h>
#include <cpprest/producerconsumerstream.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <pplx/threadpool.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <utility>

#include "base/mutex.h"
#include "http/tls_context.h"

namespace rabbit::http {
namespace {

using base::Error;
using base::ErrorKind;
using base::Fail;
using base::MutexLock;
using base::Result;
using base::Sent;
using boost::asio::ip::tcp;

constexpr std::size_t kMaxBuffered = 256 << 10;  // of a body, before the server is held up
constexpr int kMaxAttempts = 2;
// How long a call that was given up waits for the I/O thread to confirm it. Normally under 1 ms.
constexpr auto kAbortGrace = std::chrono::milliseconds(250);

boost::asio::io_service& IoService() { return crossplat::threadpool::shared_instance().service(); }

// What the pool's connection was found to be before anything was sent on it.
struct StaleConnection {};

// Why cpprestsdk ended a call. `what` is its own fixed text, which names the phase.
struct Failure {
  std::string what;
  int code = 0;  // errno, an OpenSSL error, or asio's end-of-file; 0: none
  bool stale = false;
};

// One request on its way. Shared by the caller, the continuations and the body buffer, so that it
// outlives a caller that gave up.
class Call {
 public:
  // --- on the I/O thread ---
  void OnUpload() {
    const MutexLock lock(mutex_);
    uploading_ = true;
    changed_.NotifyAll();
  }

  void OnHead(const web::http::http_response& response) {
    ResponseHead head;
    head.status = response.status_code();
    for (const auto& [name, value] : response.headers()) head.headers.emplace_back(name, value);
    const MutexLock lock(mutex_);
    head_ = std::move(head);
    changed_.NotifyAll();
  }

  // `data` stays valid until the returned task is complete.
  pplx::task<std::size_t> OnData(const std::uint8_t* data, std::size_t size) {
    const MutexLock lock(mutex_);
    if (aborted_) {
      return pplx::task_from_exception<std::size_t>(std::runtime_error("the call was given up"));
    }
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    changed_.NotifyAll();
    if (buffered_.size() + size <= kMaxBuffered) {
      buffered_ += text;
      return pplx::task_from_result(size);
    }
    held_up_ = HeldUp{text, {}};
    return pplx::create_task(held_up_->taken);
  }

  void OnEnd(std::optional<Failure> failure) {
    const MutexLock lock(mutex_);
    ended_ = true;
    failure_ = std::move(failure);
    changed_.NotifyAll();
  }

  void Cancel() {
    cancel_.cancel();
    std::optional<HeldUp> held_up;
    {
      const MutexLock lock(mutex_);
      held_up = std::exchange(held_up_, std::nullopt);
    }
    if (held_up) held_up->taken.set_exception(std::runtime_error("the call was given up"));
  }

  // --- on the caller's thread ---
  enum class Event { kHead, kData, kEnd, kDeadline, kConnectDeadline, kStopped };

  // Waits for what comes next. kEnd comes after all data was taken.
  Event Wait(const CallOptions& options, base::TimePoint connect_deadline) {
    const MutexLock lock(mutex_);
    while (true) {
      if (options.stop.stop_requested()) return Event::kStopped;
      const base::TimePoint now = clock_.Now();
      if (now >= options.deadline) return Event::kDeadline;
      if (head_) return Event::kHead;
      if (head_taken_ && (!buffered_.empty() || held_up_)) return Event::kData;
      if (ended_) return Event::kEnd;
      base::TimePoint until = options.deadline;
      if (!uploading_) {
        if (now >= connect_deadline) return Event::kConnectDeadline;
        until = std::min(until, connect_deadline);
      }
      changed_.WaitUntil(mutex_, options.stop, until);
    }
  }

  ResponseHead TakeHead() {
    const MutexLock lock(mutex_);
    head_taken_ = true;
    return std::exchange(head_, std::nullopt).value();
  }

  // Hands the waiting data to `sink`.
  Result<void> GiveData(BodySink& sink) {
    std::string data;
    std::optional<HeldUp> whole;   // given from where it lies
    std::optional<HeldUp> copied;  // fitted into the emptied buffer: the server may go on at once
    {
      const MutexLock lock(mutex_);
      std::swap(data, buffered_);
      if (held_up_ && !data.empty() && held_up_->data.size() <= kMaxBuffered) {
        buffered_ = held_up_->data;
        copied = std::exchange(held_up_, std::nullopt);
      } else if (data.empty()) {
        whole = std::exchange(held_up_, std::nullopt);
      }
    }
    if (copied) copied->taken.set(copied->data.size());
    if (!whole) return sink.OnData(data);
    Result<void> given = sink.OnData(whole->data);
    if (given) {
      whole->taken.set(whole->data.size());
    } else {
      whole->taken.set_exception(std::runtime_error("the call was given up"));
    }
    return given;
  }

  // Ends the request: closes its connection on the I/O thread, where no handler of it runs
  // meanwhile (closing it from here crashes TLS streams), and waits a moment for the confirmation.
  static void Abort(const std::shared_ptr<Call>& call) {
    {
      const MutexLock lock(call->mutex_);
      call->aborted_ = true;
      if (call->ended_) return;
    }
    boost::asio::post(IoService(), [call] { call->Cancel(); });
    const base::TimePoint until = call->clock_.Now() + kAbortGrace;
    const MutexLock lock(call->mutex_);
    while (!call->ended_ && call->clock_.Now() < until) {
      call->changed_.WaitUntil(call->mutex_, until);
    }
  }

  // How far the request has come. After Abort() it may be that the I/O thread did not answer.
  Sent sent() {
    const MutexLock lock(mutex_);
    if (head_ || head_taken_) return Sent::kYes;
    return uploading_ || (aborted_ && !ended_) ? Sent::kMaybe : Sent::kNo;
  }
  std::optional<Failure> failure() {
    const MutexLock lock(mutex_);
    return failure_;
  }
  pplx::cancellation_token token() { return cancel_.get_token(); }

 private:
  struct HeldUp {
    std::string_view data;
    pplx::task_completion_event<std::size_t> taken;
  };

  const base::RealClock clock_;
  pplx::cancellation_token_source cancel_;
  base::Mutex mutex_;
  base::CondVar changed_;
  bool uploading_ RABBIT_GUARDED_BY(mutex_) = false;  // connected, and the request's header is out
  std::optional<ResponseHead> head_ RABBIT_GUARDED_BY(mutex_);  // until TakeHead()
  bool head_taken_ RABBIT_GUARDED_BY(mutex_) = false;
  std::string buffered_ RABBIT_GUARDED_BY(mutex_);
  std::optional<HeldUp> held_up_ RABBIT_GUARDED_BY(mutex_);  // did not fit into buffered_
  bool aborted_ RABBIT_GUARDED_BY(mutex_) = false;
  bool ended_ RABBIT_GUARDED_BY(mutex_) = false;
  std::optional<Failure> failure_ RABBIT_GUARDED_BY(mutex_);
};

// The stream that cpprestsdk writes a response body to. Write-only; most of the interface is never
// called.
class BodyBuffer final
    : public Concurrency::streams::details::streambuf_state_manager<std::uint8_t> {
 public:
  explicit BodyBuffer(std::shared_ptr<Call> call)
      : streambuf_state_manager(std::ios_base::out), call_(std::move(call)) {}

  bool can_seek() const override { return false; }
  bool has_size() const override { return false; }
  std::size_t buffer_size(std::ios_base::openmode /*mode*/) const override { return 0; }
  void set_buffer_size(std::size_t /*size*/, std::ios_base::openmode /*mode*/) override {}
  std::size_t in_avail() const override { return 0; }
  pos_type getpos(std::ios_base::openmode /*mode*/) const override { return kNowhere; }
  pos_type seekpos(pos_type /*pos*/, std::ios_base::openmode /*mode*/) override { return kNowhere; }
  pos_type seekoff(off_type /*offset*/, std::ios_base::seekdir /*way*/,
                   std::ios_base::openmode /*mode*/) override {
    return kNowhere;
  }
  bool acquire(std::uint8_t*& data, std::size_t& count) override {
    data = nullptr;
    count = 0;
    return false;
  }
  void release(std::uint8_t* /*data*/, std::size_t /*count*/) override {}

 protected:
  pplx::task<std::size_t> _putn(const std::uint8_t* data, std::size_t count) override {
    return call_->OnData(data, count);
  }
  pplx::task<int_type> _putc(std::uint8_t byte) override {
    return call_->OnData(&byte, 1).then([byte](std::size_t) { return int_type{byte}; });
  }
  pplx::task<bool> _sync() override { return pplx::task_from_result(true); }
  std::uint8_t* _alloc(std::size_t /*count*/) override { return nullptr; }
  void _commit(std::size_t /*count*/) override {}
  pplx::task<int_type> _bumpc() override { return pplx::task_from_result(traits::eof()); }
  int_type _sbumpc() override { return traits::eof(); }
  pplx::task<int_type> _getc() override { return pplx::task_from_result(traits::eof()); }
  int_type _sgetc() override { return traits::eof(); }
  pplx::task<int_type> _nextc() override { return pplx::task_from_result(traits::eof()); }
  pplx::task<int_type> _ungetc() override { return pplx::task_from_result(traits::eof()); }
  pplx::task<std::size_t> _getn(std::uint8_t* /*data*/, std::size_t /*count*/) override {
    return pplx::task_from_result(std::size_t{0});
  }
  std::size_t _scopy(std::uint8_t* /*data*/, std::size_t /*count*/) override { return 0; }

 private:
  static constexpr int kNowhere = -1;
  std::shared_ptr<Call> call_;
};

// Opens the socket itself, to have it closed in child processes and a dead peer noticed within
// half a minute: cpprestsdk would open it just the same, and then has no hook until it is
// connected.
void Open(tcp::socket& socket) {
  boost::system::error_code error;
  socket.open(tcp::v4(), error);
  if (error) return;  // its own attempt will fail too, and say so
  const int fd = socket.native_handle();
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  const auto set = [fd](int level, int name, int value) {
    setsockopt(fd, level, name, &value, sizeof value);
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 15);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, 30'000);
}

// Throws when the server has closed a connection from the pool. A request on it would be lost, and
// cpprestsdk would send it again without a word, or not at all.
void CheckStillOpen(tcp::socket& socket) {
  pollfd state{socket.native_handle(), POLLRDHUP, 0};
  if (poll(&state, 1, 0) > 0) throw StaleConnection{};
}

class CpprestTransport final : public Transport {
 public:
  CpprestTransport(const Endpoint& endpoint, std::shared_ptr<TlsContext> tls,
                   CpprestOptions options)
      : name_(endpoint.address + ":" + std::to_string(endpoint.port)),
        host_header_(HostHeader(endpoint)),
        url_((tls ? "https://" : "http://") + name_),
        tls_(std::move(tls)),
        options_(std::move(options)) {}

  // The pool's idle connections are closed where the others live.
  ~CpprestTransport() override { ReplaceClient(nullptr); }

  Result<Response> Send(const Request& request, const CallOptions& options) override;
  Result<void> Stream(const Request& request, const CallOptions& options, BodySink& sink) override;

 private:
  using Client = web::http::client::http_client;

  Result<void> Attempt(const Request& request, const CallOptions& options, BodySink& sink,
                       bool& dead_connection);
  web::http::http_request Build(const Request& request, const std::shared_ptr<Call>& call) const;
  std::shared_ptr<Client> MakeClient() const;
  std::shared_ptr<Client> CurrentClient();
  void ReplaceClient(const std::shared_ptr<Client>& client);
  [[nodiscard]] Error Explain(const Failure& failure, Sent sent) const;
  [[nodiscard]] Error MakeError(ErrorKind kind, Sent sent, std::string_view message) const;

  const std::string name_;  // for messages
  const std::string host_header_;
  const std::string url_;
  const std::shared_ptr<TlsContext> tls_;  // null: plain
  const CpprestOptions options_;
  base::Mutex mutex_;
  std::shared_ptr<Client> client_ RABBIT_GUARDED_BY(mutex_);
};

std::shared_ptr<CpprestTransport::Client> CpprestTransport::MakeClient() const {
  web::http::client::http_client_config config;
  config.set_timeout(std::max(options_.idle_timeout, std::chrono::milliseconds(1'000)));
  config.set_max_redirects(0);  // it would send Authorization to whatever host it is sent to
  if (tls_) {
    config.set_ssl_context_callback([tls = tls_](boost::asio::ssl::context& context) {
      Result<void> applied = tls->Apply(context.native_handle());
      if (!applied) throw std::runtime_error(applied.error().message);
    });
    config.set_tlsext_sni_enabled(false);  // it would send the Host header, port and all
  }
  // Called before each request, on the connection that it will use.
  config.set_nativehandle_options([tls = tls_](web::http::client::native_handle handle) {
    tcp::socket* socket = nullptr;
    boost::asio::ssl::stream<tcp::socket&>* stream = nullptr;
    if (tls) {
      stream = static_cast<boost::asio::ssl::stream<tcp::socket&>*>(handle);
      socket = &stream->next_layer();
    } else {
      socket = static_cast<tcp::socket*>(handle);
    }
    if (socket->is_open()) return CheckStillOpen(*socket);
    Open(*socket);
    if (stream != nullptr) tls->SetServerName(stream->native_handle());
  });
  return std::make_shared<Client>(url_, config);
}

std::shared_ptr<CpprestTransport::Client> CpprestTransport::CurrentClient() {
  const MutexLock lock(mutex_);
  if (!client_) client_ = MakeClient();
  return client_;
}

void CpprestTransport::ReplaceClient(const std::shared_ptr<Client>& client) {
  std::shared_ptr<Client> old;
  {
    const MutexLock lock(mutex_);
    old = std::exchange(client_, client);
  }
  if (old) boost::asio::post(IoService(), [old = std::move(old)]() mutable { old.reset(); });
}

// May throw, on a target that is no URI.
web::http::http_request CpprestTransport::Build(const Request& request,
                                                const std::shared_ptr<Call>& call) const {
  web::http::http_request built{std::string(Name(request.method))};
  built.set_request_uri(web::uri(request.target));
  for (const auto& [name, value] : request.headers) built.headers().add(name, value);
  built.headers()["Host"] = host_header_;
  if (!built.headers().has("User-Agent")) built.headers().add("User-Agent", options_.user_agent);
  const bool has_type = built.headers().has("Content-Type");
  if (!IsIdempotent(request.method)) {
    // A body that cannot be rewound keeps cpprestsdk from sending it a second time on its own.
    concurrency::streams::producer_consumer_buffer<std::uint8_t> once;
    if (!request.body.empty()) {
      once.putn_nocopy(reinterpret_cast<const std::uint8_t*>(request.body.data()),
                       request.body.size())
          .wait();
    }
    once.close(std::ios_base::out).wait();
    built.set_body(once.create_istream(), request.body.size());
  } else if (!request.body.empty()) {
    built.set_body(concurrency::streams::bytestream::open_istream(request.body),
                   request.body.size());
  }
  if (!has_type && request.body.empty()) built.headers().remove("Content-Type");
  built.set_response_stream(concurrency::streams::ostream(
      concurrency::streams::streambuf<std::uint8_t>(std::make_shared<BodyBuffer>(call))));
  built.set_progress_handler(
      [call](web::http::message_direction::direction direction, utility::size64_t /*bytes*/) {
        if (direction == web::http::message_direction::upload) call->OnUpload();
      });
  return built;
}

Result<void> CpprestTransport::Attempt(const Request& request, const CallOptions& options,
                                       BodySink& sink, bool& dead_connection) {
  const base::TimePoint connect_deadline = base::RealClock().Now() + options_.connect_timeout;
  const auto call = std::make_shared<Call>();
  try {
    CurrentClient()
        ->request(Build(request, call), call->token())
        .then([call](web::http::http_response response) {
          call->OnHead(response);
          return response.content_ready();
        })
        // Nothing may leave this one: an exception that nobody looks at ends the process.
        .then([call](const pplx::task<web::http::http_response>& response) {
          std::optional<Failure> failure;
          try {
            response.get();
          } catch (const StaleConnection&) {
            failure = Failure{"the kept-alive connection was closed", 0, true};
          } catch (const web::http::http_exception& e) {
            failure = Failure{e.what(), e.error_code().value(), false};
          } catch (const std::exception& e) {
            failure = Failure{e.what(), 0, false};
          } catch (...) {
            failure = Failure{"an unknown exception", 0, false};
          }
          call->OnEnd(std::move(failure));
        });
  } catch (const std::exception& e) {
    return tl::unexpected(MakeError(ErrorKind::kInvalid, Sent::kNo, e.what()));
  }

  const auto give_up = [&](ErrorKind kind, std::string_view message) {
    Call::Abort(call);
    return tl::unexpected(MakeError(kind, call->sent(), message));
  };
  while (true) {
    Result<void> given;
    switch (call->Wait(options, connect_deadline)) {
      case Call::Event::kHead:
        given = sink.OnHead(call->TakeHead());
        break;
      case Call::Event::kData:
        given = call->GiveData(sink);
        break;
      case Call::Event::kEnd: {
        const std::optional<Failure> failure = call->failure();
        if (!failure) return {};
        const Sent sent = call->sent();
        dead_connection = failure->stale || failure->what.starts_with("Failed to write") ||
                          failure->what.starts_with("cannot rewind");
        return tl::unexpected(Explain(*failure, sent));
      }
      case Call::Event::kStopped:
        return give_up(ErrorKind::kCancelled, "stopped");
      case Call::Event::kConnectDeadline:
        return give_up(ErrorKind::kRetry, "connecting: timed out");
      case Call::Event::kDeadline:
        switch (call->sent()) {
          case Sent::kNo:
            return give_up(ErrorKind::kRetry, "connecting: the deadline has passed");
          case Sent::kMaybe:
            return give_up(ErrorKind::kRetry, "waiting for the response: the deadline has passed");
          case Sent::kYes:
            return give_up(ErrorKind::kRetry, "reading the body: the deadline has passed");
        }
    }
    if (!given) {
      Call::Abort(call);
      return given;
    }
  }
}

Result<void> CpprestTransport::Stream(const Request& request, const CallOptions& options,
                                      BodySink& sink) {
  if (!IsSendable(request)) {
    return tl::unexpected(
        MakeError(ErrorKind::kInvalid, Sent::kNo, "target or header is malformed"));
  }
  for (int attempt = 1;; ++attempt) {
    bool dead_connection = false;
    Result<void> done = Attempt(request, options, sink, dead_connection);
    if (done || !dead_connection || attempt == kMaxAttempts) return done;
    // Connections that were idle for longer are dead too: go on with an empty pool.
    ReplaceClient(nullptr);
    if (done.error().sent != Sent::kNo && !IsIdempotent(request.method)) return done;
  }
}

// Collects a body up to a bound.
class Collector final : public BodySink {
 public:
  explicit Collector(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  Result<void> OnHead(const ResponseHead& head) override {
    response_ = {head.status, head.headers, {}};
    const std::string_view text = FindHeader(head.headers, "Content-Length");
    std::size_t announced = 0;
    std::from_chars(text.data(), text.data() + text.size(), announced);
    if (announced > max_bytes_) return TooLong();
    response_.body.reserve(announced);
    return {};
  }
  Result<void> OnData(std::string_view data) override {
    if (data.size() > max_bytes_ - response_.body.size()) return TooLong();
    response_.body += data;
    return {};
  }
  Response Take() { return std::move(response_); }

 private:
  [[nodiscard]] Result<void> TooLong() const {
    return Fail(ErrorKind::kInternal,
                "the response is longer than " + std::to_string(max_bytes_) + " bytes");
  }
  std::size_t max_bytes_;
  Response response_;
};

Result<Response> CpprestTransport::Send(const Request& request, const CallOptions& options) {
  Collector collector(options.max_body_bytes);
  Result<void> done = Stream(request, options, collector);
  if (done) return collector.Take();
  if (done.error().kind == ErrorKind::kInternal) done.error().sent = Sent::kYes;
  return tl::unexpected(std::move(done).error());
}

Error CpprestTransport::MakeError(ErrorKind kind, Sent sent, std::string_view message) const {
  Error error;
  error.kind = kind;
  error.message = name_ + ": " + std::string(message);
  error.sent = sent;
  return error;
}

// cpprestsdk's errors: the phase is told by its text, the cause by a number without a category.
Error CpprestTransport::Explain(const Failure& failure, Sent sent) const {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kPhases = {{
      {"Error in SSL handshake", "TLS handshake"},
      {"Failed to connect", "connecting"},
      {"Error resolving", "connecting"},
      {"Failed to resolve", "connecting"},
      {"Failed to write", "sending the request"},
      {"cannot rewind", "sending the request on a kept-alive connection"},
      {"Failed to read HTTP status line", "waiting for the response"},
      {"Invalid HTTP status line", "reading the response's header"},
      {"Failed to read response body", "reading the body"},
      {"Failed to read chunked", "reading the body"},
      {"Retrieving message chunk", "reading the body"},
      {"Invalid chunked response", "reading the body"},
  }};
  if (failure.stale) return MakeError(ErrorKind::kRetry, sent, failure.what);
  const auto* const phase = std::ranges::find_if(
      kPhases, [&](const auto& entry) { return failure.what.starts_with(entry.first); });
  if (phase == kPhases.end()) return MakeError(ErrorKind::kRetry, sent, failure.what);

  const auto code = static_cast<unsigned long>(static_cast<unsigned>(failure.code));
  const bool idle = failure.code == static_cast<int>(std::errc::timed_out);
  std::string cause;
  if (ERR_GET_LIB(code) != 0) {
    cause = TlsReason(code);
    const std::string problem = phase->second == "TLS handshake" && tls_ ? tls_->LastProblem() : "";
    if (!problem.empty()) cause += ": " + problem;
  } else if (failure.code == 1 || failure.code == 2 ||
             failure.code == static_cast<int>(std::errc::connection_aborted)) {
    cause = "the server closed the connection";  // asio's end-of-file, with and without TLS
  } else if (idle) {
    cause = "nothing came for too long";
  } else if (failure.code == static_cast<int>(std::errc::host_unreachable)) {
    cause = "refused, or the host cannot be reached";  // cpprestsdk maps one onto the other
  } else if (failure.code == 0) {
    cause = "malformed";
  } else {
    cause = std::generic_category().message(failure.code);
  }
  return MakeError(ErrorKind::kRetry, sent, std::string(phase->second) + ": " + cause);
}

}  // namespace

void InitializeCpprest() {
  static std::once_flag once;
  std::call_once(once, [] {
    try {
      crossplat::threadpool::initialize_with_threads(1);
    } catch (const std::exception& e) {
      // With cpprestsdk's own default of 40 threads cancelling a TLS stream crashes the process.
      std::fprintf(stderr, "cpprestsdk was used before InitializeCpprest(): %s\n", e.what());
      std::abort();
    }
  });
}

Result<std::unique_ptr<Transport>> MakeCpprestTransport(const Endpoint& endpoint,
                                                        const TlsSettings& tls,
                                                        const CpprestOptions& options) {
  if (!IsIpv4Literal(endpoint.address) || endpoint.port == 0) {
    return Fail(ErrorKind::kInvalid, "\"" + endpoint.address + "\" with port " +
                                         std::to_string(endpoint.port) +
                                         " is not an IPv4 address and port");
  }
  InitializeCpprest();
  std::shared_ptr<TlsContext> context;
  if (endpoint.tls) {
    Result<std::shared_ptr<TlsContext>> made = TlsContext::Make(tls, ServerName(endpoint, tls));
    if (!made) return base::FailWrapped(std::move(made).error(), "TLS");
    context = *std::move(made);
  }
  return std::make_unique<CpprestTransport>(endpoint, std::move(context), options);
}

}  // namespace rabbit::http
