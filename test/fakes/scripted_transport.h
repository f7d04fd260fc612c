// test/fakes/scripted_transport.h: an http::Transport that plays a script and asserts the calls.
//
//   ScriptedTransport server;
//   server.Expect("GET /api/v1/pods?limit=100*").Answer(200, "{…}");
//   server.Expect("GET /api/v1/pods?watch=true*").Open().Send(line).Do([&] { … }).End();
//
// Calls must come in the order of the script; one that does not is a test failure and gets an
// error. What was expected and never came is a failure when the transport is destroyed.
// Thread-safe.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "http/transport.h"

namespace rabbit::fakes {

class ScriptedTransport final : public http::Transport {
 public:
  // One expected call and what it gets. Without any of Answer, Fail, Open: 200 with an empty body.
  class Call {
   public:
    // Asserted when the call comes.
    Call& WithHeader(std::string name, std::string value);
    Call& WithoutHeader(std::string name);
    Call& WithBody(std::string body);
    Call& WithBodyContaining(std::string part);

    // A whole answer; a Stream() gets it cut into pieces of CutEvery() bytes.
    Call& Answer(int status, std::string body = "", http::Headers headers = {});
    Call& Fail(base::Error error);
    // The usual network error: kRetry with `sent`.
    Call& Refuse(base::Sent sent = base::Sent::kNo);

    // A stream in steps. It ends well with End() or after the last step.
    Call& Open(int status = 200, http::Headers headers = {});
    Call& Send(std::string data);
    Call& CutEvery(std::size_t bytes);
    Call& Do(std::function<void()> action);  // on the caller's thread: time passes, say
    Call& End();
    Call& Cut();   // the connection breaks
    Call& Hold();  // nothing more comes until the call's stop token; then kCancelled

   private:
    friend class ScriptedTransport;
    struct Step {
      enum class Kind { kSend, kDo, kCut, kHold } kind;
      std::string data;
      std::function<void()> action;
    };
    std::string line_;
    http::Headers with_;
    std::vector<std::string> without_;
    std::optional<std::string> body_, part_;
    int status_ = 200;
    http::Headers headers_;
    std::optional<base::Error> error_;
    std::vector<Step> steps_;
    std::size_t cut_ = 0;  // 0: whole pieces
  };

  struct Seen {
    http::Request request;
    base::TimePoint deadline;
  };

  ~ScriptedTransport() override;

  // `line` is "METHOD target"; a * in it matches any text, also none. The reference is valid until
  // the call has been made.
  Call& Expect(std::string line);

  // What calls outside of the script get, instead of a failure.
  using Fallback = std::function<base::Result<http::Response>(const http::Request&)>;
  void Otherwise(Fallback fallback);

  // All calls so far, in order; "GET /api/v1/pods" for the short form.
  [[nodiscard]] std::vector<Seen> seen() const;
  [[nodiscard]] std::vector<std::string> lines() const;
  // Expected calls that have not come yet.
  [[nodiscard]] std::size_t left() const;

  base::Result<http::Response> Send(const http::Request& request,
                                    const http::CallOptions& options) override;
  base::Result<void> Stream(const http::Request& request, const http::CallOptions& options,
                            http::BodySink& sink) override;

 private:
  // The next call of the script, or null when `request` is not it.
  std::unique_ptr<Call> Take(const http::Request& request, const http::CallOptions& options);
  static base::Result<void> Play(const Call& call, const http::CallOptions& options,
                                 http::BodySink& sink);

  mutable base::Mutex mutex_;
  std::deque<std::unique_ptr<Call>> script_ RABBIT_GUARDED_BY(mutex_);
  std::vector<Seen> seen_ RABBIT_GUARDED_BY(mutex_);
  Fallback fallback_ RABBIT_GUARDED_BY(mutex_);
};

}  // namespace rabbit::fakes
