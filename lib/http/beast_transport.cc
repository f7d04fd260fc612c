#include "http/beast_transport.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "http/collector.h"
#include "http/message_parser.h"
#include "http/stream.h"
#include "http/tls_context.h"

namespace rabbit::http {
namespace {

using base::Error;
using base::ErrorKind;
using base::Fail;
using base::MutexLock;
using base::Result;
using base::Sent;

constexpr std::size_t kReadBytes = 16 << 10;  // a TLS record
constexpr std::size_t kSentTogether = 64 << 10;

// Between two calls nothing is to be read: what is there is the end, or something that belongs to
// no call.
bool IsQuiet(const Stream& stream) {
  pollfd state{stream.socket(), POLLIN | POLLRDHUP, 0};
  return poll(&state, 1, 0) == 0;
}

class BeastTransport final : public Transport {
 public:
  BeastTransport(Endpoint endpoint, std::shared_ptr<TlsContext> tls, const BeastOptions& options)
      : endpoint_(std::move(endpoint)),
        name_(endpoint_.address + ":" + std::to_string(endpoint_.port)),
        host_header_(HostHeader(endpoint_)),
        tls_(std::move(tls)),
        options_(options) {}

  Result<Response> Send(const Request& request, const CallOptions& options) override {
    Collector collector(options.max_body_bytes);
    Result<void> done = Stream(request, options, collector);
    if (done) return collector.Take();
    return tl::unexpected(std::move(done).error());
  }

  Result<void> Stream(const Request& request, const CallOptions& options, BodySink& sink) override {
    if (!IsSendable(request)) {
      return Fail(ErrorKind::kInvalid, name_ + ": target or header is malformed");
    }
    const IoLimits limits{options.deadline, options.stop};
    if (limits.stop.stop_requested()) return Fail(ErrorKind::kCancelled, name_ + ": stopped");
    if (!HasTime(limits)) return Fail(ErrorKind::kRetry, name_ + ": the deadline passed");
    if (auto kept = TakeKept()) {
      bool died = false;
      Result<void> done = Exchange(std::move(kept), request, limits, sink, died);
      if (!died) return done;
      DropKept();  // those that were idle for longer are dead too
      if (!IsIdempotent(request.method)) {
        return base::FailWrapped(std::move(done).error(), "a kept-alive connection was closed");
      }
    }
    Result<std::unique_ptr<http::Stream>> stream = Connect(limits);
    if (!stream) return tl::unexpected(std::move(stream).error());
    bool died = false;
    return Exchange(std::move(*stream), request, limits, sink, died);
  }

  [[nodiscard]] std::string PeerCertificate() const override {
    return tls_ ? tls_->LastPeer() : std::string();
  }

 private:
  Result<std::unique_ptr<http::Stream>> Connect(const IoLimits& limits) const {
    const base::TimePoint latest = clock_.Now() + options_.connect_timeout;
    auto stream =
        http::Stream::Connect(endpoint_, tls_, {std::min(limits.deadline, latest), limits.stop});
    if (stream) return stream;
    return base::FailWrapped(std::move(stream).error(), name_);
  }

  std::unique_ptr<http::Stream> TakeKept() RABBIT_EXCLUDES(mutex_) {
    while (true) {
      std::unique_ptr<http::Stream> stream;
      {
        const MutexLock lock(mutex_);
        if (kept_.empty()) return nullptr;
        stream = std::move(kept_.back());
        kept_.pop_back();
      }
      if (IsQuiet(*stream)) return stream;
    }
  }

  void Keep(std::unique_ptr<http::Stream> stream) RABBIT_EXCLUDES(mutex_) {
    stream->Rest();
    const MutexLock lock(mutex_);
    // The newest is taken first: those below may have been closed by the server long ago.
    std::erase_if(kept_, [](const auto& kept) { return !IsQuiet(*kept); });
    if (kept_.size() < options_.keep) kept_.push_back(std::move(stream));
  }

