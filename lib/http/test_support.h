// lib/http/test_support.h: for tests of lib/http: small words for deadlines, sinks and logs.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "http/test_server.h"
#include "http/transport.h"

namespace rabbit::http {

inline base::TimePoint In(std::chrono::milliseconds time) { return base::RealClock().Now() + time; }
inline CallOptions Within(std::chrono::milliseconds time) { return {.deadline = In(time)}; }
// For what must work: long enough for a loaded machine.
inline base::TimePoint InTime() { return In(std::chrono::milliseconds(20'000)); }
inline CallOptions Soon() { return {.deadline = InTime()}; }

inline const TestCa& Ca() {
  static const TestCa kCa;
  return kCa;
}
inline const TestTls& ServerTls() {
  static const TestTls kTls{Ca().Issue("server", "DNS:api.test,IP:127.0.0.1"), ""};
  return kTls;
}

// What a sink was given. Hooks run on the calling thread.
class Recorder final : public BodySink {
 public:
  base::Result<void> OnHead(const ResponseHead& head) override {
    status = head.status;
    return on_head ? on_head() : base::Result<void>();
  }
  base::Result<void> OnData(std::string_view data) override {
    body += data;
    thread = std::this_thread::get_id();
    return on_data ? on_data() : base::Result<void>();
  }
  int status = 0;
  std::string body;
  std::thread::id thread;
  std::function<base::Result<void>()> on_head;
  std::function<base::Result<void>()> on_data;
};

inline std::string Chunk(std::string_view data) {
  std::array<char, 16> size{};
  std::snprintf(size.data(), size.size(), "%zx", data.size());
  return std::string(size.data()) + "\r\n" + std::string(data) + "\r\n";
}
inline constexpr std::string_view kChunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

// Each request of every connection, in order of arrival.
class Log {
 public:
  void Add(std::string text) {
    const base::MutexLock lock(mutex_);
    texts_.push_back(std::move(text));
    changed_.NotifyAll();
  }
  std::vector<std::string> texts() {
    const base::MutexLock lock(mutex_);
    return texts_;
  }
  // Waits until there are `count`.
  bool Await(std::size_t count) {
    const base::TimePoint until = InTime();
    const base::MutexLock lock(mutex_);
    while (texts_.size() < count && base::RealClock().Now() < until) {
      changed_.WaitUntil(mutex_, until);
    }
    return texts_.size() >= count;
  }

 private:
  base::Mutex mutex_;
  base::CondVar changed_;
  std::vector<std::string> texts_ RABBIT_GUARDED_BY(mutex_);
};

// A listening socket whose queue is full drops further connections: they hang.
class FullListener {
 public:
  FullListener() : listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    listen(listener_, 0);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    for (int& fd : fillers_) {
      fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      (void)connect(fd, reinterpret_cast<sockaddr*>(&address), size);
    }
  }
  ~FullListener() {
    for (const int fd : fillers_) close(fd);
    close(listener_);
  }
  FullListener(const FullListener&) = delete;
  FullListener& operator=(const FullListener&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  int listener_;
  std::array<int, 4> fillers_{};
  std::uint16_t port_ = 0;
};

}  // namespace rabbit::http
