#include "http/message_parser.h"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/status.hpp>
#include <limits>
#include <optional>
#include <utility>

namespace rabbit::http {
namespace {

namespace beast = boost::beast::http;
using base::ErrorKind;
using base::Fail;
using boost::beast::error_code;
using boost::beast::string_view;
using ContentLength = boost::optional<std::uint64_t>;

std::string Text(string_view text) { return {text.data(), text.size()}; }

std::optional<Method> MethodOf(beast::verb verb) {
  switch (verb) {
    case beast::verb::get:
      return Method::kGet;
    case beast::verb::head:
      return Method::kHead;
    case beast::verb::post:
      return Method::kPost;
    case beast::verb::put:
      return Method::kPut;
    case beast::verb::patch:
      return Method::kPatch;
    case beast::verb::delete_:
      return Method::kDelete;
    default:
      return std::nullopt;
  }
}

std::uint32_t HeaderLimit(std::size_t bytes) {
  return static_cast<std::uint32_t>(
      std::min<std::size_t>(bytes, std::numeric_limits<std::uint32_t>::max()));
}

// Puts `bytes` in, as far as they go. Running out of input is not an error.
template <typename Parser>
error_code Put(Parser& parser, std::string& bytes) {
  error_code error;
  while (!bytes.empty() && !parser.is_done()) {
    const std::size_t used = parser.put(boost::asio::buffer(bytes), error);
    bytes.erase(0, used);
    if (error == beast::error::need_more) return {};
    if (error) return error;
    if (used == 0) break;
  }
  return error;
}

// What is left unread behind a header is the line of a chunk, or trailers, yet to end: Beast gives
// data on as it comes, but holds neither of them to header_limit (1.74).
template <typename Parser>
bool IsTooLong(const Parser& parser, const std::string& unread, std::size_t max_header_bytes) {
  return parser.is_header_done() && !parser.is_done() && unread.size() > max_header_bytes;
}

}  // namespace

struct RequestParser::Impl final : beast::basic_parser<true> {
  Request request;
  bool known_method = true;
  bool http11 = false;
  bool expects_continue = false;

  void on_request_impl(beast::verb verb, string_view /*name*/, string_view target, int version,
                       error_code& /*error*/) override {
    const std::optional<Method> method = MethodOf(verb);
    known_method = method.has_value();
    request.method = method.value_or(Method::kGet);
    request.target = Text(target);
    http11 = version >= 11;
  }
  void on_response_impl(int /*status*/, string_view /*reason*/, int /*version*/,
                        error_code& /*error*/) override {}
  void on_field_impl(beast::field /*field*/, string_view name, string_view value,
                     error_code& /*error*/) override {
    request.headers.emplace_back(Text(name), Text(value));
  }
  void on_header_impl(error_code& error) override {
    expects_continue =
        EqualsIgnoringCase(FindHeader(request.headers, "Expect"), "100-continue") && http11;
    if (!known_method) error = make_error_code(beast::error::bad_method);
  }
  void on_body_init_impl(const ContentLength& /*length*/, error_code& /*error*/) override {}
  std::size_t on_body_impl(string_view body, error_code& /*error*/) override {
    request.body.append(body.data(), body.size());
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t /*size*/, string_view /*extensions*/,
                            error_code& /*error*/) override {}
  std::size_t on_chunk_body_impl(std::uint64_t /*remain*/, string_view body,
                                 error_code& error) override {
    return on_body_impl(body, error);
  }
  void on_finish_impl(error_code& /*error*/) override {}
};

RequestParser::RequestParser(std::size_t max_header_bytes, std::size_t max_body_bytes)
    : max_header_bytes_(max_header_bytes), impl_(std::make_unique<Impl>()) {
  impl_->header_limit(HeaderLimit(max_header_bytes));
  impl_->body_limit(max_body_bytes);
}
RequestParser::~RequestParser() = default;

RequestParser::State RequestParser::Feed(std::string& bytes) {
  const error_code error = Put(*impl_, bytes);
  if (!impl_->known_method) return State::kUnknownMethod;
  if (error == beast::error::header_limit) return State::kHeaderTooLong;
  if (error == beast::error::body_limit) return State::kBodyTooLong;
  if (error) return State::kMalformed;
  if (IsTooLong(*impl_, bytes, max_header_bytes_)) return State::kHeaderTooLong;
  return impl_->is_done() ? State::kDone : State::kMore;
}

bool RequestParser::TakeExpectation() {
  return impl_->is_header_done() && !impl_->is_done() &&
         std::exchange(impl_->expects_continue, false);
}
Request RequestParser::TakeRequest() { return std::move(impl_->request); }
bool RequestParser::keep_alive() const { return impl_->keep_alive(); }
bool RequestParser::understands_chunks() const { return impl_->http11; }

struct ResponseParser::Impl final : beast::basic_parser<false> {
  explicit Impl(BodySink& to) : sink(to) {}

