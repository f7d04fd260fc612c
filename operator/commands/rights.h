// operator/commands/rights.h: whether we may do what the operator does, asked before it starts: a
// missing rule is one clear line, not a cluster that is stuck half-way. The rules are those of
// manifests/base/rbac.yaml; a test compares the two.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "http/transport.h"
#include "kube/client.h"

namespace rabbit::commands {

struct Right {
  std::string_view verb, group, resource;  // resource: "pods/exec" with its subresource
};

// What the operator does in the namespaces that it watches.
[[nodiscard]] std::span<const Right> NeededRights();
// What it does with the lease, in the lease's namespace.
[[nodiscard]] std::span<const Right> LeaseRights();

// Of the next question.
using OptionsOfCall = std::function<http::CallOptions()>;

// Asks the API server (SelfSubjectAccessReview) for each right in `ns` (empty: all namespaces).
// kDenied names every right that is missing, on one line; other errors as they come. There are some
// fifty questions, so each has a deadline of its own: a slow server is still a server.
[[nodiscard]] base::Result<void> CheckRights(kube::Client& client, std::span<const Right> rights,
                                             std::string_view ns, const OptionsOfCall& options);

}  // namespace rabbit::commands
