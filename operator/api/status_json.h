// operator/api/status_json.h: the status as the body of a server-side apply on /status.
// What is absent is left out, so that apply removes it. Pure, thread-safe. Read back by parse.h.
#pragma once

#include <string>

#include "kube/resource.h"
#include "operator/api/status.h"

namespace rabbit::api {

// apiVersion, kind, name, namespace, uid (an object of the same name that was made anew is not ours
// to write) and status; compact, keys sorted: equal statuses give equal texts.
[[nodiscard]] std::string StatusApplyBody(const kube::ObjectMeta& meta, const Status& status);

}  // namespace rabbit::api
