#include "http/cpprest_transport.h"

#include <cpprest/http_client.h>
#include <cpprest/producerconsumerstream.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pplx/threadpool.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "http/call.h"
#include "http/collector.h"
#include "http/cpprest_failure.h"
#include "http/stream.h"
#include "http/tls_context.h"

namespace rabbit::http {
namespace {

using base::Error;
using base::ErrorKind;
using base::MutexLock;
using base::Result;
using base::Sent;
using boost::asio::ip::tcp;

constexpr int kMaxAttempts = 2;
// How long a call that was given up waits for the I/O thread to confirm it. Normally under 1 ms.
constexpr auto kAbortGrace = std::chrono::milliseconds(250);

boost::asio::io_service& IoService() { return crossplat::threadpool::shared_instance().service(); }

// What the pool's connection was found to be before anything was sent on it.
struct StaleConnection {};

// The stream that cpprestsdk writes a response body to. Write-only; most of the interface is never
// called.
class BodyBuffer final
    : public Concurrency::streams::details::streambuf_state_manager<std::uint8_t> {
 public:
  explicit BodyBuffer(std::shared_ptr<Call> call)
      : streambuf_state_manager(std::ios_base::out), call_(std::move(call)) {}

  // Complete at once. The base class schedules a task and, after a failed write, waits for it on
  // the I/O thread, which is the one that would run it.
  pplx::task<void> close(std::ios_base::openmode /*mode*/) override {
    m_stream_can_write = false;
    return pplx::task_from_result();
  }
  pplx::task<void> close(std::ios_base::openmode mode, std::exception_ptr reason) override {
    if (m_currentException == nullptr) m_currentException = std::move(reason);
    return close(mode);
  }

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
    pplx::task_completion_event<std::size_t> event;
    const std::string_view text(reinterpret_cast<const char*>(data), count);
    if (call_->OnData(text, [event, count](bool taken) {
          if (taken) {
            event.set(count);
          } else {
            event.set_exception(std::runtime_error("the call was given up"));
          }
        })) {
      return pplx::task_from_result(count);
    }
    return pplx::create_task(event);
  }
  pplx::task<int_type> _putc(std::uint8_t /*byte*/) override {
    return pplx::task_from_result(traits::eof());
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
  EnableKeepAlive(fd);
}

// Throws when the server has closed a connection from the pool. A request on it would be lost, and
// cpprestsdk would send it again without a word, or not at all.
void CheckStillOpen(tcp::socket& socket) {
  pollfd state{socket.native_handle(), POLLRDHUP, 0};
  if (poll(&state, 1, 0) > 0) throw StaleConnection{};
}

std::string_view Phase(Sent sent) {
  switch (sent) {
    case Sent::kNo:
      return "connecting";
    case Sent::kMaybe:
      return "waiting for the response";
    case Sent::kYes:
      return "reading the body";
  }
  return "";
}

class CpprestTransport final : public Transport {
 public:
  CpprestTransport(const Endpoint& endpoint, std::shared_ptr<TlsContext> tls,
                   CpprestOptions options)
      : endpoint_(endpoint),
        name_(endpoint.address + ":" + std::to_string(endpoint.port)),
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

  Result<void> Reach(const CallOptions& options);
  Result<void> Attempt(const Request& request, const CallOptions& options, BodySink& sink,
                       Call::Wanted wanted, bool& dead_connection);
  Result<void> Run(const Request& request, const CallOptions& options, BodySink& sink,
                   Call::Wanted wanted);
  void Start(const web::http::http_request& request, const pplx::cancellation_token& token,
             const std::shared_ptr<Call>& call);
  web::http::http_request Build(const Request& request, const std::shared_ptr<Call>& call) const;
  std::shared_ptr<Client> MakeClient() const;
  std::shared_ptr<Client> CurrentClient();
  void ReplaceClient(const std::shared_ptr<Client>& client);
  [[nodiscard]] Error MakeError(ErrorKind kind, Sent sent, std::string_view message) const;

