#include "runtime/lease_json.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace rabbit::runtime {
namespace {

void WriteSpec(base::Json& lease, const LeaseRecord& record) {
  base::Json& spec = lease["spec"];
  spec["holderIdentity"] = record.holder;
  spec["leaseDurationSeconds"] = record.duration.count();
  spec["renewTime"] = record.renew_time;
  spec["leaseTransitions"] = record.transitions;
  // A free Lease may never have been held; an empty text is no time to the server.
  if (!record.acquire_time.empty()) spec["acquireTime"] = record.acquire_time;
}

// The field is an int32 to the server.
int Clamp(std::int64_t value) {
  return static_cast<int>(
      std::clamp<std::int64_t>(value, 0, std::numeric_limits<std::int32_t>::max()));
}

}  // namespace

base::Result<LeaseRecord> ParseLease(std::string_view body) {
  auto lease = base::ParseJson(body);
  if (!lease) return base::FailWrapped(std::move(lease.error()), "Lease");
  LeaseRecord record;
  record.resource_version = base::FindString(*lease, {"metadata", "resourceVersion"});
  if (record.resource_version.empty()) {
    return base::Fail(base::ErrorKind::kInternal, "Lease without a resourceVersion");
  }
  record.holder = base::FindString(*lease, {"spec", "holderIdentity"});
  record.duration =
      std::chrono::seconds(Clamp(base::FindInt(*lease, {"spec", "leaseDurationSeconds"})));
  record.acquire_time = base::FindString(*lease, {"spec", "acquireTime"});
  record.renew_time = base::FindString(*lease, {"spec", "renewTime"});
  record.transitions = Clamp(base::FindInt(*lease, {"spec", "leaseTransitions"}));
  return record;
}

std::string NewLease(const kube::ObjectKey& key, const LeaseRecord& record) {
  base::Json lease{{"apiVersion", "coordination.k8s.io/v1"},
                   {"kind", "Lease"},
                   {"metadata", {{"namespace", key.ns}, {"name", key.name}}}};
  WriteSpec(lease, record);
  return base::Dump(lease);
}

base::Result<std::string> ChangedLease(std::string_view body, const LeaseRecord& record) {
  auto lease = base::ParseJson(body);
  if (!lease) return base::FailWrapped(std::move(lease.error()), "Lease");
  if (!lease->is_object() || !(*lease)["metadata"].is_object()) {
    return base::Fail(base::ErrorKind::kInternal, "Lease without metadata");
  }
  (*lease)["metadata"]["resourceVersion"] = record.resource_version;
  if (!(*lease)["spec"].is_object()) (*lease)["spec"] = base::Json::object();
  WriteSpec(*lease, record);
  return base::Dump(*lease);
}

}  // namespace rabbit::runtime
