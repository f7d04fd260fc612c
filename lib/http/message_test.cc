#include "http/message.h"

#include <gtest/gtest.h>

namespace rabbit::http {
namespace {

TEST(Escape, KeepsOnlyWhatIsUnreserved) {
  EXPECT_EQ(Escape("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(Escape("/"), "%2F");
  EXPECT_EQ(Escape("a b+c%&=?#"), "a%20b%2Bc%25%26%3D%3F%23");
  EXPECT_EQ(Escape("\xc3\xbc"), "%C3%BC");
  EXPECT_EQ(Escape(std::string_view("\0", 1)), "%00");
}

TEST(AddQuery, StartsWithAQuestionMarkAndGoesOnWithAmpersands) {
  std::string target = "/api/v1/pods";
  AddQuery(target, "limit", "100");
  AddQuery(target, "labelSelector", "app=a,b in (c)");
  EXPECT_EQ(target, "/api/v1/pods?limit=100&labelSelector=app%3Da%2Cb%20in%20%28c%29");
}

TEST(FindHeader, IgnoresCaseAndTakesTheFirst) {
  const Headers headers = {{"Content-Type", "text/plain"}, {"X-A", "1"}, {"x-a", "2"}};
  EXPECT_EQ(FindHeader(headers, "content-type"), "text/plain");
  EXPECT_EQ(FindHeader(headers, "X-a"), "1");
  EXPECT_EQ(FindHeader(headers, "Content-Typ"), "");
}

TEST(Method, OnlyPostAndPatchAreNotIdempotent) {
  for (const Method method : {Method::kGet, Method::kHead, Method::kPut, Method::kDelete}) {
    EXPECT_TRUE(IsIdempotent(method)) << Name(method);
  }
  EXPECT_FALSE(IsIdempotent(Method::kPost));
  EXPECT_FALSE(IsIdempotent(Method::kPatch));
}

TEST(IsSendable, RefusesWhatWouldSmuggleAnotherLine) {
  EXPECT_TRUE(IsSendable({.target = "/a?b=%20", .headers = {{"Accept", "text/plain; q=1"}}}));
  EXPECT_FALSE(IsSendable({.target = "/a b"}));
  EXPECT_FALSE(IsSendable({.target = "a"}));
  EXPECT_FALSE(IsSendable({.target = ""}));
  EXPECT_FALSE(IsSendable({.target = "//elsewhere/a"}));
  EXPECT_FALSE(IsSendable({.target = "/a\r\nX: y"}));
  EXPECT_FALSE(IsSendable({.target = "/\xc3\xbc"}));
  EXPECT_FALSE(IsSendable({.target = "/", .headers = {{"X", "a\r\nY: b"}}}));
  EXPECT_FALSE(IsSendable({.target = "/", .headers = {{"X Y", "a"}}}));
  EXPECT_FALSE(IsSendable({.target = "/", .headers = {{"", "a"}}}));
}

}  // namespace
}  // namespace rabbit::http
