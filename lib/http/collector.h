// lib/http/collector.h: a body sink that keeps a whole response, up to a bound. Internal to
// lib/http.
#pragma once

#include <cstddef>
#include <utility>

#include "base/error.h"
#include "http/transport.h"

namespace rabbit::http {

class Collector final : public BodySink {
 public:
  explicit Collector(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  base::Result<void> OnHead(const ResponseHead& head) override;
  // kInternal as soon as the bound is exceeded.
  base::Result<void> OnData(std::string_view data) override;
  [[nodiscard]] Response Take() { return std::move(response_); }

 private:
  [[nodiscard]] base::Result<void> TooLong() const;

  std::size_t max_bytes_;
  Response response_;
};

}  // namespace rabbit::http
