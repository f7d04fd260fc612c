#include "rabbitmq/refusal.h"

#include "rabbitmq/client.h"
#include "rabbitmq/parse.h"

namespace rabbit::rabbitmq {
namespace {

using base::ErrorKind;

ErrorKind KindOf(int status) {
  switch (status) {
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
  if (status >= 500) return ErrorKind::kRetry;
  return status >= 400 ? ErrorKind::kInvalid : ErrorKind::kInternal;
}

// A wrong user or password; a right that is missing is spelled "not_authorised".
constexpr std::string_view kLoginFailed = "Login failed";

}  // namespace

std::string ApiPath(std::string_view collection, std::initializer_list<std::string_view> names) {
  std::string path = "/api/" + std::string(collection);
  for (const std::string_view name : names) path += '/' + http::Escape(name);
  return path;
}

std::string CallName(http::Method method, std::string_view target) {
  return std::string(http::Name(method)) + ' ' + std::string(target.substr(0, target.find('?')));
}

base::Error ErrorOfAnswer(int status, std::string_view body) {
  const Refusal refusal = ParseRefusal(body);
  std::string message = std::to_string(status);
  if (!refusal.error.empty()) message += ' ' + refusal.error;
  if (!refusal.reason.empty()) message += ": " + refusal.reason;
  return {.kind = KindOf(status),
          .message = std::move(message),
          .http_status = status,
          .reason = refusal.reason,
          .sent = status >= 500 ? base::Sent::kMaybe : base::Sent::kNo};
}

bool IsBadCredentials(const base::Error& error) {
  return error.http_status == 401 &&
         (error.reason == kLoginFailed || error.reason.starts_with("Not_Authori") ||
          error.reason.empty());
}

}  // namespace rabbit::rabbitmq
