#include "http/beast_transport.h"

#include <string>
#include <utility>
#include <vector>

#include "http/collector.h"
#include "http/message_parser.h"
#include "http/stream.h"
#include "http/tls_context.h"

namespace rabbit::http {
namespace {

using base::Error;
using base::ErrorKind;
using base::Fail;
using base::Result;
using base::Sent;

constexpr std::size_t kMaxHeaderBytes = 64 << 10;
constexpr std::size_t kReadBytes = 64 << 10;

std::string HeaderOf(const Request& request, std::string_view host) {
  std::string text(Name(request.method));
  text.append(" ").append(request.target).append(" HTTP/1.1\r\nHost: ").append(host);
  text += "\r\nConnection: close\r\n";
  for (const auto& [name, value] : request.headers) {
    text.append(name).append(": ").append(value).append("\r\n");
  }
  if (!request.body.empty() || request.method == Method::kPost || request.method == Method::kPut) {
    text.append("Content-Length: ").append(std::to_string(request.body.size())).append("\r\n");
  }
  return text += "\r\n";
}

class BeastTransport final : public Transport {
 public:
  BeastTransport(Endpoint endpoint, std::shared_ptr<TlsContext> tls)
      : endpoint_(std::move(endpoint)),
        name_(endpoint_.address + ":" + std::to_string(endpoint_.port)),
        tls_(std::move(tls)) {}

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
    Result<std::unique_ptr<http::Stream>> stream = http::Stream::Connect(endpoint_, tls_, limits);
    if (!stream) return base::FailWrapped(std::move(stream).error(), name_);

    Result<void> sent = (*stream)->Write(HeaderOf(request, HostHeader(endpoint_)), limits);
    if (!sent) return Explain(std::move(sent).error(), "sending the request", Sent::kNo);
    sent = (*stream)->Write(request.body, limits);
    if (!sent) return Explain(std::move(sent).error(), "sending the request", Sent::kMaybe);
    return Receive(**stream, request.method, limits, sink);
  }

 private:
  // Gives the sink's own errors through as they are.
  struct Marked final : BodySink {
    explicit Marked(BodySink& to) : sink(to) {}
    Result<void> OnHead(const ResponseHead& head) override { return Mark(sink.OnHead(head)); }
    Result<void> OnData(std::string_view data) override { return Mark(sink.OnData(data)); }
    Result<void> Mark(Result<void> given) {
      failed = !given;
      return given;
    }
    BodySink& sink;
    bool failed = false;
  };

  Result<void> Receive(http::Stream& stream, Method method, const IoLimits& limits,
                       BodySink& sink) const {
    Marked marked(sink);
    ResponseParser parser(kMaxHeaderBytes, method == Method::kHead, marked);
    const auto fail = [&](Error error) -> Result<void> {
      if (marked.failed) return tl::unexpected(std::move(error));
      if (parser.head_done()) return Explain(std::move(error), "reading the body", Sent::kYes);
      return Explain(std::move(error), "waiting for the response", Sent::kMaybe);
    };
    std::string bytes;
    std::vector<char> buffer(kReadBytes);
    while (!parser.done()) {
      Result<std::size_t> got = stream.Read(buffer.data(), buffer.size(), limits);
      if (!got) return fail(std::move(got).error());
      bytes.append(buffer.data(), *got);
      Result<void> fed = *got == 0 ? parser.FeedEnd() : parser.Feed(bytes);
      if (!fed) return fail(std::move(fed).error());
    }
    return {};
  }

  [[nodiscard]] Result<void> Explain(Error error, std::string_view phase, Sent sent) const {
    error.sent = sent;
    return base::FailWrapped(base::Wrap(std::move(error), phase), name_);
  }

  const Endpoint endpoint_;
  const std::string name_;                 // for messages
  const std::shared_ptr<TlsContext> tls_;  // null: plain
};

}  // namespace

Result<std::unique_ptr<Transport>> MakeBeastTransport(const Endpoint& endpoint,
                                                      const TlsSettings& tls) {
  Result<std::shared_ptr<TlsContext>> context = TlsContext::For(endpoint, tls);
  if (!context) return tl::unexpected(std::move(context).error());
  return std::make_unique<BeastTransport>(endpoint, *std::move(context));
}

}  // namespace rabbit::http
