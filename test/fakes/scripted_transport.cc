#include "test/fakes/scripted_transport.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace rabbit::fakes {
namespace {

// Whether `text` fits `pattern`, whose stars stand for any text.
bool Fits(std::string_view pattern, std::string_view text) {
  const auto star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  const std::string_view rest = pattern.substr(star + 1);
  for (std::size_t at = star; at <= text.size(); ++at) {
    if (Fits(rest, text.substr(at))) return true;
  }
  return false;
}

std::string Line(const http::Request& request) {
  return std::string(http::Name(request.method)) + " " + request.target;
}

// Puts a streamed answer back together.
class Collector final : public http::BodySink {
 public:
  base::Result<void> OnHead(const http::ResponseHead& head) override {
    response.status = head.status;
    response.headers = head.headers;
    return {};
  }
  base::Result<void> OnData(std::string_view data) override {
    response.body.append(data);
    return {};
  }
  http::Response response;
};

base::Result<void> Deliver(http::BodySink& sink, std::string_view data, std::size_t cut) {
  while (!data.empty()) {
    const std::size_t size = cut == 0 ? data.size() : std::min(cut, data.size());
    if (auto result = sink.OnData(data.substr(0, size)); !result) return result;
    data.remove_prefix(size);
  }
  return {};
}

// Until the stop, for at most ten seconds.
bool WaitForStop(const std::stop_token& stop) {
  base::Mutex mutex;
  base::CondVar wake;
  const auto until = base::RealClock().Now() + std::chrono::seconds(10);
  base::MutexLock lock(mutex);
  while (!stop.stop_requested()) {
    if (base::RealClock().Now() >= until) return false;
    wake.WaitUntil(mutex, stop, until);
  }
  return true;
}

}  // namespace

using Call = ScriptedTransport::Call;

Call& Call::WithHeader(std::string name, std::string value) {
  with_.emplace_back(std::move(name), std::move(value));
  return *this;
}
Call& Call::WithoutHeader(std::string name) {
  without_.push_back(std::move(name));
  return *this;
}
Call& Call::WithBody(std::string body) {
  body_ = std::move(body);
  return *this;
}
Call& Call::WithBodyContaining(std::string part) {
  part_ = std::move(part);
  return *this;
}
Call& Call::Answer(int status, std::string body, http::Headers headers) {
  return Open(status, std::move(headers)).Send(std::move(body));
}
Call& Call::Fail(base::Error error) {
  error_ = std::move(error);
  return *this;
}
Call& Call::Refuse(base::Sent sent) {
  return Fail({.kind = base::ErrorKind::kRetry, .message = "connection refused", .sent = sent});
}
Call& Call::Open(int status, http::Headers headers) {
  status_ = status;
  headers_ = std::move(headers);
  return *this;
}
Call& Call::Send(std::string data) {
  steps_.push_back({Step::Kind::kSend, std::move(data), nullptr});
  return *this;
}
Call& Call::CutEvery(std::size_t bytes) {
  cut_ = bytes;
  return *this;
}
Call& Call::Do(std::function<void()> action) {
  steps_.push_back({Step::Kind::kDo, "", std::move(action)});
  return *this;
}
Call& Call::End() { return *this; }
Call& Call::Cut() {
  steps_.push_back({Step::Kind::kCut, "", nullptr});
  return *this;
}
Call& Call::Hold() {
  steps_.push_back({Step::Kind::kHold, "", nullptr});
  return *this;
}

ScriptedTransport::~ScriptedTransport() {
  base::MutexLock lock(mutex_);
  for (const auto& call : script_) ADD_FAILURE() << "expected, but never came: " << call->line_;
}

Call& ScriptedTransport::Expect(std::string line) {
  base::MutexLock lock(mutex_);
  script_.push_back(std::make_unique<Call>());
  script_.back()->line_ = std::move(line);
  return *script_.back();
}

void ScriptedTransport::Otherwise(Fallback fallback) {
  base::MutexLock lock(mutex_);
  fallback_ = std::move(fallback);
}

std::vector<ScriptedTransport::Seen> ScriptedTransport::seen() const {
  base::MutexLock lock(mutex_);
  return seen_;
}

