// lib/kube/status.h: what the API server answers when it refuses, as base::Error.
// Facts: k8s.io/apimachinery/pkg/apis/meta/v1 (Status, StatusReason, CauseType). Pure, thread-safe.
#pragma once

#include <string_view>

#include "base/error.h"
#include "http/message.h"

namespace rabbit::kube {

// Values of Error::reason that code here branches on; other reasons pass through as they are.
inline constexpr std::string_view kReasonTooLargeResourceVersion = "ResourceVersionTooLarge";
inline constexpr std::string_view kReasonNamespaceTerminating = "NamespaceTerminating";

// The error for an answer that is not 2xx. The message is "409 Conflict: " and the server's text,
// at most about 1,000 bytes. The reason is that of the Status; for a cause that means something
// else than its Status, that cause (the constants above).
//   kGone       410, reason Expired or Gone
//   kExists     409 AlreadyExists
//   kConflict   any other 409, and a 422 about metadata.uid: the object is not the one we knew
//   kThrottled  429, and 503 with a time to wait; retry_after from header or body
//   kInvalid    other 4xx, and a 500 that says that an applied body does not fit the schema (the
//               server has no better code for it, and it never succeeds)
//   kRetry      408, 5xx
//   kDenied     401, 403; kNotFound: 404; kInternal: 1xx, 3xx
// `sent` is kNo for refusals before anything was done, kMaybe for a 5xx without a time to wait.
[[nodiscard]] base::Error ErrorFromAnswer(int http_status, const http::Headers& headers,
                                          std::string_view body);

// The same for a Status object that came with HTTP 200: an ERROR event of a watch, or channel 3 of
// an exec. Its code takes the place of the HTTP status.
[[nodiscard]] base::Error ErrorFromStatus(std::string_view status_json);

}  // namespace rabbit::kube
