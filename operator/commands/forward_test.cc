#include "operator/commands/forward.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/clock.h"
#include "http/beast_transport.h"
#include "test/fakes/scripted_transport.h"

namespace rabbit::commands {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

class ForwardTest : public testing::Test {
 protected:
  ForwardTest() {
    server_ = http::Server::Start({.address = "127.0.0.1"}, [this](const http::Request& request,
                                                                   http::ResponseWriter& writer) {
                ForwardTo(there_, request, writer);
              }).value();
    here_ = http::MakeBeastTransport({.tls = false,
                                      .address = "127.0.0.1",
                                      .port = server_->port(),
                                      .host_header = "127.0.0.1"},
                                     {}, {.keep = 1})
                .value();
  }
  ~ForwardTest() override { static_cast<void>(server_->Stop(std::chrono::seconds(1))); }

  void Answer(http::Response response) {
    there_.Otherwise(
        [this, response](const http::Request& request) -> base::Result<http::Response> {
          asked_ = request;
          return response;
        });
  }
  http::Response Send(const http::Request& request) {
    const auto answer = here_->Send(
        request, {.deadline = base::RealClock().Now() + std::chrono::seconds(10), .stop = {}});
    return answer ? *answer : http::Response{.body = answer.error().message};
  }

  fakes::ScriptedTransport there_;
  http::Request asked_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<http::Transport> here_;
};

TEST_F(ForwardTest, BothSidesSayWhatTheOtherOneSaid) {
  Answer({.status = 201, .headers = {{"X-Told", "yes"}, {"Connection", "close"}}, .body = "made"});
  const http::Response response = Send({.method = http::Method::kPut,
                                        .target = "/api/users/a%2Fb?x=1",
                                        .headers = {{"Authorization", "Basic abc"}},
                                        .body = "{}"});
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.body, "made");
  EXPECT_EQ(http::FindHeader(response.headers, "X-Told"), "yes");
  EXPECT_EQ(http::FindHeader(response.headers, "Connection"), "");
  EXPECT_EQ(asked_.method, http::Method::kPut);
  EXPECT_EQ(asked_.target, "/api/users/a%2Fb?x=1");
  EXPECT_EQ(asked_.body, "{}");
  EXPECT_EQ(http::FindHeader(asked_.headers, "Authorization"), "Basic abc");
  EXPECT_EQ(http::FindHeader(asked_.headers, "Host"), "");
  EXPECT_EQ(http::FindHeader(asked_.headers, "Content-Length"), "");
}

// The server has taken the body out of its chunks, and the transport says its length: both would be
// said, and a front of the broker may believe either.
TEST_F(ForwardTest, WhatIsOfOneConnectionStaysThere) {
  Answer({.status = 204,
          .headers = {{"Connection", "X-Hop"}, {"X-Hop", "1"}, {"Upgrade", "h2c"}, {"X-Told", "2"}},
          .body = ""});
  const http::Request chunked{.method = http::Method::kPost,
                              .target = "/api/definitions",
                              .headers = {{"Transfer-Encoding", "chunked"},
                                          {"expect", "100-continue"},
                                          {"Connection", "close, x-hop"},
                                          {"X-Hop", "1"},
                                          {"TE", "trailers"},
                                          {"X-Asked", "2"}},
                              .body = "{}"};
  struct Told final : http::ResponseWriter {
    base::Result<void> Send(const http::Response& response) override {
      headers = response.headers;
      return {};
    }
    base::Result<void> Start(const http::ResponseHead& head) override {
      headers = head.headers;
      return {};
    }
    base::Result<void> Write(std::string_view /*data*/) override { return {}; }
    void Cut() override {}
    [[nodiscard]] std::stop_token stop() const override { return {}; }
    http::Headers headers;
  } told;
  ForwardTo(there_, chunked, told);
  EXPECT_THAT(asked_.headers, ElementsAre(Pair("X-Asked", "2")));
  EXPECT_EQ(asked_.body, "{}");
  EXPECT_THAT(told.headers, ElementsAre(Pair("X-Told", "2")));
}

TEST_F(ForwardTest, AnAnswerWithoutABodyLeavesTheConnectionAsItShouldBe) {
  for (int i = 0; i < 3; ++i) {
    Answer({.status = 204, .headers = {}, .body = ""});
    EXPECT_EQ(Send({.method = http::Method::kDelete, .target = "/api/users/a"}).status, 204);
    Answer({.status = 200, .headers = {}, .body = "[]"});
    EXPECT_EQ(Send({.target = "/api/users"}).body, "[]");
  }
}

TEST_F(ForwardTest, ThatThereIsNoAnswerIsTold) {
  there_.Otherwise([](const http::Request&) -> base::Result<http::Response> {
    return base::Fail(base::ErrorKind::kRetry, "nobody listens there");
  });
  const http::Response response = Send({.target = "/"});
  EXPECT_EQ(response.status, 502);
  EXPECT_THAT(response.body, HasSubstr("nobody listens there"));
}

}  // namespace
}  // namespace rabbit::commands
