#include "kube/credentials.h"

#include <cerrno>
#include <cstring>
#include <fstream>

namespace rabbit::kube {
namespace {

constexpr std::streamsize kMaxFile = 1 << 20;

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace

base::Result<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    const int error = errno;
    return base::Fail(error == ENOENT ? base::ErrorKind::kNotFound : base::ErrorKind::kRetry,
                      "cannot read " + path + ": " + std::strerror(error));
  }
  std::string content(static_cast<std::size_t>(kMaxFile) + 1, '\0');
  file.read(content.data(), kMaxFile + 1);
  if (file.bad() || (file.fail() && !file.eof())) {
    return base::Fail(base::ErrorKind::kRetry, "cannot read " + path);
  }
  if (file.gcount() > kMaxFile) {
    return base::Fail(base::ErrorKind::kInvalid, path + " is larger than 1 MiB");
  }
  content.resize(static_cast<std::size_t>(file.gcount()));
  content.shrink_to_fit();
  return content;
}

FileCredentials::FileCredentials(std::string path, base::Clock& clock, ReadFileFunction read)
    : path_(std::move(path)), clock_(clock), read_(std::move(read)) {}

base::Result<Token> FileCredentials::Current() {
  base::MutexLock lock(mutex_);
  const base::TimePoint now = clock_.Now();
  if (!stale_ && now - read_at_ < kReload) return token_;
  base::Error error{.kind = base::ErrorKind::kRetry, .message = path_ + " is empty"};
  if (auto content = read_(path_)) {
    const base::Secret whole(*std::move(content));
    if (const std::string_view token = Trim(whole.Reveal()); !token.empty()) {
      token_ = {base::Secret(std::string(token)), token_.serial + 1};
      read_at_ = now;
      stale_ = false;
      return token_;
    }
  } else {
    error = std::move(content.error());
  }
  if (token_.serial > 0) return token_;  // the last good one
  return base::FailWrapped(std::move(error), "token file");
}

void FileCredentials::Reject(std::uint64_t serial) {
  base::MutexLock lock(mutex_);
  if (serial == token_.serial) stale_ = true;
}

}  // namespace rabbit::kube
