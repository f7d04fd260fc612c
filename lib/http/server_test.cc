#include "http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <future>
#include <latch>
#include <thread>

#include "http/beast_transport.h"
#include "http/stream.h"
#include "http/test_support.h"

namespace rabbit::http {
namespace {

using base::ErrorKind;
using base::Result;
using std::chrono::milliseconds;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A client that sends whatever a test wants.
class RawClient {
 public:
  explicit RawClient(const Server& server)
      : stream_(Stream::Connect({false, "127.0.0.1", server.port(), ""}, nullptr, {InTime(), {}})
                    .value()) {}

  bool Write(std::string_view bytes) { return stream_->Write(bytes, {InTime(), {}}).has_value(); }
  // What comes until there is `end` in it, or the connection ends.
  std::string ReadTo(std::string_view end) {
    std::string text;
    std::array<char, 4096> bytes{};
    while (text.find(end) == std::string::npos) {
      const Result<std::size_t> got = stream_->Read(bytes.data(), bytes.size(), {InTime(), {}});
      if (!got || *got == 0) break;
      text.append(bytes.data(), *got);
    }
    return text;
  }
  std::string ReadToEnd() { return ReadTo("\x01 never sent"); }
  std::string Ask(std::string_view request, std::string_view end) {
    Write(request);
    return ReadTo(end);
  }
  void HangUp() { stream_.reset(); }

