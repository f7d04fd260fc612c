#include "http/transport_contract.h"

#include <gmock/gmock.h>

#include <atomic>
#include <barrier>
#include <thread>
#include <vector>

#include "http/certificate.h"
#include "http/test_support.h"

namespace rabbit::http {

using base::ErrorKind;
using base::Result;
using base::Sent;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

MakeTransport InContract(MakeTransport make) { return make; }

std::unique_ptr<Transport> TransportContract::Plain(std::uint16_t port) {
  return GetParam()({false, "127.0.0.1", port, "broker.test"}, {}).value();
}
Result<std::unique_ptr<Transport>> TransportContract::Tls(std::uint16_t port,
                                                          const TlsSettings& tls,
                                                          const std::string& host) {
  return GetParam()({true, "127.0.0.1", port, host}, tls);
}
std::unique_ptr<Transport> TransportContract::TrustedTls(std::uint16_t port) {
  return Tls(port, {.ca_pem = Ca().pem()}).value();
}

namespace {

// A request without the optional blanks after the colons of its headers.
std::string Tight(std::string text) {
  for (std::size_t at; (at = text.find(": ")) != std::string::npos;) text.erase(at + 1, 1);
  return text;
}

// Answers all requests of a connection, and logs method and target of each.
TestServer::Script AnswerAndLog(Log& log) {
  return [&log](Peer& peer) {
    for (std::string request; !(request = peer.ReadRequest()).empty();) {
      log.Add(request.substr(0, request.find(" HTTP/1.1")));
      peer.Answer("");
    }
  };
}

TEST_P(TransportContract, SendsWhatItWasGiven) {
  Log log;
  TestServer server([&](Peer& peer) {
    for (std::string request; !(request = peer.ReadRequest()).empty();) {
      log.Add(request);
      peer.Answer("done");
    }
  });
  const auto transport = Plain(server.port());
  const Request request{.method = Method::kPut,
                        .target = "/api/queues/%2F/a%20b?x=1%2B2&y=a+b&z=",
                        .headers = {{"Accept", "application/json"}, {"Content-Type", "text/x"}},
                        .body = "{\"a\":1}"};
  const Result<Response> response = transport->Send(request, Soon());
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "done");
  EXPECT_EQ(FindHeader(response->headers, "content-type"), "text/plain");
  const std::string seen = Tight(log.texts().at(0));
  EXPECT_THAT(seen, StartsWith("PUT /api/queues/%2F/a%20b?x=1%2B2&y=a+b&z= HTTP/1.1\r\n"));
  EXPECT_THAT(seen, HasSubstr("\nHost:broker.test\r\n"));
  EXPECT_THAT(seen, HasSubstr("\nAccept:application/json\r\n"));
  EXPECT_THAT(seen, HasSubstr("\nContent-Type:text/x\r\n"));
  EXPECT_THAT(seen, HasSubstr("\nContent-Length:7\r\n"));
  EXPECT_THAT(seen, testing::EndsWith("\r\n\r\n{\"a\":1}"));
}

TEST_P(TransportContract, KeepsEveryTargetAsItIs) {
  Log log;
  TestServer server(AnswerAndLog(log));
  const auto transport = Plain(server.port());
  const std::vector<std::string> targets = {"/",
                                            "/a/",
                                            "/a//b",

                                            "/?a=b",
                                            "/a/../b",
                                            "/a;b=c?d=e;f",
                                            "/a?b=/c?d",
                                            "/~x/%7e",
                                            "/a?fieldSelector=metadata.name%3Dx,y!=z&watch=1",
                                            "/(a)/b'c/*:@&=+$,"};
  for (const std::string& target : targets) {
    const Result<Response> response = transport->Send({.target = target}, Soon());
    ASSERT_TRUE(response) << target << ": " << response.error().message;
  }
  std::vector<std::string> expected;
  for (const std::string& target : targets) expected.push_back("GET " + target);
  EXPECT_EQ(log.texts(), expected);
}

TEST_P(TransportContract, SendsEachMethodWithAndWithoutABody) {
  Log log;
  TestServer server([&](Peer& peer) {
    for (std::string request; !(request = peer.ReadRequest()).empty();) {
      log.Add(request.substr(0, request.find(' ')) + request.substr(request.find("\r\n\r\n") + 4));
      peer.Write("HTTP/1.1 204 No Content\r\n\r\n");
    }
  });
  const auto transport = Plain(server.port());
  std::vector<std::string> expected;
  for (const Method method : {Method::kGet, Method::kHead, Method::kPost, Method::kPut,
                              Method::kPatch, Method::kDelete}) {
    for (const std::string& body : std::vector<std::string>{"", "some text"}) {
      const Result<Response> response =
          transport->Send({.method = method, .target = "/x", .body = body}, Soon());
      ASSERT_TRUE(response) << Name(method) << ": " << response.error().message;
      EXPECT_EQ(response->status, 204);
      expected.push_back(std::string(Name(method)) + body);
    }
  }
  EXPECT_EQ(log.texts(), expected);
}

TEST_P(TransportContract, RunsSixteenCallsAtOnce) {
  std::barrier all(16);
  TestServer server([&](Peer& peer) {
    while (!peer.ReadRequest().empty()) {
      all.arrive_and_wait();  // nobody is answered before everybody has asked
      peer.Answer("hello");
    }
  });
  const auto transport = Plain(server.port());
  std::atomic<int> good = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 16; ++i) {
      threads.emplace_back([&] {
        for (int round = 0; round < 3; ++round) {
          if (transport->Send({}, Soon()).has_value()) ++good;
        }
      });
    }
  }
  EXPECT_EQ(good, 48);
}

