#include "http/cpprest_failure.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace rabbit::http {
namespace {

TEST(CpprestFailure, NamesThePhaseAndTheCause) {
  EXPECT_EQ(Describe({.what = "Failed to connect to any resolved endpoint", .code = 113}, ""),
            "connecting: refused, or the host cannot be reached");
  EXPECT_EQ(Describe({.what = "Failed to read HTTP status line", .code = 103}, ""),
            "waiting for the response: the server closed the connection");
  EXPECT_EQ(Describe({.what = "Failed to read response body", .code = 2}, ""),
            "reading the body: the server closed the connection");
  EXPECT_EQ(Describe({.what = "Retrieving message chunk header", .code = 110}, ""),
            "reading the body: nothing came for too long");
  EXPECT_EQ(Describe({.what = "Failed to write request headers", .code = 32}, ""),
            "sending the request: Broken pipe");
  EXPECT_EQ(Describe({.what = "Invalid chunked response header"}, ""),
            "reading the body: malformed");
}

TEST(CpprestFailure, SaysWhyACertificateWasRefusedButOnlyInTheHandshake) {
  OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS, nullptr);  // as every connection does
  const int refused = static_cast<int>(ERR_PACK(ERR_LIB_SSL, 0, SSL_R_CERTIFICATE_VERIFY_FAILED));
  EXPECT_EQ(Describe({.what = "Error in SSL handshake", .code = refused}, "hostname mismatch"),
            "TLS handshake: certificate verify failed: hostname mismatch");
  EXPECT_EQ(Describe({.what = "Failed to read HTTP status line", .code = refused}, "old"),
            "waiting for the response: certificate verify failed");
  EXPECT_TRUE(IsTlsRefusal({.what = "Error in SSL handshake", .code = refused}));
  EXPECT_FALSE(IsTlsRefusal({.what = "Error in SSL handshake", .code = 103}));
  const auto alert = [](int reason) {
    return Failure{.what = "", .code = static_cast<int>(ERR_PACK(ERR_LIB_SSL, 0, reason))};
  };
  for (const int reason :
       {SSL_R_TLSV1_ALERT_UNKNOWN_CA, SSL_R_SSLV3_ALERT_BAD_CERTIFICATE,
        SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
        SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE,
        SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, SSL_R_WRONG_VERSION_NUMBER,
        SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_TLSV1_ALERT_PROTOCOL_VERSION}) {
    EXPECT_TRUE(IsTlsRefusal(alert(reason))) << reason;
  }
  EXPECT_FALSE(IsTlsRefusal(alert(SSL_R_TLSV1_ALERT_INTERNAL_ERROR)));  // a balancer, say
}

TEST(CpprestFailure, GivesUnknownTextsThrough) {
  EXPECT_EQ(Describe({.what = "something new", .code = 5}, ""), "something new");
}

TEST(CpprestFailure, OnlyWritesAndStaleConnectionsAreWorthAnotherAttempt) {
  EXPECT_TRUE(IsDeadConnection({.what = "closed", .stale = true}));
  EXPECT_TRUE(IsDeadConnection({.what = "Failed to write request headers", .code = 32}));
  EXPECT_TRUE(IsDeadConnection({.what = "cannot rewind input stream for connection"}));
  EXPECT_FALSE(IsDeadConnection({.what = "Failed to connect to any resolved endpoint"}));
  EXPECT_FALSE(IsDeadConnection({.what = "Failed to read HTTP status line", .code = 103}));
}

}  // namespace
}  // namespace rabbit::http
