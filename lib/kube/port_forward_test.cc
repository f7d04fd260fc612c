#include "kube/port_forward.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "http/test_support.h"

namespace rabbit::kube {
namespace {

using base::ErrorKind;

std::string Message(unsigned char channel, std::string_view data) {
  return std::string(1, static_cast<char>(channel)).append(data);
}
const std::string kPort("\x38\x3d", 2);  // 15672, little endian
constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

// ---- the protocol

TEST(PortForwardMachine, TheFirstTwoBytesOfEachChannelAreThePort) {
  PortForwardMachine machine;
  EXPECT_EQ(machine.OnMessage(Message(0, kPort)), "");
  EXPECT_EQ(machine.OnMessage(Message(1, kPort)), "");
  EXPECT_EQ(machine.OnMessage(Message(0, "ab")), "ab");
  EXPECT_EQ(machine.OnMessage(Message(0, "c")), "c");
  EXPECT_EQ(machine.failure(), "");
  EXPECT_EQ(machine.OnMessage(Message(1, "refused")), "");
  EXPECT_EQ(machine.failure(), "refused");
}

TEST(PortForwardMachine, ThePortMayComeInPiecesOrWithTheData) {
  PortForwardMachine machine;
  EXPECT_EQ(machine.OnMessage(Message(0, kPort.substr(0, 1))), "");
  EXPECT_EQ(machine.OnMessage(Message(0, kPort.substr(1) + "ab")), "ab");
}

TEST(PortForwardMachine, WhatBelongsToNoChannelIsIgnored) {
  PortForwardMachine machine;
  for (const std::string& message : {std::string(), Message(2, "xyz"), Message(255, "xyz")}) {
    EXPECT_EQ(machine.OnMessage(message), "");
  }
  EXPECT_EQ(machine.failure(), "");
}

TEST(PortForwardMachine, DataIsSplitIntoMessagesThatNeedNoFragments) {
  const auto messages = PortForwardMachine::MessagesOf(std::string(70'000, 'x'));
  ASSERT_EQ(messages.size(), 3U);
  std::size_t data = 0;
  for (const std::string& message : messages) {
    EXPECT_LE(message.size(), 32U << 10);
    EXPECT_EQ(message.front(), '\0');
    data += message.size() - 1;
  }
  EXPECT_EQ(data, 70'000U);
}

// ---- the transport

class PortForwardTest : public testing::Test {
 protected:
  // Plays what the server sends, and keeps what it gets.
  class Socket final : public http::WebSocket {
   public:
    explicit Socket(PortForwardTest& test) : test_(test) {}
    [[nodiscard]] const std::string& protocol() const override { return test_.protocol_; }
    base::Result<void> Send(std::string_view message, base::TimePoint, std::stop_token) override {
      test_.got_.emplace_back(message);
      return {};
    }
    base::Result<Event> Receive(base::TimePoint, std::stop_token) override {
      if (test_.script_.empty()) return Closed{1000, ""};
      WebSocket::Message message{std::move(test_.script_.front())};
      test_.script_.pop_front();
      return message;
    }
    base::Result<void> Close(int, base::TimePoint) override { return {}; }

   private:
    PortForwardTest& test_;
  };

  base::Result<http::Response> Get(const std::string& target = "/api/overview") {
    return transport_->Send({.target = target}, http::Soon());
  }
  std::string Trouble() {
    const auto answer = Get();
    return answer ? "none" : answer.error().message;
  }

  std::deque<std::string> script_;  // what the server sends; then it closes
  std::deque<http::Response> refusals_;
  std::vector<std::string> got_;
  std::vector<http::WebSocketRequest> requests_;
  std::string protocol_ = "v4.channel.k8s.io";
  StaticCredentials credentials_{base::Secret("t")};
  std::unique_ptr<http::Transport> transport_ = MakePortForwardTransport(
      [this](const http::WebSocketRequest& request,
             const http::CallOptions&) -> base::Result<http::WebSocketAnswer> {
        requests_.push_back(request);
        if (refusals_.empty()) return http::WebSocketAnswer{std::make_unique<Socket>(*this), {}};
        auto refusal = std::move(refusals_.front());
        refusals_.pop_front();
        return http::WebSocketAnswer{nullptr, std::move(refusal)};
      },
      credentials_, {"ns", "c-node-0"}, 15672);
};

TEST_F(PortForwardTest, CarriesARequestAndItsResponse) {
  script_ = {Message(0, kPort), Message(1, kPort), Message(0, kAnswer.substr(0, 20)),
             Message(0, kAnswer.substr(20))};
  const auto answer = Get();
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "hello");
  EXPECT_EQ(requests_.at(0).target, "/api/v1/namespaces/ns/pods/c-node-0/portforward?ports=15672");
  EXPECT_EQ(requests_.at(0).protocols, std::vector<std::string>{"v4.channel.k8s.io"});
  EXPECT_EQ(http::FindHeader(requests_.at(0).headers, "Authorization"), "Bearer t");
  EXPECT_EQ(got_, std::vector<std::string>{
                      Message(0, "GET /api/overview HTTP/1.1\r\nHost: localhost:15672\r\n\r\n")});
}

TEST_F(PortForwardTest, TheNextCallTakesTheSameConnectionAndAClosedOneIsOpenedAnew) {
  script_ = {Message(0, kPort), Message(0, kAnswer), Message(0, kAnswer)};
  ASSERT_TRUE(Get());
  ASSERT_TRUE(Get());
  EXPECT_EQ(requests_.size(), 1U);
  // Now it is closed; the next one gets nothing either.
  EXPECT_EQ(Trouble().find("waiting for the response"), 0U);
  EXPECT_EQ(requests_.size(), 2U);
}

TEST_F(PortForwardTest, WhyTheNodeCannotConnectIsTold) {
  script_ = {Message(0, kPort), Message(1, kPort), Message(1, "error forwarding port 15672")};
  EXPECT_THAT(Trouble(), testing::HasSubstr("error forwarding port 15672"));
}

TEST_F(PortForwardTest, AMissingRightIsTheServersAnswer) {
  refusals_ = {{403, {}, R"({"message":"cannot get pods/portforward","reason":"Forbidden"})"},
               {403, {}, ""},
               {401, {}, ""},
               {401, {}, ""}};
  const auto denied = Get();
  ASSERT_FALSE(denied);
  // Or it were taken for what the broker says.
  EXPECT_EQ(denied.error().kind, ErrorKind::kRetry);
  EXPECT_EQ(denied.error().sent, base::Sent::kNo);
  EXPECT_EQ(denied.error().message,
            "port-forward to pod ns/c-node-0: 403 Forbidden: cannot get pods/portforward");
  EXPECT_THAT(Trouble(), testing::HasSubstr("v4.channel.k8s.io"));
  EXPECT_THAT(Trouble(), testing::HasSubstr("401"));
  EXPECT_EQ(requests_.size(), 4U);  // a 401 is tried once more
}

TEST_F(PortForwardTest, AServerThatChoosesNoProtocolIsNotUsed) {
  protocol_ = "";
  EXPECT_THAT(Trouble(), testing::HasSubstr("protocol ''"));
  EXPECT_TRUE(got_.empty());
}

}  // namespace
}  // namespace rabbit::kube