TEST_P(TransportContract, AnyStatusIsAResponse) {
  TestServer server([](Peer& peer) {
    while (!peer.ReadRequest().empty()) {
      peer.Write("HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nbusy");
    }
  });
  const Result<Response> response = Plain(server.port())->Send({}, Soon());
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 503);
  EXPECT_EQ(response->body, "busy");
  EXPECT_EQ(FindHeader(response->headers, "retry-after"), "7");
}

TEST_P(TransportContract, DoesNotFollowRedirects) {
  TestServer elsewhere(AnswerAll("stolen"));
  TestServer server([&](Peer& peer) {
    (void)peer.ReadRequest();
    peer.Write("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:" +
               std::to_string(elsewhere.port()) + "/\r\nContent-Length: 0\r\n\r\n");
  });
  const Result<Response> response =
      Plain(server.port())->Send({.headers = {{"Authorization", "Bearer x"}}}, Soon());
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 302);
  EXPECT_EQ(elsewhere.connections(), 0);
}

TEST_P(TransportContract, RefusesAnAddressThatIsNoLiteral) {
  for (const std::string& address : std::vector<std::string>{"localhost", "", "::1"}) {
    const auto made = GetParam()({false, address, 80, ""}, {});
    ASSERT_FALSE(made) << address;
    EXPECT_EQ(made.error().kind, ErrorKind::kInvalid);
  }
}

TEST_P(TransportContract, RefusesAMalformedTarget) {
  const Result<Response> response = Plain(1)->Send({.target = "/a b"}, Soon());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kInvalid);
}

// --- Errors of the network ---

TEST_P(TransportContract, ARefusedConnectionWasNotSent) {
  std::uint16_t port = 0;
  {
    TestServer server(AnswerAll(""));
    port = server.port();
  }
  const Result<Response> response = Plain(port)->Send({.method = Method::kPost}, Soon());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kRetry);
  EXPECT_EQ(response.error().sent, Sent::kNo);
  EXPECT_THAT(response.error().message, testing::ContainsRegex("connecting: .*refused"));
}

TEST_P(TransportContract, TheDeadlineHoldsWhileConnecting) {
  const FullListener listener;
  const Result<Response> response = Plain(listener.port())->Send({}, Within(milliseconds(100)));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kRetry);
  EXPECT_EQ(response.error().sent, Sent::kNo);
  EXPECT_THAT(response.error().message, HasSubstr("connecting: the deadline passed"));
}

TEST_P(TransportContract, TheDeadlineHoldsWhileWaitingForTheResponse) {
  TestServer server([](Peer& peer) { peer.WaitUntilClosed(); });
  const Result<Response> response = Plain(server.port())->Send({}, Within(milliseconds(100)));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kRetry);
  EXPECT_EQ(response.error().sent, Sent::kMaybe);
  EXPECT_THAT(response.error().message, HasSubstr("waiting for the response"));
}

