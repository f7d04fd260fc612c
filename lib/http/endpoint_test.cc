#include "http/endpoint.h"

#include <gtest/gtest.h>

namespace rabbit::http {
namespace {

ParsedUrl Parse(std::string_view url) {
  base::Result<ParsedUrl> parsed = ParseUrl(url);
  EXPECT_TRUE(parsed) << url << ": " << (parsed ? "" : parsed.error().message);
  return parsed.value_or(ParsedUrl{});
}

TEST(ParseUrl, TakesHostPortAndPrefixApart) {
  EXPECT_EQ(Parse("https://10.0.0.1:6443/k8s/cluster/"),
            (ParsedUrl{true, "10.0.0.1", 6443, "/k8s/cluster"}));
  EXPECT_EQ(Parse("http://localhost:8080"), (ParsedUrl{false, "localhost", 8080, ""}));
  EXPECT_EQ(Parse("HTTPS://api.example.com/"), (ParsedUrl{true, "api.example.com", 443, ""}));
  EXPECT_EQ(Parse("http://api"), (ParsedUrl{false, "api", 80, ""}));
}

TEST(ParseUrl, RefusesWhatItCannotServe) {
  for (const std::string_view url :
       {"", "api.example.com", "ftp://a", "https://", "https:///x", "https://a:0",
        "https://a:65536", "https://a:", "https://a:6x", "https://a b", "https://a/b c",
        "https://a/?x=1", "https://a#f", "https://[::1]:6443", "https://a,b", "https://a:1:2",
        "://a"}) {
    const base::Result<ParsedUrl> parsed = ParseUrl(url);
    ASSERT_FALSE(parsed) << url;
    EXPECT_EQ(parsed.error().kind, base::ErrorKind::kInvalid) << url;
  }
}

TEST(ParseUrl, NeverRepeatsAPasswordInItsError) {
  const base::Result<ParsedUrl> parsed = ParseUrl("https://user:hunter2@host/");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().message.find("hunter2"), std::string::npos);
}

TEST(ServerName, IsTheGivenOneOrTheHostOrTheAddress) {
  const Endpoint named{true, "10.0.0.1", 6443, "api.example.com:6443"};
  EXPECT_EQ(ServerName(named, {.server_name = "other"}), "other");
  EXPECT_EQ(ServerName(named, {}), "api.example.com");
  EXPECT_EQ(ServerName({true, "10.0.0.1", 6443, ""}, {}), "10.0.0.1");
  EXPECT_EQ(ServerName({true, "10.0.0.1", 6443, "api.example.com."}, {}), "api.example.com");
}

TEST(HostHeader, FallsBackToAddressAndPort) {
  EXPECT_EQ(HostHeader({false, "10.0.0.1", 15672, ""}), "10.0.0.1:15672");
  EXPECT_EQ(HostHeader({false, "10.0.0.1", 15672, "broker"}), "broker");
}

TEST(IsIpv4Literal, TakesFourDecimalPartsOnly) {
  EXPECT_TRUE(IsIpv4Literal("10.96.0.1"));
  for (const std::string_view text :
       {"", "localhost", "10.96.1", "::1", "10.96.0.256", "1.2.3.4 "}) {
    EXPECT_FALSE(IsIpv4Literal(text)) << text;
  }
}

}  // namespace
}  // namespace rabbit::http
