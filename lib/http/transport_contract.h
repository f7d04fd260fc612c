// lib/http/transport_contract.h: what every Transport does, as tests against real sockets. Each
// implementation's test says:
//   INSTANTIATE_TEST_SUITE_P(Name, TransportContract, testing::Values(InContract(&Make)));
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/error.h"
#include "http/endpoint.h"
#include "http/transport.h"

namespace rabbit::http {

using MakeTransport = base::Result<std::unique_ptr<Transport>> (*)(const Endpoint& endpoint,
                                                                   const TlsSettings& tls);

// `make` itself. Using it is what links the tests in.
[[nodiscard]] MakeTransport InContract(MakeTransport make);

class TransportContract : public testing::TestWithParam<MakeTransport> {
 protected:
  // To this machine's `port`, as "broker.test".
  static std::unique_ptr<Transport> Plain(std::uint16_t port);
  static base::Result<std::unique_ptr<Transport>> Tls(std::uint16_t port, const TlsSettings& tls,
                                                      const std::string& host = "api.test");
  static std::unique_ptr<Transport> TrustedTls(std::uint16_t port);
};

// For those that keep connections as well (keeping_contract.cc):
//   INSTANTIATE_TEST_SUITE_P(Name, KeepingContract, testing::Values(InKeepingContract(&Make)));
class KeepingContract : public TransportContract {};
[[nodiscard]] MakeTransport InKeepingContract(MakeTransport make);

}  // namespace rabbit::http