TEST_P(TransportContract, TheDeadlineHoldsWithinTheBody) {
  Log log;
  TestServer server([&](Peer& peer) {
    (void)peer.ReadRequest();
    peer.Write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    peer.WaitUntilClosed();
    log.Add("closed");
  });
  const Result<Response> response = Plain(server.port())->Send({}, Within(milliseconds(200)));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kRetry);
  EXPECT_EQ(response.error().sent, Sent::kYes);
  EXPECT_THAT(response.error().message, HasSubstr("reading the body: the deadline passed"));
  EXPECT_TRUE(log.Await(1)) << "the connection of an abandoned call stays open";
}

TEST_P(TransportContract, TheDeadlineHoldsWhileDataKeepsComing) {
  TestServer server([](Peer& peer) {
    (void)peer.ReadRequest();
    peer.Write(kChunked);
    while (peer.Write(Chunk("tick"))) {
    }
  });
  Recorder sink;
  const Result<void> done = Plain(server.port())->Stream({}, Within(milliseconds(200)), sink);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::kRetry);
}

TEST_P(TransportContract, ABodyThatIsCutIsAnErrorAfterItsData) {
  for (const std::string& head : std::vector<std::string>{
           std::string(kChunked) + "5\r\nhello\r\n", std::string(kChunked) + "9\r\nhello",
           std::string("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello")}) {
    TestServer server([&](Peer& peer) {
      (void)peer.ReadRequest();
      peer.Write(head);
    });
    const Result<Response> response = Plain(server.port())->Send({}, Soon());
    ASSERT_FALSE(response) << head;
    EXPECT_EQ(response.error().kind, ErrorKind::kRetry);
    EXPECT_EQ(response.error().sent, Sent::kYes);
    EXPECT_THAT(response.error().message, HasSubstr("reading the body")) << head;
  }
}

TEST_P(TransportContract, ABodyWithoutALengthEndsWithTheConnection) {
  TestServer server([](Peer& peer) {
    (void)peer.ReadRequest();
    peer.Write("HTTP/1.0 200 OK\r\n\r\nhello");
  });
  const Result<Response> response = Plain(server.port())->Send({}, Soon());
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "hello");
}

TEST_P(TransportContract, SurvivesAnswersThatAreNoHttp) {
  const std::vector<std::string> answers = {"",
                                            "\r\n\r\n",
                                            "hello\r\n\r\n",
                                            "HTTP/1.1\r\n\r\n",
                                            "HTTP/1.1 abc\r\n\r\n",
                                            "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
                                            "HTTP/1.1 200 OK\r\nX\n\nY\r\n\r\n",
                                            "HTTP/1.1 200 OK\r\n:\r\n:\n\r\n\r\n",
                                            std::string(kChunked) + "zz\r\n",
                                            std::string(kChunked) + "ffffffffffffffff\r\nabc",
                                            std::string(kChunked) + "\r\n",
                                            "HTTP/9.9 200 OK\r\n\r\n",
                                            "HTTP/1.1 99999999999 OK\r\n\r\n",
                                            std::string("\0\0\0", 3),
                                            "\x15\x03\x03"};
  for (const std::string& answer : answers) {
    TestServer server([&](Peer& peer) {
      (void)peer.ReadRequest();
      peer.Write(answer);
    });
    const Result<Response> response = Plain(server.port())->Send({}, Soon());
    if (!response) {
      EXPECT_EQ(response.error().kind, ErrorKind::kRetry) << answer;
      EXPECT_NE(response.error().sent, Sent::kNo) << answer;
    }
  }
}

TEST_P(TransportContract, HeadAndStatusesWithoutABodyDoNotWaitForOne) {
  TestServer server([](Peer& peer) {
    while (!peer.ReadRequest().empty()) {
      peer.Write("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n");
    }
  });
  const Result<Response> response = Plain(server.port())->Send({.method = Method::kHead}, Soon());
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "");
}

// --- Bodies ---

