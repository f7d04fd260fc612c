#include "kube/client.h"

#include <gtest/gtest.h>

#include "kube/credentials.h"
#include "kube/request.h"
#include "test/fakes/scripted_transport.h"

namespace rabbit::kube {
namespace {

using base::ErrorKind;

// Hands out "token-N", where N grows with each rejection.
class CountingCredentials final : public Credentials {
 public:
  base::Result<Token> Current() override {
    return Token{base::Secret("token-" + std::to_string(serial)), serial};
  }
  void Reject(std::uint64_t rejected) override {
    if (rejected == serial) ++serial;
  }
  std::uint64_t serial = 1;
};

class Answers final : public RequestObserver {
 public:
  void OnAnswer(http::Method method, int status) override {
    text += std::string(http::Name(method)) + " " + std::to_string(status) + "; ";
  }
  std::string text;
};

class Body final : public http::BodySink {
 public:
  base::Result<void> OnHead(const http::ResponseHead& head) override {
    status = head.status;
    return {};
  }
  base::Result<void> OnData(std::string_view data) override {
    text.append(data);
    return {};
  }
  int status = 0;
  std::string text;
};

class ClientTest : public testing::Test {
 protected:
  http::CallOptions Options() {
    return {.deadline = base::TimePoint(std::chrono::hours(1)), .stop = {}};
  }
  static constexpr const char* kStatus404 =
      R"({"kind":"Status","message":"pods \"a\" not found","reason":"NotFound","code":404})";

  fakes::ScriptedTransport server_;
  CountingCredentials credentials_;
  Answers answers_;
  Client client_{server_, credentials_, &answers_};
  const ObjectKey key_{"ns", "a"};
};

TEST_F(ClientTest, GetReturnsTheBody) {
  server_.Expect("GET /api/v1/namespaces/ns/pods/a")
      .WithHeader("Authorization", "Bearer token-1")
      .WithHeader("Accept", "application/json")
      .WithHeader("User-Agent", "rabbit-operator")
      .Answer(200, "{}");
  EXPECT_EQ(client_.Get(kPods, key_, Options()), "{}");
  EXPECT_EQ(answers_.text, "GET 200; ");
}

TEST_F(ClientTest, ErrorsSayWhatWasBeingDone) {
  server_.Expect("GET *").Answer(404, kStatus404);
  const auto result = client_.Get(kPods, key_, Options());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(result.error().message, "get Pod ns/a: 404 NotFound: pods \"a\" not found");
}

TEST_F(ClientTest, ANetworkErrorPassesThroughWithWhetherItWasSent) {
  server_.Expect("POST /api/v1/namespaces/ns/pods?*").Refuse(base::Sent::kMaybe);
  const auto result = client_.Create(kPods, "ns", "{}", Options());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "create Pod in ns: connection refused");
  EXPECT_EQ(result.error().sent, base::Sent::kMaybe);
  EXPECT_EQ(answers_.text, "POST 0; ");
}

TEST_F(ClientTest, A401IsTriedOnceMoreWithANewToken) {
  server_.Expect("GET *").WithHeader("Authorization", "Bearer token-1").Answer(401);
  server_.Expect("GET *").WithHeader("Authorization", "Bearer token-2").Answer(200, "{}");
  EXPECT_EQ(client_.Get(kPods, key_, Options()), "{}");
  EXPECT_EQ(answers_.text, "GET 401; GET 200; ");
}

TEST_F(ClientTest, ASecond401IsDenied) {
  server_.Expect("GET *").Answer(401);
  server_.Expect("GET *").Answer(401);
  const auto result = client_.Get(kPods, key_, Options());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kDenied);
  EXPECT_EQ(credentials_.serial, 3U);
}

TEST_F(ClientTest, WithoutATokenThereIsNoHeader) {
  StaticCredentials none;
  Client client(server_, none, nullptr);
  server_.Expect("GET *").WithoutHeader("Authorization").Answer(200, "{}");
  EXPECT_TRUE(client.Get(kPods, key_, Options()));
}

TEST_F(ClientTest, WithoutCredentialsNothingIsSent) {
  class Broken final : public Credentials {
    base::Result<Token> Current() override { return base::Fail(ErrorKind::kRetry, "no token"); }
    void Reject(std::uint64_t) override {}
  } broken;
  Client client(server_, broken, nullptr);
  const auto result = client.Get(kPods, key_, Options());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "get Pod ns/a: no token");
}