  BodySink& sink;
  ResponseHead head;
  std::optional<base::Error> sink_error;
  bool interim = false;

  void Give(const base::Result<void>& given, error_code& error) {
    if (given) return;
    sink_error = given.error();
    error = make_error_code(beast::error::unexpected_body);  // any: it only has to stop the parser
  }

  void on_request_impl(beast::verb /*verb*/, string_view /*name*/, string_view /*target*/,
                       int /*version*/, error_code& /*error*/) override {}
  void on_response_impl(int status, string_view /*reason*/, int /*version*/,
                        error_code& /*error*/) override {
    head.status = status;
    interim = status < 200 && status != 101;
  }
  void on_field_impl(beast::field /*field*/, string_view name, string_view value,
                     error_code& /*error*/) override {
    head.headers.emplace_back(Text(name), Text(value));
  }
  void on_header_impl(error_code& error) override {
    if (!interim) Give(sink.OnHead(head), error);
  }
  void on_body_init_impl(const ContentLength& /*length*/, error_code& /*error*/) override {}
  std::size_t on_body_impl(string_view body, error_code& error) override {
    if (!body.empty()) Give(sink.OnData({body.data(), body.size()}), error);
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t /*size*/, string_view /*extensions*/,
                            error_code& /*error*/) override {}
  std::size_t on_chunk_body_impl(std::uint64_t /*remain*/, string_view body,
                                 error_code& error) override {
    return on_body_impl(body, error);
  }
  void on_finish_impl(error_code& /*error*/) override {}
};

ResponseParser::ResponseParser(std::size_t max_header_bytes, bool to_head, BodySink& sink)
    : max_header_bytes_(max_header_bytes), to_head_(to_head), sink_(sink) {}
ResponseParser::~ResponseParser() = default;

base::Result<void> ResponseParser::Feed(std::string& bytes) {
  while (!bytes.empty()) {
    if (!impl_ || (impl_->interim && impl_->is_done())) {
      impl_ = std::make_unique<Impl>(sink_);
      impl_->header_limit(HeaderLimit(max_header_bytes_));
      // Not boost::none: with it 1.74 refuses every Content-Length.
      impl_->body_limit(std::numeric_limits<std::uint64_t>::max());
      impl_->skip(to_head_);
    }
    const error_code error = Put(*impl_, bytes);
    if (impl_->sink_error) return tl::unexpected(*impl_->sink_error);
    if (error) return Fail(ErrorKind::kRetry, "malformed response: " + error.message());
    if (IsTooLong(*impl_, bytes, max_header_bytes_)) {
      return Fail(ErrorKind::kRetry,
                  "malformed response: the line of a chunk, or a trailer, is "
                  "longer than " +
                      std::to_string(max_header_bytes_) + " bytes");
    }
    if (!impl_->interim || !impl_->is_done()) break;
  }
  return {};
}

base::Result<void> ResponseParser::FeedEnd() {
  if (done()) return {};
  error_code error;
  if (impl_ && impl_->got_some() && !impl_->interim) {
    impl_->put_eof(error);
    if (!error && impl_->is_done()) return {};
  }
  return Fail(ErrorKind::kRetry, "the server closed the connection");
}

bool ResponseParser::done() const { return impl_ && impl_->is_done() && !impl_->interim; }
bool ResponseParser::keep_alive() const { return done() && impl_->keep_alive(); }

std::string ReasonPhrase(int status) {
  const beast::status known = beast::int_to_status(static_cast<unsigned>(status));
  return known == beast::status::unknown ? "" : Text(beast::obsolete_reason(known));
}

bool ResponseParser::head_done() const {
  return impl_ && impl_->is_header_done() && !impl_->interim;
}

}  // namespace rabbit::http