TEST_P(TransportContract, ABodyOverTheBoundIsRefused) {
  for (const bool chunked : {false, true}) {
    Log log;
    TestServer server([&](Peer& peer) {
      (void)peer.ReadRequest();
      if (chunked) {
        peer.Write(kChunked);
        while (peer.Write(Chunk(std::string(10'000, 'x')))) {
        }
      } else {
        peer.Write("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
        while (peer.Write(std::string(10'000, 'x'))) {
        }
      }
      log.Add("closed");
    });
    CallOptions options = Soon();
    options.max_body_bytes = 100'000;
    const Result<Response> response = Plain(server.port())->Send({}, options);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, ErrorKind::kInternal);
    EXPECT_EQ(response.error().sent, Sent::kYes);
    EXPECT_TRUE(log.Await(1)) << "the connection stays open";
  }
}

TEST_P(TransportContract, ABodyOfExactlyTheBoundIsTaken) {
  TestServer server(AnswerAll(std::string(100'000, 'x')));
  CallOptions options = Soon();
  options.max_body_bytes = 100'000;
  const Result<Response> response = Plain(server.port())->Send({}, options);
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body.size(), 100'000U);
}

TEST_P(TransportContract, StreamsOnTheCallersThreadAsTheDataComes) {
  Log log;
  TestServer server([&](Peer& peer) {
    (void)peer.ReadRequest();
    peer.Write(std::string(kChunked) + Chunk("one"));
    log.Await(1);  // goes on only when the first chunk has arrived over there
    peer.Write(Chunk("two") + "0\r\n\r\n");
  });
  Recorder sink;
  sink.on_data = [&]() -> Result<void> {
    log.Add(sink.body);
    return {};
  };
  const Result<void> done = Plain(server.port())->Stream({}, Soon(), sink);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(sink.status, 200);
  EXPECT_THAT(log.texts(), testing::ElementsAre("one", "onetwo"));
  EXPECT_EQ(sink.thread, std::this_thread::get_id());
}

TEST_P(TransportContract, ASlowSinkHoldsTheServerUp) {
  const std::string body(std::size_t{64} << 20, 'x');
  Log log;
  TestServer server([&](Peer& peer) {
    (void)peer.ReadRequest();
    peer.Write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
    const std::size_t taken = peer.WriteUntilHeldUp(body, milliseconds(100));
    log.Add(std::to_string(taken));
    peer.Write(std::string_view(body).substr(taken));
  });
  Recorder sink;
  std::size_t received = 0;
  sink.on_data = [&]() -> Result<void> {
    log.Await(1);  // the first piece stays here until the server can send no more
    received += std::exchange(sink.body, {}).size();
    return {};
  };
  const Result<void> done = Plain(server.port())->Stream({}, Soon(), sink);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(received, body.size());
  // What the sockets of both sides and our buffer hold; loopback's grow to 6 MB or so.
  EXPECT_LT(std::stoul(log.texts().at(0)), std::size_t{24} << 20);
}

TEST_P(TransportContract, ALargeBodyArrivesWhole) {
  std::string body;
  for (int i = 0; body.size() < (std::size_t{8} << 20); ++i) body += std::to_string(i);
  for (const std::size_t chunk_size : {1'000UL, 300'000UL, 3'000'000UL}) {  // 64 KiB are buffered
    TestServer server([&](Peer& peer) {
      (void)peer.ReadRequest();
      peer.Write(kChunked);
      for (std::size_t at = 0; at < body.size(); at += chunk_size) {
        peer.Write(Chunk(std::string_view(body).substr(at, chunk_size)));
      }
      peer.Write("0\r\n\r\n");
    });
    const Result<Response> response = Plain(server.port())->Send({}, Soon());
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, body);
  }
}

TEST_P(TransportContract, ALargeRequestArrivesWhole) {
  TestServer server([](Peer& peer) {
    for (std::string request; !(request = peer.ReadRequest()).empty();) {
      peer.Answer(std::to_string(request.size() - request.find("\r\n\r\n") - 4));
    }
  });
  const auto transport = Plain(server.port());
  for (const Method method : {Method::kPut, Method::kPost}) {
    const Result<Response> response =
        transport->Send({.method = method, .body = std::string(3'000'000, 'x')}, Soon());
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, "3000000");
  }
}

TEST_P(TransportContract, TheSinksErrorEndsTheCall) {
  Log log;
  TestServer server([&](Peer& peer) {
    (void)peer.ReadRequest();
    peer.Write(kChunked);
    while (peer.Write(Chunk(std::string(100'000, 'x')))) {
    }
    log.Add("closed");
  });
  const auto transport = Plain(server.port());
  const auto fail = [] { return base::Fail(ErrorKind::kGone, "enough"); };
  Recorder first;
  first.on_head = fail;
  Recorder second;
  second.on_data = fail;
  for (Recorder* sink : {&first, &second}) {
    const Result<void> done = transport->Stream({}, Soon(), *sink);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::kGone);
    EXPECT_EQ(done.error().message, "enough");
  }
  EXPECT_EQ(first.body, "");
  EXPECT_TRUE(log.Await(2));
}

// --- Stops ---

TEST_P(TransportContract, AStopEndsAWaitingCall) {
  Log log;
  TestServer server([&](Peer& peer) {
    log.Add(peer.ReadRequest());
    peer.WaitUntilClosed();
    log.Add("closed");
  });
  std::stop_source stop;
  std::jthread stopper([&] {
    log.Await(1);
    stop.request_stop();
  });
  CallOptions options = Soon();
  options.stop = stop.get_token();
  const auto transport = Plain(server.port());
  const Result<Response> response = transport->Send({}, options);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(response.error().sent, Sent::kMaybe);
  EXPECT_TRUE(log.Await(2));
}

// On a connection that is open already, and so would take a request at once.
TEST_P(TransportContract, AfterAStopOrTheDeadlineNothingIsSentAnyMore) {
  Log log;
  TestServer server(AnswerAndLog(log));
  const auto transport = Plain(server.port());
  std::stop_source stop;
  stop.request_stop();
  CallOptions stopped = Soon();
  stopped.stop = stop.get_token();
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(transport->Send({.target = "/open"}, Soon()));
    for (const Method method : {Method::kGet, Method::kPost}) {
      const Request request{.method = method, .target = "/late"};
      const Result<Response> cancelled = transport->Send(request, stopped);
      ASSERT_FALSE(cancelled);
      EXPECT_EQ(cancelled.error().kind, ErrorKind::kCancelled);
      EXPECT_EQ(cancelled.error().sent, Sent::kNo);
      Recorder sink;
      const Result<void> late = transport->Stream(request, Within(milliseconds(0)), sink);
      ASSERT_FALSE(late);
      EXPECT_EQ(late.error().kind, ErrorKind::kRetry);
      EXPECT_EQ(late.error().sent, Sent::kNo);
      EXPECT_THAT(late.error().message, HasSubstr("the deadline passed"));
    }
  }
  EXPECT_THAT(log.texts(), testing::Each("GET /open"));
}

// A cancel that meets arriving data crashed the process when it came from another thread.
TEST_P(TransportContract, HundredsOfTlsStreamsCanBeStoppedWhileDataArrives) {
  TestServer server(
      [](Peer& peer) {
        (void)peer.ReadRequest();
        peer.Write(kChunked);
        const std::string chunk = Chunk(std::string(2'000, 'x'));
        while (peer.Write(chunk)) {
        }
      },
      &ServerTls());
  const auto transport = TrustedTls(server.port());
  std::atomic<int> stopped = 0;
  {
    std::vector<std::jthread> threads;
    for (int worker = 0; worker < 4; ++worker) {
      threads.emplace_back([&] {
        for (int i = 0; i < 75; ++i) {
          std::stop_source stop;
          CallOptions options = Soon();
          options.stop = stop.get_token();
          Log pieces;
          Recorder sink;
          sink.on_data = [&]() -> Result<void> {
            sink.body.clear();
            pieces.Add("piece");
            if (i % 3 == 0) stop.request_stop();
            return {};
          };
          std::jthread stopper([&] {
            if (i % 3 == 0) return;
            if (i % 3 == 2) pieces.Await(static_cast<std::size_t>(1 + i % 10));
            stop.request_stop();  // anywhere in the handshake or in the stream
          });
          const Result<void> done = transport->Stream({}, options, sink);
          if (!done && done.error().kind == ErrorKind::kCancelled) ++stopped;
        }
      });
    }
  }
  EXPECT_EQ(stopped, 300);
  // And the transport still works.
  std::stop_source stop;
  Recorder sink;
  sink.on_data = [&]() -> Result<void> { return base::Fail(ErrorKind::kGone, "works"); };
  const Result<void> done = transport->Stream({}, Soon(), sink);
  EXPECT_EQ(done.error().message, "works");
}

// --- TLS ---

TEST_P(TransportContract, VerifiesTheNameInTheHostHeaderNotTheAddress) {
  const TestTls tls{Ca().Issue("server", "DNS:api.test"), ""};
  Log log;
  TestServer server(
      [&](Peer& peer) {
        log.Add(peer.server_name());
        const std::string request = peer.ReadRequest();
        log.Add(Tight(request).substr(Tight(request).find("Host:"), 18));
        peer.Answer("hello");
      },
      &tls);
  const auto transport = Tls(server.port(), {.ca_pem = Ca().pem()}, "api.test:6443").value();
  const Result<Response> response = transport->Send({}, Soon());
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "hello");
  EXPECT_THAT(log.texts(), testing::ElementsAre("api.test", "Host:api.test:6443"));
}

TEST_P(TransportContract, TheGivenServerNameGoesBeforeTheHost) {
  const TestTls tls{Ca().Issue("server", "DNS:other.test"), ""};
  Log log;
  TestServer server(
      [&](Peer& peer) {
        log.Add(peer.server_name());
        (void)peer.ReadRequest();
        peer.Answer("hello");
      },
      &tls);
  const auto transport =
      Tls(server.port(), {.ca_pem = Ca().pem(), .server_name = "other.test"}).value();
  const Result<Response> response = transport->Send({}, Soon());
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_THAT(log.texts(), testing::ElementsAre("other.test"));
}

TEST_P(TransportContract, AnAddressIsVerifiedAsOneAndNotAnnounced) {
  Log log;
  TestServer server(
      [&](Peer& peer) {
        log.Add(peer.server_name());
        (void)peer.ReadRequest();
        peer.Answer("hello");
      },
      &ServerTls());
  const Result<Response> response =
      Tls(server.port(), {.ca_pem = Ca().pem()}, "").value()->Send({}, Soon());
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_THAT(log.texts(), testing::ElementsAre(""));
}

struct Untrusted {
  std::string_view what;
  TestCertificate certificate;
  std::string trusted_pem;
  std::string message;
};

TEST_P(TransportContract, RefusesServersThatItCannotTrust) {
  const TestCa other("other CA");
  const std::vector<Untrusted> cases = {
      {"another CA", other.Issue("api.test", "DNS:api.test"), Ca().pem(),
       "unable to get local issuer certificate"},
      {"no CA", Ca().Issue("api.test", "DNS:api.test"), "", "unable to get local issuer"},
      {"another name", Ca().Issue("api.test", "DNS:b.test,IP:127.0.0.1"), Ca().pem(),
       "ostname mismatch"},
      {"a common name only", Ca().Issue("api.test", ""), Ca().pem(), "ostname mismatch"},
  };
  for (const Untrusted& untrusted : cases) {
    const TestTls tls{untrusted.certificate, ""};
    Log log;
    TestServer server([&](Peer& peer) { log.Add(peer.ReadRequest()); }, &tls);
    const Result<Response> response =
        Tls(server.port(), {.ca_pem = untrusted.trusted_pem})
            .value()
            ->Send({.headers = {{"Authorization", "Bearer x"}}}, Soon());
    ASSERT_FALSE(response) << untrusted.what;
    EXPECT_EQ(response.error().kind, ErrorKind::kRetry) << untrusted.what;
    EXPECT_EQ(response.error().sent, Sent::kNo) << untrusted.what;
    EXPECT_EQ(response.error().reason, kReasonTls) << untrusted.what;
    EXPECT_THAT(response.error().message, HasSubstr("TLS handshake: certificate verify failed"));
    EXPECT_THAT(response.error().message, HasSubstr(untrusted.message)) << untrusted.what;
    for (const std::string& seen : log.texts()) EXPECT_EQ(seen, "");  // not one byte of it
  }
}

TEST_P(TransportContract, AServerCertificateThatIsItselfTrustedIsEnough) {
  const TestTls tls{Ca().Issue("server", "DNS:api.test"), ""};
  TestServer server(AnswerAll("hello"), &tls);
  const Result<Response> response =
      Tls(server.port(), {.ca_pem = tls.certificate.pem}).value()->Send({}, Soon());
  ASSERT_TRUE(response) << response.error().message;
}

TEST_P(TransportContract, OneOfSeveralNamesIsEnough) {
  const TestTls tls{Ca().Issue("server", "DNS:*.nodes.test"), ""};
  Log log;
  TestServer server(
      [&](Peer& peer) {
        log.Add(peer.server_name());
        (void)peer.ReadRequest();
        peer.Answer("hello");
      },
      &tls);
  const auto named = [&](std::vector<std::string> names) {
    const TlsSettings settings{
        .ca_pem = Ca().pem(), .server_name = "n0.test", .also_named = std::move(names)};
    return Tls(server.port(), settings).value()->Send({}, Soon());
  };
  const Result<Response> response = named({"b.test", "n0.nodes.test"});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_THAT(log.texts(), testing::ElementsAre("n0.test"));
  EXPECT_FALSE(named({"b.test", "n0.x.nodes.test"}));
}

TEST_P(TransportContract, TheServersOwnCertificateIsTrustedAsItIs) {
  const TestCa unknown;
  const TestTls tls{unknown.Issue("x", "DNS:elsewhere.test"), ""};
  TestServer server(AnswerAll("hello"), &tls);
  const std::string own = ReadCertificate(tls.certificate.pem).value().fingerprint;
  const auto transport = Tls(server.port(), {.own_certificate = own}).value();
  const Result<Response> response = transport->Send({}, Soon());
  ASSERT_TRUE(response) << response.error().message;
  // And no other of the same names.
  const std::string other =
      ReadCertificate(unknown.Issue("x", "DNS:elsewhere.test").pem).value().fingerprint;
  EXPECT_FALSE(Tls(server.port(), {.own_certificate = other}).value()->Send({}, Soon()));
  const TlsSettings before{.own_certificate = other, .earlier_certificate = own};
  EXPECT_TRUE(Tls(server.port(), before).value()->Send({}, Soon()));
}

TEST_P(TransportContract, InsecureMeansAnyServer) {
  const TestCa other;
  const TestTls tls{other.Issue("x", "DNS:x.test"), ""};
  TestServer server(AnswerAll("hello"), &tls);
  const Result<Response> response =
      Tls(server.port(), {.insecure = true}).value()->Send({}, Soon());
  ASSERT_TRUE(response) << response.error().message;
}

TEST_P(TransportContract, ShowsItsClientCertificate) {
  const TestTls tls{Ca().Issue("server", "DNS:api.test"), Ca().pem()};
  TestServer server(
      [](Peer& peer) {
        (void)peer.ReadRequest();
        peer.Answer(peer.client_name());
      },
      &tls);
  const TestCertificate client = Ca().Issue("operator", "");
  const Result<Response> response =
      Tls(server.port(), {.ca_pem = Ca().pem(),
                          .client_certificate_pem = client.pem,
                          .client_key_pem = base::Secret(client.key_pem)})
          .value()
          ->Send({}, Soon());
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "operator");
}

TEST_P(TransportContract, SaysThatTheServerWantsACertificate) {
  const TestTls tls{Ca().Issue("server", "DNS:api.test"), Ca().pem()};
  TestServer server(AnswerAll("hello"), &tls);
  const Result<Response> response = TrustedTls(server.port())->Send({}, Soon());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kRetry);
}

TEST_P(TransportContract, APlainServerIsAnError) {
  TestServer server([](Peer& peer) {
    (void)peer.ReadSome();
    peer.Write("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  });
  const Result<Response> response = TrustedTls(server.port())->Send({}, Soon());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().sent, Sent::kNo);
  EXPECT_THAT(response.error().message, HasSubstr("TLS handshake: "));
}

TEST_P(TransportContract, ACutStreamIsAnError) {
  TestServer server(
      [](Peer& peer) {
        (void)peer.ReadRequest();
        peer.Write(std::string(kChunked) + Chunk("hello"));
      },
      &ServerTls());
  Recorder sink;
  const Result<void> done = TrustedTls(server.port())->Stream({}, Soon(), sink);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::kRetry);
  EXPECT_EQ(sink.body, "hello");
}

TEST_P(TransportContract, RefusesSettingsThatCannotWork) {
  const TestCertificate client = Ca().Issue("operator", "");
  const TestCertificate other = Ca().Issue("other", "");
  const std::vector<TlsSettings> cases = {
      {.ca_pem = "no certificate"},
      {.ca_pem = Ca().pem().substr(0, 200)},
      {.client_certificate_pem = client.pem},
      {.client_certificate_pem = client.pem, .client_key_pem = base::Secret("no key")},
      {.client_certificate_pem = client.pem, .client_key_pem = base::Secret(other.key_pem)},
      {.client_certificate_pem = "x", .client_key_pem = base::Secret(client.key_pem)},
      {.client_key_pem = base::Secret(client.key_pem)},
  };
  for (const TlsSettings& settings : cases) {
    const auto made = Tls(443, settings);
    ASSERT_FALSE(made) << settings.ca_pem;
    EXPECT_EQ(made.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(made.error().message, StartsWith("TLS: "));
  }
}

}  // namespace
}  // namespace rabbit::http
