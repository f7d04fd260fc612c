#include "operator/commands/forward.h"

#include <algorithm>
#include <ranges>
#include <string_view>

#include "base/clock.h"

namespace rabbit::commands {
namespace {

using base::Result;

constexpr std::chrono::minutes kLongestAnswer(10);  // a download, say

// Whether this header is about one connection and how a message goes over it (RFC 9110, 7.6.1), so
// not for who is behind it. The body comes decoded, and is given another frame; who expected
// "100 Continue" has had it.
bool IsOfTheConnection(const http::Headers& headers, std::string_view name) {
  constexpr std::string_view kAlways[] = {"connection",
                                          "content-length",
                                          "expect",
                                          "host",
                                          "keep-alive",
                                          "proxy-authenticate",
                                          "proxy-authorization",
                                          "proxy-connection",
                                          "te",
                                          "trailer",
                                          "transfer-encoding",
                                          "upgrade"};
  const auto is_named = [name](std::string_view other) {
    return http::EqualsIgnoringCase(name, other);
  };
  if (std::ranges::any_of(kAlways, is_named)) return true;
  for (const auto& [other, value] : headers) {
    if (!http::EqualsIgnoringCase(other, "connection")) continue;
    for (const auto& part : std::views::split(std::string_view(value), ',')) {
      std::string_view one(part.begin(), part.end());
      while (one.starts_with(' ') || one.starts_with('\t')) one.remove_prefix(1);
      while (one.ends_with(' ') || one.ends_with('\t')) one.remove_suffix(1);
      if (is_named(one)) return true;
    }
  }
  return false;
}

// What the broker answers, as it comes.
class PassOn final : public http::BodySink {
 public:
  explicit PassOn(http::ResponseWriter& writer) : writer_(writer) {}
  Result<void> OnHead(const http::ResponseHead& head) override {
    head_.status = head.status;
    for (const auto& [name, value] : head.headers) {
      if (!IsOfTheConnection(head.headers, name)) head_.headers.emplace_back(name, value);
    }
    return {};
  }
  Result<void> OnData(std::string_view data) override {
    if (!started_) {
      started_ = true;
      if (auto begun = writer_.Start(head_); !begun) return begun;
    }
    return writer_.Write(data);
  }
  // The answer ended, or did not come to its end.
  void End(const Result<void>& ended) {
    if (!ended && started_) return writer_.Cut();
    if (started_) return;
    http::Response whole{.status = head_.status, .headers = head_.headers, .body = {}};
    if (!ended) {
      whole = {.status = 502,
               .headers = {{"Content-Type", "text/plain"}},
               .body = ended.error().message + "\n"};
    }
    static_cast<void>(writer_.Send(whole));
  }

 private:
  http::ResponseWriter& writer_;
  http::ResponseHead head_;
  bool started_ = false;
};

}  // namespace

void ForwardTo(http::Transport& there, const http::Request& request, http::ResponseWriter& writer) {
  http::Request on = request;
  std::erase_if(on.headers, [&request](const auto& header) {
    return IsOfTheConnection(request.headers, header.first);
  });
  PassOn sink(writer);
  sink.End(there.Stream(
      on, {.deadline = base::RealClock().Now() + kLongestAnswer, .stop = writer.stop()}, sink));
}

}  // namespace rabbit::commands
