// lib/base/random.h: randomness behind an interface, so that tests repeat.
// SystemRandom is thread-safe and cryptographically strong (OpenSSL).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/clock.h"

namespace rabbit::base {

class Random {
 public:
  virtual ~Random() = default;
  [[nodiscard]] virtual std::string Bytes(std::size_t count) = 0;  // raw bytes
};

class SystemRandom final : public Random {
 public:
  [[nodiscard]] std::string Bytes(std::size_t count) override;
};

// For tests: a counter, hashed; the same sequence each run. Thread-safe.
class SequenceRandom final : public Random {
 public:
  [[nodiscard]] std::string Bytes(std::size_t count) override;

 private:
  std::atomic<std::uint64_t> next_ = 0;
};

// `length` characters of [A-Za-z0-9], each equally likely.
[[nodiscard]] std::string RandomAlphanumeric(Random& random, std::size_t length);
// A duration in [base, base * (1 + fraction)).
[[nodiscard]] Duration Jitter(Random& random, Duration base, double fraction);

}  // namespace rabbit::base
