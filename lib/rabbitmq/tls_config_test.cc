#include "rabbitmq/tls_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rabbit::rabbitmq {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(RenderTlsConf, SaysPortsFilesAndVersionsOfEachListener) {
  EXPECT_EQ(RenderTlsConf({.folder = "/tls"}),
            "listeners.ssl.default = 5671\n"
            "ssl_options.cacertfile = /tls/ca.crt\n"
            "ssl_options.certfile = /tls/tls.crt\n"
            "ssl_options.keyfile = /tls/tls.key\n"
            "ssl_options.versions.1 = tlsv1.3\n"
            "ssl_options.versions.2 = tlsv1.2\n"
            "ssl_options.verify = verify_none\n"
            "ssl_options.fail_if_no_peer_cert = false\n"
            "management.ssl.port = 15671\n"
            "management.ssl.cacertfile = /tls/ca.crt\n"
            "management.ssl.certfile = /tls/tls.crt\n"
            "management.ssl.keyfile = /tls/tls.key\n"
            "management.ssl.versions.1 = tlsv1.3\n"
            "management.ssl.versions.2 = tlsv1.2\n"
            "prometheus.ssl.port = 15691\n"
            "prometheus.ssl.cacertfile = /tls/ca.crt\n"
            "prometheus.ssl.certfile = /tls/tls.crt\n"
            "prometheus.ssl.keyfile = /tls/tls.key\n"
            "prometheus.ssl.versions.1 = tlsv1.3\n"
            "prometheus.ssl.versions.2 = tlsv1.2\n"
            "management.tcp.port = 15672\n"
            "prometheus.tcp.port = 15692\n");
}

TEST(RenderTlsConf, OnlyClientsOfAmqpsAreAskedForCertificates) {
  const std::string asked = RenderTlsConf({.folder = "/tls", .peers = PeerCertificates::kAsked});
  EXPECT_THAT(asked, HasSubstr("\nssl_options.verify = verify_peer\n"
                               "ssl_options.fail_if_no_peer_cert = false\n"));
  const std::string required =
      RenderTlsConf({.folder = "/tls", .peers = PeerCertificates::kRequired});
  EXPECT_THAT(required, HasSubstr("\nssl_options.verify = verify_peer\n"
                                  "ssl_options.fail_if_no_peer_cert = true\n"));
  EXPECT_THAT(required, Not(HasSubstr("management.ssl.verify")));
}

TEST(RenderTlsConf, WithTls13OnlyNoOlderOneIsSpoken) {
  EXPECT_THAT(RenderTlsConf({.folder = "/tls", .tls13_only = true}), Not(HasSubstr("tlsv1.2")));
}

TEST(RenderTlsConf, OnlyMeansThatNoListenerIsPlainWhereTheVersionCanSaySo) {
  const auto only = [](std::optional<Version> version) {
    return RenderTlsConf({.folder = "/tls", .only = true, .version = version});
  };
  EXPECT_THAT(only(Version{3, 10, 0}), HasSubstr("listeners.tcp = none\n"));
  EXPECT_THAT(only(Version{3, 10, 0}), Not(HasSubstr("prometheus.tcp")));
  EXPECT_THAT(only(std::nullopt), Not(HasSubstr("prometheus.tcp")));
  EXPECT_THAT(only(Version{4, 0, 0}), HasSubstr("prometheus.tcp.listener = none\n"));
}

}  // namespace
}  // namespace rabbit::rabbitmq
