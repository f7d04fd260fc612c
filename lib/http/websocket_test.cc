#include "http/websocket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "http/test_support.h"
#include "http/websocket_frame.h"

namespace rabbit::http {
namespace {

using base::ErrorKind;
using base::Result;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kProtocol = "v5.channel.k8s.io";

// --- The server's side: raw bytes, so that it can also do wrong ---

std::string FieldOf(const std::string& request, const std::string& name) {
  const std::size_t start = request.find("\r\n" + name + ": ") + name.size() + 4;
  return request.substr(start, request.find("\r\n", start) - start);
}

std::string Upgrade(const std::string& request, const std::string& protocol = kProtocol) {
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: " +
         AcceptFor(FieldOf(request, "Sec-WebSocket-Key")) +
         "\r\nSec-WebSocket-Protocol: " + protocol + "\r\n\r\n";
}

// A server's frame: not masked.
std::string Frame(int first, std::string_view payload) {
  std::string frame = EncodeFrame(Opcode::kBinary, payload, {});
  const std::size_t header = payload.size() <= 125 ? 2 : payload.size() <= 65'535 ? 4 : 10;
  frame[0] = static_cast<char>(first);
  frame[1] = static_cast<char>(frame[1] & 0x7f);
  return frame.erase(header, 4);
}
constexpr int kBinaryFrame = 0x82;
constexpr int kPingFrame = 0x89;
constexpr int kCloseFrame = 0x88;
const std::string kCloseOk = Frame(kCloseFrame,
                                   "\x03\xe8"
                                   "bye");

// The client's next frame: its first byte, a blank, and its payload without the mask.
std::string NextFrame(Peer& peer, std::string& unread) {
  const auto need = [&](std::size_t size) {
    while (unread.size() < size) {
      const std::string more = peer.ReadSome();
      if (more.empty()) return false;
      unread += more;
    }
    return true;
  };
  if (!need(2)) return "gone";
  const auto byte = [&](std::size_t at) {
    return static_cast<std::size_t>(static_cast<unsigned char>(unread[at]));
  };
  std::size_t size = byte(1) & 0x7f;
  std::size_t start = 2;
  if (size >= 126) {
    const std::size_t count = size == 126 ? 2 : 8;
    if (!need(2 + count)) return "gone";
    size = 0;
    for (std::size_t i = 0; i < count; ++i) size = size << 8 | byte(start++);
  }
  if (!need(start + 4 + size)) return "gone";
  std::string frame = std::to_string(byte(0)) + " ";
  for (std::size_t i = 0; i < size; ++i) {
    frame += static_cast<char>(byte(start + 4 + i) ^ byte(start + i % 4));
  }
  unread.erase(0, start + 4 + size);
  return frame;
}

// --- The client's side ---

WebSocketRequest ExecRequest() {
  return {.target = "/exec?command=sh",
          .headers = {{"Authorization", "Bearer x"}},
          .protocols = {kProtocol, "v4.channel.k8s.io"}};
}
Result<WebSocketAnswer> Connect(const TestServer& server,
                                const WebSocketRequest& request = ExecRequest()) {
  return ConnectWebSocket({false, "127.0.0.1", server.port(), "api.test"}, {}, request, InTime(),
                          {});
}
std::unique_ptr<WebSocket> Open(const TestServer& server,
                                const WebSocketRequest& request = ExecRequest()) {
  Result<WebSocketAnswer> answer = Connect(server, request);
  EXPECT_TRUE(answer) << (answer ? "" : answer.error().message);
  return std::move(answer->socket);
}
std::string Told(const Result<WebSocket::Event>& event) {
  if (!event) return "error: " + event.error().message;
  if (const auto* message = std::get_if<WebSocket::Message>(&*event)) return message->data;
  const auto& closed = std::get<WebSocket::Closed>(*event);
  return "closed " + std::to_string(closed.code) + " " + closed.reason;
}
std::string Next(WebSocket& socket) { return Told(socket.Receive(InTime(), {})); }

// Upgrades, and sends `bytes` in the same segment.
TestServer::Script SendAfterUpgrade(std::string bytes) {
  return [bytes = std::move(bytes)](Peer& peer) {
    peer.Write(Upgrade(peer.ReadRequest()) + bytes);
    peer.WaitUntilClosed();
  };
}

TEST(WebSocket, AsksForTheUpgradeAsKubernetesWantsIt) {
  Log log;
  TestServer server([&](Peer& peer) {
    log.Add(peer.ReadRequest());
    peer.Write(Upgrade(log.texts().at(0)));
  });
  const auto socket = Open(server);
  ASSERT_NE(socket, nullptr);
  EXPECT_EQ(socket->protocol(), kProtocol);
  const std::string request = log.texts().at(0);
  EXPECT_THAT(request, testing::StartsWith("GET /exec?command=sh HTTP/1.1\r\nHost: api.test\r\n"));
  EXPECT_EQ(FieldOf(request, "Upgrade"), "websocket");
  EXPECT_EQ(FieldOf(request, "Connection"), "Upgrade");
  EXPECT_EQ(FieldOf(request, "Sec-WebSocket-Version"), "13");
  EXPECT_EQ(FieldOf(request, "Sec-WebSocket-Protocol"), "v5.channel.k8s.io, v4.channel.k8s.io");
  EXPECT_EQ(FieldOf(request, "Authorization"), "Bearer x");
}

TEST(WebSocket, CarriesMessagesBothWaysAndCloses) {
  for (const bool tls : {false, true}) {
    Log log;
    TestServer server(
        [&](Peer& peer) {
          std::string unread;
          peer.Write(Upgrade(peer.ReadRequest()));
          log.Add(NextFrame(peer, unread));
          peer.Write(Frame(kBinaryFrame, "\x01hello") + Frame(kBinaryFrame, "\x01"));
          peer.Write(Frame(kBinaryFrame, std::string(40'000, 'x')) + kCloseOk);
          log.Add(NextFrame(peer, unread));
        },
        tls ? &ServerTls() : nullptr);
    Result<WebSocketAnswer> answer =
        ConnectWebSocket({tls, "127.0.0.1", server.port(), "api.test"}, {.ca_pem = Ca().pem()},
                         ExecRequest(), InTime(), {});
    ASSERT_TRUE(answer) << answer.error().message;
    WebSocket& socket = *answer->socket;
    ASSERT_TRUE(socket.Send(std::string("\0in", 3), InTime(), {}));
    EXPECT_EQ(Next(socket), "\x01hello");
    EXPECT_EQ(Next(socket), "\x01");  // Kubernetes begins with one without a payload
    EXPECT_EQ(Next(socket), std::string(40'000, 'x'));
    EXPECT_EQ(Next(socket), "closed 1000 bye");
    ASSERT_TRUE(log.Await(2));
    EXPECT_THAT(log.texts(), ElementsAre(std::string("130 \0in", 7), "136 \x03\xe8"));
  }
}

TEST(WebSocket, SendsEachMessageAsOneFrame) {
  Log log;
  TestServer server([&](Peer& peer) {
    std::string unread;
    peer.Write(Upgrade(peer.ReadRequest()));
    for (int i = 0; i < 3; ++i) log.Add(NextFrame(peer, unread));
  });
  const auto socket = Open(server);
  for (const std::size_t size : {0U, 32'769U, 300'000U}) {
    ASSERT_TRUE(socket->Send(std::string(size, 'x'), InTime(), {}));
  }
  ASSERT_TRUE(log.Await(3));
  EXPECT_THAT(log.texts(), ElementsAre("130 ", "130 " + std::string(32'769, 'x'),
                                       "130 " + std::string(300'000, 'x')));
}

TEST(WebSocket, AnswersPingsAndPutsPiecesTogether) {
  Log log;
  TestServer server([&](Peer& peer) {
    std::string unread;
    peer.Write(Upgrade(peer.ReadRequest()));
    peer.Write(Frame(0x02, "one ") + Frame(kPingFrame, "still there?") + Frame(0x8a, "") +
               Frame(0x00, "two ") + Frame(0x80, "three"));
    log.Add(NextFrame(peer, unread));
    peer.WaitUntilClosed();
  });
  const auto socket = Open(server);
  EXPECT_EQ(Next(*socket), "one two three");
  ASSERT_TRUE(log.Await(1));
  EXPECT_THAT(log.texts(), ElementsAre("138 still there?"));
}

TEST(WebSocket, ReceivesFramesThatComeByteByByte) {
  TestServer server([](Peer& peer) {
    const std::string bytes = Upgrade(peer.ReadRequest()) + Frame(kBinaryFrame, "hello") + kCloseOk;
    for (const char c : bytes) peer.Write({&c, 1});
    peer.WaitUntilClosed();
  });
  const auto socket = Open(server);
  EXPECT_EQ(Next(*socket), "hello");
  EXPECT_EQ(Next(*socket), "closed 1000 bye");
}

TEST(WebSocket, SaysGoodbyeAndHearsTheAnswer) {
  Log log;
  TestServer server([&](Peer& peer) {
    std::string unread;
    peer.Write(Upgrade(peer.ReadRequest()));
    log.Add(NextFrame(peer, unread));
    peer.Write(Frame(kBinaryFrame, "late") + Frame(kCloseFrame, "\x03\xe8"));
    log.Add(NextFrame(peer, unread));
  });
  auto socket = Open(server);
  ASSERT_TRUE(socket->Close(1000, InTime()));
  ASSERT_TRUE(socket->Close(1000, InTime()));  // once is enough
  EXPECT_EQ(Next(*socket), "late");
  EXPECT_EQ(Next(*socket), "closed 1000 ");
  socket.reset();
  ASSERT_TRUE(log.Await(2));
  EXPECT_THAT(log.texts(), ElementsAre("136 \x03\xe8", "gone"));
}

// --- Refused ---

TEST(WebSocket, ARefusedUpgradeGivesStatusAndBody) {
  for (const std::string& answer : std::vector<std::string>{
           "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: "
           "9\r\n\r\nno "
           "such p",
           "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n\r\nno such p",
           "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked"
           "\r\n\r\n9\r\nno such p\r\n0\r\n\r\n",
           // cut: half is better than nothing
           "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: "
           "99\r\n\r\nno "
           "such p"}) {
    TestServer server([&](Peer& peer) {
      (void)peer.ReadRequest();
      peer.Write(answer);
    });
    const Result<WebSocketAnswer> refused = Connect(server);
    ASSERT_TRUE(refused) << refused.error().message;
    EXPECT_EQ(refused->socket, nullptr);
    EXPECT_EQ(refused->refused.status, 404);
    EXPECT_EQ(refused->refused.body, "no such p");
    EXPECT_EQ(FindHeader(refused->refused.headers, "content-type"), "application/json");
  }
}

TEST(WebSocket, TheBodyOfARefusalIsBounded) {
  TestServer server([](Peer& peer) {
    (void)peer.ReadRequest();
    peer.Write("HTTP/1.1 500 Internal Server Error\r\n\r\n");
    while (peer.Write(std::string(10'000, 'x'))) {
    }
  });
  const Result<WebSocketAnswer> refused = Connect(server);
  ASSERT_TRUE(refused) << refused.error().message;
  EXPECT_EQ(refused->refused.body.size(), 65'536U);
}

TEST(WebSocket, AnUpgradeThatBreaksTheProtocolIsAnError) {
  const std::vector<std::pair<std::string, std::string>> replacements = {
      {"Upgrade: websocket", "Upgrade: spdy/3.1"},
      {"Connection: Upgrade", "Connection: close"},
      {"Sec-WebSocket-Accept: ", "Sec-WebSocket-Accept: x"},
      {"Sec-WebSocket-Protocol: v5", "Sec-WebSocket-Protocol: v3"},
      {"\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"},
  };
  for (const auto& [from, to] : replacements) {
    TestServer server([&, from = from, to = to](Peer& peer) {
      std::string answer = Upgrade(peer.ReadRequest());
      peer.Write(answer.replace(answer.find(from), from.size(), to));
    });
    const Result<WebSocketAnswer> answer = Connect(server);
    ASSERT_FALSE(answer) << to;
    EXPECT_EQ(answer.error().kind, ErrorKind::kInternal);
    EXPECT_THAT(answer.error().message, HasSubstr("upgrading to a WebSocket: an upgrade"));
  }
}

TEST(WebSocket, TlsTrustIsAsEverywhere) {
  TestServer server(SendAfterUpgrade(""), &ServerTls());
  const Endpoint endpoint{true, "127.0.0.1", server.port(), "other.test"};
  const Result<WebSocketAnswer> answer =
      ConnectWebSocket(endpoint, {.ca_pem = Ca().pem()}, ExecRequest(), InTime(), {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().sent, base::Sent::kNo);
  EXPECT_THAT(answer.error().message, HasSubstr("ostname mismatch"));
}

// --- Faults of an open socket ---

TEST(WebSocket, AnEndWithoutACloseIsAnError) {
  TestServer server([](Peer& peer) {
    peer.Write(Upgrade(peer.ReadRequest()) + Frame(kBinaryFrame, "hello") + "\x82");
  });
  const auto socket = Open(server);
  EXPECT_EQ(Next(*socket), "hello");
  const Result<WebSocket::Event> event = socket->Receive(InTime(), {});
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().kind, ErrorKind::kRetry);
}

TEST(WebSocket, AMessageOverTheBoundIsAnError) {
  for (const std::string& bytes :
       {Frame(kBinaryFrame, std::string(101, 'x')),
        Frame(0x02, std::string(60, 'x')) + Frame(0x80, std::string(60, 'x'))}) {
    TestServer server(SendAfterUpgrade(bytes));
    WebSocketRequest request = ExecRequest();
    request.max_message_bytes = 100;
    const Result<WebSocket::Event> event = Open(server, request)->Receive(InTime(), {});
    ASSERT_FALSE(event);
    EXPECT_EQ(event.error().kind, ErrorKind::kInternal);
  }
}

TEST(WebSocket, ReceiveCanBeCalledAgainAfterItsDeadline) {
  Log log;
  TestServer server([&](Peer& peer) {
    const std::string frame = Frame(kBinaryFrame, "hello");
    peer.Write(Upgrade(peer.ReadRequest()) + frame.substr(0, 3));
    log.Await(1);
    peer.Write(frame.substr(3));
    peer.WaitUntilClosed();
  });
  const auto socket = Open(server);
  const Result<WebSocket::Event> event = socket->Receive(In(milliseconds(20)), {});
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().kind, ErrorKind::kRetry);
  EXPECT_THAT(event.error().message, HasSubstr("the deadline passed"));
  log.Add("timed out");
  EXPECT_EQ(Next(*socket), "hello");
}

TEST(WebSocket, AStopEndsEachWait) {
  Log log;
  TestServer server([&](Peer& peer) {
    const std::string request = peer.ReadRequest();
    log.Add("asked");
    if (peer.number() == 1) peer.Write(Upgrade(request));
    peer.WaitUntilClosed();
  });
  const auto socket = Open(server);
  for (const bool while_connecting : {false, true}) {
    std::stop_source stop;
    std::jthread stopper([&] {
      log.Await(while_connecting ? 2 : 1);
      stop.request_stop();
    });
    if (while_connecting) {
      const Result<WebSocketAnswer> answer = ConnectWebSocket(
          {false, "127.0.0.1", server.port(), ""}, {}, ExecRequest(), InTime(), stop.get_token());
      ASSERT_FALSE(answer);
      EXPECT_EQ(answer.error().kind, ErrorKind::kCancelled);
    } else {
      const Result<WebSocket::Event> event = socket->Receive(InTime(), stop.get_token());
      ASSERT_FALSE(event);
      EXPECT_EQ(event.error().kind, ErrorKind::kCancelled);
    }
  }
}

TEST(WebSocket, ASenderIsNotHeldUpForever) {
  TestServer deaf([](Peer& peer) {
    peer.Write(Upgrade(peer.ReadRequest()));
    peer.WaitForHangUp();
  });
  const auto socket = Open(deaf);
  const Result<void> sent =
      socket->Send(std::string(std::size_t{12} << 20, 'x'), In(milliseconds(100)), {});
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().kind, ErrorKind::kRetry);
}

}  // namespace
}  // namespace rabbit::http
