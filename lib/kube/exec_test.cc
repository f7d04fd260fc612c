#include "kube/exec.h"

#include <gtest/gtest.h>

#include <deque>

#include "http/test_support.h"

namespace rabbit::kube {
namespace {

using base::ErrorKind;

std::string Message(unsigned char channel, std::string_view data) {
  return std::string(1, static_cast<char>(channel)).append(data);
}
const std::string kSuccess = Message(3, R"({"metadata":{},"status":"Success"})");
std::string Exit(std::string_view code) {
  return Message(
      3,
      R"({"metadata":{},"status":"Failure","message":"command terminated with non-zero exit code",)"
      R"("reason":"NonZeroExitCode","details":{"causes":[{"reason":"Other","message":"9"},)"
      R"({"reason":"ExitCode","message":")" +
          std::string(code) + R"("}]}})");
}

// ---- the way there

TEST(WebSocketsToTest, AfterAnAddressThatDoesNotAnswerTheNextOneIsTried) {
  http::TestServer server([](http::Peer& peer) {
    (void)peer.ReadRequest();
    peer.Write("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
  });
  http::Resolver resolver(1, [](const std::string&, std::string&) {
    return std::vector<std::string>{"127.0.0.9", "127.0.0.1"};  // nobody listens at the first
  });
  const auto open = WebSocketsTo({.server = {false, "api.test", server.port(), ""}}, resolver);
  EXPECT_FALSE(open({.target = "/"}, http::Soon()));
  for (int i = 0; i < 2; ++i) {
    const auto answer = open({.target = "/"}, http::Soon());
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->refused.status, 403);
  }
}

TEST(WebSocketsToTest, ACallThatHadNoTimeSaysNothingOfTheAddress) {
  const http::FullListener silent;
  http::Resolver resolver(1, [](const std::string&, std::string&) {
    return std::vector<std::string>{"127.0.0.1", "127.0.0.9"};  // nobody listens at the second
  });
  const auto open = WebSocketsTo({.server = {false, "api.test", silent.port(), ""}}, resolver);
  EXPECT_FALSE(open({.target = "/"}, http::Within(kFairTry / 2)));
  const auto fair = open({.target = "/"}, http::Within(kFairTry * 3));
  ASSERT_FALSE(fair);
  EXPECT_EQ(fair.error().message.find("127.0.0.1:"), 0U) << fair.error().message;
  const auto next = open({.target = "/"}, http::Soon());  // that one had its time
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().message.find("127.0.0.9:"), 0U) << next.error().message;
}

// ---- the protocol

TEST(ExecMachineTest, CollectsOutputAndErrorsUntilTheEnd) {
  ExecMachine machine(100);
  for (const std::string& message : {Message(1, ""), Message(1, "ou"), Message(2, "err"),
                                     Message(1, "t"), Message(9, "?"), std::string()}) {
    machine.OnMessage(message);
    EXPECT_FALSE(machine.ended());
  }
  machine.OnMessage(kSuccess);
  ASSERT_TRUE(machine.ended() && *machine.ended());
  EXPECT_EQ((*machine.ended())->output, "out");
  EXPECT_EQ((*machine.ended())->errors, "err");
  EXPECT_EQ((*machine.ended())->exit_code, 0);
  EXPECT_FALSE((*machine.ended())->truncated);
}

TEST(ExecMachineTest, TheExitCodeIsThatOfItsCause) {
  for (const int code : {1, 3, 137}) {
    ExecMachine machine(100);
    machine.OnMessage(Exit(std::to_string(code)));
    ASSERT_TRUE(machine.ended() && *machine.ended());
    EXPECT_EQ((*machine.ended())->exit_code, code);
  }
}

TEST(ExecMachineTest, ACommandThatCouldNotStartIsAnError) {
  for (const std::string& status :
       {Message(3, R"({"status":"Failure","message":"no such file","reason":"InternalError"})"),
        Exit("x")}) {
    ExecMachine machine(100);
    machine.OnMessage(status);
    ASSERT_TRUE(machine.ended());
    ASSERT_FALSE(*machine.ended());
    EXPECT_EQ(machine.ended()->error().kind, ErrorKind::kRetry);
    EXPECT_EQ(machine.ended()->error().sent, base::Sent::kMaybe);
  }
}

TEST(ExecMachineTest, AStatusThatIsNoneIsAnError) {
  for (const char* bad : {"garbage", "{", "[]", "{}"}) {
    ExecMachine machine(100);
    machine.OnMessage(Message(3, bad));
    ASSERT_TRUE(machine.ended()) << bad;
    EXPECT_FALSE(*machine.ended()) << bad;
  }
}

