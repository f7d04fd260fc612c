#include "http/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <list>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "http/message_parser.h"
#include "http/stream.h"
#include "http/stream_writer.h"

namespace rabbit::http {
namespace {

using base::ErrorKind;
using base::Fail;
using base::MutexLock;
using base::Result;
using std::chrono::milliseconds;

// How long a refused client may go on sending before its connection is closed over its head, which
// would lose the refusal on its way.
constexpr milliseconds kLinger{1'000};
constexpr milliseconds kAcceptPause{100};  // when there are no descriptors left

struct Connection {
  enum class State {
    kIdle,     // nothing of the next request has come
    kReading,  // a part of it has
    kBusy,     // a worker has it
    kClosing,  // refused; what still comes is thrown away
  };
  explicit Connection(int fd) : stream(fd) {}

  Stream stream;
  State state = State::kIdle;
  base::TimePoint deadline;      // of this state; none while busy
  base::TimePoint silent_since;  // while idle or reading
  std::optional<RequestParser> parser;
  std::string unread;
  std::stop_source gone;      // of the request that is being handled
  bool watch_hangup = false;  // while busy
};

struct Job {
  Connection* connection = nullptr;
  Request request;
  StreamWriter::About about;
  std::stop_token gone;
};

}  // namespace

// Connections belong to the poller's thread. A busy one's stream is lent to a worker, and given
// back through returned_.
class Server::Impl {
 public:
  Impl(const ServerOptions& options, Handler handler)
      : options_(options), handler_(std::move(handler)) {}
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<void> Listen();
  void StartThreads() {
    poller_ = std::thread([this] { Poll(); });
  }
  bool Stop(base::Duration grace);
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  enum class Phase { kServing, kStopping, kCutting };

  // On the poller's thread.
  void Poll();
  void AcceptAll();
  void OnEvent(Connection& connection);
  void Advance(Connection& connection);
  void Refuse(Connection& connection, int status);
  void Dispatch(Connection& connection);
  void TakeBack();
  [[nodiscard]] bool IsFull() const { return connections_.size() >= options_.max_connections; }
  // The connection that may be closed for another one, and has been silent longest; end(): none.
  std::list<Connection>::iterator MostSilent();
  [[nodiscard]] milliseconds TimeToNextDeadline();
  void CloseExpired();
  void CloseIf(const std::function<bool(const Connection&)>& closes);

  void Work();
  void Wake() const { eventfd_write(wake_, 1); }
  [[nodiscard]] Phase phase() const {
    const MutexLock lock(mutex_);
    return phase_;
  }

  const ServerOptions options_;
  const Handler handler_;
  const base::RealClock clock_;
  int listener_ = -1;
  int wake_ = -1;
  std::uint16_t port_ = 0;
  std::thread poller_;

  std::list<Connection> connections_;  // the poller's
  base::TimePoint accept_again_;       // the poller's

  mutable base::Mutex mutex_;
  base::CondVar jobs_changed_;
  base::CondVar ended_;
  Phase phase_ RABBIT_GUARDED_BY(mutex_) = Phase::kServing;
  std::deque<Job> jobs_ RABBIT_GUARDED_BY(mutex_);
  std::vector<std::pair<Connection*, bool>> returned_ RABBIT_GUARDED_BY(mutex_);  // bool: keep
  std::vector<std::thread> workers_ RABBIT_GUARDED_BY(mutex_);
  std::size_t free_workers_ RABBIT_GUARDED_BY(mutex_) = 0;
  bool polling_ RABBIT_GUARDED_BY(mutex_) = true;
};

Server::Impl::~Impl() {
  if (listener_ >= 0) close(listener_);
  if (wake_ >= 0) close(wake_);
}

Result<void> Server::Impl::Listen() {
  const auto fail = [this](std::string_view what) {
    return Fail(ErrorKind::kInvalid, "cannot listen on " + options_.address + " port " +
                                         std::to_string(options_.port) + ": " + std::string(what) +
                                         std::generic_category().message(errno));
  };
  sockaddr_storage address{};
  socklen_t size = 0;
  auto* const v4 = reinterpret_cast<sockaddr_in*>(&address);
  auto* const v6 = reinterpret_cast<sockaddr_in6*>(&address);
  if (inet_pton(AF_INET, options_.address.c_str(), &v4->sin_addr) == 1) {
    address.ss_family = AF_INET;
    v4->sin_port = htons(options_.port);
    size = sizeof *v4;
  } else if (inet_pton(AF_INET6, options_.address.c_str(), &v6->sin6_addr) == 1) {
    address.ss_family = AF_INET6;
    v6->sin6_port = htons(options_.port);
    size = sizeof *v6;
  } else {
    errno = EINVAL;
    return fail("not an IP address: ");
  }
  listener_ = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  wake_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (listener_ < 0 || wake_ < 0) return fail("");
  const int on = 1;
  const int off = 0;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.ss_family == AF_INET6) {
    setsockopt(listener_, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  }
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0) return fail("");
  if (listen(listener_, 128) != 0) return fail("");
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.ss_family == AF_INET ? v4->sin_port : v6->sin6_port);
  return {};
}

