#include "operator/commands/read_only.h"

#include <gtest/gtest.h>

#include "test/fakes/scripted_transport.h"

namespace rabbit::commands {
namespace {

using http::Method;

TEST(ReadOnlyTransport, OnlyGetsAndDryRunsPass) {
  struct Row {
    Method method;
    const char* target;
    bool passes;
  };
  for (const Row& row :
       {Row{Method::kGet, "/api/v1/pods?limit=1", true},
        Row{Method::kPost, "/apis/x?dryRun=All", true},
        Row{Method::kPatch, "/apis/x?force=true&dryRun=All&a=b", true},
        Row{Method::kPost, "/apis/x", false}, Row{Method::kPut, "/apis/x?dryRun=", false},
        Row{Method::kPut, "/apis/x?dryRun=AllX", false},
        Row{Method::kPut, "/apis/x?xdryRun=All", false},
        Row{Method::kDelete, "/apis/dryRun=All", false},
        Row{Method::kPut, "/api/policies/%2F/p?dryRun", false}}) {
    fakes::ScriptedTransport server;
    if (row.passes) server.Expect("* *");
    ReadOnlyTransport transport(server);
    const auto answer = transport.Send({.method = row.method, .target = row.target},
                                       {.deadline = base::TimePoint(std::chrono::hours(1))});
    EXPECT_EQ(answer.has_value(), row.passes) << row.target;
    if (answer) continue;
    EXPECT_EQ(answer.error().kind, base::ErrorKind::kInternal);
    EXPECT_EQ(server.seen().size(), 0U);
  }
}

}  // namespace
}  // namespace rabbit::commands
