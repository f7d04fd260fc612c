#include "http/message_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/test_support.h"

namespace rabbit::http {
namespace {

using State = RequestParser::State;

constexpr std::size_t kHeader = 500;
constexpr std::size_t kBody = 100;

State Feed(std::string text) { return RequestParser(kHeader, kBody).Feed(text); }

const std::string kPost = "POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";

TEST(RequestParser, ReadsARequestCutAtAnyByte) {
  for (std::size_t cut = 0; cut < kPost.size(); ++cut) {
    RequestParser parser(kHeader, kBody);
    std::string bytes = kPost.substr(0, cut);
    ASSERT_EQ(parser.Feed(bytes), State::kMore) << cut;
    bytes += kPost.substr(cut);
    ASSERT_EQ(parser.Feed(bytes), State::kDone) << cut;
    EXPECT_EQ(bytes, "");
    EXPECT_TRUE(parser.keep_alive());
    EXPECT_EQ(parser.TakeRequest(), (Request{.method = Method::kPost,
                                             .target = "/a?b=c",
                                             .headers = {{"Host", "x"}, {"Content-Length", "5"}},
                                             .body = "hello"}));
  }
}

TEST(RequestParser, LeavesTheNextRequestAlone) {
  RequestParser parser(kHeader, kBody);
  std::string bytes = kPost + "GET / HT";
  EXPECT_EQ(parser.Feed(bytes), State::kDone);
  EXPECT_EQ(bytes, "GET / HT");
}

TEST(RequestParser, ReadsChunks) {
  RequestParser parser(kHeader, kBody);
  std::string bytes =
      "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
  ASSERT_EQ(parser.Feed(bytes), State::kDone);
  EXPECT_EQ(parser.TakeRequest().body, "abcde");
}

TEST(RequestParser, HoldsItsBounds) {
  EXPECT_EQ(Feed("GET /" + std::string(kHeader, 'a')), State::kHeaderTooLong);
  EXPECT_EQ(Feed("GET / HTTP/1.1\r\nX: " + std::string(kHeader, 'a')), State::kHeaderTooLong);
  EXPECT_EQ(Feed("PUT / HTTP/1.1\r\nContent-Length: 100\r\n\r\n"), State::kMore);
  EXPECT_EQ(Feed("PUT / HTTP/1.1\r\nContent-Length: 101\r\n\r\n"), State::kBodyTooLong);
  EXPECT_EQ(Feed("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" +
                 Chunk(std::string(60, 'a')) + Chunk(std::string(60, 'a'))),
            State::kBodyTooLong);
}

const std::vector<std::string> kEndless = {
    "1;" + std::string(kHeader, 'a'),                  // the line of a chunk
    "0\r\n" + std::string(kHeader + 1, 'a'),           // a trailer
    "1\r\na\r\n0\r\nX: " + std::string(kHeader, 'a'),  // after data
};

TEST(RequestParser, LinesOfChunksAndTrailersAreBoundedToo) {
  const std::string head = "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string& endless : kEndless) {
    EXPECT_EQ(Feed(head + endless), State::kHeaderTooLong) << endless;
    EXPECT_EQ(Feed(head + endless.substr(0, 20)), State::kMore) << endless;
  }
}

TEST(RequestParser, RefusesWhatIsNoRequest) {
  for (const std::string_view text :
       {"\x16\x03\x01\x02", "GET\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "GET / HTTP/1.1\nX: y\n\n",
        "GET / HTTP/1.1\r\nX y\r\n\r\n", "PUT / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "PUT / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "PUT / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    EXPECT_EQ(Feed(std::string(text)), State::kMalformed) << text;
  }
  EXPECT_EQ(Feed("OPTIONS * HTTP/1.1\r\n\r\n"), State::kUnknownMethod);
}

TEST(RequestParser, TellsOfAnExpectationOnce) {
  RequestParser parser(kHeader, kBody);
  std::string bytes = "PUT / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n";
  ASSERT_EQ(parser.Feed(bytes), State::kMore);
  EXPECT_TRUE(parser.TakeExpectation());
  EXPECT_FALSE(parser.TakeExpectation());
}

TEST(RequestParser, OldOrUnwillingClientsAreNotKept) {
  for (const std::string_view text :
       {"GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n"}) {
    RequestParser parser(kHeader, kBody);
    std::string bytes(text);
    ASSERT_EQ(parser.Feed(bytes), State::kDone);
    EXPECT_FALSE(parser.keep_alive());
  }
}

TEST(ResponseParser, HandsTheBodyOnAsItComes) {
  const std::string text = std::string(kChunked) + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Recorder sink;
    ResponseParser parser(kHeader, false, sink);
    std::string bytes = text.substr(0, cut);
    ASSERT_TRUE(parser.Feed(bytes));
    bytes += text.substr(cut);
    ASSERT_TRUE(parser.Feed(bytes));
    EXPECT_TRUE(parser.done());
    EXPECT_EQ(sink.status, 200);
    EXPECT_EQ(sink.body, "abcde");
  }
}

TEST(ResponseParser, LinesOfChunksAndTrailersAreBoundedToo) {
  for (const std::string& endless : kEndless) {
    Recorder sink;
    ResponseParser parser(kHeader, false, sink);
    std::string bytes = std::string(kChunked) + endless;
    EXPECT_FALSE(parser.Feed(bytes)) << endless;
  }
}

TEST(ResponseParser, AnUpgradeEndsWithItsHeader) {
  Recorder sink;
  ResponseParser parser(kHeader, false, sink);
  std::string bytes = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x82\x01x";
  ASSERT_TRUE(parser.Feed(bytes));
  EXPECT_TRUE(parser.done());
  EXPECT_EQ(sink.status, 101);
  EXPECT_EQ(bytes, "\x82\x01x");
}

TEST(ResponseParser, AnEarlyEndIsAnError) {
  for (const std::string& text :
       std::vector<std::string>{"", "HTTP/1.1 200", "HTTP/1.1 100 Continue\r\n\r\n",
                                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
                                std::string(kChunked) + "3\r\nabc\r\n"}) {
    Recorder sink;
    ResponseParser parser(kHeader, false, sink);
    std::string bytes = text;
    ASSERT_TRUE(parser.Feed(bytes));
    const base::Result<void> ended = parser.FeedEnd();
    ASSERT_FALSE(ended) << text;
    EXPECT_EQ(ended.error().kind, base::ErrorKind::kRetry);
  }
}

TEST(ReasonPhrase, KnowsTheUsualOnes) {
  EXPECT_EQ(ReasonPhrase(200), "OK");
  EXPECT_EQ(ReasonPhrase(404), "Not Found");
  EXPECT_EQ(ReasonPhrase(799), "");
}

}  // namespace
}  // namespace rabbit::http
