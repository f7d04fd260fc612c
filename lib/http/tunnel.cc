#include "http/tunnel.h"

#include <utility>

#include "base/clock.h"
#include "base/mutex.h"
#include "http/collector.h"
#include "http/message_parser.h"

namespace rabbit::http {
namespace {

using base::Error;
using base::ErrorKind;
using base::Fail;
using base::Result;
using base::Sent;

class TunnelTransport final : public Transport {
 public:
  TunnelTransport(OpenTunnel open, std::string host)
      : open_(std::move(open)), host_(std::move(host)) {}

  Result<Response> Send(const Request& request, const CallOptions& options) override {
    Collector collector(options.max_body_bytes);
    Result<void> done = Stream(request, options, collector);
    if (done) return collector.Take();
    return tl::unexpected(std::move(done).error());
  }

  Result<void> Stream(const Request& request, const CallOptions& options, BodySink& sink) override {
    if (!IsSendable(request)) {
      return Fail(ErrorKind::kInvalid, "target or header is malformed");
    }
    if (options.stop.stop_requested()) return Fail(ErrorKind::kCancelled, "stop requested");
    if (clock_.Now() >= options.deadline) return Fail(ErrorKind::kRetry, "the deadline passed");
    if (auto kept = TakeKept()) {
      bool died = false;
      Result<void> done = Exchange(std::move(kept), request, options, sink, died);
      if (!died) return done;
      if (!IsIdempotent(request.method)) {
        return base::FailWrapped(std::move(done).error(), "a kept-alive connection was closed");
      }
    }
    auto tunnel = open_(options);
    if (!tunnel) return tl::unexpected(std::move(tunnel).error());
    bool died = false;
    return Exchange(std::move(*tunnel), request, options, sink, died);
  }

 private:
  std::unique_ptr<Tunnel> TakeKept() RABBIT_EXCLUDES(mutex_) {
    const base::MutexLock lock(mutex_);
    return std::move(kept_);
  }
  void Keep(std::unique_ptr<Tunnel> tunnel) RABBIT_EXCLUDES(mutex_) {
    std::unique_ptr<Tunnel> older;
    const base::MutexLock lock(mutex_);
    older = std::exchange(kept_, std::move(tunnel));
  }

  // One request and its response. `died`: it ended in time, and without a byte of a response.
  Result<void> Exchange(std::unique_ptr<Tunnel> tunnel, const Request& request,
                        const CallOptions& options, BodySink& sink, bool& died) {
    if (auto sent = tunnel->Write(RequestHead(request, host_, true) + request.body, options);
        !sent) {
      died = HasTime(options);
      return Explain(std::move(sent).error(), "sending the request", Sent::kMaybe);
    }
    Marked marked(sink);
    ResponseParser parser(kMaxHeaderBytes, request.method == Method::kHead, marked);
    std::string bytes;
    bool silent = true;
    while (!parser.done()) {
      const std::size_t before = bytes.size();
      Result<void> step = tunnel->Read(bytes, options);
      const bool ended = step && bytes.size() == before;
      if (!step || ended) died = silent && HasTime(options);
      if (step) step = ended ? parser.FeedEnd() : parser.Feed(bytes);
      silent = false;
      if (step) continue;
      if (marked.failed) return step;
      if (parser.head_done())
        return Explain(std::move(step).error(), "reading the body", Sent::kYes);
      return Explain(std::move(step).error(), "waiting for the response", Sent::kMaybe);
    }
    if (parser.keep_alive() && bytes.empty()) Keep(std::move(tunnel));
    return {};
  }

  [[nodiscard]] bool HasTime(const CallOptions& options) const {
    return !options.stop.stop_requested() && clock_.Now() < options.deadline;
  }
  [[nodiscard]] static Result<void> Explain(Error error, std::string_view phase, Sent sent) {
    error.sent = sent;
    return base::FailWrapped(std::move(error), phase);
  }

  const base::RealClock clock_;
  const OpenTunnel open_;
  const std::string host_;
  base::Mutex mutex_;
  std::unique_ptr<Tunnel> kept_ RABBIT_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<Transport> MakeTunnelTransport(OpenTunnel open, std::string host) {
  return std::make_unique<TunnelTransport>(std::move(open), std::move(host));
}

}  // namespace rabbit::http
