#include "http/beast_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "http/certificate.h"
#include "http/test_support.h"
#include "http/transport_contract.h"

namespace rabbit::http {
namespace {

base::Result<std::unique_ptr<Transport>> MakeClosing(const Endpoint& endpoint,
                                                     const TlsSettings& tls) {
  return MakeBeastTransport(endpoint, tls);
}
base::Result<std::unique_ptr<Transport>> MakeKeeping(const Endpoint& endpoint,
                                                     const TlsSettings& tls) {
  return MakeBeastTransport(endpoint, tls, {.keep = 16});
}
INSTANTIATE_TEST_SUITE_P(Closing, TransportContract, testing::Values(InContract(&MakeClosing)));
INSTANTIATE_TEST_SUITE_P(Keeping, TransportContract, testing::Values(InContract(&MakeKeeping)));
INSTANTIATE_TEST_SUITE_P(Beast, KeepingContract, testing::Values(InKeepingContract(&MakeKeeping)));

TEST(BeastTransport, TakesAConnectionForEachCallAndSaysSo) {
  Log log;
  TestServer server([&](Peer& peer) {
    log.Add(peer.ReadRequest());
    peer.Answer("hello");
    peer.WaitUntilClosed();
  });
  const auto transport = MakeBeastTransport({false, "127.0.0.1", server.port(), ""}).value();
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(transport->Send({}, Soon()));
  EXPECT_EQ(server.connections(), 2);
  EXPECT_THAT(log.texts().at(0), testing::HasSubstr("\r\nConnection: close\r\n"));
}

TEST(BeastTransport, TellsWhichCertificateTheServerShowed) {
  const TestCa unknown;
  const TestTls tls{unknown.Issue("x", "DNS:elsewhere.test"), ""};
  TestServer server(
      [](Peer& peer) {
        (void)peer.ReadRequest();
        peer.Answer("hello");
      },
      &tls);
  const auto trusting = [&](const std::string& certificate) {
    return MakeBeastTransport({true, "127.0.0.1", server.port(), "api.test"},
                              {.own_certificate = certificate})
        .value();
  };
  const std::string own = ReadCertificate(tls.certificate.pem).value().fingerprint;
  const auto transport = trusting(own);
  EXPECT_EQ(transport->PeerCertificate(), "");
  EXPECT_TRUE(transport->Send({}, Soon()));
  EXPECT_EQ(transport->PeerCertificate(), own);
  // None that was refused.
  const auto wary = trusting(std::string(64, '0'));
  EXPECT_FALSE(wary->Send({}, Soon()));
  EXPECT_EQ(wary->PeerCertificate(), "");
}

// The newest is taken again and again: those below it are looked after too.
TEST(BeastTransport, AnIdleConnectionThatIsOfNoUseIsNotKept) {
  Log asked, done, told;
  TestServer server([&](Peer& peer) {
    const bool first = peer.number() == 1;
    (void)peer.ReadRequest();
    asked.Add("");
    ASSERT_TRUE(asked.Await(2));  // neither is answered before both have a connection
    if (!first) {
      ASSERT_TRUE(done.Await(1));
    }
    peer.Answer("hello");
    if (first) {
      ASSERT_TRUE(done.Await(2));
      peer.Write("x");  // as good as an end: nobody asked
      told.Add("spoiled");
      peer.WaitUntilClosed();
      told.Add("closed");
    } else {
      (void)peer.ReadRequest();
      peer.Answer("hello");
      peer.WaitUntilClosed();
    }
  });
  const auto transport =
      MakeBeastTransport({false, "127.0.0.1", server.port(), ""}, {}, {.keep = 16}).value();
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 2; ++i) {
      callers.emplace_back([&] {
        EXPECT_TRUE(transport->Send({}, Soon()));
        done.Add("");
      });
    }
  }
  ASSERT_TRUE(told.Await(1));
  EXPECT_TRUE(transport->Send({}, Soon()));
  EXPECT_TRUE(told.Await(2));
  EXPECT_EQ(server.connections(), 2);
}

TEST(BeastTransport, SkipsInterimResponses) {
  TestServer server([](Peer& peer) {
    (void)peer.ReadRequest();
    peer.Write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
    peer.Answer("hello");
  });
  const auto response =
      MakeBeastTransport({false, "127.0.0.1", server.port(), ""}).value()->Send({}, Soon());
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "hello");
  EXPECT_EQ(FindHeader(response->headers, "Link"), "");
}

}  // namespace
}  // namespace rabbit::http
