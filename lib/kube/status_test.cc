#include "kube/status.h"

#include <gtest/gtest.h>

namespace rabbit::kube {
namespace {

using base::ErrorKind;

std::string Status(int code, std::string_view reason, std::string_view message = "m",
                   std::string_view details = "{}") {
  return std::string(R"({"kind":"Status","apiVersion":"v1","status":"Failure","message":")")
      .append(message)
      .append(R"(","reason":")")
      .append(reason)
      .append(R"(","details":)")
      .append(details)
      .append(R"(,"code":)")
      .append(std::to_string(code))
      .append("}");
}

ErrorKind KindOf(int code, std::string_view reason) {
  return ErrorFromAnswer(code, {}, Status(code, reason)).kind;
}

TEST(StatusTest, TheKindNamesTheReaction) {
  EXPECT_EQ(KindOf(400, "BadRequest"), ErrorKind::kInvalid);
  EXPECT_EQ(KindOf(401, "Unauthorized"), ErrorKind::kDenied);
  EXPECT_EQ(KindOf(403, "Forbidden"), ErrorKind::kDenied);
  EXPECT_EQ(KindOf(404, "NotFound"), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(405, "MethodNotAllowed"), ErrorKind::kInvalid);
  EXPECT_EQ(KindOf(415, "UnsupportedMediaType"), ErrorKind::kInvalid);
  EXPECT_EQ(KindOf(422, "Invalid"), ErrorKind::kInvalid);
  EXPECT_EQ(KindOf(429, "TooManyRequests"), ErrorKind::kThrottled);
  EXPECT_EQ(KindOf(500, "InternalError"), ErrorKind::kRetry);
  EXPECT_EQ(KindOf(503, "ServiceUnavailable"), ErrorKind::kRetry);
  EXPECT_EQ(KindOf(504, "Timeout"), ErrorKind::kRetry);
  EXPECT_EQ(KindOf(302, ""), ErrorKind::kInternal);
}

TEST(StatusTest, TheReasonTellsTheTwoConflictsApart) {
  EXPECT_EQ(KindOf(409, "AlreadyExists"), ErrorKind::kExists);
  EXPECT_EQ(KindOf(409, "Conflict"), ErrorKind::kConflict);
}

TEST(StatusTest, BothReasonsOf410AreGone) {
  EXPECT_EQ(KindOf(410, "Expired"), ErrorKind::kGone);
  EXPECT_EQ(KindOf(410, "Gone"), ErrorKind::kGone);
  EXPECT_EQ(ErrorFromAnswer(410, {}, "").kind, ErrorKind::kGone);
}

TEST(StatusTest, TheMessageHasCodeReasonAndText) {
  const base::Error error =
      ErrorFromAnswer(404, {}, Status(404, "NotFound", "pods \\\"a\\\" not found"));
  EXPECT_EQ(error.message, "404 NotFound: pods \"a\" not found");
  EXPECT_EQ(error.reason, "NotFound");
  EXPECT_EQ(error.http_status, 404);
}

TEST(StatusTest, AnAppliedBodyThatDoesNotFitTheSchemaIsNotRetried) {
  // The server answers 500 without a reason, and always will.
  const base::Error error = ErrorFromAnswer(
      500, {},
      Status(500, "", "failed to create typed patch object (NS/a; v1, Kind=Pod): .spec.x"));
  EXPECT_EQ(error.kind, ErrorKind::kInvalid);
  EXPECT_EQ(error.sent, base::Sent::kNo);
}

TEST(StatusTest, ForeignUidsAreAConflict) {
  EXPECT_EQ(ErrorFromAnswer(422, {},
                            Status(422, "Invalid", "m",
                                   R"({"causes":[{"reason":"FieldValueInvalid",)"
                                   R"("message":"field is immutable","field":"metadata.uid"}]})"))
                .kind,
            ErrorKind::kConflict);
}

TEST(StatusTest, AVersionFromTheFutureIsToldByItsCause) {
  const base::Error error = ErrorFromAnswer(
      504, {},
      Status(
          504, "Timeout", "m",
          R"({"causes":[{"reason":"ResourceVersionTooLarge","message":"x"}],"retryAfterSeconds":1})"));
  EXPECT_EQ(error.reason, kReasonTooLargeResourceVersion);
  EXPECT_EQ(error.kind, ErrorKind::kRetry);
  EXPECT_EQ(error.retry_after, std::chrono::seconds(1));
}

TEST(StatusTest, ATerminatingNamespaceIsToldByItsCause) {
  const base::Error error = ErrorFromAnswer(
      403, {},
      Status(403, "Forbidden", "m",
             R"({"causes":[{"reason":"NamespaceTerminating","field":"metadata.namespace"}]})"));
  EXPECT_EQ(error.reason, kReasonNamespaceTerminating);
  EXPECT_EQ(error.kind, ErrorKind::kDenied);
}

TEST(StatusTest, RetryAfterComesFromTheHeaderOrTheBody) {
  EXPECT_EQ(ErrorFromAnswer(429, {{"retry-after", "7"}}, "slow down").retry_after,
            std::chrono::seconds(7));
  EXPECT_EQ(
      ErrorFromAnswer(429, {}, Status(429, "TooManyRequests", "m", R"({"retryAfterSeconds":3})"))
          .retry_after,
      std::chrono::seconds(3));
  EXPECT_EQ(ErrorFromAnswer(429, {{"Retry-After", "soon"}}, "").retry_after, std::nullopt);
  EXPECT_EQ(ErrorFromAnswer(429, {{"Retry-After", "-1"}}, "").retry_after, std::nullopt);
  EXPECT_EQ(ErrorFromAnswer(429, {{"Retry-After", "999999999"}}, "").retry_after,
            std::chrono::hours(1));
}

TEST(StatusTest, A503WithATimeToWaitIsThrottled) {
  EXPECT_EQ(ErrorFromAnswer(503, {{"Retry-After", "1"}}, "").kind, ErrorKind::kThrottled);
}

TEST(StatusTest, OnlyA5xxMayHaveHadAnEffect) {
  EXPECT_EQ(ErrorFromAnswer(500, {}, "").sent, base::Sent::kMaybe);
  EXPECT_EQ(ErrorFromAnswer(504, {}, "").sent, base::Sent::kMaybe);
  EXPECT_EQ(ErrorFromAnswer(409, {}, "").sent, base::Sent::kNo);
  EXPECT_EQ(ErrorFromAnswer(429, {}, "").sent, base::Sent::kNo);
}

TEST(StatusTest, AnAnswerThatIsNoStatusIsItsOwnMessage) {
  EXPECT_EQ(ErrorFromAnswer(404, {}, "404 page not found\n").message, "404: 404 page not found");
  EXPECT_EQ(ErrorFromAnswer(502, {}, "<html>\n<b>bad</b>").message, "502: <html> <b>bad</b>");
  EXPECT_EQ(ErrorFromAnswer(500, {}, "").message, "500");
  EXPECT_EQ(ErrorFromAnswer(500, {}, "{broken").message, "500: {broken");
}

TEST(StatusTest, ALongAnswerIsCut) {
  EXPECT_LT(ErrorFromAnswer(500, {}, std::string(100'000, 'x')).message.size(), 1'100U);
}

TEST(StatusTest, MembersOfTheWrongTypeCountAsAbsent) {
  const base::Error error =
      ErrorFromAnswer(409, {}, R"({"reason":5,"message":[],"details":"x","code":"y"})");
  EXPECT_EQ(error.kind, ErrorKind::kConflict);
  EXPECT_EQ(error.message, "409");
}

TEST(StatusTest, AStatusInsideAStreamBringsItsOwnCode) {
  const base::Error error =
      ErrorFromStatus(Status(410, "Expired", "too old resource version: 1 (2)"));
  EXPECT_EQ(error.kind, ErrorKind::kGone);
  EXPECT_EQ(error.http_status, 410);
  EXPECT_EQ(ErrorFromStatus(Status(500, "InternalError")).kind, ErrorKind::kRetry);
}

}  // namespace
}  // namespace rabbit::kube