  const Endpoint endpoint_;
  const std::string name_;  // for messages
  const std::string host_header_;
  const std::string url_;
  const std::shared_ptr<TlsContext> tls_;  // null: plain
  const CpprestOptions options_;
  std::atomic<bool> reached_{false};  // by the last call that ended
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
    if (stream != nullptr) tls->BeginHandshake(stream->native_handle());
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
    // Not the string itself: cpprestsdk would cast a buffer of char to one of unsigned char.
    std::vector<std::uint8_t> bytes(request.body.begin(), request.body.end());
    built.set_body(concurrency::streams::bytestream::open_istream(std::move(bytes)),
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

// Ends a request: closes its connection on the I/O thread, where no handler of it can be running
// (closing it from here crashes TLS streams), and waits a moment for the confirmation.
void Abort(const std::shared_ptr<Call>& call, const pplx::cancellation_token_source& cancel) {
  if (!call->GiveUp()) return;
  boost::asio::post(IoService(), [call, cancel] {
    cancel.cancel();
    call->ReleaseHeldData();
  });
  call->WaitForEnd(kAbortGrace);
}

// Starts `request`; everything that happens to it is told to `call`.
void CpprestTransport::Start(const web::http::http_request& request,
                             const pplx::cancellation_token& token,
                             const std::shared_ptr<Call>& call) {
  CurrentClient()
      ->request(request, token)
      .then([call](web::http::http_response response) {
        ResponseHead head;
        head.status = response.status_code();
        for (const auto& [name, value] : response.headers()) head.headers.emplace_back(name, value);
        call->OnHead(std::move(head));
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
}

Result<void> CpprestTransport::Reach(const CallOptions& options) {
  const base::TimePoint latest = base::RealClock().Now() + options_.connect_timeout;
  auto stream = Stream::Connect(
      endpoint_, nullptr, {.deadline = std::min(options.deadline, latest), .stop = options.stop});
  if (stream) return {};
  return tl::unexpected(MakeError(stream.error().kind, Sent::kNo, stream.error().message));
}

Result<void> CpprestTransport::Attempt(const Request& request, const CallOptions& options,
                                       BodySink& sink, Call::Wanted wanted, bool& dead_connection) {
  const base::TimePoint connect_deadline = base::RealClock().Now() + options_.connect_timeout;
  const auto call = std::make_shared<Call>(wanted);
  const pplx::cancellation_token_source cancel;
  try {
    Start(Build(request, call), cancel.get_token(), call);
  } catch (const std::exception& e) {
    return tl::unexpected(MakeError(ErrorKind::kInvalid, Sent::kNo, e.what()));
  }

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
        dead_connection = IsDeadConnection(*failure);
        Error error = MakeError(ErrorKind::kRetry, call->sent(),
                                Describe(*failure, tls_ ? tls_->LastProblem() : ""));
        if (IsTlsRefusal(*failure)) error.reason = kReasonTls;
        return tl::unexpected(std::move(error));
      }
      case Call::Event::kStopped:
        Abort(call, cancel);
        return tl::unexpected(MakeError(ErrorKind::kCancelled, call->sent(), "stopped"));
      case Call::Event::kConnectDeadline:
        Abort(call, cancel);
        return tl::unexpected(MakeError(ErrorKind::kRetry, call->sent(), "connecting: timed out"));
      case Call::Event::kDeadline: {
        const Sent sent_in_time = call->sent();
        Abort(call, cancel);
        return tl::unexpected(
            MakeError(ErrorKind::kRetry, call->sent(),
                      std::string(Phase(sent_in_time)) + ": the deadline passed"));
      }
    }
    if (!given) {
      Abort(call, cancel);
      return given;
    }
  }
}

Result<void> CpprestTransport::Stream(const Request& request, const CallOptions& options,
                                      BodySink& sink) {
  return Run(request, options, sink, Call::Wanted::kPieces);
}

Result<void> CpprestTransport::Run(const Request& request, const CallOptions& options,
                                   BodySink& sink, Call::Wanted wanted) {
  if (!IsSendable(request)) {
    return tl::unexpected(
        MakeError(ErrorKind::kInvalid, Sent::kNo, "target or header is malformed"));
  }
  Sent sent = Sent::kNo;  // by the attempts so far
  for (int attempt = 1;; ++attempt) {
    // Before anything is begun: a connection of the pool takes a request at once, and who may not
    // write any more relies on nothing being sent.
    if (options.stop.stop_requested()) {
      return tl::unexpected(MakeError(ErrorKind::kCancelled, sent, "stopped"));
    }
    if (base::RealClock().Now() >= options.deadline) {
      return tl::unexpected(MakeError(ErrorKind::kRetry, sent, "connecting: the deadline passed"));
    }
    if (attempt == 1 && options_.connect_first && !reached_) {
      if (Result<void> reached = Reach(options); !reached) return reached;
    }
    bool dead_connection = false;
    Result<void> done = Attempt(request, options, sink, wanted, dead_connection);
    reached_ = done.has_value() || done.error().sent != Sent::kNo;
    if (done || !dead_connection || attempt == kMaxAttempts) return done;
    // Connections that were idle for longer are dead too: go on with an empty pool.
    ReplaceClient(nullptr);
    sent = done.error().sent;
    if (sent != Sent::kNo && !IsIdempotent(request.method)) return done;
  }
}

Result<Response> CpprestTransport::Send(const Request& request, const CallOptions& options) {
  Collector collector(options.max_body_bytes);
  Result<void> done = Run(request, options, collector, Call::Wanted::kWhole);
  if (done) return collector.Take();
  return tl::unexpected(std::move(done).error());
}

Error CpprestTransport::MakeError(ErrorKind kind, Sent sent, std::string_view message) const {
  Error error;
  error.kind = kind;
  error.message = name_ + ": " + std::string(message);
  error.sent = sent;
  return error;
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
  Result<std::shared_ptr<TlsContext>> context = TlsContext::For(endpoint, tls);
  if (!context) return tl::unexpected(std::move(context).error());
  InitializeCpprest();
  return std::make_unique<CpprestTransport>(endpoint, *std::move(context), options);
}

}  // namespace rabbit::http

// Takes the place of OpenSSL's function for the whole process. cpprestsdk calls it for every TLS
// connection, which reads and parses all of the system's roots (25 ms with Debian's
// ca-certificates) only for TlsContext to throw them away. Nobody else in the daemon wants the
// system's roots either.
extern "C" int SSL_CTX_set_default_verify_paths(SSL_CTX* /*context*/) { return 1; }
