#include "kube/request.h"

#include <gtest/gtest.h>

namespace rabbit::kube {
namespace {

std::string Line(const http::Request& request) {
  return std::string(http::Name(request.method)) + " " + request.target;
}
std::string_view ContentType(const http::Request& request) {
  return http::FindHeader(request.headers, "Content-Type");
}

const ObjectKey kKey{"ns", "a"};

TEST(ResourceTypeTest, CoreKindsLieUnderApiAndOthersUnderApis) {
  EXPECT_EQ(kPods.CollectionPath("ns"), "/api/v1/namespaces/ns/pods");
  EXPECT_EQ(kStatefulSets.CollectionPath("ns"), "/apis/apps/v1/namespaces/ns/statefulsets");
  EXPECT_EQ(kStatefulSets.ApiVersion(), "apps/v1");
  EXPECT_EQ(kPods.ApiVersion(), "v1");
}

TEST(ResourceTypeTest, WithoutANamespaceAllNamespacesAreMeant) {
  EXPECT_EQ(kPods.CollectionPath(""), "/api/v1/pods");
}

TEST(ResourceTypeTest, ClusterScopedKindsHaveNoNamespaceInTheirPath) {
  EXPECT_EQ(kCustomResourceDefinitions.CollectionPath("ns"),
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions");
}

TEST(RequestTest, AListNamesItsLimitSelectorsAndVersion) {
  EXPECT_EQ(Line(ListRequest(kPods, {.label_selector = "app=a,b!=c", .field_selector = "x=y"},
                             {.limit = 100, .resource_version = "0"})),
            "GET /api/v1/pods?labelSelector=app%3Da%2Cb%21%3Dc&fieldSelector=x%3Dy&limit=100"
            "&resourceVersion=0");
}

TEST(RequestTest, AListWithoutOptionsHasNoQuery) {
  EXPECT_EQ(Line(ListRequest(kPods, {.ns = "ns"}, {})), "GET /api/v1/namespaces/ns/pods");
}

TEST(RequestTest, AFurtherPageNeverNamesAVersion) {
  EXPECT_EQ(
      Line(ListRequest(kPods, {}, {.limit = 7, .continue_token = "a/b=", .resource_version = "5"})),
      "GET /api/v1/pods?limit=7&continue=a%2Fb%3D");
}

TEST(RequestTest, AWatchAsksForBookmarksAndItsEnd) {
  EXPECT_EQ(Line(WatchRequest(kPods, {.label_selector = "a=b"}, "42", std::chrono::seconds(301))),
            "GET /api/v1/pods?watch=true&allowWatchBookmarks=true&timeoutSeconds=301"
            "&labelSelector=a%3Db&resourceVersion=42");
}

TEST(RequestTest, WritesNameTheFieldManager) {
  EXPECT_EQ(Line(CreateRequest(kPods, "ns", "{}")),
            "POST /api/v1/namespaces/ns/pods?fieldManager=rabbit-operator");
  EXPECT_EQ(Line(ReplaceRequest(kLeases, kKey, "{}")),
            "PUT /apis/coordination.k8s.io/v1/namespaces/ns/leases/a?fieldManager=rabbit-operator");
  EXPECT_EQ(ContentType(CreateRequest(kPods, "ns", "{}")), "application/json");
}

TEST(RequestTest, ApplyIsForcedAndOfItsOwnContentType) {
  const http::Request apply = ApplyRequest(kServices, kKey, R"({"a":1})");
  EXPECT_EQ(Line(apply),
            "PATCH /api/v1/namespaces/ns/services/a?fieldManager=rabbit-operator&force=true");
  EXPECT_EQ(ContentType(apply), "application/apply-patch+yaml");
  EXPECT_EQ(apply.body, R"({"a":1})");
  EXPECT_EQ(
      Line(ApplyStatusRequest(kServices, kKey, "{}")),
      "PATCH /api/v1/namespaces/ns/services/a/status?fieldManager=rabbit-operator&force=true");
}

TEST(RequestTest, PatchesAreNeverForced) {
  // The server refuses `force` with any patch but apply.
  EXPECT_EQ(Line(JsonPatchRequest(kPods, kKey, "[]")),
            "PATCH /api/v1/namespaces/ns/pods/a?fieldManager=rabbit-operator");
  EXPECT_EQ(ContentType(JsonPatchRequest(kPods, kKey, "[]")), "application/json-patch+json");
  EXPECT_EQ(ContentType(MergePatchRequest(kPods, kKey, "{}")), "application/merge-patch+json");
}

TEST(RequestTest, ADeleteOfOneObjectNamesItsUid) {
  const http::Request request = DeleteRequest(kPods, kKey, "u-1");
  EXPECT_EQ(Line(request), "DELETE /api/v1/namespaces/ns/pods/a");
  EXPECT_EQ(request.body, R"({"propagationPolicy":"Background","preconditions":{"uid":"u-1"}})");
  EXPECT_EQ(DeleteRequest(kPods, kKey, "").body, R"({"propagationPolicy":"Background"})");
}

TEST(RequestTest, ANameCannotLeaveItsPathSegment) {
  EXPECT_EQ(GetRequest(kPods, {"ns", "../x?y"}).target, "/api/v1/namespaces/ns/pods/..%2Fx%3Fy");
}

TEST(RequestTest, AnExecNamesEachWordOfTheCommand) {
  EXPECT_EQ(ExecTarget(kKey, "rabbitmq", {"sh", "-c", "echo \"a b\""}, true),
            "/api/v1/namespaces/ns/pods/a/exec?command=sh&command=-c&command=echo%20%22a%20b%22"
            "&container=rabbitmq&stdin=true&stdout=true&stderr=true");
  EXPECT_EQ(ExecTarget(kKey, "", {"id"}, false),
            "/api/v1/namespaces/ns/pods/a/exec?command=id&stdout=true&stderr=true");
}

}  // namespace
}  // namespace rabbit::kube
