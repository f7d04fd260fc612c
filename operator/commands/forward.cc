#include "operator/commands/forward.h"

#include <algorithm>
#include <string_view>

#include "base/clock.h"

namespace rabbit::commands {
namespace {

using base::Result;

constexpr std::chrono::minutes kLongestAnswer(10);  // a download, say

// What the broker answers, as it comes.
class PassOn final : public http::BodySink {
 public:
  explicit PassOn(http::ResponseWriter& writer) : writer_(writer) {}
  Result<void> OnHead(const http::ResponseHead& head) override {
    head_.status = head.status;
    for (const auto& [name, value] : head.headers) {
      constexpr std::string_view kOfTheConnection[] = {"connection", "content-length", "keep-alive",
                                                       "transfer-encoding"};
      const bool passes = std::ranges::none_of(kOfTheConnection, [&name = name](auto other) {
        return http::EqualsIgnoringCase(name, other);
      });
      if (passes) head_.headers.emplace_back(name, value);
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
  std::erase_if(on.headers, [](const auto& header) {
    return http::EqualsIgnoringCase(header.first, "host") ||
           http::EqualsIgnoringCase(header.first, "connection") ||
           http::EqualsIgnoringCase(header.first, "content-length");
  });
  PassOn sink(writer);
  sink.End(there.Stream(
      on, {.deadline = base::RealClock().Now() + kLongestAnswer, .stop = writer.stop()}, sink));
}

}  // namespace rabbit::commands