TEST(ExecMachineTest, OutputIsBoundedAndTheExitCodeStillCounts) {
  ExecMachine machine(4);
  for (int i = 0; i < 1000; ++i) machine.OnMessage(Message(1, "abc"));
  machine.OnMessage(Message(2, "1234"));
  machine.OnMessage(Exit("3"));
  ASSERT_TRUE(machine.ended() && *machine.ended());
  EXPECT_EQ((*machine.ended())->output, "abca");
  EXPECT_EQ((*machine.ended())->errors, "1234");
  EXPECT_TRUE((*machine.ended())->truncated);
  EXPECT_EQ((*machine.ended())->exit_code, 3);
}

TEST(ExecMachineTest, WhatComesAfterTheEndIsIgnored) {
  ExecMachine machine(100);
  machine.OnMessage(Exit("3"));
  machine.OnMessage(Message(1, "late"));
  machine.OnMessage(kSuccess);
  EXPECT_EQ((*machine.ended())->exit_code, 3);
  EXPECT_EQ((*machine.ended())->output, "");
}

TEST(ExecMachineTest, InputIsSplitIntoMessagesThatNeedNoFragments) {
  const std::string input(70'000, 'x');
  std::size_t offset = 0, messages = 0;
  while (const auto next = ExecMachine::NextInput(input, offset)) {
    EXPECT_LE(next->message.size(), 32U << 10);
    EXPECT_EQ(next->message.front(), '\0');
    EXPECT_EQ(next->message.size(), next->data + 1);
    offset += next->data;
    ++messages;
  }
  EXPECT_EQ(offset, input.size());
  EXPECT_EQ(messages, 3U);
  EXPECT_EQ(ExecMachine::EndOfInput(), std::string("\xff\0", 2));
}

// ---- the run

class ExecTest : public testing::Test {
 protected:
  // Plays what the server sends, and keeps what it gets.
  class Socket final : public http::WebSocket {
   public:
    explicit Socket(ExecTest& test) : test_(test) {}
    ~Socket() override { test_.closed_ = true; }
    [[nodiscard]] const std::string& protocol() const override { return test_.protocol_; }
    base::Result<void> Send(std::string_view message, base::TimePoint, std::stop_token) override {
      test_.got_.emplace_back(message);
      return {};
    }
    base::Result<Event> Receive(base::TimePoint, std::stop_token stop) override {
      if (stop.stop_requested()) return base::Fail(ErrorKind::kCancelled, "stop requested");
      if (test_.script_.empty()) {
        if (test_.end_) return tl::unexpected(*test_.end_);
        return Closed{1000, ""};
      }
      Message message{std::move(test_.script_.front())};
      test_.script_.pop_front();
      return message;
    }
    base::Result<void> Close(int, base::TimePoint) override { return {}; }

   private:
    ExecTest& test_;
  };

  base::Result<ExecResult> Run(const Command& command) {
    return exec_.Run(
        command, {.deadline = base::TimePoint(std::chrono::hours(1)), .stop = stop_.get_token()});
  }
  base::Error Error(const Command& command) {
    auto result = Run(command);
    return result ? base::Error{.message = "no error"} : result.error();
  }

  std::deque<std::string> script_;  // what the server sends
  std::optional<base::Error> end_;  // after that; nothing: it closes
  std::deque<http::Response> refusals_;
  std::vector<std::string> got_;
  std::vector<http::WebSocketRequest> requests_;
  std::string protocol_ = "v5.channel.k8s.io";
  std::stop_source stop_;
  bool closed_ = false;
  StaticCredentials credentials_{base::Secret("t")};
  Exec exec_{[this](const http::WebSocketRequest& request,
                    const http::CallOptions&) -> base::Result<http::WebSocketAnswer> {
               requests_.push_back(request);
               if (refusals_.empty()) {
                 return http::WebSocketAnswer{std::make_unique<Socket>(*this), {}};
               }
               auto refusal = std::move(refusals_.front());
               refusals_.pop_front();
               return http::WebSocketAnswer{nullptr, std::move(refusal)};
             },
             credentials_};
  const Command command_{.pod = {"ns", "p"}, .container = "c", .words = {"id", "-u"}};
};

TEST_F(ExecTest, ReturnsOutputAndExitCodeAndCloses) {
  script_ = {Message(1, ""), Message(1, "out"), Exit("3")};
  const auto result = Run(command_);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->output, "out");
  EXPECT_EQ(result->exit_code, 3);
  EXPECT_TRUE(got_.empty());
  EXPECT_TRUE(closed_);
  EXPECT_EQ(requests_[0].target,
            "/api/v1/namespaces/ns/pods/p/exec?command=id&command=-u&container=c&stdout=true"
            "&stderr=true");
  EXPECT_EQ(http::FindHeader(requests_[0].headers, "Authorization"), "Bearer t");
}

