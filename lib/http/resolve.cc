#include "http/resolve.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <system_error>
#include <thread>
#include <utility>

#include "base/mutex.h"
#include "http/endpoint.h"

namespace rabbit::http {
namespace {

using base::ErrorKind;
using base::Fail;

std::vector<std::string> LookUpBySystem(const std::string& host, std::string& problem) {
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error != 0) {
    problem = gai_strerror(error);
    return {};
  }
  std::vector<std::string> addresses;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    sockaddr_in address{};
    if (entry->ai_addrlen != sizeof address) continue;
    std::copy_n(reinterpret_cast<const char*>(entry->ai_addr), sizeof address,
                reinterpret_cast<char*>(&address));
    std::array<char, INET_ADDRSTRLEN> text{};
    inet_ntop(AF_INET, &address.sin_addr, text.data(), text.size());
    addresses.emplace_back(text.data());
  }
  freeaddrinfo(found);
  if (addresses.empty()) problem = "no IPv4 address";
  return addresses;
}

}  // namespace

struct Resolver::Shared {
  Shared(std::size_t max, Lookup look_up) : max_lookups(max), lookup(std::move(look_up)) {}

  const std::size_t max_lookups;
  const Lookup lookup;
  base::Mutex mutex;
  base::CondVar changed;
  std::size_t running RABBIT_GUARDED_BY(mutex) = 0;
};

Resolver::Resolver(std::size_t max_lookups) : Resolver(max_lookups, LookUpBySystem) {}
Resolver::Resolver(std::size_t max_lookups, Lookup lookup)
    : shared_(std::make_shared<Shared>(max_lookups, std::move(lookup))) {}
Resolver::~Resolver() = default;

base::Result<std::vector<std::string>> Resolver::ResolveIpv4(const std::string& host,
                                                             base::TimePoint deadline,
                                                             const std::stop_token& stop) {
  if (IsIpv4Literal(host)) return std::vector<std::string>{host};
  const base::RealClock clock;
  struct Answer {
    bool done = false;
    std::vector<std::string> addresses;
    std::string problem;
  };
  const auto answer = std::make_shared<Answer>();  // guarded by shared_->mutex
  const std::shared_ptr<Shared> shared = shared_;
  {
    const base::MutexLock lock(shared->mutex);
    if (shared->running >= shared->max_lookups) {
      return Fail(ErrorKind::kRetry, "resolving " + host + ": earlier lookups still hang");
    }
    ++shared->running;
  }
  try {
    std::thread([shared, answer, host] {
      std::string problem;
      std::vector<std::string> addresses = shared->lookup(host, problem);
      const base::MutexLock lock(shared->mutex);
      --shared->running;
      *answer = {true, std::move(addresses), std::move(problem)};
      shared->changed.NotifyAll();
    }).detach();
  } catch (const std::system_error& e) {
    const base::MutexLock lock(shared->mutex);
    --shared->running;
    return Fail(ErrorKind::kRetry, "resolving " + host + ": no thread: " + e.what());
  }
  const base::MutexLock lock(shared->mutex);
  while (!answer->done) {
    if (stop.stop_requested())
      return Fail(ErrorKind::kCancelled, "resolving " + host + ": stopped");
    if (clock.Now() >= deadline) {
      return Fail(ErrorKind::kRetry, "resolving " + host + ": the deadline passed");
    }
    shared->changed.WaitUntil(shared->mutex, stop, deadline);
  }
  if (answer->addresses.empty()) {
    return Fail(ErrorKind::kRetry, "resolving " + host + ": " + answer->problem);
  }
  return std::move(answer->addresses);
}

}  // namespace rabbit::http
