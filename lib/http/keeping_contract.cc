// What a Transport that keeps connections does with them (transport_contract.h).
#include <gmock/gmock.h>

#include "http/test_support.h"
#include "http/transport_contract.h"

namespace rabbit::http {

MakeTransport InKeepingContract(MakeTransport make) { return make; }

namespace {

using base::ErrorKind;
using base::Result;
using base::Sent;
using ::testing::HasSubstr;

TEST_P(KeepingContract, UsesOneConnectionForCallsInARow) {
  TestServer server(AnswerAll("hello"));
  const auto transport = Plain(server.port());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(transport->Send({}, Soon()));
  EXPECT_EQ(server.connections(), 1);
}

TEST_P(KeepingContract, AConnectionClosedWhileIdleCostsNothing) {
  for (const bool tls : {false, true}) {
    for (const bool reset : {false, true}) {
      Log log;
      TestServer server(
          [&](Peer& peer) {
            log.Add(peer.ReadRequest().substr(0, 6));
            peer.Answer("hello");
            if (reset) peer.Reset();
            peer.Close();
            log.Add("closed");
          },
          tls ? &ServerTls() : nullptr);
      const auto transport = tls ? TrustedTls(server.port()) : Plain(server.port());
      std::size_t events = 0;
      for (const Method method : {Method::kGet, Method::kPost, Method::kPatch, Method::kDelete}) {
        const Result<Response> response = transport->Send({.method = method, .body = "x"}, Soon());
        ASSERT_TRUE(response) << Name(method) << ": " << response.error().message;
        ASSERT_TRUE(log.Await(events += 2));
      }
      EXPECT_EQ(server.connections(), 4);
      EXPECT_EQ(log.texts().size(), 8U);
    }
  }
}

// Answers the first request of the first connection, and hangs up on its second one.
TestServer::Script HangUpOnce(Log& log) {
  return [&log](Peer& peer) {
    for (std::string request; !(request = peer.ReadRequest()).empty();) {
      log.Add(request.substr(0, request.find(' ')));
      if (peer.number() == 1 && log.texts().size() == 2) return;
      peer.Answer("hello");
    }
  };
}

TEST_P(KeepingContract, AnIdempotentRequestOnADyingConnectionIsRepeated) {
  for (const bool tls : {false, true}) {
    Log log;
    TestServer server(HangUpOnce(log), tls ? &ServerTls() : nullptr);
    const auto transport = tls ? TrustedTls(server.port()) : Plain(server.port());
    ASSERT_TRUE(transport->Send({}, Soon()));
    const Result<Response> response =
        transport->Send({.method = Method::kPut, .body = "x"}, Soon());
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_THAT(log.texts(), testing::ElementsAre("GET", "PUT", "PUT"));
  }
}

TEST_P(KeepingContract, APostOnADyingConnectionIsNeverRepeated) {
  for (const std::string& body : std::vector<std::string>{"x", ""}) {
    Log log;
    TestServer server(HangUpOnce(log));
    const auto transport = Plain(server.port());
    ASSERT_TRUE(transport->Send({}, Soon()));
    const Result<Response> response =
        transport->Send({.method = Method::kPost, .body = body}, Soon());
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, ErrorKind::kRetry);
    EXPECT_EQ(response.error().sent, Sent::kMaybe);
    EXPECT_THAT(response.error().message, HasSubstr("kept-alive"));
    ASSERT_TRUE(transport->Send({}, Soon()));  // and the next call is fine
    EXPECT_THAT(log.texts(), testing::ElementsAre("GET", "POST", "GET"));
  }
}

}  // namespace
}  // namespace rabbit::http