 private:
  std::unique_ptr<Stream> stream_;
};

std::unique_ptr<Server> Serve(Handler handler, ServerOptions options = {}) {
  options.address = "127.0.0.1";
  return Server::Start(options, std::move(handler)).value();
}

void Hello(const Request& request, ResponseWriter& writer) {
  (void)writer.Send(
      {200,
       {{"Content-Type", "text/plain"}},
       std::string(Name(request.method)) + " " + request.target + " " + request.body});
}

std::unique_ptr<Transport> To(const Server& server) {
  return MakeBeastTransport({false, "127.0.0.1", server.port(), ""}).value();
}

constexpr std::string_view kGet = "GET /x HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view kAnswer = "GET /x ";

TEST(Server, AnswersEachMethod) {
  const auto server = Serve(Hello);
  for (const Method method :
       {Method::kGet, Method::kPost, Method::kPut, Method::kPatch, Method::kDelete}) {
    const Result<Response> response =
        To(*server)->Send({.method = method, .target = "/a?b=c", .body = "body"}, Soon());
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->body, std::string(Name(method)) + " /a?b=c body");
    EXPECT_EQ(FindHeader(response->headers, "Content-Type"), "text/plain");
  }
}

TEST(Server, AHeadGetsTheLengthButNoBody) {
  const auto server = Serve(Hello);
  RawClient client(*server);
  client.Write("HEAD /x HTTP/1.1\r\nConnection: close\r\n\r\n");
  const std::string answer = client.ReadToEnd();
  EXPECT_THAT(answer, HasSubstr("Content-Length: 8\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST(Server, KeepsAConnectionForManyRequests) {
  const auto server = Serve(Hello);
  RawClient client(*server);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(client.Ask(kGet, kAnswer), StartsWith("HTTP/1.1 200 OK\r\n"));
  }
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  const auto server = Serve(Hello);
  RawClient client(*server);
  client.Write(
      "GET /1 HTTP/1.1\r\n\r\nPUT /2 HTTP/1.1\r\nContent-Length: 2\r\n\r\nabGET /3 HTTP/1.1"
      "\r\nConnection: close\r\n\r\n");
  const std::string answers = client.ReadToEnd();
  EXPECT_THAT(answers, testing::ContainsRegex("GET /1 .*PUT /2 ab.*GET /3 "));
}

TEST(Server, ReadsARequestThatComesByteByByte) {
  const auto server = Serve(Hello);
  RawClient client(*server);
  for (const char c : kGet) client.Write({&c, 1});
  EXPECT_THAT(client.ReadTo(kAnswer), EndsWith(kAnswer));
}

TEST(Server, StreamsPiecesAsTheyAreWritten) {
  std::latch first_seen(1);
  const auto server = Serve([&](const Request&, ResponseWriter& writer) {
    EXPECT_TRUE(writer.Start({200, {{"Content-Type", "application/json"}}}));
    EXPECT_TRUE(writer.Write("one"));
    first_seen.wait();
    EXPECT_TRUE(writer.Write("two"));
  });
  Recorder sink;
  sink.on_data = [&]() -> Result<void> {
    if (sink.body == "one") first_seen.count_down();
    return {};
  };
  const Result<void> done = To(*server)->Stream({}, Soon(), sink);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(sink.body, "onetwo");
}

TEST(Server, ACutStreamIsSeenAsOne) {
  const auto server = Serve([](const Request&, ResponseWriter& writer) {
    (void)writer.Start({200, {}});
    (void)writer.Write("half");
    writer.Cut();
  });
  const Result<Response> response = To(*server)->Send({}, Soon());
  ASSERT_FALSE(response);
  EXPECT_THAT(response.error().message, HasSubstr("reading the body"));
}

TEST(Server, AnOldClientsStreamEndsWithTheConnection) {
  const auto server = Serve([](const Request&, ResponseWriter& writer) {
    (void)writer.Start({200, {}});
    (void)writer.Write("all of it");
  });
  RawClient client(*server);
  client.Write("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(client.ReadToEnd(), EndsWith("\r\n\r\nall of it"));
}

TEST(Server, NoAnswerAndAnExceptionAre500) {
  const auto server = Serve([](const Request& request, ResponseWriter& writer) {
    if (request.target == "/throw") throw std::runtime_error("bug");
    if (request.target == "/break") (void)writer.Send({200, {{"X", "a\r\nY: b"}}, ""});
  });
  for (const std::string target : {"/nothing", "/throw", "/break"}) {
    const Result<Response> response = To(*server)->Send({.target = target}, Soon());
    ASSERT_TRUE(response) << target << response.error().message;
    EXPECT_EQ(response->status, 500) << target;
  }
}

TEST(Server, AStatusWithoutABodyHasNone) {
  const auto server = Serve([](const Request&, ResponseWriter& writer) {
    (void)writer.Send({204, {}, "nobody sees it"});
  });
  RawClient client(*server);
  const std::string answer = client.Ask("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "\x01");
  EXPECT_EQ(answer, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
}

TEST(Server, RefusesWhatIsTooLongOrNoRequest) {
  const auto server = Serve(Hello, {.max_header_bytes = 1'000, .max_body_bytes = 100});
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"nonsense\r\n\r\n", "400"},
      {"OPTIONS / HTTP/1.1\r\n\r\n", "501"},
      {"GET / HTTP/1.1\r\nX: " + std::string(2'000, 'x') + "\r\n\r\n", "431"},
      {"PUT / HTTP/1.1\r\nContent-Length: 101\r\n\r\n" + std::string(101, 'x'), "413"},
      {"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + Chunk(std::string(101, 'x')),
       "413"},
      {"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(1'001, 'x'), "431"},
      {"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + std::string(1'001, 'x'),
       "431"},
  };
  for (const auto& [request, status] : cases) {
    RawClient client(*server);
    client.Write(request);
    EXPECT_THAT(client.ReadToEnd(), StartsWith("HTTP/1.1 " + status + " ")) << request;
  }
  RawClient client(*server);
  EXPECT_THAT(client.Ask(kGet, kAnswer), HasSubstr("200 OK"));
}

TEST(Server, GrantsAnExpectation) {
  const auto server = Serve(Hello);
  RawClient client(*server);
  EXPECT_EQ(client.Ask("PUT /x HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
                       "\r\n\r\n"),
            "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_THAT(client.Ask("ab", "PUT /x ab"), StartsWith("HTTP/1.1 200 OK"));
}

// --- Clients that take their time ---

TEST(Server, SlowSendersTakeNoThread) {
  const auto server = Serve(Hello, {.max_threads = 1});
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 10; ++i) {
    slow.push_back(std::make_unique<RawClient>(*server));
    slow.back()->Write(i % 2 == 0 ? "GET /x HT"
                                  : "PUT /x HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc");
  }
  RawClient client(*server);
  EXPECT_THAT(client.Ask(kGet, kAnswer), HasSubstr("200 OK"));
}

TEST(Server, LeavesSendersThatTakeTooLongAndIdleOnes) {
  const auto server =
      Serve(Hello, {.idle_timeout = milliseconds(50), .read_timeout = milliseconds(50)});
  RawClient half(*server);
  half.Write("GET /x HT");
  EXPECT_EQ(half.ReadToEnd(), "");
  RawClient silent(*server);
  EXPECT_EQ(silent.ReadToEnd(), "");
  RawClient idle(*server);
  EXPECT_THAT(idle.Ask(kGet, kAnswer), HasSubstr("200 OK"));
  EXPECT_EQ(idle.ReadToEnd(), "");
}

TEST(Server, LeavesReadersThatTakeTooLong) {
  std::promise<void> failed;
  const auto server = Serve(
      [&](const Request&, ResponseWriter& writer) {
        (void)writer.Start({200, {}});
        const std::string data(100'000, 'x');
        while (writer.Write(data)) {
        }
        failed.set_value();
      },
      {.write_timeout = milliseconds(50)});
  RawClient client(*server);
  client.Write(kGet);
  // Without reading a byte.
  EXPECT_EQ(failed.get_future().wait_until(InTime()), std::future_status::ready);
}

TEST(Server, BoundsItsConnections) {
  const auto server = Serve(Hello, {.max_connections = 2, .spared = std::chrono::hours(1)});
  auto first = std::make_unique<RawClient>(*server);
  RawClient second(*server);
  EXPECT_THAT(first->Ask(kGet, kAnswer), HasSubstr("200 OK"));
  EXPECT_THAT(second.Ask(kGet, kAnswer), HasSubstr("200 OK"));
  RawClient third(*server);  // in the kernel's queue
  third.Write(kGet);
  EXPECT_THAT(second.Ask(kGet, kAnswer), HasSubstr("200 OK"));
  first->HangUp();
  EXPECT_THAT(third.ReadTo(kAnswer), HasSubstr("200 OK"));
}

TEST(Server, AConnectionTooManyTakesThePlaceOfTheOneThatWasSilentLongest) {
  const auto server = Serve(Hello, {.max_connections = 3, .spared = milliseconds(50)});
  RawClient silent(*server);
  RawClient half(*server);
  RawClient used(*server);
  half.Write("GET /x HT");
  EXPECT_THAT(used.Ask(kGet, kAnswer), HasSubstr("200 OK"));
  RawClient probe(*server);
  EXPECT_THAT(probe.Ask(kGet, kAnswer), HasSubstr("200 OK"));
  EXPECT_EQ(silent.ReadToEnd(), "");
  EXPECT_THAT(used.Ask(kGet, kAnswer), HasSubstr("200 OK"));
  RawClient next(*server);  // half a request is no shelter
  EXPECT_THAT(next.Ask(kGet, kAnswer), HasSubstr("200 OK"));
  EXPECT_EQ(half.ReadToEnd(), "");
}

TEST(Server, IdleConnectionsDoNotKeepAProbeOut) {
  const auto server = Serve(Hello);
  std::vector<std::unique_ptr<RawClient>> idle;
  for (int i = 0; i < 100; ++i) idle.push_back(std::make_unique<RawClient>(*server));
  // Sooner than the idle ones are left by themselves.
  EXPECT_TRUE(To(*server)->Send({.target = "/readyz"}, Within(milliseconds(5'000))));
}

TEST(Server, AConnectionThatIsBeingAnsweredKeepsItsPlace) {
  std::latch started(1);
  std::latch go_on(1);
  const auto server = Serve(
      [&](const Request& request, ResponseWriter& writer) {
        if (request.target == "/slow") {
          started.count_down();
          go_on.wait();
        }
        Hello(request, writer);
      },
      {.max_connections = 2, .spared = milliseconds(0)});
  RawClient slow(*server);
  slow.Write("GET /slow HTTP/1.1\r\n\r\n");
  started.wait();
  RawClient idle(*server);
  RawClient probe(*server);
  EXPECT_THAT(probe.Ask(kGet, kAnswer), HasSubstr("200 OK"));
  EXPECT_EQ(idle.ReadToEnd(), "");
  go_on.count_down();
  EXPECT_THAT(slow.ReadTo("GET /slow"), HasSubstr("200 OK"));
}

TEST(Server, RunsHandlersAtOnceUpToItsThreads) {
  std::latch both(2);
  const auto server = Serve(
      [&](const Request&, ResponseWriter& writer) {
        both.arrive_and_wait();
        (void)writer.Send({200, {}, "done"});
      },
      {.max_threads = 2});
  RawClient first(*server);
  RawClient second(*server);
  first.Write(kGet);
  second.Write(kGet);
  EXPECT_THAT(first.ReadTo("done"), HasSubstr("200 OK"));
  EXPECT_THAT(second.ReadTo("done"), HasSubstr("200 OK"));
}

// A handler that waits for its stop token, as a watch does.
struct Waiter {
  std::latch started{1};
  std::promise<void> stopped;
  Handler handler() {
    return [this](const Request&, ResponseWriter& writer) {
      (void)writer.Start({200, {}});
      started.count_down();
      base::Mutex mutex;
      base::CondVar never;
      const base::MutexLock lock(mutex);
      const std::stop_token stop = writer.stop();
      while (!stop.stop_requested()) never.WaitUntil(mutex, stop, InTime());
      stopped.set_value();
    };
  }
};

TEST(Server, TellsAWaitingHandlerThatItsClientHungUp) {
  Waiter waiter;
  const auto server = Serve(waiter.handler());
  RawClient client(*server);
  client.Write(kGet);
  waiter.started.wait();
  client.HangUp();
  EXPECT_EQ(waiter.stopped.get_future().wait_until(InTime()), std::future_status::ready);
}

// --- Stopping ---

TEST(Server, StopEndsWaitingHandlersAndIdleConnections) {
  Waiter waiter;
  const auto server = Serve(waiter.handler());
  RawClient watching(*server);
  RawClient idle(*server);
  watching.Write(kGet);
  waiter.started.wait();
  EXPECT_TRUE(server->Stop(std::chrono::seconds(20)));
  EXPECT_THAT(watching.ReadToEnd(), EndsWith("0\r\n\r\n"));  // an orderly end
  EXPECT_EQ(idle.ReadToEnd(), "");
  EXPECT_FALSE(Stream::Connect({false, "127.0.0.1", server->port(), ""}, nullptr, {InTime(), {}}));
  EXPECT_TRUE(server->Stop(milliseconds(1)));  // again is fine
}

TEST(Server, StopLetsARunningHandlerFinish) {
  std::latch started(1);
  std::latch go_on(1);
  const auto server = Serve([&](const Request&, ResponseWriter& writer) {
    started.count_down();
    go_on.wait();
    (void)writer.Send({200, {}, "done"});
  });
  RawClient client(*server);
  client.Write(kGet);
  started.wait();
  std::jthread stopping([&] { EXPECT_TRUE(server->Stop(std::chrono::seconds(20))); });
  go_on.count_down();
  EXPECT_THAT(client.ReadToEnd(), EndsWith("done"));
}

TEST(Server, StopCutsWhatDoesNotFinish) {
  std::latch started(1);
  const auto server = Serve(
      [&](const Request&, ResponseWriter& writer) {
        (void)writer.Start({200, {}});
        started.count_down();
        const std::string data(1 << 20, 'x');
        while (writer.Write(data)) {  // blocks: nobody reads
        }
      },
      {.write_timeout = std::chrono::seconds(60)});
  RawClient client(*server);
  client.Write(kGet);
  started.wait();
  EXPECT_TRUE(server->Stop(milliseconds(100)));
}

TEST(Server, StopSaysWhenAHandlerDoesNotReturn) {
  std::latch started(1);
  std::latch go_on(1);
  const auto server = Serve([&](const Request&, ResponseWriter&) {
    started.count_down();
    go_on.wait();
  });
  RawClient client(*server);
  client.Write(kGet);
  started.wait();
  EXPECT_FALSE(server->Stop(milliseconds(10)));
  go_on.count_down();
  EXPECT_TRUE(server->Stop(std::chrono::seconds(20)));
}

TEST(Server, SaysWhyItCannotListen) {
  const auto server = Serve(Hello);
  const auto second = Server::Start({.address = "127.0.0.1", .port = server->port()}, Hello);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(second.error().message,
              HasSubstr("port " + std::to_string(server->port()) + ": Address already in use"));
  const auto nowhere = Server::Start({.address = "localhost"}, Hello);
  ASSERT_FALSE(nowhere);
  EXPECT_THAT(nowhere.error().message, HasSubstr("not an IP address"));
}

TEST(Server, ServesManyClientsAtOnce) {
  const auto server = Serve(Hello);
  std::atomic<int> good = 0;
  {
    std::vector<std::jthread> clients;
    for (int i = 0; i < 16; ++i) {
      clients.emplace_back([&] {
        RawClient client(*server);
        for (int n = 0; n < 50; ++n) {
          if (!client.Ask(kGet, kAnswer).empty()) ++good;
        }
      });
    }
  }
  EXPECT_EQ(good, 800);
}

}  // namespace
}  // namespace rabbit::http
