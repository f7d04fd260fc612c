// lib/kube/credentials.h: what a request shows to say who we are, beside a client certificate.
// All are thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/mutex.h"
#include "base/secret.h"

namespace rabbit::kube {

struct Token {
  base::Secret value;        // empty: no Authorization header
  std::uint64_t serial = 0;  // grows with each time that it was read anew
};

class Credentials {
 public:
  virtual ~Credentials() = default;

  // The token for a request that is sent now. An error keeps the request from being sent.
  virtual base::Result<Token> Current() = 0;

  // A request that carried the token with this serial got a 401: that token, and any older one, is
  // not handed out again without a look whether there is a newer one.
  virtual void Reject(std::uint64_t serial) = 0;
};

// Nothing, or a token that never changes.
class StaticCredentials final : public Credentials {
 public:
  StaticCredentials() = default;
  explicit StaticCredentials(base::Secret token) : token_{std::move(token), 1} {}
  base::Result<Token> Current() override { return token_; }
  void Reject(std::uint64_t) override {}

 private:
  Token token_;
};

// Returns the content of a file; kNotFound or kRetry when it cannot be read.
using ReadFileFunction = std::function<base::Result<std::string>(const std::string& path)>;
// From the file system, at most 1 MiB.
[[nodiscard]] base::Result<std::string> ReadFile(const std::string& path);

// A token in a file that somebody renews, as the kubelet does for service accounts: read again when
// the last read is a minute ago or the token was rejected; white space around it is cut off. When
// the file cannot be read, or is empty, the last good token is used on (and the next request tries
// to read again).
class FileCredentials final : public Credentials {
 public:
  static constexpr std::chrono::seconds kReload{60};

  // `clock` must outlive it.
  FileCredentials(std::string path, base::Clock& clock, ReadFileFunction read = ReadFile);

  // Fails only when no token was ever read.
  base::Result<Token> Current() override;
  void Reject(std::uint64_t serial) override;

 private:
  const std::string path_;
  base::Clock& clock_;
  const ReadFileFunction read_;
  base::Mutex mutex_;
  Token token_ RABBIT_GUARDED_BY(mutex_);
  base::TimePoint read_at_ RABBIT_GUARDED_BY(mutex_){};
  bool stale_ RABBIT_GUARDED_BY(mutex_) = true;
};

}  // namespace rabbit::kube
