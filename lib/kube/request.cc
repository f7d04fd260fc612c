#include "kube/request.h"

#include "kube/json_text.h"

namespace rabbit::kube {
namespace {

http::Request WithBody(http::Method method, std::string target, std::string_view content_type,
                       std::string_view body) {
  return {method,
          std::move(target),
          {{"Accept", "application/json"}, {"Content-Type", std::string(content_type)}},
          std::string(body)};
}

http::Request Reading(std::string target) {
  return {http::Method::kGet, std::move(target), {{"Accept", "application/json"}}, ""};
}

void AddSelectors(std::string& target, const Selection& selection) {
  if (!selection.label_selector.empty()) {
    http::AddQuery(target, "labelSelector", selection.label_selector);
  }
  if (!selection.field_selector.empty()) {
    http::AddQuery(target, "fieldSelector", selection.field_selector);
  }
}

http::Request Writing(http::Method method, std::string target, std::string_view content_type,
                      std::string_view body) {
  http::AddQuery(target, "fieldManager", kFieldManager);
  return WithBody(method, std::move(target), content_type, body);
}

http::Request Applying(std::string target, std::string_view body) {
  http::AddQuery(target, "fieldManager", kFieldManager);
  http::AddQuery(target, "force", "true");
  return WithBody(http::Method::kPatch, std::move(target), "application/apply-patch+yaml", body);
}

}  // namespace

std::string ObjectPath(const ResourceType& type, const ObjectKey& key,
                       std::string_view subresource) {
  std::string path = type.CollectionPath(key.ns);
  path.append("/").append(http::Escape(key.name));
  if (!subresource.empty()) path.append("/").append(subresource);
  return path;
}

http::Request ListRequest(const ResourceType& type, const Selection& selection,
                          const ListOptions& options) {
  std::string target = type.CollectionPath(selection.ns);
  AddSelectors(target, selection);
  if (options.limit > 0) http::AddQuery(target, "limit", std::to_string(options.limit));
  if (!options.continue_token.empty()) {
    http::AddQuery(target, "continue", options.continue_token);
  } else if (!options.resource_version.empty()) {
    http::AddQuery(target, "resourceVersion", options.resource_version);
  }
  return Reading(std::move(target));
}

http::Request WatchRequest(const ResourceType& type, const Selection& selection,
                           std::string_view resource_version, std::chrono::seconds timeout) {
  std::string target = type.CollectionPath(selection.ns);
  http::AddQuery(target, "watch", "true");
  http::AddQuery(target, "allowWatchBookmarks", "true");
  http::AddQuery(target, "timeoutSeconds", std::to_string(timeout.count()));
  AddSelectors(target, selection);
  if (!resource_version.empty()) http::AddQuery(target, "resourceVersion", resource_version);
  return Reading(std::move(target));
}

http::Request GetRequest(const ResourceType& type, const ObjectKey& key) {
  return Reading(ObjectPath(type, key));
}

http::Request CreateRequest(const ResourceType& type, std::string_view ns, std::string_view body) {
  return Writing(http::Method::kPost, type.CollectionPath(ns), "application/json", body);
}

http::Request ReplaceRequest(const ResourceType& type, const ObjectKey& key,
                             std::string_view body) {
  return Writing(http::Method::kPut, ObjectPath(type, key), "application/json", body);
}

http::Request ApplyRequest(const ResourceType& type, const ObjectKey& key, std::string_view body) {
  return Applying(ObjectPath(type, key), body);
}

http::Request ApplyStatusRequest(const ResourceType& type, const ObjectKey& key,
                                 std::string_view body) {
  return Applying(ObjectPath(type, key, "status"), body);
}

http::Request JsonPatchRequest(const ResourceType& type, const ObjectKey& key,
                               std::string_view patch) {
  return Writing(http::Method::kPatch, ObjectPath(type, key), "application/json-patch+json", patch);
}

http::Request MergePatchRequest(const ResourceType& type, const ObjectKey& key,
                                std::string_view patch) {
  return Writing(http::Method::kPatch, ObjectPath(type, key), "application/merge-patch+json",
                 patch);
}

http::Request DeleteRequest(const ResourceType& type, const ObjectKey& key, std::string_view uid) {
  std::string body = R"({"propagationPolicy":"Background")";
  if (!uid.empty()) body.append(R"(,"preconditions":{"uid":)").append(Quote(uid)).append("}");
  body.append("}");
  return WithBody(http::Method::kDelete, ObjectPath(type, key), "application/json", body);
}

std::string ExecTarget(const ObjectKey& pod, std::string_view container,
                       const std::vector<std::string>& command, bool with_stdin) {
  std::string target = ObjectPath(kPods, pod, "exec");
  for (const std::string& word : command) http::AddQuery(target, "command", word);
  if (!container.empty()) http::AddQuery(target, "container", container);
  if (with_stdin) http::AddQuery(target, "stdin", "true");
  http::AddQuery(target, "stdout", "true");
  http::AddQuery(target, "stderr", "true");
  return target;
}

std::string PortForwardTarget(const ObjectKey& pod, std::uint16_t port) {
  std::string target = ObjectPath(kPods, pod, "portforward");
  http::AddQuery(target, "ports", std::to_string(port));
  return target;
}

}  // namespace rabbit::kube