std::vector<std::string> ScriptedTransport::lines() const {
  std::vector<std::string> lines;
  for (const Seen& seen : this->seen()) lines.push_back(Line(seen.request));
  return lines;
}

std::size_t ScriptedTransport::left() const {
  base::MutexLock lock(mutex_);
  return script_.size();
}

std::unique_ptr<Call> ScriptedTransport::Take(const http::Request& request,
                                              const http::CallOptions& options) {
  base::MutexLock lock(mutex_);
  seen_.push_back({request, options.deadline});
  const std::string line = Line(request);
  EXPECT_NE(options.deadline, base::TimePoint{}) << "no deadline: " << line;
  if (script_.empty() || !Fits(script_.front()->line_, line)) {
    if (!fallback_) {
      ADD_FAILURE() << "called:   " << line << "\nexpected: "
                    << (script_.empty() ? "nothing more" : script_.front()->line_);
    }
    return nullptr;
  }
  auto call = std::move(script_.front());
  script_.pop_front();
  for (const auto& [name, value] : call->with_) {
    EXPECT_EQ(http::FindHeader(request.headers, name), value) << line << ", header " << name;
  }
  for (const std::string& name : call->without_) {
    EXPECT_EQ(http::FindHeader(request.headers, name), "") << line << ", header " << name;
  }
  if (call->body_) {
    EXPECT_EQ(request.body, *call->body_) << line;
  }
  if (call->part_) {
    EXPECT_NE(request.body.find(*call->part_), std::string::npos)
        << line << ": no " << *call->part_ << " in " << request.body;
  }
  return call;
}

base::Result<void> ScriptedTransport::Play(const Call& call, const http::CallOptions& options,
                                           http::BodySink& sink) {
  if (call.error_) return tl::unexpected(*call.error_);
  if (auto result = sink.OnHead({call.status_, call.headers_}); !result) return result;
  for (const Call::Step& step : call.steps_) {
    if (options.stop.stop_requested()) {
      return base::Fail(base::ErrorKind::kCancelled, "stop requested");
    }
    switch (step.kind) {
      case Call::Step::Kind::kSend:
        if (auto result = Deliver(sink, step.data, call.cut_); !result) return result;
        break;
      case Call::Step::Kind::kDo:
        step.action();
        break;
      case Call::Step::Kind::kCut:
        return tl::unexpected(base::Error{.kind = base::ErrorKind::kRetry,
                                          .message = "connection reset",
                                          .sent = base::Sent::kMaybe});
      case Call::Step::Kind::kHold:
        if (!WaitForStop(options.stop)) {
          ADD_FAILURE() << "held for ten seconds without a stop: " << call.line_;
        }
        return base::Fail(base::ErrorKind::kCancelled, "stop requested");
    }
  }
  return {};
}

base::Result<http::Response> ScriptedTransport::Send(const http::Request& request,
                                                     const http::CallOptions& options) {
  const auto call = Take(request, options);
  if (!call) {
    Fallback fallback;
    {
      base::MutexLock lock(mutex_);
      fallback = fallback_;
    }
    if (fallback) return fallback(request);
    return base::Fail(base::ErrorKind::kInternal, "not in the script: " + Line(request));
  }
  Collector collector;
  if (auto result = Play(*call, options, collector); !result) {
    return tl::unexpected(std::move(result.error()));
  }
  return std::move(collector.response);
}

base::Result<void> ScriptedTransport::Stream(const http::Request& request,
                                             const http::CallOptions& options,
                                             http::BodySink& sink) {
  const auto call = Take(request, options);
  if (call) return Play(*call, options, sink);
  Fallback fallback;
  {
    base::MutexLock lock(mutex_);
    fallback = fallback_;
  }
  if (!fallback)
    return base::Fail(base::ErrorKind::kInternal, "not in the script: " + Line(request));
  auto response = fallback(request);
  if (!response) return tl::unexpected(std::move(response.error()));
  if (auto result = sink.OnHead({response->status, response->headers}); !result) return result;
  return Deliver(sink, response->body, 0);
}

}  // namespace rabbit::fakes
