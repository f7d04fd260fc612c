#include "http/cpprest_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <thread>

#include "http/test_support.h"
#include "http/transport_contract.h"

namespace rabbit::http {
namespace {

using base::ErrorKind;
using base::Result;
using base::Sent;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

Result<std::unique_ptr<Transport>> MakeWithDefaults(const Endpoint& endpoint,
                                                    const TlsSettings& tls) {
  return MakeCpprestTransport(endpoint, tls);
}
INSTANTIATE_TEST_SUITE_P(Cpprest, TransportContract,
                         testing::Values(InContract(&MakeWithDefaults)));
INSTANTIATE_TEST_SUITE_P(Cpprest, KeepingContract,
                         testing::Values(InKeepingContract(&MakeWithDefaults)));

std::unique_ptr<Transport> Plain(std::uint16_t port, const CpprestOptions& options = {}) {
  return MakeCpprestTransport({false, "127.0.0.1", port, "broker.test"}, {}, options).value();
}
std::unique_ptr<Transport> TrustedTls(std::uint16_t port) {
  return MakeCpprestTransport({true, "127.0.0.1", port, "api.test"}, {.ca_pem = Ca().pem()})
      .value();
}

TEST(CpprestTransport, ConnectingHasATimeLimitOfItsOwn) {
  const FullListener listener;
  const auto transport = Plain(listener.port(), {.connect_timeout = milliseconds(50)});
  const Result<Response> response = transport->Send({}, Soon());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().sent, Sent::kNo);
  EXPECT_THAT(response.error().message, HasSubstr("connecting: timed out"));
}

// --- connect_first ---

TEST(CpprestTransport, ARefusedConnectIsToldWithoutCpprestsdk) {
  std::uint16_t port = 0;
  {
    TestServer server(AnswerAll("hello"));
    port = server.port();
  }
  const auto transport = Plain(port, {.connect_first = true});
  const Result<Response> response = transport->Send({.method = Method::kPost}, Soon());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kRetry);
  EXPECT_EQ(response.error().sent, Sent::kNo);
  EXPECT_THAT(response.error().message, HasSubstr("connecting: Connection refused"));
}

TEST(CpprestTransport, OnlyTheFirstCallTriesTheConnectionBefore) {
  TestServer server(AnswerAll("hello"));
  const auto transport = Plain(server.port(), {.connect_first = true});
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(transport->Send({}, Soon()));
  EXPECT_EQ(server.connections(), 2);
}

TEST(CpprestTransport, TryingTheConnectionHasTheTimeLimitOfConnecting) {
  const FullListener listener;
  const auto transport =
      Plain(listener.port(), {.connect_timeout = milliseconds(50), .connect_first = true});
  const Result<Response> response = transport->Send({}, Soon());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().sent, Sent::kNo);
  EXPECT_THAT(response.error().message, HasSubstr("connecting: the deadline passed"));
}

TEST(CpprestTransport, ASilentServerIsLeftAfterTheIdleTimeout) {
  TestServer server([](Peer& peer) {
    (void)peer.ReadRequest();
    peer.Write(std::string(kChunked) + Chunk("a"));
    peer.WaitUntilClosed();
  });
  Recorder sink;
  const auto transport = Plain(server.port(), {.idle_timeout = milliseconds(1'000)});
  const Result<void> done = transport->Stream({}, Soon(), sink);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::kRetry);
  EXPECT_THAT(done.error().message, HasSubstr("nothing came for too long"));
  EXPECT_EQ(sink.body, "a");
}

TEST(CpprestTransport, AHandshakeThatHangsIsPartOfConnecting) {
  TestServer server([](Peer& peer) { peer.WaitUntilClosed(); });
  const auto transport = std::move(MakeCpprestTransport({true, "127.0.0.1", server.port(), "a"}, {},
                                                        {.connect_timeout = milliseconds(50)}))
                             .value();
  const Result<Response> response = transport->Send({}, Soon());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().sent, Sent::kNo);
  EXPECT_THAT(response.error().message, HasSubstr("connecting: timed out"));
}

TEST(CpprestTransport, NeverReadsTheSystemsRoots) {
  TestServer server(AnswerAll("hello"), &ServerTls());
  const auto transport = TrustedTls(server.port());
  const std::string path = testing::TempDir() + "/roots-" + std::to_string(getpid()) + ".pem";
  std::ofstream(path) << Ca().pem();
  const int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  ASSERT_GE(inotify_add_watch(watch, path.c_str(), IN_OPEN), 0);
  setenv("SSL_CERT_FILE", path.c_str(), 1);
  EXPECT_TRUE(transport->Send({}, Soon()));
  unsetenv("SSL_CERT_FILE");
  std::array<char, 4096> events;
  EXPECT_EQ(read(watch, events.data(), events.size()), -1) << "the roots were opened";
  close(watch);
  unlink(path.c_str());
}

}  // namespace
}  // namespace rabbit::http