TEST_F(ClientTest, WritesSendTheirBody) {
  server_.Expect("POST /api/v1/namespaces/ns/pods?*").WithBody("b1").Answer(201, "{}");
  server_.Expect("PUT /api/v1/namespaces/ns/pods/a?*").WithBody("b2").Answer(200, "{}");
  server_.Expect("PATCH /api/v1/namespaces/ns/pods/a?*force=true").WithBody("b3").Answer(200, "{}");
  server_.Expect("PATCH /api/v1/namespaces/ns/pods/a/status?*").WithBody("b4").Answer(200, "{}");
  server_.Expect("PATCH *")
      .WithBody("b5")
      .WithHeader("Content-Type", "application/json-patch+json")
      .Answer(200, "{}");
  server_.Expect("PATCH *")
      .WithBody("b6")
      .WithHeader("Content-Type", "application/merge-patch+json")
      .Answer(200, "{}");
  EXPECT_TRUE(client_.Create(kPods, "ns", "b1", Options()));
  EXPECT_TRUE(client_.Replace(kPods, key_, "b2", Options()));
  EXPECT_TRUE(client_.Apply(kPods, key_, "b3", Options()));
  EXPECT_TRUE(client_.ApplyStatus(kPods, key_, "b4", Options()));
  EXPECT_TRUE(client_.JsonPatch(kPods, key_, "b5", Options()));
  EXPECT_TRUE(client_.MergePatch(kPods, key_, "b6", Options()));
}

TEST_F(ClientTest, DeletingWhatIsGoneIsSuccess) {
  server_.Expect("DELETE *").Answer(404, kStatus404);
  EXPECT_TRUE(client_.Delete(kPods, key_, "u", Options()));
}

TEST_F(ClientTest, DeletingAnotherObjectOfTheNameIsAConflict) {
  server_.Expect("DELETE *")
      .WithBodyContaining("\"uid\":\"u\"")
      .Answer(409, R"({"reason":"Conflict"})");
  const auto result = client_.Delete(kPods, key_, "u", Options());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kConflict);
  EXPECT_EQ(result.error().message, "delete Pod ns/a: 409 Conflict");
}

TEST_F(ClientTest, AStreamedBodyArrivesAsItComes) {
  server_.Expect("GET *").Answer(200, "abcdef").CutEvery(2);
  Body body;
  EXPECT_TRUE(client_.Stream(GetRequest(kPods, key_), Options(), body));
  EXPECT_EQ(body.text, "abcdef");
}

TEST_F(ClientTest, ARefusedStreamIsAnErrorAndTheSinkSeesNothing) {
  server_.Expect("GET *").Answer(404, kStatus404).CutEvery(5);
  Body body;
  const auto result = client_.Stream(GetRequest(kPods, key_), Options(), body);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(result.error().message, "404 NotFound: pods \"a\" not found");
  EXPECT_EQ(body.status, 0);
  EXPECT_EQ(body.text, "");
}

TEST_F(ClientTest, ARefusalCountsEvenWhenItsTextIsCutOff) {
  server_.Expect("GET *").Open(410).Send("{\"re").Cut();
  Body body;
  const auto result = client_.Stream(GetRequest(kPods, key_), Options(), body);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kGone);
}

TEST_F(ClientTest, AnEndlessErrorTextIsNotRead) {
  server_.Expect("GET *").Answer(500, std::string(1 << 20, 'x')).CutEvery(1000);
  Body body;
  const auto result = client_.Stream(GetRequest(kPods, key_), Options(), body);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().http_status, 500);
}

TEST_F(ClientTest, AStreamsAnswerIsCountedWhenItComesNotWhenItEnds) {
  server_.Expect("GET *").Open().Do([this] { EXPECT_EQ(answers_.text, "GET 200; "); }).End();
  Body body;
  EXPECT_TRUE(client_.Stream(GetRequest(kPods, key_), Options(), body));
  EXPECT_EQ(answers_.text, "GET 200; ");
}

TEST_F(ClientTest, AStream401IsTriedOnceMoreWithANewToken) {
  server_.Expect("GET *").Answer(401, "Unauthorized");
  server_.Expect("GET *").WithHeader("Authorization", "Bearer token-2").Answer(200, "abc");
  Body body;
  EXPECT_TRUE(client_.Stream(GetRequest(kPods, key_), Options(), body));
  EXPECT_EQ(body.text, "abc");
}

}  // namespace
}  // namespace rabbit::kube
