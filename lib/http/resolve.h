// lib/http/resolve.h: host names to IPv4 addresses, without ever waiting longer than asked.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace rabbit::http {

// The system's resolver cannot be interrupted, so each lookup has a thread of its own, which is
// left behind when the deadline passes first. No more than `max_lookups` may be left behind at
// once; beyond that lookups fail at once. One object a process is enough. Thread-safe. Destruction
// does not wait for threads that are left behind.
class Resolver {
 public:
  // The addresses of a name, in the order of preference; empty: an error, described in `problem`.
  // Called on a thread that may outlive the Resolver.
  using Lookup =
      std::function<std::vector<std::string>(const std::string& host, std::string& problem)>;

  explicit Resolver(std::size_t max_lookups = 4);
  // With another lookup than getaddrinfo's: for tests.
  Resolver(std::size_t max_lookups, Lookup lookup);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // At least one address. A literal passes through. kRetry: unknown, deadline, or too many lookups
  // hang; kCancelled: stop requested.
  [[nodiscard]] base::Result<std::vector<std::string>> ResolveIpv4(const std::string& host,
                                                                   base::TimePoint deadline,
                                                                   const std::stop_token& stop);

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace rabbit::http
