#include "http/collector.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace rabbit::http {
namespace {

// A server may announce what it never sends (to a HEAD it even should).
constexpr std::size_t kMaxReserved = 1 << 20;

}  // namespace

base::Result<void> Collector::OnHead(const ResponseHead& head) {
  response_ = {head.status, head.headers, {}};
  const std::string_view text = FindHeader(head.headers, "Content-Length");
  std::size_t announced = 0;
  std::from_chars(text.data(), text.data() + text.size(), announced);
  response_.body.reserve(std::min({announced, max_bytes_, kMaxReserved}));
  return {};
}

base::Result<void> Collector::OnData(std::string_view data) {
  if (data.size() > max_bytes_ - response_.body.size()) return TooLong();
  response_.body += data;
  return {};
}

base::Result<void> Collector::TooLong() const {
  base::Error error;
  error.kind = base::ErrorKind::kInternal;
  error.message = "the response is longer than " + std::to_string(max_bytes_) + " bytes";
  error.sent = base::Sent::kYes;
  return tl::unexpected(std::move(error));
}

}  // namespace rabbit::http
