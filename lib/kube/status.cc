#include "kube/status.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/json.h"

namespace rabbit::kube {
namespace {

using base::ErrorKind;

constexpr std::size_t kMaxMessage = 1000;
constexpr std::int64_t kMaxRetryAfterSeconds = 3600;  // a longer wish is a mistake of somebody

struct Refusal {
  int status = 0;
  std::string reason;
  std::string message;
  std::optional<std::chrono::seconds> retry_after;
  bool other_uid = false;  // the object of that name is not the one that was meant
};

// One line, bounded: what a proxy in between answers may be a page of HTML.
std::string Tidy(std::string_view text) {
  std::string line(text.substr(0, kMaxMessage));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  const auto first = line.find_first_not_of(' ');
  if (first == std::string::npos) return {};
  line = line.substr(first, line.find_last_not_of(' ') - first + 1);
  if (text.size() > kMaxMessage) line += " …";
  return line;
}

std::optional<std::chrono::seconds> Seconds(std::int64_t value) {
  if (value <= 0) return std::nullopt;
  return std::chrono::seconds(std::min(value, kMaxRetryAfterSeconds));
}

void ReadStatus(const base::Json& status, Refusal& refusal) {
  refusal.message = Tidy(base::FindString(status, {"message"}));
  refusal.reason = base::FindString(status, {"reason"});
  if (refusal.status == 0) refusal.status = static_cast<int>(base::FindInt(status, {"code"}));
  refusal.retry_after = Seconds(base::FindInt(status, {"details", "retryAfterSeconds"}));
  const base::Json* causes = base::Find(status, {"details", "causes"});
  if (causes == nullptr || !causes->is_array()) return;
  for (const base::Json& cause : *causes) {
    const std::string reason = base::FindString(cause, {"reason"});
    if (reason == kReasonTooLargeResourceVersion || reason == kReasonNamespaceTerminating) {
      refusal.reason = reason;
    }
    if (base::FindString(cause, {"field"}) == "metadata.uid") refusal.other_uid = true;
  }
}

// The body, if it is a Status; else its text is the message.
void ReadBody(std::string_view body, Refusal& refusal) {
  if (const auto first = body.find_first_not_of(" \r\n\t");
      first != std::string_view::npos && body[first] == '{') {
    if (const auto json = base::ParseJson(body); json && json->is_object()) {
      ReadStatus(*json, refusal);
      return;
    }
  }
  refusal.message = Tidy(body);
}

ErrorKind KindOf(const Refusal& refusal) {
  const std::string& reason = refusal.reason;
  if (refusal.status == 410 || reason == "Expired" || reason == "Gone") return ErrorKind::kGone;
  if (reason == "AlreadyExists") return ErrorKind::kExists;
  switch (refusal.status) {
    case 401:
    case 403:
      return ErrorKind::kDenied;
    case 404:
      return ErrorKind::kNotFound;
    case 408:
      return ErrorKind::kRetry;
    case 409:
      return ErrorKind::kConflict;
    case 429:
      return ErrorKind::kThrottled;
    default:
      break;
  }
  if (refusal.status == 422 && refusal.other_uid) return ErrorKind::kConflict;
  if (refusal.status >= 400 && refusal.status < 500) return ErrorKind::kInvalid;
  if (refusal.status < 500) return ErrorKind::kInternal;
  if (refusal.message.starts_with("failed to create typed patch object")) {
    return ErrorKind::kInvalid;
  }
  return refusal.status == 503 && refusal.retry_after ? ErrorKind::kThrottled : ErrorKind::kRetry;
}

base::Error ToError(Refusal refusal) {
  base::Error error;
  error.kind = KindOf(refusal);
  error.http_status = refusal.status;
  error.message = std::to_string(refusal.status);
  if (!refusal.reason.empty()) error.message += " " + refusal.reason;
  if (!refusal.message.empty()) error.message += ": " + refusal.message;
  error.reason = std::move(refusal.reason);
  error.retry_after = refusal.retry_after;
  error.sent = error.kind == ErrorKind::kRetry ? base::Sent::kMaybe : base::Sent::kNo;
  return error;
}

}  // namespace

base::Error ErrorFromAnswer(int http_status, const http::Headers& headers, std::string_view body) {
  Refusal refusal{
      .status = http_status, .reason = {}, .message = {}, .retry_after = {}, .other_uid = false};
  ReadBody(body, refusal);
  const std::string_view header = http::FindHeader(headers, "Retry-After");
  std::int64_t seconds = 0;  // the form that is a date is left aside: Kubernetes never sends it
  const auto [end, failure] =
      std::from_chars(header.data(), header.data() + header.size(), seconds);
  if (failure == std::errc() && end == header.data() + header.size() && Seconds(seconds)) {
    refusal.retry_after = Seconds(seconds);
  }
  return ToError(std::move(refusal));
}

base::Error ErrorFromStatus(std::string_view status_json) {
  Refusal refusal;
  ReadBody(status_json, refusal);
  return ToError(std::move(refusal));
}

}  // namespace rabbit::kube