  void DropKept() RABBIT_EXCLUDES(mutex_) {
    std::vector<std::unique_ptr<http::Stream>> dropped;
    const MutexLock lock(mutex_);
    std::swap(dropped, kept_);
  }

  // One request and its response. `died`: the connection ended in time, and without a byte of a
  // response; one that was kept may have been closed before the request arrived.
  Result<void> Exchange(std::unique_ptr<http::Stream> stream, const Request& request,
                        const IoLimits& limits, BodySink& sink, bool& died) {
    std::string out = RequestHead(request, host_header_, options_.keep > 0);
    const bool together = out.size() + request.body.size() <= kSentTogether;
    if (together) out += request.body;
    Result<void> sent = stream->Write(out, limits);
    if (sent && !together) sent = stream->Write(request.body, limits);
    if (!sent) {
      died = HasTime(limits);
      return Explain(std::move(sent).error(), "sending the request", Sent::kMaybe);
    }
    bool keep = false;
    Result<void> received = Receive(*stream, request.method, limits, sink, keep, died);
    if (received && keep) Keep(std::move(stream));
    return received;
  }

  Result<void> Receive(http::Stream& stream, Method method, const IoLimits& limits, BodySink& sink,
                       bool& keep, bool& died) const {
    Marked marked(sink);
    ResponseParser parser(kMaxHeaderBytes, method == Method::kHead, marked);
    const auto fail = [&](Error error) -> Result<void> {
      if (marked.failed) return tl::unexpected(std::move(error));
      if (parser.head_done()) return Explain(std::move(error), "reading the body", Sent::kYes);
      return Explain(std::move(error), "waiting for the response", Sent::kMaybe);
    };
    std::string bytes;
    std::array<char, kReadBytes> buffer;
    bool silent = true;
    while (!parser.done()) {
      const base::TimePoint patience = clock_.Now() + options_.idle_timeout;
      Result<std::size_t> got = stream.Read(buffer.data(), buffer.size(),
                                            {std::min(limits.deadline, patience), limits.stop});
      if (!got) {
        if (HasTime(limits) && clock_.Now() >= patience) {
          return fail({.kind = ErrorKind::kRetry, .message = "nothing came for too long"});
        }
        died = silent && HasTime(limits);
        return fail(std::move(got).error());
      }
      died = silent && *got == 0;
      silent = false;
      bytes.append(buffer.data(), *got);
      Result<void> fed = *got == 0 ? parser.FeedEnd() : parser.Feed(bytes);
      if (!fed) return fail(std::move(fed).error());
    }
    keep = parser.keep_alive() && bytes.empty();
    return {};
  }

  [[nodiscard]] bool HasTime(const IoLimits& limits) const {
    return !limits.stop.stop_requested() && clock_.Now() < limits.deadline;
  }

  [[nodiscard]] Result<void> Explain(Error error, std::string_view phase, Sent sent) const {
    error.sent = sent;
    return base::FailWrapped(base::Wrap(std::move(error), phase), name_);
  }

  const base::RealClock clock_;
  const Endpoint endpoint_;
  const std::string name_;  // for messages
  const std::string host_header_;
  const std::shared_ptr<TlsContext> tls_;  // null: plain
  const BeastOptions options_;
  base::Mutex mutex_;
  std::vector<std::unique_ptr<http::Stream>> kept_ RABBIT_GUARDED_BY(mutex_);  // the newest last
};

}  // namespace

Result<std::unique_ptr<Transport>> MakeBeastTransport(const Endpoint& endpoint,
                                                      const TlsSettings& tls,
                                                      const BeastOptions& options) {
  Result<std::shared_ptr<TlsContext>> context = TlsContext::For(endpoint, tls);
  if (!context) return tl::unexpected(std::move(context).error());
  return std::make_unique<BeastTransport>(endpoint, *std::move(context), options);
}

}  // namespace rabbit::http
