#include "runtime/lease_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace rabbit::runtime {
namespace {

const kube::ObjectKey kKey{"system", "rabbit-operator"};

TEST(LeaseJson, ReadsWhatItNeeds) {
  const auto record = ParseLease(R"({"metadata": {"resourceVersion": "7"}, "spec": {
      "holderIdentity": "pod-1", "leaseDurationSeconds": 15, "leaseTransitions": 4,
      "acquireTime": "2026-01-01T00:00:00.000000Z", "renewTime": "2026-01-01T00:00:05.000000Z"}})");
  ASSERT_TRUE(record);
  EXPECT_EQ(*record, (LeaseRecord{"pod-1", std::chrono::seconds(15), "2026-01-01T00:00:00.000000Z",
                                  "2026-01-01T00:00:05.000000Z", 4, "7"}));
}

TEST(LeaseJson, AnEmptySpecIsAFreeLease) {
  for (const char* body : {R"({"metadata": {"resourceVersion": "7"}})",
                           R"({"metadata": {"resourceVersion": "7"}, "spec": null})"}) {
    const auto record = ParseLease(body);
    ASSERT_TRUE(record);
    EXPECT_EQ(record->holder, "");
  }
}

TEST(LeaseJson, NumbersBeyondTheFieldsRangeAreCut) {
  const auto record = ParseLease(R"({"metadata": {"resourceVersion": "7"}, "spec": {
      "leaseDurationSeconds": 9223372036854775807, "leaseTransitions": -5}})");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->duration.count(), 2147483647);
  EXPECT_EQ(record->transitions, 0);
}

TEST(LeaseJson, RefusesWhatIsNoLease) {
  for (const char* body : {"", "[]", "{}", R"({"metadata": {}})", R"({"metadata": 1})"}) {
    EXPECT_FALSE(ParseLease(body)) << body;
  }
}

TEST(LeaseJson, ANewOneHasNameAndHolder) {
  EXPECT_EQ(NewLease(kKey, {"me", std::chrono::seconds(15), "A", "R", 0, ""}),
            R"({"apiVersion":"coordination.k8s.io/v1","kind":"Lease",)"
            R"("metadata":{"name":"rabbit-operator","namespace":"system"},)"
            R"("spec":{"acquireTime":"A","holderIdentity":"me","leaseDurationSeconds":15,)"
            R"("leaseTransitions":0,"renewTime":"R"}})");
}

TEST(LeaseJson, AChangeKeepsWhatOthersPutIntoTheLease) {
  const auto body = ChangedLease(
      R"({"metadata": {"name": "x", "labels": {"team": "a"}, "resourceVersion": "7"},
          "spec": {"holderIdentity": "old", "strategy": "OldestEmulationVersion"}})",
      {"me", std::chrono::seconds(15), "", "R", 5, "7"});
  ASSERT_TRUE(body);
  EXPECT_EQ(base::ParseJson(*body).value(), base::ParseJson(R"({
      "metadata": {"name": "x", "labels": {"team": "a"}, "resourceVersion": "7"},
      "spec": {"holderIdentity": "me", "strategy": "OldestEmulationVersion",
               "leaseDurationSeconds": 15, "leaseTransitions": 5, "renewTime": "R"}})")
                                                .value());
}

}  // namespace
}  // namespace rabbit::runtime
