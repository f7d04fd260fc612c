// What a Transport that keeps connections does with them (transport_contract.h).
#include <gmock/gmock.h>

#include <filesystem>
#include <stop_token>

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

// A fleet keeps some connections to each cluster: each is to cost its socket alone.
TEST_P(KeepingContract, WhatIsKeptHoldsNothingButTheConnection) {
  const auto events = [] {
    int found = 0;
    for (const auto& descriptor : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code gone;
      found += std::filesystem::read_symlink(descriptor, gone).native().find("eventfd") !=
               std::string::npos;
    }
    return found;
  };
  TestServer server(AnswerAll("hello"));
  const auto transport = Plain(server.port());
  const int before = events();
  const std::stop_source stop;
  CallOptions options = Soon();
  options.stop = stop.get_token();
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(transport->Send({}, options));
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(events(), before);
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

// What a call gets is named by its own target, whatever the call before it has left behind.
Result<Response> SendOwn(Transport& transport) {
  return transport.Send({.target = "/own"}, Soon());
}
void AnswerWithTarget(Peer& peer, const std::string& request) {
  peer.Answer(request.substr(4, request.find(" HTTP/1.1") - 4));
}

TEST_P(KeepingContract, BytesBehindAnAnswerAreNobodysAnswer) {
  for (const bool tls : {false, true}) {
    TestServer server(
        [](Peer& peer) {
          for (std::string request; !(request = peer.ReadRequest()).empty();) {
            if (request.starts_with("GET /first ")) {
              peer.Write(
                  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst"
                  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong");
            } else {
              AnswerWithTarget(peer, request);
            }
          }
        },
        tls ? &ServerTls() : nullptr);
    const auto transport = tls ? TrustedTls(server.port()) : Plain(server.port());
    const Result<Response> first = transport->Send({.target = "/first"}, Soon());
    ASSERT_TRUE(first) << first.error().message;
    EXPECT_EQ(first->body, "first");
    const Result<Response> own = SendOwn(*transport);
    ASSERT_TRUE(own) << own.error().message;
    EXPECT_EQ(own->body, "/own");
  }
}

TEST_P(KeepingContract, AConnectionThatTheServerWillCloseIsNotUsedAgain) {
  for (const bool tls : {false, true}) {
    TestServer server(
        [](Peer& peer) {
          std::string request = peer.ReadRequest();
          if (request.starts_with("GET /first ")) {
            peer.Write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nfirst");
            if (!peer.ReadRequest().empty()) peer.Answer("wrong");  // it is not closed yet
            return;
          }
          for (; !request.empty(); request = peer.ReadRequest()) AnswerWithTarget(peer, request);
        },
        tls ? &ServerTls() : nullptr);
    const auto transport = tls ? TrustedTls(server.port()) : Plain(server.port());
    const Result<Response> first = transport->Send({.target = "/first"}, Soon());
    ASSERT_TRUE(first) << first.error().message;
    const Result<Response> own = SendOwn(*transport);
    ASSERT_TRUE(own) << own.error().message;
    EXPECT_EQ(own->body, "/own");
    EXPECT_EQ(server.connections(), 2);
  }
}

TEST_P(KeepingContract, AStreamThatItsSinkAbortedLeavesNothingToTheNextCall) {
  for (const bool tls : {false, true}) {
    for (const bool whole : {false, true}) {  // whether the body's end is there already
      TestServer server(
          [whole](Peer& peer) {
            for (std::string request; !(request = peer.ReadRequest()).empty();) {
              if (request.starts_with("GET /first ")) {
                peer.Write(std::string(kChunked) + Chunk("one") +
                           (whole ? Chunk("two") + "0\r\n\r\n" : ""));
              } else {
                AnswerWithTarget(peer, request);
              }
            }
          },
          tls ? &ServerTls() : nullptr);
      const auto transport = tls ? TrustedTls(server.port()) : Plain(server.port());
      Recorder sink;
      sink.on_data = [] { return base::Fail(ErrorKind::kInvalid, "enough"); };
      const Result<void> aborted = transport->Stream({.target = "/first"}, Soon(), sink);
      ASSERT_FALSE(aborted);
      EXPECT_EQ(aborted.error().kind, ErrorKind::kInvalid);
      const Result<Response> own = SendOwn(*transport);
      ASSERT_TRUE(own) << own.error().message;
      EXPECT_EQ(own->body, "/own");
    }
  }
}

}  // namespace
}  // namespace rabbit::http