void Server::Impl::Poll() {
  std::vector<pollfd> waiting;
  std::vector<Connection*> of;  // of[i] belongs to waiting[i + 2]
  while (true) {
    TakeBack();
    const Phase phase = this->phase();
    if (phase != Phase::kServing) {
      CloseIf([](const Connection& c) { return c.state != Connection::State::kBusy; });
      for (Connection& connection : connections_) {
        connection.gone.request_stop();
        if (phase == Phase::kCutting) shutdown(connection.stream.socket(), SHUT_RDWR);
      }
      if (connections_.empty()) break;
    }
    CloseExpired();

    const base::TimePoint now = clock_.Now();
    const auto most_silent = MostSilent();
    const bool has_room = !IsFull() || (most_silent != connections_.end() &&
                                        now >= most_silent->silent_since + options_.spared);
    const bool accepts = phase == Phase::kServing && has_room && now >= accept_again_;
    waiting = {{wake_, POLLIN, 0}, {accepts ? listener_ : -1, POLLIN, 0}};
    of.clear();
    for (Connection& connection : connections_) {
      const bool busy = connection.state == Connection::State::kBusy;
      if (busy && !connection.watch_hangup) continue;
      waiting.push_back(
          {connection.stream.socket(), static_cast<short>(busy ? POLLRDHUP : POLLIN), 0});
      of.push_back(&connection);
    }
    const int timeout = static_cast<int>(TimeToNextDeadline().count());
    if (poll(waiting.data(), waiting.size(), timeout) <= 0) continue;
    if (waiting[0].revents != 0) {
      eventfd_t ignored = 0;
      eventfd_read(wake_, &ignored);
    }
    for (std::size_t i = 0; i < of.size(); ++i) {
      if (waiting[i + 2].revents != 0) OnEvent(*of[i]);
    }
    if (waiting[1].revents != 0) AcceptAll();
  }
  close(std::exchange(listener_, -1));
  const MutexLock lock(mutex_);
  polling_ = false;
  ended_.NotifyAll();
}

void Server::Impl::AcceptAll() {
  while (true) {
    const base::TimePoint now = clock_.Now();
    auto replaced = connections_.end();
    if (IsFull()) {
      replaced = MostSilent();
      if (replaced == connections_.end() || now < replaced->silent_since + options_.spared) return;
    }
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno != EAGAIN && errno != ECONNABORTED) accept_again_ = now + kAcceptPause;
      return;
    }
    if (replaced != connections_.end()) connections_.erase(replaced);
    EnableKeepAlive(fd);
    Connection& connection = connections_.emplace_back(fd);
    connection.deadline = now + options_.read_timeout;
    connection.silent_since = now;
    connection.parser.emplace(options_.max_header_bytes, options_.max_body_bytes);
  }
}

void Server::Impl::OnEvent(Connection& connection) {
  if (connection.state == Connection::State::kBusy) {
    connection.watch_hangup = false;
    connection.gone.request_stop();
    return;
  }
  std::array<char, 16384> bytes;
  const ssize_t got = recv(connection.stream.socket(), bytes.data(), bytes.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    connection.state = Connection::State::kClosing;
    connection.deadline = base::TimePoint();
    return;
  }
  if (connection.state == Connection::State::kClosing) return;
  connection.silent_since = clock_.Now();
  connection.unread.append(bytes.data(), static_cast<std::size_t>(got));
  Advance(connection);
}

// Goes on with what has been read, which may hold several requests.
void Server::Impl::Advance(Connection& connection) {
  if (connection.unread.empty()) return;
  if (connection.state == Connection::State::kIdle) {
    connection.state = Connection::State::kReading;
    connection.deadline = clock_.Now() + options_.read_timeout;
  }
  switch (connection.parser->Feed(connection.unread)) {
    case RequestParser::State::kMore:
      if (connection.parser->TakeExpectation()) {
        constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
        (void)send(connection.stream.socket(), kContinue.data(), kContinue.size(), MSG_NOSIGNAL);
      }
      return;
    case RequestParser::State::kDone:
      return Dispatch(connection);
    case RequestParser::State::kMalformed:
      return Refuse(connection, 400);
    case RequestParser::State::kUnknownMethod:
      return Refuse(connection, 501);
    case RequestParser::State::kHeaderTooLong:
      return Refuse(connection, 431);
    case RequestParser::State::kBodyTooLong:
      return Refuse(connection, 413);
  }
}

void Server::Impl::Refuse(Connection& connection, int status) {
  const std::string text = FormatHead({status, {}}, "Content-Length: 0\r\n", false);
  (void)send(connection.stream.socket(), text.data(), text.size(), MSG_NOSIGNAL);
  shutdown(connection.stream.socket(), SHUT_WR);
  connection.state = Connection::State::kClosing;
  connection.deadline = clock_.Now() + kLinger;
}