TEST_F(ExecTest, SendsTheInputAndItsEnd) {
  script_ = {kSuccess};
  Command command = command_;
  command.input = base::Secret("password\n");
  ASSERT_TRUE(Run(command));
  EXPECT_EQ(got_,
            (std::vector<std::string>{Message(0, "password\n"), Message(255, Message(0, ""))}));
  EXPECT_NE(requests_[0].target.find("stdin=true"), std::string::npos);
}

TEST_F(ExecTest, ARefusalIsTheServersStatus) {
  refusals_ = {{404, {}, R"({"message":"pods \"p\" not found","reason":"NotFound","code":404})"}};
  const base::Error error = Error(command_);
  EXPECT_EQ(error.kind, ErrorKind::kNotFound);
  EXPECT_EQ(error.message, "exec id in pod ns/p: 404 NotFound: pods \"p\" not found");
  EXPECT_EQ(error.sent, base::Sent::kNo);
}

TEST_F(ExecTest, ABadContainerAndAMissingRightAreToldApart) {
  refusals_ = {{400, {}, R"({"message":"container x is not valid","reason":"BadRequest"})"},
               {403, {}, R"({"message":"cannot create pods/exec","reason":"Forbidden"})"},
               {403, {}, ""}};
  EXPECT_EQ(Error(command_).kind, ErrorKind::kInvalid);
  EXPECT_EQ(Error(command_).kind, ErrorKind::kDenied);
  const base::Error old_server = Error(command_);
  EXPECT_EQ(old_server.kind, ErrorKind::kInvalid);
  EXPECT_NE(old_server.message.find("v5.channel.k8s.io"), std::string::npos);
}

TEST_F(ExecTest, A401IsTriedOnceMore) {
  refusals_ = {{401, {}, ""}};
  script_ = {kSuccess};
  EXPECT_TRUE(Run(command_));
  EXPECT_EQ(requests_.size(), 2U);
  EXPECT_EQ(requests_[1].headers.size(), requests_[0].headers.size());
  refusals_ = {{401, {}, ""}, {401, {}, ""}};
  EXPECT_EQ(Error(command_).kind, ErrorKind::kDenied);
}

TEST_F(ExecTest, OffersTheOneProtocolThatCanEndTheInput) {
  script_ = {kSuccess};
  ASSERT_TRUE(Run(command_));
  EXPECT_EQ(requests_[0].protocols, (std::vector<std::string>{"v5.channel.k8s.io"}));
  protocol_ = "";
  EXPECT_EQ(Error(command_).kind, ErrorKind::kInternal);
}

TEST_F(ExecTest, AnAnswerThatIsNoUpgradeIsAnError) {
  refusals_ = {{200, {}, "hello"}};
  EXPECT_EQ(Error(command_).kind, ErrorKind::kInternal);
}

TEST_F(ExecTest, AConnectionThatEndsEarlySaysThatTheCommandMayHaveRun) {
  script_ = {Message(1, "half")};
  const base::Error closed = Error(command_);
  EXPECT_EQ(closed.kind, ErrorKind::kRetry);
  EXPECT_EQ(closed.sent, base::Sent::kMaybe);
  end_ = base::Error{.kind = ErrorKind::kRetry, .message = "deadline passed"};
  const base::Error late = Error(command_);
  EXPECT_EQ(late.message, "exec id in pod ns/p: deadline passed");
  EXPECT_EQ(late.sent, base::Sent::kMaybe);
}

TEST_F(ExecTest, AStopEndsIt) {
  stop_.request_stop();
  EXPECT_EQ(Error(command_).kind, ErrorKind::kCancelled);
}

TEST_F(ExecTest, TooMuchInputIsRefusedBeforeAnythingIsOpened) {
  Command command = command_;
  command.input = base::Secret(std::string(65'537, 'x'));
  EXPECT_EQ(Error(command).kind, ErrorKind::kInvalid);
  EXPECT_TRUE(requests_.empty());
}

TEST_F(ExecTest, ErrorsNeverHoldTheInput) {
  end_ = base::Error{.kind = ErrorKind::kRetry, .message = "reset"};
  Command command = command_;
  command.input = base::Secret("s3cret");
  EXPECT_EQ(Error(command).message.find("s3cret"), std::string::npos);
}

}  // namespace
}  // namespace rabbit::kube
