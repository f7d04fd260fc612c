#include "http/beast_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