void Server::Impl::Dispatch(Connection& connection) {
  connection.state = Connection::State::kBusy;
  connection.gone = std::stop_source();
  connection.watch_hangup = true;
  Job job{&connection,
          connection.parser->TakeRequest(),
          {false, connection.parser->understands_chunks(), connection.parser->keep_alive()},
          connection.gone.get_token()};
  job.about.to_head = job.request.method == Method::kHead;
  const MutexLock lock(mutex_);
  jobs_.push_back(std::move(job));
  if (free_workers_ < jobs_.size() && workers_.size() < options_.max_threads) {
    try {
      workers_.emplace_back([this] { Work(); });
    } catch (const std::system_error&) {
      // Those that run must do; without any the client's own deadline ends its wait.
    }
  }
  jobs_changed_.NotifyOne();
}

void Server::Impl::Work() {
  while (true) {
    Job job;
    {
      const MutexLock lock(mutex_);
      ++free_workers_;
      while (jobs_.empty()) {
        if (!polling_) return;
        jobs_changed_.WaitUntil(mutex_, clock_.Now() + std::chrono::minutes(1));
      }
      --free_workers_;
      job = std::move(jobs_.front());
      jobs_.pop_front();
      if (phase_ != Phase::kServing) job.about.keep_alive = false;
    }
    StreamWriter writer(job.connection->stream, job.about, options_.write_timeout, job.gone);
    try {
      handler_(job.request, writer);
    } catch (...) {
      // Whatever it was, it concerns this request alone: the client gets a 500, or a cut body.
      if (writer.started()) writer.Cut();
    }
    const bool keep = writer.Finish();
    {
      const MutexLock lock(mutex_);
      returned_.emplace_back(job.connection, keep);
    }
    Wake();
  }
}

void Server::Impl::TakeBack() {
  std::vector<std::pair<Connection*, bool>> returned;
  {
    const MutexLock lock(mutex_);
    returned.swap(returned_);
  }
  for (const auto& [connection, keep] : returned) {
    if (!keep) {
      // An orderly end, so that what was written last is not lost to what the client still sends.
      shutdown(connection->stream.socket(), SHUT_WR);
      connection->state = Connection::State::kClosing;
      connection->deadline = clock_.Now() + kLinger;
      continue;
    }
    connection->state = Connection::State::kIdle;
    connection->silent_since = clock_.Now();
    connection->deadline = connection->silent_since + options_.idle_timeout;
    connection->parser.emplace(options_.max_header_bytes, options_.max_body_bytes);
    Advance(*connection);
  }
}

std::list<Connection>::iterator Server::Impl::MostSilent() {
  auto found = connections_.end();
  for (auto each = connections_.begin(); each != connections_.end(); ++each) {
    if (each->state != Connection::State::kIdle && each->state != Connection::State::kReading) {
      continue;
    }
    if (found == connections_.end() || each->silent_since < found->silent_since) found = each;
  }
  return found;
}

milliseconds Server::Impl::TimeToNextDeadline() {
  const base::TimePoint now = clock_.Now();
  base::TimePoint next = now + std::chrono::minutes(1);
  if (accept_again_ > now) next = std::min(next, accept_again_);
  if (const auto replaced = MostSilent(); IsFull() && replaced != connections_.end()) {
    // Not in the past: then the listener is waited for.
    if (const base::TimePoint at = replaced->silent_since + options_.spared; at > now) {
      next = std::min(next, at);
    }
  }
  for (const Connection& connection : connections_) {
    if (connection.state != Connection::State::kBusy) next = std::min(next, connection.deadline);
  }
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(next - now));
}

void Server::Impl::CloseExpired() {
  const base::TimePoint now = clock_.Now();
  CloseIf([now](const Connection& c) {
    return c.state != Connection::State::kBusy && c.deadline <= now;
  });
}

void Server::Impl::CloseIf(const std::function<bool(const Connection&)>& closes) {
  connections_.remove_if(closes);
}

bool Server::Impl::Stop(base::Duration grace) {
  for (const Phase phase : {Phase::kStopping, Phase::kCutting}) {
    const base::TimePoint until = clock_.Now() + grace;
    {
      const MutexLock lock(mutex_);
      phase_ = phase;
    }
    Wake();
    const MutexLock lock(mutex_);
    while (polling_ && clock_.Now() < until) ended_.WaitUntil(mutex_, until);
    if (!polling_) break;
  }
  std::vector<std::thread> workers;
  {
    const MutexLock lock(mutex_);
    if (polling_) return false;
    workers.swap(workers_);
    jobs_changed_.NotifyAll();
  }
  for (std::thread& worker : workers) worker.join();
  if (poller_.joinable()) poller_.join();
  return true;
}

Result<std::unique_ptr<Server>> Server::Start(const ServerOptions& options, Handler handler) {
  auto impl = std::make_unique<Impl>(options, std::move(handler));
  Result<void> listening = impl->Listen();
  if (!listening) return tl::unexpected(std::move(listening).error());
  impl->StartThreads();
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() {
  if (Stop(std::chrono::seconds(1))) return;
  std::fputs("a handler of the HTTP server does not return\n", stderr);
  std::abort();
}

std::uint16_t Server::port() const { return impl_->port(); }

bool Server::Stop(base::Duration grace) { return impl_->Stop(grace); }

}  // namespace rabbit::http
