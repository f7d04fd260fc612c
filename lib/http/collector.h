// lib/http/collector.h: body sinks of the transports: one that keeps a whole response, up to a
// bound, and one that tells its own errors apart. Internal to lib/http.
#pragma once

#include <cstddef>
#include <string_view>
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

// Gives everything on, and remembers whether the sink behind it wanted to end the call: its errors
// are no failures of the connection.
struct Marked final : BodySink {
  explicit Marked(BodySink& to) : sink(to) {}
  base::Result<void> OnHead(const ResponseHead& head) override { return Mark(sink.OnHead(head)); }
  base::Result<void> OnData(std::string_view data) override { return Mark(sink.OnData(data)); }
  base::Result<void> Mark(base::Result<void> given) {
    failed = !given;
    return given;
  }
  BodySink& sink;
  bool failed = false;
};

}  // namespace rabbit::http
