#include "http/tls_context.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

namespace rabbit::http {
namespace {

TEST(TlsContext, ARefusalDoesNotExplainTheNextHandshake) {
  const auto tls = TlsContext::Make({}, "api.test").value();
  tls->SetProblem("certificate has expired");
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* connection = SSL_new(context);
  tls->BeginHandshake(connection);
  EXPECT_EQ(tls->LastProblem(), "");
  EXPECT_STREQ(SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name), "api.test");
  SSL_free(connection);
  SSL_CTX_free(context);
}

TEST(TlsContext, AllConnectionsShareOneOfOpenSsls) {
  const auto tls = TlsContext::Make({}, "api.test").value();
  const auto first = tls->Context();
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(tls->Context(), first);
}

}  // namespace
}  // namespace rabbit::http
