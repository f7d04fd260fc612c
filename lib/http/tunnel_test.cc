#include "http/tunnel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "http/stream.h"
#include "http/test_support.h"
#include "http/tls_context.h"
#include "http/transport_contract.h"

namespace rabbit::http {
namespace {

// The shortest tunnel there is: a connection.
class Connection final : public Tunnel {
 public:
  explicit Connection(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}
  base::Result<void> Read(std::string& bytes, const CallOptions& options) override {
    std::array<char, 4096> buffer;
    auto got = stream_->Read(buffer.data(), buffer.size(), {options.deadline, options.stop});
    if (!got) return tl::unexpected(got.error());
    bytes.append(buffer.data(), *got);
    return {};
  }
  base::Result<void> Write(std::string_view data, const CallOptions& options) override {
    return stream_->Write(data, {options.deadline, options.stop});
  }

 private:
  std::unique_ptr<Stream> stream_;
};

base::Result<std::unique_ptr<Transport>> Make(const Endpoint& endpoint, const TlsSettings& tls) {
  auto context = TlsContext::For(endpoint, tls);
  if (!context) return tl::unexpected(context.error());
  return MakeTunnelTransport(
      [endpoint,
       context = *context](const CallOptions& options) -> base::Result<std::unique_ptr<Tunnel>> {
        const std::string name = endpoint.address + ":" + std::to_string(endpoint.port);
        auto stream = Stream::Connect(endpoint, context, {options.deadline, options.stop});
        if (!stream) return base::FailWrapped(stream.error(), name);
        return std::make_unique<Connection>(std::move(*stream));
      },
      HostHeader(endpoint));
}
INSTANTIATE_TEST_SUITE_P(Tunnel, TransportContract, testing::Values(InContract(&Make)));

TEST(TunnelTransport, OneTunnelIsKeptForTheNextCall) {
  TestServer server([](Peer& peer) {
    for (int i = 0; i < 2; ++i) {
      (void)peer.ReadRequest();
      peer.Answer("hello");
    }
    peer.WaitUntilClosed();
  });
  const auto transport = Make({false, "127.0.0.1", server.port(), ""}, {}).value();
  for (int i = 0; i < 2; ++i) {
    const auto answer = transport->Send({}, Soon());
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->body, "hello");
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST(TunnelTransport, AKeptOneThatWasClosedMeanwhileIsMadeAnew) {
  TestServer server([](Peer& peer) {
    (void)peer.ReadRequest();
    peer.Answer("hello");  // and no more
  });
  const auto transport = Make({false, "127.0.0.1", server.port(), ""}, {}).value();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(transport->Send({}, Soon()));
  EXPECT_EQ(server.connections(), 3);
  const auto post = transport->Send({.method = Method::kPost}, Soon());
  ASSERT_FALSE(post);
  EXPECT_EQ(post.error().sent, base::Sent::kMaybe);
}

}  // namespace
}  // namespace rabbit::http
