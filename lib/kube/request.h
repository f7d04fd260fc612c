// lib/kube/request.h: requests of the Kubernetes API as plain values. Building one is not sending
// it. Pure functions, thread-safe. Bodies are JSON texts, taken as they are. No Authorization: the
// Client adds it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "kube/resource.h"

namespace rabbit::kube {

inline constexpr std::string_view kFieldManager = "rabbit-operator";

// "/api/v1/namespaces/NS/pods/NAME", with "/status" and the like appended when given.
[[nodiscard]] std::string ObjectPath(const ResourceType& type, const ObjectKey& key,
                                     std::string_view subresource = {});

// Which objects of a kind.
struct Selection {
  std::string ns;              // empty: all namespaces
  std::string label_selector;  // "app.kubernetes.io/managed-by=rabbit-operator"; empty: all
  std::string field_selector;
};

struct ListOptions {
  int limit = 0;                 // objects a page; 0: no limit. A server may ignore it
  std::string continue_token;    // of the page before
  std::string resource_version;  // "": the latest; "0": any; else at least as new as this one.
                                 // Never sent with a continue_token: the server refuses both
};
[[nodiscard]] http::Request ListRequest(const ResourceType& type, const Selection& selection,
                                        const ListOptions& options);

// Asks for bookmarks always. The server ends the stream after `timeout`.
[[nodiscard]] http::Request WatchRequest(const ResourceType& type, const Selection& selection,
                                         std::string_view resource_version,
                                         std::chrono::seconds timeout);

[[nodiscard]] http::Request GetRequest(const ResourceType& type, const ObjectKey& key);
[[nodiscard]] http::Request CreateRequest(const ResourceType& type, std::string_view ns,
                                          std::string_view body);
// PUT: `body` carries metadata.resourceVersion, and a stale one is a conflict.
[[nodiscard]] http::Request ReplaceRequest(const ResourceType& type, const ObjectKey& key,
                                           std::string_view body);
// Server-side apply, forced.
[[nodiscard]] http::Request ApplyRequest(const ResourceType& type, const ObjectKey& key,
                                         std::string_view body);
[[nodiscard]] http::Request ApplyStatusRequest(const ResourceType& type, const ObjectKey& key,
                                               std::string_view body);
// RFC 6902 and RFC 7386.
[[nodiscard]] http::Request JsonPatchRequest(const ResourceType& type, const ObjectKey& key,
                                             std::string_view patch);
[[nodiscard]] http::Request MergePatchRequest(const ResourceType& type, const ObjectKey& key,
                                              std::string_view patch);
// Background propagation; a `uid` that is not empty is a precondition.
[[nodiscard]] http::Request DeleteRequest(const ResourceType& type, const ObjectKey& key,
                                          std::string_view uid);

// Where the websocket of a command in a container is opened: the target, with its query. Output and
// errors are asked for always, a terminal never.
[[nodiscard]] std::string ExecTarget(const ObjectKey& pod, std::string_view container,
                                     const std::vector<std::string>& command, bool with_stdin);

// Where the websocket to a port of a pod is opened.
[[nodiscard]] std::string PortForwardTarget(const ObjectKey& pod, std::uint16_t port);

}  // namespace rabbit::kube
